import type { HostPattern } from '../resources/hostname.ts';
import type { ObjectKey } from '../resources/keys.ts';
import type { RoutePath } from '../resources/path.ts';
import type { PlainPath } from '../resources/resource.ts';
import { getOrAdd } from './collections.ts';
import type { RouteFilters } from './filters.ts';
import { PartedMap } from './parted-map.ts';
import { byPatternPrecedence } from './patterns.ts';
import type { ReservedPath } from './plugin-rules.ts';
import type { RouteEntry } from './snapshot.ts';
import type { Steps } from './steps.ts';

/** Index of everything that can be matched. Plain immutable data without cycles, so that it can be hashed and compared. */
export interface RouteTable {
  readonly exact: PartedMap<HostTable>;
  /** `*.example.com` under `.example.com`. */
  readonly wildcards: ReadonlyMap<string, HostTable>;
  /** `*`. */
  readonly any: HostTable | undefined;
}

export interface HostTable {
  readonly pattern: HostPattern;
  /** What Postern answers itself here; before `closed` and `paths`, compared exactly (A018). */
  readonly reserved: ReadonlyMap<string, ReservedMatch>;
  /** The whole host is refused: an invalid Route names it and its paths can't be read. */
  readonly closed: RouteMatch | undefined;
  readonly paths: PathNode;
  /** Asked where nothing of `paths` covers the path; undefined for nearly every host. */
  readonly patterns: PatternTable | undefined;
}

/** The regular expressions of one host. */
export interface PatternTable {
  /** In the order in which they are asked, one a line. */
  readonly expressions: string;
  /** Of each of them. */
  readonly slots: readonly Slot[];
  /** All are refused: there are too many to ask. */
  readonly closed: Slot | undefined;
}

/** One segment of a path. `exact` ends here; `prefix` covers this and everything below. */
export interface PathNode {
  readonly children: ReadonlyMap<string, PathNode>;
  readonly exact: Slot | undefined;
  readonly prefix: Slot | undefined;
}

/** Every Route of one host and path, in the order in which they are asked. Never empty. */
export type Slot = readonly RouteMatch[];

/** What matching gives where a Route serves; made once, when the table is built. */
export interface RouteMatch {
  readonly kind: 'Route';
  readonly entry: RouteEntry;
  /**
   * What guards it, as text that can be compared: `` for Public, plugins and authorization for Protected; who may use it
   * from where, and from which pages, belongs to it. Undefined for
   * Denied, which is equal to nothing: what stands behind it can't be told.
   */
  readonly guard: string | undefined;
}

export interface ReservedMatch {
  readonly kind: 'Reserved';
  readonly plugin: ObjectKey;
  readonly purpose: ReservedPath['purpose'];
}

/** An entry on its way into the table. */
export interface Placement {
  readonly entry: RouteEntry;
  /** Asked before every other entry of its host and path: the place of an invalid Route. */
  readonly closes: boolean;
}

/** What is to be built of one host. */
export interface HostInput {
  readonly pattern: HostPattern;
  /** Older objects first, then by namespace/name: the order among equals. May be empty, as of hosts that are kept free. */
  readonly placements: readonly Placement[];
  readonly closed: RouteEntry | undefined;
  /** Refuses everything that a regular expression could match. */
  readonly closedPatterns: RouteEntry | undefined;
  readonly reserved: ReadonlyMap<RoutePath, ReservedMatch>;
}

interface BuildNode {
  readonly children: Map<string, BuildNode>;
  readonly exact: Placement[];
  readonly prefix: Placement[];
}

const emptyNode = (): BuildNode => ({ children: new Map(), exact: [], prefix: [] });
const NO_CHILDREN: ReadonlyMap<string, PathNode> = new Map();

/** Placements and nodes that are handled between two steps. */
const STRIDE = 32;

/** Index by segment of the path. Same input, same table. */
export function* buildHost(input: HostInput): Steps<HostTable> {
  const { pattern, placements, closed, closedPatterns, reserved } = input;
  const root = emptyNode();
  const patterns = new Map<string, Placement[]>();
  for (const [at, placement] of placements.entries()) {
    if (at % STRIDE === STRIDE - 1) yield;
    const { path } = placement.entry;
    if (path.type === 'RegularExpression') getOrAdd(patterns, path.value, () => []).push(placement);
    else place(root, path, placement);
  }
  const guards = new GuardTexts();
  return {
    pattern,
    reserved,
    closed: closed === undefined ? undefined : refusing(closed),
    paths: yield* finish(root, guards),
    patterns: patterns.size === 0 ? undefined : patternTable(patterns, closedPatterns, guards),
  };
}

const NOBODY: Slot = [];

const refusing = (entry: RouteEntry): RouteMatch => ({ kind: 'Route', entry, guard: undefined });

function patternTable(
  patterns: ReadonlyMap<string, readonly Placement[]>,
  closed: RouteEntry | undefined,
  guards: GuardTexts,
): PatternTable {
  const expressions = [...patterns.keys()].sort(byPatternPrecedence);
  return {
    expressions: expressions.join('\n'),
    slots: expressions.map((expression) => slot(patterns.get(expression) ?? [], guards) ?? NOBODY),
    closed: closed === undefined ? undefined : [refusing(closed)],
  };
}

export const EMPTY_TABLE: RouteTable = { exact: PartedMap.empty(), wildcards: new Map(), any: undefined };

/** Hosts by the way they are found. `changed`: hosts that are others than in `before`; undefined ones are gone. */
export function* indexHosts(
  before: RouteTable,
  changed: ReadonlyMap<HostPattern, HostTable | undefined>,
): Steps<RouteTable> {
  const exact = new Map<string, HostTable | undefined>();
  const wildcards = new Map<string, HostTable | undefined>();
  let { any } = before;
  for (const [pattern, host] of changed) {
    if (pattern === '*') any = host;
    else if (pattern.startsWith('*.')) wildcards.set(pattern.slice(1), host);
    else exact.set(pattern, host);
  }
  return {
    exact: yield* before.exact.with(exact),
    wildcards: yield* withChanged(before.wildcards, wildcards),
    any,
  };
}

/** The same map where nothing changes; else a copy, for the one before is in use. */
export function* withChanged<K, V>(
  before: ReadonlyMap<K, V>,
  changed: ReadonlyMap<K, V | undefined>,
): Steps<ReadonlyMap<K, V>> {
  if (changed.size === 0) return before;
  const after = new Map<K, V>();
  for (const [key, value] of before) {
    if (after.size % COPIED === 0) yield;
    const now = changed.has(key) ? changed.get(key) : value;
    if (now !== undefined) after.set(key, now);
  }
  for (const [key, value] of changed) if (value !== undefined) after.set(key, value);
  return after;
}

/** Members that are copied between two steps. */
const COPIED = 512;

/** Segments of a Route's path. `/a` and `/a/` are one prefix (Gateway API), and two exact paths. */
export function pathSegments(path: PlainPath): readonly string[] {
  if (path.type === 'Exact') return path.value.slice(1).split('/');
  const value = path.value.endsWith('/') ? path.value.slice(0, -1) : path.value;
  return value === '' ? [] : value.slice(1).split('/');
}

function place(root: BuildNode, path: PlainPath, placement: Placement): void {
  let node = root;
  for (const segment of pathSegments(path)) node = getOrAdd(node.children, segment, emptyNode);
  (path.type === 'Exact' ? node.exact : node.prefix).push(placement);
}

function* finish(node: BuildNode, guards: GuardTexts): Steps<PathNode> {
  let children = NO_CHILDREN;
  if (node.children.size > 0) {
    const finished = new Map<string, PathNode>();
    for (const [segment, child] of node.children) {
      if (finished.size % STRIDE === STRIDE - 1) yield;
      finished.set(segment, child.children.size === 0 ? leaf(child, guards) : yield* finish(child, guards));
    }
    children = finished;
  }
  return { ...leaf(node, guards), children };
}

const leaf = (node: BuildNode, guards: GuardTexts): PathNode => ({
  children: NO_CHILDREN,
  exact: slot(node.exact, guards),
  prefix: slot(node.prefix, guards),
});

function slot(placements: readonly Placement[], guards: GuardTexts): Slot | undefined {
  if (placements.length === 0) return undefined;
  const sorted = placements.length === 1 ? placements : [...placements].sort(byPrecedence);
  return sorted.map(({ entry }) => ({ kind: 'Route', entry, guard: guards.of(entry) }));
}

/** Gateway API, HTTPRouteRule: a method, then most headers, then most query parameters; the sort is stable, so then age and name. */
function byPrecedence(a: Placement, b: Placement): number {
  if (a.closes !== b.closes) return a.closes ? -1 : 1;
  const method = Number(a.entry.methods === undefined) - Number(b.entry.methods === undefined);
  if (method !== 0) return method;
  const headers = b.entry.headers.length - a.entry.headers.length;
  return headers === 0 ? (b.entry.queryParams?.length ?? 0) - (a.entry.queryParams?.length ?? 0) : headers;
}

/** Guard texts, each written once per Route. */
class GuardTexts {
  readonly #texts = new Map<string, string>();

  of(entry: RouteEntry): string | undefined {
    switch (entry.exposure) {
      case 'Denied':
        return undefined;
      case 'Public':
        return entry.filters?.clients === undefined ? '' : this.#textOf(entry);
      case 'Protected':
        return this.#textOf(entry);
    }
  }

  #textOf({ route, plugins, authorization, filters }: RouteEntry): string {
    return getOrAdd(this.#texts, route, () =>
      JSON.stringify([
        plugins,
        authorization ?? null,
        filters?.clients?.map(({ text }) => text) ?? null,
        readersOf(filters),
      ]),
    );
  }
}

/** Origins whose pages may act as whoever looks at them, and read what comes of it. */
const readersOf = (filters: RouteFilters | undefined): readonly string[] | null =>
  filters?.cors?.credentials === true ? [...filters.cors.exact.keys(), ...filters.cors.suffixes] : null;
