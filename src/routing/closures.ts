import type { HostPattern } from '../resources/hostname.ts';
import type { NamespacedName } from '../resources/keys.ts';
import type { Reason } from '../resources/problem.ts';
import type { Claim, PathMatch } from '../resources/resource.ts';
import type { Objects } from './objects.ts';

/** What invalid Routes close: all that could have been theirs, without memory of what it was before (A107). */
export interface Closures {
  readonly places: readonly ClosedPlace[];
  /** Hosts that are refused whole. */
  readonly hosts: ReadonlyMap<HostPattern, ClosedBy>;
}

export interface ClosedBy {
  readonly route: NamespacedName;
  readonly reason: Reason;
}

export interface ClosedPlace extends ClosedBy {
  readonly host: HostPattern;
  readonly path: PathMatch;
}

/** Hosts on which an invalid Route of `namespace` may have had a place. */
export type HostScope = (namespace: string) => Iterable<HostPattern>;

/** In files mode a host belongs to nobody: every host that any Route names, valid or not. */
export function everyHost(objects: Objects): HostScope {
  const hosts = new Set<HostPattern>();
  for (const route of objects.routes) for (const host of route.hosts) hosts.add(host);
  for (const { claims } of objects.brokenRoutes) {
    for (const claim of claims) if (claim.kind === 'Route') for (const host of claim.hosts.known) hosts.add(host);
  }
  return () => hosts;
}

/**
 * Places that are kept one by one. A thousand Routes with an unreadable host on a thousand hosts would be a million of them
 * (invariant 7); beyond this number such a Route closes its hosts whole, which closes more and costs one entry a host.
 */
const MOST_PLACES = 20_000;

export function closures(objects: Objects, scope: HostScope): Closures {
  const places: ClosedPlace[] = [];
  const hosts = new Map<HostPattern, ClosedBy>();
  for (const broken of objects.brokenRoutes) {
    const limit = places.length < MOST_PLACES ? 'AsRead' : 'Whole';
    const by: ClosedBy = { route: broken.name, reason: broken.problems[0]?.reason ?? 'Invalid' };
    for (const claim of broken.claims) {
      for (const { host, paths } of closedBy(claim, scope(broken.meta.namespace), limit)) {
        if (paths !== 'All') for (const path of paths) places.push({ ...by, host, path });
        else if (!hosts.has(host)) hosts.set(host, by);
      }
    }
  }
  return { places, hosts };
}

interface Closing {
  readonly host: HostPattern;
  readonly paths: readonly PathMatch[] | 'All';
}

function closedBy(claim: Claim, scope: Iterable<HostPattern>, limit: 'AsRead' | 'Whole'): readonly Closing[] {
  if (claim.kind !== 'Route') return [];
  // Both lists are required: an empty one was not read.
  const hostsRead = claim.hosts.complete && claim.hosts.known.length > 0;
  const pathsRead = claim.paths.complete && claim.paths.known.length > 0;
  const paths = pathsRead ? claim.paths.known : 'All';
  if (hostsRead) return claim.hosts.known.map((host) => ({ host, paths }));
  // An exact host that can't be read would now be served by a wildcard, under paths of which this Route knows nothing.
  const hosts = new Set([...claim.hosts.known, ...scope]);
  return [...hosts].map((host) => ({ host, paths: limit === 'Whole' || host.startsWith('*') ? 'All' : paths }));
}

/** One text for one node of a host's paths: `/a` and `/a/` are the same prefix. */
export const nodeKey = (host: HostPattern, path: PathMatch): string =>
  `${host} ${path.type} ${path.type === 'Prefix' && path.value.endsWith('/') ? path.value.slice(0, -1) : path.value}`;
