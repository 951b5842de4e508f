import type { NamespacedName } from '../resources/keys.ts';
import type { Backend, RouteResource } from '../resources/resource.ts';
import type { Broken, Objects } from './objects.ts';

/** Backends behind which somebody may be waiting for an identity that Postern proved (A041). */
export interface GuardedBackends {
  has(backend: Backend): boolean;
}

/**
 * A Route guards its backend unless it plainly says `access: Public` and names no plugin. Its Service's floor, whether
 * its plugins resolve, whether it is Denied: none of that counts, so that no other object's end can end a guard. An
 * invalid Route always guards: the plugins that it named may be what can't be read. A guard whose backend can't be told
 * guards all of them.
 */
export function guardedBackends(objects: Objects): GuardedBackends {
  const guarded = new Set<string>();
  let all = false;
  const guard = (service: NamespacedName | undefined): void => {
    for (const backend of backendsOf(service, objects)) {
      if (backend === undefined) all = true;
      else guarded.add(backendOrigin(backend));
    }
  };
  for (const route of objects.routes) {
    if (!isPlainlyPublic(route)) guard(route.service);
  }
  for (const broken of objects.brokenRoutes) {
    for (const claim of broken.claims) guard(claim.kind === 'Route' ? claim.service : undefined);
  }
  return { has: (backend) => all || guarded.has(backendOrigin(backend)) };
}

const isPlainlyPublic = (route: RouteResource): boolean => route.access === 'Public' && route.plugins.length === 0;

function backendsOf(service: NamespacedName | undefined, objects: Objects): readonly (Backend | undefined)[] {
  const found = service === undefined ? undefined : objects.services.get(service);
  if (found === undefined) return [undefined];
  return found.kind === 'Valid' ? [found.value.backend] : claimedBackends(found);
}

const claimedBackends = (broken: Broken): readonly (Backend | undefined)[] =>
  broken.claims.map((claim) => (claim.kind === 'Service' ? claim.backend : undefined));

/** The core Service, or host and port of the URL: scheme and path don't make another server. Loopback names are one host. */
function backendOrigin(backend: Backend): string {
  if (backend.kind === 'Service') return `service ${backend.name}`;
  return `url ${isLoopback(backend.host) ? 'loopback' : backend.host} ${backend.port}`;
}

const isLoopback = (host: string): boolean => /^(127\..*|::1|(.*\.)?localhost)$/.test(host);

/** `http://127.0.0.1:8080/base`, or `shop/orders:8080`. */
export function formatBackend(backend: Backend): string {
  if (backend.kind === 'Service') return `${backend.name}:${backend.port}`;
  const host = backend.host.includes(':') ? `[${backend.host}]` : backend.host;
  return `${backend.scheme}://${host}:${backend.port}${backend.basePath}`;
}
