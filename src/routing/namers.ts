import type { HostPattern } from '../resources/hostname.ts';
import type { NamespacedName } from '../resources/keys.ts';
import type { Metadata } from '../resources/metadata.ts';
import { byAge } from './age.ts';
import type { Broken } from './indexed.ts';
import type { Objects } from './objects.ts';
import type { Steps } from './steps.ts';

/** A Route that names a host, valid or not. */
interface Namer {
  readonly name: NamespacedName;
  readonly meta: Metadata;
  /** Its status says that its namespace has the host. */
  readonly holds: boolean;
}

/** Hosts of an invalid Route, as far as they can be read. */
export const readHosts = (broken: Broken): readonly HostPattern[] =>
  broken.claims.flatMap((claim) => (claim.kind === 'Route' ? claim.hosts.known : []));

/**
 * Of each host that is named at all the Route that had it first. A Route whose status says so comes before all whose
 * status doesn't, whatever their age: only Postern writes statuses, while an old Route can be edited to name any host
 * (A177). Otherwise, and among those, the oldest.
 */
export function* firstNamers(objects: Objects): Steps<ReadonlyMap<HostPattern, Namer>> {
  const first = new Map<HostPattern, Namer>();
  // The older ones come first.
  for (const [at, { name, meta, hosts, heldHosts }] of objects.routes.entries()) {
    if (at % STRIDE === 0) yield;
    for (const host of hosts) {
      const holds = heldHosts.includes(host);
      const other = first.get(host);
      if (other === undefined || (holds && !other.holds)) first.set(host, { name, meta, holds });
    }
  }
  for (const broken of objects.brokenRoutes) {
    yield;
    for (const [host, namer] of brokenNamers(broken)) {
      const other = first.get(host);
      if (other === undefined || isBefore(namer, other)) first.set(host, namer);
    }
  }
  return first;
}

/** Routes that are handled between two steps. */
const STRIDE = 64;

const brokenNamers = ({ claims, name, meta }: Broken): readonly (readonly [HostPattern, Namer])[] =>
  claims.flatMap((claim) => {
    if (claim.kind !== 'Route') return [];
    return claim.hosts.known.map((host) => [host, { name, meta, holds: claim.heldHosts.includes(host) }] as const);
  });

function isBefore(a: Namer, b: Namer): boolean {
  if (a.holds !== b.holds) return a.holds;
  return byAge(a.meta.creationTimestamp, a.name, b.meta.creationTimestamp, b.name) < 0;
}
