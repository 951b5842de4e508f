import type { HostPattern } from '../resources/hostname.ts';
import { byAge } from './age.ts';
import type { Tracker } from './cells.ts';
import { areHostsRead, type ClosedPlace, type Closures, closures, type HostClosure } from './closures.ts';
import { getOrAdd } from './collections.ts';
import { type CompiledHost, compileHost } from './compile-host.ts';
import type { PluginStates } from './compile-plugins.ts';
import type { RouteDraft } from './compile-routes.ts';
import { type Change, Derived } from './derived.ts';
import type { GuardedBackends } from './guards.ts';
import { heldHosts } from './held-hosts.ts';
import type { HostOwners } from './host-owners.ts';
import type { Broken } from './indexed.ts';
import type { CompileMode } from './options.ts';
import { sorted } from './sorted.ts';
import type { Steps } from './steps.ts';

export interface HostsWorld {
  readonly tracker: Tracker;
  readonly owners: HostOwners;
  readonly plugins: PluginStates;
  readonly guarded: GuardedBackends;
  readonly mode: CompileMode;
}

/** Every host that is served, closed or kept free. */
export class Hosts {
  readonly #world: HostsWorld;
  readonly #drafts = new Map<HostPattern, RouteDraft[]>();
  #closures: ReadonlyMap<HostPattern, HostClosure> = new Map();
  #held: ReadonlySet<HostPattern> = new Set();
  readonly #compiled: Derived<HostPattern, CompiledHost>;
  /** Some host got its first Route, or lost its last, or belongs to somebody else. */
  #otherHosts = true;

  constructor(world: HostsWorld) {
    const { tracker } = world;
    this.#world = world;
    this.#compiled = new Derived({ tracker, stride: STRIDE, make: (host, before) => this.#compile(host, before) });
  }

  get(host: HostPattern): CompiledHost | undefined {
    return this.#compiled.get(host);
  }

  /** Valid Routes that may name the host, in no order. */
  draftsOn(host: HostPattern): readonly RouteDraft[] {
    return this.#drafts.get(host) ?? NO_DRAFTS;
  }

  get pending(): boolean {
    return this.#compiled.pending;
  }

  /** A Route is another one, or is placed on other hosts. */
  replace(before: RouteDraft | undefined, after: RouteDraft | undefined): void {
    for (const host of before?.at.hosts ?? []) this.#put(host, before, undefined);
    for (const host of after?.at.hosts ?? []) this.#put(host, undefined, after);
  }

  /** What invalid Routes close now, by `broken`, in no order. */
  *close(broken: readonly Broken[]): Steps<void> {
    const { owners } = this.#world;
    this.#otherHosts = true;
    const inOrder = yield* sorted(broken, (a, b) => (a.key < b.key ? -1 : 1));
    const unread = inOrder.some(({ claims }) => claims.some((claim) => claim.kind === 'Route' && !areHostsRead(claim)));
    const named = unread ? yield* owners.namedHosts() : { of: () => [] };
    const closed = yield* byHost(yield* closures(inOrder, owners, named));
    const after = new Map<HostPattern, HostClosure>();
    for (const [host, closure] of closed) {
      const before = this.#closures.get(host);
      const stays = before !== undefined && sameClosure(before, closure);
      after.set(host, stays ? before : closure);
      if (!stays) this.#compiled.mark(host);
    }
    for (const host of this.#closures.keys()) if (!after.has(host)) this.#compiled.mark(host);
    this.#closures = after;
  }

  *run(): Steps<readonly Change<HostPattern, CompiledHost>[]> {
    if (this.#otherHosts) yield* this.#hold();
    return yield* this.#compiled.run();
  }

  #put(host: HostPattern, before: RouteDraft | undefined, after: RouteDraft | undefined): void {
    const there = getOrAdd(this.#drafts, host, () => []);
    const served = there.length > 0;
    if (before !== undefined) there.splice(there.indexOf(before), 1);
    if (after !== undefined) there.push(after);
    if (there.length === 0) this.#drafts.delete(host);
    if (served !== there.length > 0) this.#otherHosts = true;
    this.#compiled.mark(host);
  }

  /** Hosts that are kept free for their owners. */
  *#hold(): Steps<void> {
    const { owners, mode } = this.#world;
    this.#otherHosts = false;
    const served = { has: (host: HostPattern) => this.#drafts.has(host) || this.#closures.has(host) };
    const held = new Set(yield* heldHosts(mode, (host) => owners.peek(host), served));
    for (const host of held) if (!this.#held.has(host)) this.#compiled.mark(host);
    for (const host of this.#held) if (!held.has(host)) this.#compiled.mark(host);
    this.#held = held;
  }

  *#compile(host: HostPattern, before: CompiledHost | undefined): Steps<CompiledHost | undefined> {
    const { plugins, guarded, mode } = this.#world;
    const there = this.draftsOn(host);
    const closure = this.#closures.get(host) ?? OPEN;
    if (there.length === 0 && closure === OPEN && !this.#held.has(host)) return undefined;
    const drafts = yield* sorted(there, olderFirst);
    return yield* compileHost({ host, drafts, closure, plugins, guarded, mode }, before);
  }
}

/** Hosts that are handled between two steps. */
const STRIDE = 4;

const NO_DRAFTS: readonly RouteDraft[] = [];
const OPEN: HostClosure = { places: [], whole: undefined, patterns: undefined };

export const olderFirst = ({ route: a }: RouteDraft, { route: b }: RouteDraft): number =>
  byAge(a.meta.creationTimestamp, a.name, b.meta.creationTimestamp, b.name);

function* byHost({ places, hosts }: Closures): Steps<ReadonlyMap<HostPattern, HostClosure>> {
  const closed = new Map<HostPattern, HostClosure & { readonly places: ClosedPlace[] }>();
  for (const [host, whole] of hosts) closed.set(host, { places: [], whole, patterns: undefined });
  for (const [at, place] of places.entries()) {
    if (at % 64 === 0) yield;
    getOrAdd(closed, place.host, () => ({ places: [], whole: undefined, patterns: undefined })).places.push(place);
  }
  return closed;
}

/** By the values that they consist of. */
const sameClosure = (a: HostClosure, b: HostClosure): boolean =>
  a.places.length === b.places.length &&
  a.whole?.route === b.whole?.route &&
  a.whole?.reason === b.whole?.reason &&
  a.places.every(({ route, reason, path }, at) => {
    const other = b.places[at];
    return other !== undefined && route === other.route && reason === other.reason && path === other.path;
  });
