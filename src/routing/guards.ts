import { type NamespacedName, namespaceOf } from '../resources/keys.ts';
import type { Backend, ServiceResource } from '../resources/resource.ts';
import { Cells, type Lookup, type Tracker } from './cells.ts';
import { getOrAdd } from './collections.ts';
import type { Change } from './derived.ts';
import type { Grants, Referrer } from './grants.ts';
import type { Broken, Found } from './indexed.ts';
import type { CompileMode } from './options.ts';
import type { Steps } from './steps.ts';

/** What a Route that isn't plainly Public guards: the backend of its Service; undefined where that can't be read. */
interface Guard {
  readonly from: Referrer;
  readonly service: NamespacedName | undefined;
}

/**
 * Whether the backend of a Service is one behind which somebody may be waiting for an identity that Postern proved (A041).
 *
 * A Route guards its backend unless everything about it is plainly Public: it says `access: Public`, names no plugin,
 * and its Service is there, valid, and names none either. What is missing or invalid may have named one, so that no
 * object's end can end a guard; whether plugins resolve and Routes are Denied doesn't count. A guard whose backend
 * can't be told guards all that could be it.
 *
 * In a cluster a Route guards for the namespace of its Service only, which is its own, or one that grants it: otherwise a
 * stranger could take the `Authorization` header away from another namespace's Public Routes by naming their backend.
 */
export class GuardedBackends implements Lookup<ServiceResource, boolean> {
  readonly #mode: CompileMode;
  readonly #services: Cells<NamespacedName, Found<ServiceResource>>;
  readonly #guarded: Cells<NamespacedName, boolean>;
  /** How many Routes of each namespace guard the backend of a Service; undefined: of one that can't be read. */
  readonly #guards = new Map<NamespacedName | undefined, Map<string, number>>();
  #stale = true;

  constructor(tracker: Tracker, services: Cells<NamespacedName, Found<ServiceResource>>, mode: CompileMode) {
    this.#mode = mode;
    this.#services = services;
    this.#guarded = new Cells(tracker);
  }

  /** A Route begins or ends to guard a Service. Where it goes on in another way, the new comes before the end of the old. */
  count(route: NamespacedName, service: NamespacedName | undefined, by: 1 | -1): void {
    const namespace = namespaceOf(route);
    const of = getOrAdd(this.#guards, service, () => new Map<string, number>());
    const count = (of.get(namespace) ?? 0) + by;
    if (count === 0) of.delete(namespace);
    else of.set(namespace, count);
    if (of.size === 0) this.#guards.delete(service);
    if (count === 0 || (count === 1 && by === 1)) this.#stale = true;
  }

  /** `services`: those that are others than before. `regranted`: grants are. */
  *settle(grants: Grants, services: readonly Change<NamespacedName, unknown>[], regranted: boolean): Steps<void> {
    if (!this.#stale && services.length === 0 && !regranted) return;
    this.#stale = false;
    for (const { key } of services) if (this.#services.peek(key) === undefined) this.#guarded.set(key, undefined);
    const isGuarded = yield* this.#isGuarded(grants);
    let looked = 0;
    for (const [name, found] of this.#services.entries()) {
      if (looked++ % STRIDE === 0) yield;
      this.#guarded.set(name, found.kind === 'Valid' ? isGuarded(found.value) : undefined);
    }
  }

  /** For steps. */
  get({ name }: ServiceResource): boolean {
    const guarded = this.#guarded.get(name);
    if (guarded === undefined) throw new Error(`whether the backend of Service ${name} is guarded was not settled`);
    return guarded;
  }

  *#isGuarded(grants: Grants): Steps<IsGuarded> {
    const guards: Guard[] = [];
    for (const [service, namespaces] of this.#guards) {
      if (guards.length % STRIDE === 0) yield;
      for (const namespace of namespaces.keys()) guards.push({ from: { kind: 'Route', namespace }, service });
    }
    const services = { get: (name: NamespacedName) => this.#services.peek(name) };
    return yield* this.#mode.kind === 'Files'
      ? guardedInFiles(guards, services)
      : guardedInCluster(guards, services, grants);
  }
}

/** Services that are handled between two steps. */
const STRIDE = 64;

type Services = Lookup<NamespacedName, Found<ServiceResource> | undefined>;

type IsGuarded = (service: ServiceResource) => boolean;

function* guardedInFiles(guards: readonly Guard[], services: Services): Steps<IsGuarded> {
  const guarded = new Set<string>();
  /** Namespaces of which some backend that can't be told is guarded; `*`: of any. */
  const unknown = new Set<string>();
  for (const [at, { service }] of guards.entries()) {
    if (at % STRIDE === 0) yield;
    for (const backend of backendsOf(service, services)) {
      if (backend !== undefined) guarded.add(backendOrigin(backend));
      else unknown.add(service === undefined ? '*' : namespaceOf(service));
    }
  }
  // A core Service is of its own namespace, a URL can be anybody's.
  const couldBe = (backend: Backend): boolean =>
    backend.kind === 'Url' ? unknown.size > 0 : unknown.has('*') || unknown.has(namespaceOf(backend.name));
  return ({ backend }) => guarded.has(backendOrigin(backend)) || couldBe(backend);
}

function* guardedInCluster(guards: readonly Guard[], services: Services, grants: Grants): Steps<IsGuarded> {
  const guarded = new Set<string>();
  /** Namespaces all of whose backends are guarded. */
  const whole = new Set<string>();
  const guard = (service: NamespacedName): void => {
    for (const backend of backendsOf(service, services)) {
      if (backend === undefined) whole.add(namespaceOf(service));
      else guarded.add(`${namespaceOf(service)} ${backendOrigin(backend)}`);
    }
  };
  for (const [at, { from, service }] of guards.entries()) {
    if (at % STRIDE === 0) yield;
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

/** What an invalid Route may have guarded. */
export const guardsOfBroken = ({ claims }: Broken): readonly (NamespacedName | undefined)[] =>
  claims.map((claim) => (claim.kind === 'Route' ? claim.service : undefined));

function backendsOf(service: NamespacedName | undefined, services: Services): readonly (Backend | undefined)[] {
  const found = service === undefined ? undefined : services.get(service);
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

/** Whether two backends are one server, as far as that can be told. */
export const sameBackend = (a: Backend, b: Backend): boolean => a === b || backendOrigin(a) === backendOrigin(b);

/** Loopback names and addresses, and the unspecified ones, which a connect takes for them (RFC 1122 section 3.2.1.3). */
const isThisMachine = (host: string): boolean => /^(127\..*|0\.0\.0\.0|::1?|(.*\.)?localhost)$/.test(host);

/** `http://127.0.0.1:8080/base`, or `shop/orders:8080`. */
export function formatBackend(backend: Backend): string {
  if (backend.kind === 'Service') return `${backend.name}:${backend.port}`;
  const host = backend.host.includes(':') ? `[${backend.host}]` : backend.host;
  return `${backend.scheme}://${host}:${backend.port}${backend.basePath}`;
}
