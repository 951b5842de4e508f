import { type NamespacedName, namespaceOf } from '../resources/keys.ts';
import type { Backend, RouteResource, ServiceResource } from '../resources/resource.ts';
import { getOrAdd } from './collections.ts';
import type { Grants, Referrer } from './grants.ts';
import type { Broken } from './indexed.ts';
import type { Lookup } from './memo.ts';
import type { Objects } from './objects.ts';
import type { CompileMode } from './options.ts';
import type { Steps } from './steps.ts';

/**
 * Whether the backend of a Service is one behind which somebody may be waiting for an identity that Postern proved (A041).
 */
export type GuardedBackends = Lookup<ServiceResource, boolean>;

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
export function* guardedBackends(objects: Objects, grants: Grants, mode: CompileMode): Steps<GuardedBackends> {
  const guards = yield* guardsOf(objects);
  const isGuarded = mode.kind === 'Files' ? guardedInFiles(guards, objects) : guardedInCluster(guards, objects, grants);
  const known = new Map<ServiceResource, boolean>();
  return { get: (service) => getOrAdd(known, service, () => isGuarded(service)) };
}

type IsGuarded = (service: ServiceResource) => boolean;

function guardedInFiles(guards: readonly Guard[], objects: Objects): IsGuarded {
  const guarded = new Set<string>();
  /** Namespaces of which some backend that can't be told is guarded; `*`: of any. */
  const unknown = new Set<string>();
  for (const { service } of guards) {
    for (const backend of backendsOf(service, objects)) {
      if (backend !== undefined) guarded.add(backendOrigin(backend));
      else unknown.add(service === undefined ? '*' : namespaceOf(service));
    }
  }
  // A core Service is of its own namespace, a URL can be anybody's.
  const couldBe = (backend: Backend): boolean =>
    backend.kind === 'Url' ? unknown.size > 0 : unknown.has('*') || unknown.has(namespaceOf(backend.name));
  return ({ backend }) => guarded.has(backendOrigin(backend)) || couldBe(backend);
}

function guardedInCluster(guards: readonly Guard[], objects: Objects, grants: Grants): IsGuarded {
  const guarded = new Set<string>();
  /** Namespaces all of whose backends are guarded. */
  const whole = new Set<string>();
  const guard = (service: NamespacedName): void => {
    for (const backend of backendsOf(service, objects)) {
      if (backend === undefined) whole.add(namespaceOf(service));
      else guarded.add(`${namespaceOf(service)} ${backendOrigin(backend)}`);
    }
  };
  for (const { from, service } of guards) {
    if (service !== undefined) {
      if (grants.permits(from, { kind: 'Service', name: service })) guard(service);
      continue;
    }
    // Of another namespace it could be what that one grants, and nothing else there (invariant 8).
    whole.add(from.namespace);
    for (const one of grants.granted(from, 'Service')) {
      if (one.all) whole.add(one.namespace);
      else guard(one.name);
    }
  }
  return ({ name, backend }) => {
    const namespace = namespaceOf(name);
    return whole.has(namespace) || guarded.has(`${namespace} ${backendOrigin(backend)}`);
  };
}

/** Each once: many Routes guard one Service. */
function* guardsOf(objects: Objects): Steps<readonly Guard[]> {
  const known = new Map<NamespacedName | undefined, Map<string, Guard>>();
  const add = (route: NamespacedName, service: NamespacedName | undefined): void => {
    const from = referrer(route);
    const ofService = getOrAdd(known, service, () => new Map());
    if (!ofService.has(from.namespace)) ofService.set(from.namespace, { from, service });
  };
  for (const [at, route] of objects.routes.entries()) {
    if (at % STRIDE === 0) yield;
    if (!isPlainlyPublic(route, objects)) add(route.name, route.service);
  }
  for (const { name, claims } of objects.brokenRoutes) {
    yield;
    for (const claim of claims) add(name, claim.kind === 'Route' ? claim.service : undefined);
  }
  return [...known.values()].flatMap((guards) => [...guards.values()]);
}

/** Routes that are handled between two steps. */
const STRIDE = 64;

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
