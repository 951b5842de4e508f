import type { HostPattern } from '../resources/hostname.ts';
import { type NamespacedName, namespaceOf } from '../resources/keys.ts';
import { getOrAdd } from './collections.ts';
import { type Lookup, Memo, Recorder } from './memo.ts';
import { firstNamers, readHosts } from './namers.ts';
import type { Objects } from './objects.ts';
import type { CompileMode, HostOwner } from './options.ts';
import type { Steps } from './steps.ts';

/** Whose Routes may name a host (DESIGN: Hosts). */
export type Ownership =
  /** Files are of one hand. */
  | { readonly kind: 'Anybody' }
  /** `--host-owner` says so. */
  | { readonly kind: 'ByEntry'; readonly namespace: string }
  /** It had the host first, by `route` (DESIGN: Hosts): as long as a Route of it names the host. */
  | { readonly kind: 'ByRoute'; readonly namespace: string; readonly route: NamespacedName }
  /** A wildcard host, or `*`, that no entry covers, where several namespaces are watched. */
  | { readonly kind: 'NeedsEntry' }
  /** Some namespace wasn't listed yet, so who had the host first can't be told. `route` is one that names the host. */
  | { readonly kind: 'Pending'; readonly route: NamespacedName };

/** Of a host that some Route names. */
export type Ownerships = Lookup<string, Ownership>;

export interface HostOwners {
  readonly of: Ownerships;
  /** Hosts that the namespace owns and that its Routes name, valid or not; known where some Route is broken. */
  namedBy(namespace: string): Iterable<HostPattern>;
  /** Hosts of which nobody can tell yet whose they are, each with a Route that names it. */
  readonly pending: ReadonlyMap<HostPattern, NamespacedName>;
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

/** `memory`: an owner that stays is the very same value again. */
export function* hostOwners(
  objects: Objects,
  mode: CompileMode,
  memory: Memo<HostPattern, Ownership> = new Memo(new Recorder()),
): Steps<HostOwners> {
  const first = yield* firstNamers(objects);
  if (mode.kind === 'Files') {
    return { of: { get: () => ANYBODY }, namedBy: () => first.keys(), pending: new Map() };
  }
  const entries = entryIndex(mode.hostOwners);
  const owners = new Map<string, Ownership>();
  const pending = new Map<HostPattern, NamespacedName>();
  for (const [host, { name }] of first) {
    if (owners.size % STRIDE === 0) yield;
    const ownership = memory.get(host, [name], () => ownershipOf(host, name, entries, mode));
    owners.set(host, ownership);
    if (ownership.kind === 'Pending') pending.set(host, ownership.route);
  }
  const of: Ownerships = { get: (host) => owners.get(host) ?? NEEDS_ENTRY };
  const byNamespace = objects.brokenRoutes.length === 0 ? NOBODY : yield* namedHosts(objects, of);
  return { of, namedBy: (namespace) => byNamespace.get(namespace) ?? [], pending };
}

/** Routes that are handled between two steps. */
const STRIDE = 64;

const NOBODY: ReadonlyMap<string, ReadonlySet<HostPattern>> = new Map();
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

function* namedHosts(objects: Objects, owners: Ownerships): Steps<ReadonlyMap<string, ReadonlySet<HostPattern>>> {
  const byNamespace = new Map<string, Set<HostPattern>>();
  const add = (name: NamespacedName, hosts: readonly HostPattern[]): void => {
    const namespace = namespaceOf(name);
    for (const host of hosts) {
      if (mayName(owners.get(host), namespace)) getOrAdd(byNamespace, namespace, () => new Set()).add(host);
    }
  };
  for (const [at, { name, hosts }] of objects.routes.entries()) {
    if (at % STRIDE === 0) yield;
    add(name, hosts);
  }
  for (const broken of objects.brokenRoutes) {
    yield;
    add(broken.name, readHosts(broken));
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
export function* heldHosts(
  mode: CompileMode,
  owners: Ownerships,
  served: Pick<ReadonlySet<string>, 'has'>,
): Steps<readonly HostPattern[]> {
  if (mode.kind === 'Files') return [];
  const held: HostPattern[] = [];
  const holders = new Map<string, string>();
  // A host that is held holds back what is wider for those below it too, so the widest come first.
  const widestFirst = [...mode.hostOwners].sort((a, b) => breadth(a.pattern) - breadth(b.pattern));
  const isThere = (host: string): boolean => holders.has(host) || served.has(host);
  const ownerAt = (host: string): string | undefined => {
    const ownership = owners.get(host);
    return holders.get(host) ?? ('namespace' in ownership ? ownership.namespace : undefined);
  };
  for (const { pattern, namespace } of widestFirst) {
    yield;
    if (isThere(pattern) || pattern === '*') continue;
    const wider = [...widerWildcards(pattern), '*'].find(isThere);
    if (wider !== undefined && ownerAt(wider) === namespace) continue;
    holders.set(pattern, namespace);
    held.push(pattern);
  }
  return held;
}

const breadth = (pattern: HostPattern): number => (pattern.startsWith('*') ? pattern.length : Number.POSITIVE_INFINITY);
