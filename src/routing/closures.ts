import type { HostPattern } from '../resources/hostname.ts';
import type { NamespacedName } from '../resources/keys.ts';
import type { Reason } from '../resources/problem.ts';
import type { Claim, PathMatch } from '../resources/resource.ts';
import { type HostOwners, mayName, type NamedHosts } from './host-owners.ts';
import type { Broken } from './indexed.ts';
import { sorted } from './sorted.ts';
import type { Steps } from './steps.ts';

/**
 * What invalid Routes close: all that could have been theirs, without memory of what it was before (A107), on hosts that
 * their namespace owns. And hosts of which nobody can tell yet whose they are.
 */
export interface Closures {
  readonly places: readonly ClosedPlace[];
  /** Hosts that are refused whole. */
  readonly hosts: ReadonlyMap<HostPattern, ClosedBy>;
}

/** The same on one host. */
export interface HostClosure {
  readonly places: readonly ClosedPlace[];
  readonly whole: ClosedBy | undefined;
  /** Everything that a regular expression could match. */
  readonly patterns: ClosedBy | undefined;
}

export interface ClosedBy {
  readonly route: NamespacedName;
  readonly reason: Reason;
}

export interface ClosedPlace extends ClosedBy {
  readonly host: HostPattern;
  readonly path: PathMatch;
}

/**
 * Places of one namespace that are kept one by one. A thousand Routes with an unreadable host on a thousand hosts would be a
 * million of them (invariant 7), and so would a few that name many hosts and paths; beyond this number a Route closes its
 * hosts whole, which closes more and costs one entry a host. Of each namespace by itself: no other one's Route closes more
 * than it says because of it (invariant 8).
 */
const MOST_PLACES = 20_000;

/** `broken`: invalid Routes in order of key. `named`: where some can't be read. */
export function* closures(broken: readonly Broken[], owners: HostOwners, named: NamedHosts): Steps<Closures> {
  const places: ClosedPlace[] = [];
  const hosts = new Map<HostPattern, ClosedBy>();
  for (const [host, route] of owners.pending) {
    if (hosts.size % STRIDE === 0) yield;
    hosts.set(host, { route, reason: 'Pending' });
  }
  const used = new Map<string, number>();
  const inOrder = new Map<string, readonly HostPattern[]>();
  /** Namespaces whose hosts are all closed whole, so that nothing of theirs that can't be read closes more. */
  const shut = new Set<string>();
  let looked = 0;
  for (const { meta, name, problems, claims } of broken) {
    const { namespace } = meta;
    const by: ClosedBy = { route: name, reason: problems[0]?.reason ?? 'Invalid' };
    for (const claim of claims) {
      yield;
      if (claim.kind !== 'Route') continue;
      const isRead = areHostsRead(claim);
      if (!isRead && shut.has(namespace)) continue;
      if (!isRead && !inOrder.has(namespace)) {
        inOrder.set(namespace, yield* sorted([...named.of(namespace)], (a, b) => (a < b ? -1 : 1)));
      }
      let isWhole = true;
      for (const { host, paths } of closedBy(claim, namespace, owners, inOrder.get(namespace) ?? [])) {
        if (looked++ % STRIDE === 0) yield;
        const after = paths === 'All' ? Number.POSITIVE_INFINITY : (used.get(namespace) ?? 0) + paths.length;
        if (paths !== 'All' && after <= MOST_PLACES) {
          isWhole = false;
          used.set(namespace, after);
          for (const path of paths) places.push({ ...by, host, path });
        } else if (!hosts.has(host)) hosts.set(host, by);
      }
      if (!isRead && isWhole) shut.add(namespace);
    }
  }
  return { places, hosts };
}

/** Hosts that are handled between two steps. */
const STRIDE = 64;

interface Closing {
  readonly host: HostPattern;
  readonly paths: readonly PathMatch[] | 'All';
}

type RouteClaim = Extract<Claim, { kind: 'Route' }>;

/** Both lists of a Route are required: an empty one was not read. */
export const areHostsRead = (claim: RouteClaim): boolean => claim.hosts.complete && claim.hosts.known.length > 0;

/** `named`: hosts of the namespace, in order. On hosts of others it closes nothing (invariant 8). */
function* closedBy(
  claim: RouteClaim,
  namespace: string,
  owners: HostOwners,
  named: readonly HostPattern[],
): Generator<Closing> {
  const pathsRead = claim.paths.complete && claim.paths.known.length > 0;
  const paths = pathsRead ? claim.paths.known : 'All';
  if (areHostsRead(claim)) {
    for (const host of claim.hosts.known) if (mayName(owners.peek(host), namespace)) yield { host, paths };
    return;
  }
  // Those that can be read are among them. An exact host that can't be read would now be served by a wildcard, under paths
  // of which this Route knows nothing.
  for (const host of named) yield { host, paths: host.startsWith('*') ? 'All' : paths };
}

/** One text for one node of a host's paths: `/a` and `/a/` are the same prefix. */
export const nodeKey = (host: HostPattern, path: PathMatch): string =>
  `${host} ${path.type} ${path.type === 'Prefix' && path.value.endsWith('/') ? path.value.slice(0, -1) : path.value}`;
