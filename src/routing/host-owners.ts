import type { HostPattern } from '../resources/hostname.ts';
import { type NamespacedName, namespaceOf } from '../resources/keys.ts';
import { byAge } from './age.ts';
import { getOrAdd } from './collections.ts';
import type { Objects } from './objects.ts';
import type { CompileMode, HostOwner } from './options.ts';

/** Whose Routes may name a host (DESIGN: Hosts). */
export type Ownership =
  /** Files are of one hand. */
  | { readonly kind: 'Anybody' }
  /** `--host-owner` says so. */
  | { readonly kind: 'ByEntry'; readonly namespace: string }
  /** The oldest Route that names the host is of this namespace: as long as there is one. */
  | { readonly kind: 'ByRoute'; readonly namespace: string; readonly route: NamespacedName }
  /** A wildcard host, or `*`, that no entry covers, where several namespaces are watched. */
  | { readonly kind: 'NeedsEntry' }
  /** Some namespace wasn't listed yet, so which Route is the oldest can't be told. `route` is one that names the host. */
  | { readonly kind: 'Pending'; readonly route: NamespacedName };

export interface HostOwners {
  /** Of a host that some Route names. */
  of(host: HostPattern): Ownership;
  /** Hosts that the namespace owns and that its Routes name, valid or not. */
  namedBy(namespace: string): Iterable<HostPattern>;
  /** Every host that a Route names, valid or not. */
  readonly named: Iterable<HostPattern>;
}

export const mayName = (ownership: Ownership, namespace: string): boolean => {
  switch (ownership.kind) {
    case 'Anybody':
      return true;
    case 'ByEntry':
    case 'ByRoute':
      return ownership.namespace === namespace;
    case 'NeedsEntry':
    case 'Pending':
      return false;
  }
};

export function hostOwners(objects: Objects, mode: CompileMode): HostOwners {
  const oldest = oldestNamers(objects);
  if (mode.kind === 'Files') {
    const named = [...oldest.keys()];
    return { of: () => ANYBODY, namedBy: () => named, named };
  }
  const entries = entryIndex(mode.hostOwners);
  const owners = new Map<HostPattern, Ownership>();
  for (const [host, route] of oldest) owners.set(host, ownershipOf(host, route, entries, mode));
  const byNamespace = namedHosts(objects, owners);
  return {
    of: (host) => owners.get(host) ?? NEEDS_ENTRY,
    namedBy: (namespace) => byNamespace.get(namespace) ?? [],
    named: [...owners.keys()],
  };
}

const ANYBODY: Ownership = { kind: 'Anybody' };
const NEEDS_ENTRY: Ownership = { kind: 'NeedsEntry' };

function ownershipOf(
  host: HostPattern,
  route: NamespacedName,
  entries: ReadonlyMap<string, string>,
  mode: Extract<CompileMode, { kind: 'Cluster' }>,
): Ownership {
  const namespace = mostSpecific(host, entries);
  if (namespace !== undefined) return { kind: 'ByEntry', namespace };
  if (host.startsWith('*') && mode.manyNamespaces) return NEEDS_ENTRY;
  return mode.incomplete ? { kind: 'Pending', route } : { kind: 'ByRoute', namespace: namespaceOf(route), route };
}

interface Namer {
  readonly route: NamespacedName;
  readonly created: string | undefined;
  readonly hosts: readonly HostPattern[];
}

function namersOf(objects: Objects): readonly Namer[] {
  const valid = objects.routes.map(({ name, meta, hosts }) => ({
    route: name,
    created: meta.creationTimestamp,
    hosts,
  }));
  const broken = objects.brokenRoutes.map(({ name, meta, claims }) => ({
    route: name,
    created: meta.creationTimestamp,
    hosts: claims.flatMap((claim) => (claim.kind === 'Route' ? claim.hosts.known : [])),
  }));
  return [...valid, ...broken];
}

/** The oldest Route of each host that is named at all. */
function oldestNamers(objects: Objects): ReadonlyMap<HostPattern, NamespacedName> {
  const oldest = new Map<HostPattern, NamespacedName>();
  const namers = [...namersOf(objects)].sort((a, b) => byAge(a.created, a.route, b.created, b.route));
  for (const { route, hosts } of namers) for (const host of hosts) getOrAdd(oldest, host, () => route);
  return oldest;
}

function namedHosts(
  objects: Objects,
  owners: ReadonlyMap<HostPattern, Ownership>,
): ReadonlyMap<string, ReadonlySet<HostPattern>> {
  const byNamespace = new Map<string, Set<HostPattern>>();
  for (const { route, hosts } of namersOf(objects)) {
    const namespace = namespaceOf(route);
    for (const host of hosts) {
      if (mayName(owners.get(host) ?? NEEDS_ENTRY, namespace))
        getOrAdd(byNamespace, namespace, () => new Set()).add(host);
    }
  }
  return byNamespace;
}

/** Of two entries of one pattern the first counts. */
function entryIndex(entries: readonly HostOwner[]): ReadonlyMap<string, string> {
  const index = new Map<string, string>();
  for (const { pattern, namespace } of entries) getOrAdd(index, pattern, () => namespace);
  return index;
}

/** `*` owns no name: an entry for it is for the host `*` only. */
function mostSpecific(host: HostPattern, entries: ReadonlyMap<string, string>): string | undefined {
  const exact = entries.get(host);
  if (exact !== undefined || host === '*') return exact;
  for (const wider of widerWildcards(host)) {
    const namespace = entries.get(wider);
    if (namespace !== undefined) return namespace;
  }
  return undefined;
}

/** `*.b.c` and `*.c` of `a.b.c`; `*.c` of `*.b.c`. */
function* widerWildcards(host: HostPattern): Generator<string> {
  const name = host.startsWith('*.') ? host.slice(2) : host;
  for (let dot = name.indexOf('.'); dot >= 0; dot = name.indexOf('.', dot + 1)) yield `*${name.slice(dot)}`;
}

/**
 * Hosts of entries whose namespace has nothing there, and nothing wider that would serve them: nobody puts a page onto a
 * host that is kept for somebody else, by a wildcard or by `*` (A177). In the table they are hosts without paths, also
 * while nobody has a wider one, so that no answer depends on what others apply.
 */
export function heldHosts(
  mode: CompileMode,
  owners: HostOwners,
  served: ReadonlySet<HostPattern>,
): readonly HostPattern[] {
  if (mode.kind === 'Files') return [];
  const servedBy = new Map<string, string | undefined>();
  for (const host of served) {
    const ownership = owners.of(host);
    servedBy.set(host, 'namespace' in ownership ? ownership.namespace : undefined);
  }
  const held: HostPattern[] = [];
  // A host that is held holds back what is wider for those below it too, so the widest come first.
  const widestFirst = [...mode.hostOwners].sort((a, b) => breadth(a.pattern) - breadth(b.pattern));
  for (const { pattern, namespace } of widestFirst) {
    if (servedBy.has(pattern) || pattern === '*') continue;
    const wider = [...widerWildcards(pattern), '*'].find((one) => servedBy.has(one));
    if (wider !== undefined && servedBy.get(wider) === namespace) continue;
    servedBy.set(pattern, namespace);
    held.push(pattern);
  }
  return held;
}

const breadth = (pattern: HostPattern): number => (pattern.startsWith('*') ? pattern.length : Number.POSITIVE_INFINITY);
