import type { HostPattern } from '../resources/hostname.ts';
import type { NamespacedName } from '../resources/keys.ts';
import type { Claim } from '../resources/resource.ts';
import { byAge } from './age.ts';
import { getOrAdd } from './collections.ts';
import type { Change } from './derived.ts';
import type { Broken, RouteState } from './indexed.ts';
import type { Steps } from './steps.ts';

/** A Route that names a host, valid or not. */
export interface Namer {
  readonly name: NamespacedName;
  readonly creationTimestamp: string | undefined;
  /** Its status says that its namespace has the host. */
  readonly holds: boolean;
}

/** Hosts of an invalid Route, as far as they can be read. */
export const readHosts = (broken: Broken): readonly HostPattern[] =>
  broken.claims.flatMap((claim) => (claim.kind === 'Route' ? claim.hosts.known : []));

/** Of each host that is named at all the Routes that name it. */
export class Namers {
  readonly #byHost = new Map<HostPattern, readonly Namer[]>();

  /** Answers the hosts that other Routes name now, or the same ones otherwise. */
  *take(routes: readonly Change<NamespacedName, RouteState>[]): Steps<ReadonlySet<HostPattern>> {
    const changes = new Map<HostPattern, { readonly gone: Set<NamespacedName>; readonly come: Namer[] }>();
    const changeOf = (host: HostPattern) =>
      getOrAdd(changes, host, () => ({ gone: new Set<NamespacedName>(), come: [] }));
    for (const [at, { before, after }] of routes.entries()) {
      if (at % STRIDE === 0) yield;
      const [was, is] = [namingOf(before), namingOf(after)];
      if (sameNaming(was, is)) continue;
      for (const [host, { name }] of was) changeOf(host).gone.add(name);
      for (const [host, namer] of is) changeOf(host).come.push(namer);
    }
    let settled = 0;
    for (const [host, { gone, come }] of changes) {
      if (settled++ % STRIDE === 0) yield;
      // Once for all of a host: 10,000 Routes of one may go at once.
      const left = [...this.of(host).filter(({ name }) => !gone.has(name)), ...come];
      if (left.length === 0) this.#byHost.delete(host);
      else this.#byHost.set(host, left);
    }
    return new Set(changes.keys());
  }

  hosts(): Iterable<HostPattern> {
    return this.#byHost.keys();
  }

  of(host: HostPattern): readonly Namer[] {
    return this.#byHost.get(host) ?? [];
  }

  /**
   * The Route that had the host first. One whose status says so comes before all whose status doesn't, whatever their age:
   * only Postern writes statuses, while an old Route can be edited to name any host (A177). Otherwise, and among those,
   * the oldest.
   */
  first(host: HostPattern): Namer | undefined {
    let first: Namer | undefined;
    for (const namer of this.of(host)) if (first === undefined || isBefore(namer, first)) first = namer;
    return first;
  }
}

/** Routes, and hosts, that are handled between two steps. */
const STRIDE = 32;

/** What a Route says of the hosts that it names. */
type Naming = ReadonlyMap<HostPattern, Namer>;

const NONE: Naming = new Map();

function namingOf(state: RouteState | undefined): Naming {
  if (state === undefined) return NONE;
  const { found } = state;
  const { name, meta } = found.kind === 'Broken' ? found : found.value;
  const naming = new Map<HostPattern, Namer>();
  for (const { hosts, heldHosts } of found.kind === 'Broken' ? found.claims.flatMap(claimedHosts) : [found.value]) {
    for (const host of hosts) {
      const holds = heldHosts.includes(host) || naming.get(host)?.holds === true;
      naming.set(host, { name, creationTimestamp: meta.creationTimestamp, holds });
    }
  }
  return naming;
}

const claimedHosts = (claim: Claim): readonly { hosts: readonly HostPattern[]; heldHosts: readonly HostPattern[] }[] =>
  claim.kind === 'Route' ? [{ hosts: claim.hosts.known, heldHosts: claim.heldHosts }] : [];

function sameNaming(a: Naming, b: Naming): boolean {
  if (a.size !== b.size) return false;
  for (const [host, one] of a) {
    const other = b.get(host);
    if (other === undefined || one.holds !== other.holds || one.creationTimestamp !== other.creationTimestamp)
      return false;
  }
  return true;
}

function isBefore(a: Namer, b: Namer): boolean {
  if (a.holds !== b.holds) return a.holds;
  return byAge(a.creationTimestamp, a.name, b.creationTimestamp, b.name) < 0;
}
