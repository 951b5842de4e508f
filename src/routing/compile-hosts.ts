import type { HostPattern } from '../resources/hostname.ts';
import type { ClosedPlace, Closures, HostClosure } from './closures.ts';
import { getOrAdd } from './collections.ts';
import { type CompiledHost, compileHost } from './compile-host.ts';
import type { RouteDraft } from './compile-routes.ts';
import type { GuardedBackends } from './guards.ts';
import { heldHosts } from './host-owners.ts';
import type { Remembered } from './memory.ts';
import type { Known } from './references.ts';
import type { Steps } from './steps.ts';

export interface HostsInput {
  /** Older Routes first. */
  readonly drafts: readonly RouteDraft[];
  readonly closed: Closures;
  readonly known: Known;
  readonly guarded: GuardedBackends;
}

export type CompiledHosts = ReadonlyMap<HostPattern, CompiledHost>;

/** Every host that is served, closed or kept free, in order. */
export function* compileHosts(input: HostsInput, { hosts, hostOrder }: Remembered): Steps<CompiledHosts> {
  const { closed, known, guarded } = input;
  const { mode } = known.options;
  const { plugins } = known;
  const closedPlaces = yield* placesByHost(closed);
  const drafts = yield* draftsByHost(input, closedPlaces);
  const compiled = new Map<HostPattern, CompiledHost>();
  for (const host of yield* hostOrder.of(drafts)) {
    if (compiled.size % STRIDE === 0) yield;
    const there = drafts.get(host) ?? [];
    const closure: HostClosure = { places: closedPlaces.get(host) ?? [], whole: closed.hosts.get(host) };
    const steps = hosts.steps(host, [...there, ...textOf(closure)], (before) =>
      compileHost({ host, drafts: there, closure, plugins, guarded, mode }, before),
    );
    compiled.set(host, yield* steps);
  }
  return compiled;
}

/** Hosts and Routes that are handled between two steps. */
const STRIDE = 32;

/** By the values that it consists of. */
function textOf({ places, whole }: HostClosure): readonly unknown[] {
  if (places.length === 0 && whole === undefined) return NOTHING;
  return ['closed', whole?.route, whole?.reason, ...places.flatMap(({ route, reason, path }) => [route, reason, path])];
}

const NOTHING: readonly unknown[] = [];

function* placesByHost({ places }: Closures): Steps<ReadonlyMap<HostPattern, readonly ClosedPlace[]>> {
  const byHost = new Map<HostPattern, ClosedPlace[]>();
  for (const [at, place] of places.entries()) {
    if (at % STRIDE === 0) yield;
    getOrAdd(byHost, place.host, () => []).push(place);
  }
  return byHost;
}

/** Also of hosts on which no valid Route is. */
function* draftsByHost(
  { drafts, closed, known }: HostsInput,
  closedPlaces: ReadonlyMap<HostPattern, unknown>,
): Steps<ReadonlyMap<HostPattern, readonly RouteDraft[]>> {
  const byHost = new Map<HostPattern, RouteDraft[]>();
  for (const [at, draft] of drafts.entries()) {
    if (at % STRIDE === 0) yield;
    for (const host of draft.at.hosts) getOrAdd(byHost, host, () => []).push(draft);
  }
  for (const host of [...closedPlaces.keys(), ...closed.hosts.keys()]) getOrAdd(byHost, host, () => []);
  for (const host of yield* heldHosts(known.options.mode, known.owners, byHost)) getOrAdd(byHost, host, () => []);
  return byHost;
}
