import { type NamespacedName, namespaceOf } from '../resources/keys.ts';
import { problem } from '../resources/problem.ts';
import type { RouteResource } from '../resources/resource.ts';
import { placesOf } from '../resources/route-size.ts';
import { byAge } from './age.ts';
import { getOrAdd } from './collections.ts';
import type { Broken, RouteState } from './indexed.ts';
import { sorted } from './sorted.ts';
import type { Steps } from './steps.ts';

/**
 * Places that the Routes of one namespace may have: hosts times paths, times methods, headers and the like where there are any,
 * for each costs about as much again. A Route of 4 KB can name 4096 hosts and paths, so that a hundred of them would take
 * all the memory there is, and with it every other namespace (invariants 7 and 8).
 */
const MOST_PLACES = 50_000;

/** Routes that are handled between two steps. */
const STRIDE = 64;

interface Tenant {
  readonly routes: Map<NamespacedName, RouteState>;
  /** Of all its Routes. */
  places: number;
  /** What Routes are that don't fit, with what they were that it was made of. */
  readonly excess: Map<NamespacedName, { readonly of: RouteState; readonly refused: RouteState }>;
}

/**
 * Which Routes there is room for. Those that don't fit, the younger ones of each namespace, are as invalid ones: they close
 * their hosts whole, for their paths are what there is no room for.
 */
export class Room {
  readonly #tenants = new Map<string, Tenant>();
  readonly #touched = new Map<string, Set<NamespacedName>>();

  /** What a Route is, valid or not; undefined: it is gone. */
  replace(name: NamespacedName, state: RouteState | undefined): void {
    const namespace = namespaceOf(name);
    const tenant = getOrAdd(this.#tenants, namespace, newTenant);
    tenant.places += sizeOf(state) - sizeOf(tenant.routes.get(name));
    if (state === undefined) tenant.routes.delete(name);
    else tenant.routes.set(name, state);
    getOrAdd(this.#touched, namespace, () => new Set()).add(name);
  }

  /** Of every Route that was replaced, or doesn't fit any more, or fits again. */
  *settle(): Steps<ReadonlyMap<NamespacedName, RouteState | undefined>> {
    const states = new Map<NamespacedName, RouteState | undefined>();
    for (const [namespace, names] of this.#touched) {
      const tenant = this.#tenants.get(namespace);
      if (tenant === undefined) continue;
      for (const name of tenant.excess.keys()) names.add(name);
      yield* makeRoom(tenant, namespace);
      for (const name of tenant.excess.keys()) names.add(name);
      for (const name of names) states.set(name, tenant.excess.get(name)?.refused ?? tenant.routes.get(name));
      if (tenant.routes.size === 0) this.#tenants.delete(namespace);
    }
    this.#touched.clear();
    return states;
  }
}

const newTenant = (): Tenant => ({ routes: new Map(), places: 0, excess: new Map() });

function* makeRoom({ routes, places, excess }: Tenant, namespace: string): Steps<void> {
  const before = new Map(excess);
  excess.clear();
  if (places <= MOST_PLACES) return;
  let used = 0;
  for (const [at, state] of (yield* olderFirst(routes.values())).entries()) {
    if (at % STRIDE === 0) yield;
    const { found } = state;
    const after = used + sizeOf(state);
    // What is broken closes its place already, and keeps its room, so that nobody else's opens for it (A107).
    if (after <= MOST_PLACES || found.kind === 'Broken') used = after;
    else {
      const { value } = found;
      const was = before.get(value.name);
      excess.set(value.name, was?.of === state ? was : { of: state, refused: refused(value, namespace) });
    }
  }
}

function* olderFirst(states: Iterable<RouteState>): Steps<readonly RouteState[]> {
  return yield* sorted([...states], ({ found: a }, { found: b }) =>
    byAge(headOf(a).meta.creationTimestamp, headOf(a).name, headOf(b).meta.creationTimestamp, headOf(b).name),
  );
}

const headOf = (found: RouteState['found']): RouteResource | Broken => (found.kind === 'Valid' ? found.value : found);

function sizeOf(state: RouteState | undefined): number {
  if (state === undefined) return 0;
  const { found } = state;
  if (found.kind === 'Valid') return placesOf(found.value);
  return found.claims.reduce((sum, claim) => sum + (claim.kind === 'Route' ? claim.places : 0), 0);
}

function refused(value: RouteResource, namespace: string): RouteState {
  const { key, name, meta, hosts, heldHosts, service, plugins } = value;
  const message = `is one path too many: hosts times paths, methods, headers and query parameters of all Routes of namespace ${namespace} come to more than ${MOST_PLACES}; name fewer in each Route, or spread them over several namespaces`;
  const found: Broken = {
    kind: 'Broken',
    key,
    name,
    meta,
    problems: [problem('Invalid', ['spec', 'paths'], message)],
    claims: [
      {
        kind: 'Route',
        hosts: { known: hosts, complete: true },
        heldHosts,
        paths: { known: [], complete: false },
        places: placesOf(value),
        service,
        plugins: { known: plugins, complete: true },
      },
    ],
  };
  return { kind: 'Route', found, policy: undefined };
}
