import type { HostPattern } from '../resources/hostname.ts';
import type { ObjectKey } from '../resources/keys.ts';
import type { RoutePath } from '../resources/path.ts';
import type { PathMatch } from '../resources/resource.ts';
import { getOrAdd } from './collections.ts';
import type { ReservedPath } from './plugin-rules.ts';
import type { RouteEntry } from './snapshot.ts';

/** Index of everything that can be matched. Plain immutable data without cycles, so that it can be hashed and compared. */
export interface RouteTable {
  readonly exact: ReadonlyMap<string, HostTable>;
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
   * What guards it, as text that can be compared: `` for Public, plugins and authorization for Protected. Undefined for
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

export interface TableInput {
  /** Older objects first, then by namespace/name: the order among equals. */
  readonly placements: readonly Placement[];
  readonly closedHosts: ReadonlyMap<HostPattern, RouteEntry>;
  /** Hosts without any path, which nothing wider serves. */
  readonly heldHosts: readonly HostPattern[];
  readonly reserved: ReadonlyMap<HostPattern, ReadonlyMap<RoutePath, ReservedMatch>>;
}

interface BuildNode {
  readonly children: Map<string, BuildNode>;
  readonly exact: Placement[];
  readonly prefix: Placement[];
}

const emptyNode = (): BuildNode => ({ children: new Map(), exact: [], prefix: [] });
const NO_CHILDREN: ReadonlyMap<string, PathNode> = new Map();

/** Index by host, then by segment of the path. Same input, same table. */
export function buildTable(input: TableInput): RouteTable {
  const roots = new Map<HostPattern, BuildNode>();
  for (const host of [...input.heldHosts, ...input.closedHosts.keys()]) roots.set(host, emptyNode());
  for (const placement of input.placements) {
    const { host, path } = placement.entry;
    place(getOrAdd(roots, host, emptyNode), path, placement);
  }
  const guards = new GuardTexts();
  const exact = new Map<string, HostTable>();
  const wildcards = new Map<string, HostTable>();
  let any: HostTable | undefined;
  for (const [pattern, root] of roots) {
    const closed = input.closedHosts.get(pattern);
    const host: HostTable = {
      pattern,
      reserved: input.reserved.get(pattern) ?? new Map(),
      closed: closed === undefined ? undefined : { kind: 'Route', entry: closed, guard: undefined },
      paths: finish(root, guards),
    };
    if (pattern === '*') any = host;
    else if (pattern.startsWith('*.')) wildcards.set(pattern.slice(1), host);
    else exact.set(pattern, host);
  }
  return { exact, wildcards, any };
}

/** Segments of a Route's path. `/a` and `/a/` are one prefix (Gateway API), and two exact paths. */
export function pathSegments(path: PathMatch): readonly string[] {
  if (path.type === 'Exact') return path.value.slice(1).split('/');
  const value = path.value.endsWith('/') ? path.value.slice(0, -1) : path.value;
  return value === '' ? [] : value.slice(1).split('/');
}

function place(root: BuildNode, path: PathMatch, placement: Placement): void {
  let node = root;
  for (const segment of pathSegments(path)) node = getOrAdd(node.children, segment, emptyNode);
  (path.type === 'Exact' ? node.exact : node.prefix).push(placement);
}

function finish(node: BuildNode, guards: GuardTexts): PathNode {
  let children = NO_CHILDREN;
  if (node.children.size > 0) {
    const finished = new Map<string, PathNode>();
    for (const [segment, child] of node.children) finished.set(segment, finish(child, guards));
    children = finished;
  }
  return { children, exact: slot(node.exact, guards), prefix: slot(node.prefix, guards) };
}

function slot(placements: readonly Placement[], guards: GuardTexts): Slot | undefined {
  if (placements.length === 0) return undefined;
  const sorted = placements.length === 1 ? placements : [...placements].sort(byPrecedence);
  return sorted.map(({ entry }) => ({ kind: 'Route', entry, guard: guards.of(entry) }));
}

/** Gateway API, HTTPRouteRule: a method, then most headers; the sort is stable, so then age and name. */
function byPrecedence(a: Placement, b: Placement): number {
  if (a.closes !== b.closes) return a.closes ? -1 : 1;
  const method = Number(a.entry.methods === undefined) - Number(b.entry.methods === undefined);
  return method === 0 ? b.entry.headers.length - a.entry.headers.length : method;
}

/** Guard texts, each written once per Route. */
class GuardTexts {
  readonly #texts = new Map<string, string>();

  of(entry: RouteEntry): string | undefined {
    switch (entry.exposure) {
      case 'Denied':
        return undefined;
      case 'Public':
        return '';
      case 'Protected': {
        const { route, plugins, authorization } = entry;
        return getOrAdd(this.#texts, route, () => JSON.stringify([plugins, authorization ?? null]));
      }
    }
  }
}
