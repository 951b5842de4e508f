import { type NamespacedName, namespaceOf } from '../resources/keys.ts';
import type { Backend, RouteResource } from '../resources/resource.ts';
import type { Grants, Referrer } from './grants.ts';
import type { Broken, Objects } from './objects.ts';
import type { CompileMode } from './options.ts';

/** Backends behind which somebody may be waiting for an identity that Postern proved (A041). */
export interface GuardedBackends {
  /** `service`: the Service that has the backend. */
  has(service: NamespacedName, backend: Backend): boolean;
}

/** What a Route that isn't plainly Public guards: the backend of its Service; undefined where that can't be read. */
interface Guard {
  readonly from: Referrer;
  readonly service: NamespacedName | undefined;
}

/**
 * A Route guards its backend unless everything about it is plainly Public: it says `access: Public`, names no plugin,
 * and its Service is there, valid, and names none either. What is missing or invalid may have named one, so that no
 * object's end can end a guard; whether plugins resolve and Routes are Denied doesn't count. A guard whose backend
 * can't be told guards all that could be it.
 *
 * In a cluster a Route guards for the namespace of its Service only, which is its own, or one that grants it: otherwise a
 * stranger could take the `Authorization` header away from another namespace's Public Routes by naming their backend.
 */
export function guardedBackends(objects: Objects, grants: Grants, mode: CompileMode): GuardedBackends {
  return mode.kind === 'Files' ? guardedInFiles(objects) : guardedInCluster(objects, grants);
}

function guardedInFiles(objects: Objects): GuardedBackends {
  const guarded = new Set<string>();
  /** Namespaces of which some backend that can't be told is guarded; `*`: of any. */
  const unknown = new Set<string>();
  for (const { service } of guardsOf(objects)) {
    for (const backend of backendsOf(service, objects)) {
      if (backend !== undefined) guarded.add(backendOrigin(backend));
      else unknown.add(service === undefined ? '*' : namespaceOf(service));
    }
  }
  // A core Service is of its own namespace, a URL can be anybody's.
  const couldBe = (backend: Backend): boolean =>
    backend.kind === 'Url' ? unknown.size > 0 : unknown.has('*') || unknown.has(namespaceOf(backend.name));
  return { has: (_service, backend) => guarded.has(backendOrigin(backend)) || couldBe(backend) };
}

function guardedInCluster(objects: Objects, grants: Grants): GuardedBackends {
  const guarded = new Set<string>();
  /** Namespaces all of whose backends are guarded. */
  const whole = new Set<string>();
  /** Those whose Routes guard something that can't be told. */
  const vague = new Map<string, Referrer>();
  for (const { from, service } of guardsOf(objects)) {
    if (service === undefined) vague.set(from.namespace, from);
    else if (grants.permits(from, { kind: 'Service', name: service })) {
      for (const backend of backendsOf(service, objects)) {
        if (backend === undefined) whole.add(namespaceOf(service));
        else guarded.add(`${namespaceOf(service)} ${backendOrigin(backend)}`);
      }
    }
  }
  const couldBe = (namespace: string): boolean =>
    whole.has(namespace) || [...vague.values()].some((from) => grants.permitsAny(from, 'Service', namespace));
  return {
    has(service, backend) {
      const namespace = namespaceOf(service);
      return guarded.has(`${namespace} ${backendOrigin(backend)}`) || couldBe(namespace);
    },
  };
}

function* guardsOf(objects: Objects): Generator<Guard> {
  for (const route of objects.routes) {
    if (!isPlainlyPublic(route, objects)) yield { from: referrer(route.name), service: route.service };
  }
  for (const { name, claims } of objects.brokenRoutes) {
    for (const claim of claims) {
      yield { from: referrer(name), service: claim.kind === 'Route' ? claim.service : undefined };
    }
  }
}

const referrer = (route: NamespacedName): Referrer => ({ kind: 'Route', namespace: namespaceOf(route) });

function isPlainlyPublic(route: RouteResource, objects: Objects): boolean {
  const service = objects.services.get(route.service);
  const bare = service?.kind === 'Valid' && service.value.plugins.length === 0;
  return route.access === 'Public' && route.plugins.length === 0 && bare;
}

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
  return `url ${isThisMachine(backend.host) ? 'loopback' : backend.host} ${backend.port}`;
}

/** Loopback names and addresses, and the unspecified ones, which a connect takes for them (RFC 1122 section 3.2.1.3). */
const isThisMachine = (host: string): boolean => /^(127\..*|0\.0\.0\.0|::1?|(.*\.)?localhost)$/.test(host);

/** `http://127.0.0.1:8080/base`, or `shop/orders:8080`. */
export function formatBackend(backend: Backend): string {
  if (backend.kind === 'Service') return `${backend.name}:${backend.port}`;
  const host = backend.host.includes(':') ? `[${backend.host}]` : backend.host;
  return `${backend.scheme}://${host}:${backend.port}${backend.basePath}`;
}
