import type { HostPattern } from '../resources/hostname.ts';
import { type NamespacedName, namespaceOf } from '../resources/keys.ts';
import { Cells, type Lookup, type Tracker } from './cells.ts';
import { getOrAdd } from './collections.ts';
import type { Change } from './derived.ts';
import type { RouteState } from './indexed.ts';
import { Namers } from './namers.ts';
import type { CompileMode, HostOwner } from './options.ts';
import type { Steps } from './steps.ts';
import { widerWildcards } from './wildcards.ts';

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

/** Whose each host is that some Route names. */
export class HostOwners implements Ownerships {
  readonly #mode: CompileMode;
  readonly #entries: ReadonlyMap<string, string>;
  readonly #namers = new Namers();
  readonly #owners: Cells<string, Ownership>;
  /** Hosts of which nobody can tell yet whose they are, each with a Route that names it. */
  readonly pending = new Map<HostPattern, NamespacedName>();

  constructor(tracker: Tracker, mode: CompileMode) {
    this.#mode = mode;
    this.#entries = entryIndex(mode.kind === 'Files' ? [] : mode.hostOwners);
    this.#owners = new Cells(tracker);
  }

  /** Answers whether anything about hosts and who names them is another than before. */
  *take(routes: readonly Change<NamespacedName, RouteState>[]): Steps<boolean> {
    const touched = yield* this.#namers.take(routes);
    let settled = 0;
    for (const host of touched) {
      if (settled++ % STRIDE === 0) yield;
      this.#settle(host);
    }
    return touched.size > 0;
  }

  /** For steps. */
  get(host: string): Ownership {
    return this.#mode.kind === 'Files' ? ANYBODY : (this.#owners.get(host) ?? NEEDS_ENTRY);
  }

  /** For everything that isn't a step. */
  peek(host: string): Ownership {
    return this.#mode.kind === 'Files' ? ANYBODY : (this.#owners.peek(host) ?? NEEDS_ENTRY);
  }

  /** By namespace the hosts that it owns and that its Routes name, valid or not. */
  *namedHosts(): Steps<NamedHosts> {
    const byNamespace = new Map<string, Set<HostPattern>>();
    let looked = 0;
    for (const host of this.#namers.hosts()) {
      const owner = this.peek(host);
      if (owner.kind === 'Anybody') getOrAdd(byNamespace, EVERYBODY, () => new Set()).add(host);
      for (const { name } of this.#namers.of(host)) {
        if (looked++ % STRIDE === 0) yield;
        const namespace = namespaceOf(name);
        if (mayName(owner, namespace)) getOrAdd(byNamespace, namespace, () => new Set()).add(host);
      }
    }
    return { of: (namespace) => byNamespace.get(this.#mode.kind === 'Files' ? EVERYBODY : namespace) ?? [] };
  }

  #settle(host: HostPattern): void {
    if (this.#mode.kind === 'Files') return;
    const first = this.#namers.first(host);
    const owner = first && ownershipOf(host, first.name, this.#entries, this.#mode);
    const before = this.#owners.peek(host);
    this.#owners.set(host, before !== undefined && owner !== undefined && sameOwner(before, owner) ? before : owner);
    if (owner?.kind === 'Pending') this.pending.set(host, owner.route);
    else this.pending.delete(host);
  }
}

/** Hosts that an unreadable one of the namespace could be. */
export interface NamedHosts {
  of(namespace: string): Iterable<HostPattern>;
}

/** Hosts that are handled between two steps. */
const STRIDE = 64;

/** No name of a namespace: files are of one hand. */
const EVERYBODY = '*';
const ANYBODY: Ownership = { kind: 'Anybody' };
const NEEDS_ENTRY: Ownership = { kind: 'NeedsEntry' };

const sameOwner = (a: Ownership, b: Ownership): boolean => JSON.stringify(a) === JSON.stringify(b);

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
