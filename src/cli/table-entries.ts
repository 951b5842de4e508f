import type { NamespacedName } from '../resources/keys.ts';
import type { Exposure, RouteEntry } from '../routing/snapshot.ts';
import type { PathNode, PatternTable, RouteTable, Slot } from '../routing/table.ts';

/** A Route at one host and path. */
export interface PlacedEntry {
  readonly entry: RouteEntry;
  /** What a request meets: Denied where another Route, which is invalid, closes the place ahead of this one. */
  readonly exposure: Exposure;
}

/** Every place of a table by the Route that it belongs to, hosts in order of name, paths in order of text. */
export function entriesByRoute(table: RouteTable): ReadonlyMap<NamespacedName, readonly PlacedEntry[]> {
  const placed: PlacedEntry[] = [];
  const hosts = [...table.exact.values(), ...table.wildcards.values(), ...(table.any === undefined ? [] : [table.any])];
  for (const { closed, paths, patterns } of hosts) {
    if (closed !== undefined) placed.push({ entry: closed.entry, exposure: closed.entry.exposure });
    collect(paths, closed !== undefined, placed);
    if (patterns !== undefined) collectPatterns(patterns, closed !== undefined, placed);
  }
  placed.sort((a, b) => compare(a.entry.host, b.entry.host) || compare(a.entry.path.value, b.entry.path.value));
  return Map.groupBy(placed, ({ entry }) => entry.route);
}

function collect(node: PathNode, closed: boolean, into: PlacedEntry[]): void {
  for (const slot of [node.exact, node.prefix]) if (slot !== undefined) collectSlot(slot, closed, into);
  for (const child of node.children.values()) collect(child, closed, into);
}

function collectPatterns(patterns: PatternTable, closed: boolean, into: PlacedEntry[]): void {
  for (const slot of patterns.slots) collectSlot(slot, closed || patterns.closed !== undefined, into);
}

function collectSlot(slot: Slot, closed: boolean, into: PlacedEntry[]): void {
  let shut = closed;
  for (const { entry } of slot) {
    into.push({ entry, exposure: shut ? 'Denied' : entry.exposure });
    shut ||= entry.exposure === 'Denied' && isForAll(entry);
  }
}

const isForAll = ({ methods, headers, queryParams }: RouteEntry): boolean =>
  methods === undefined && headers.length === 0 && queryParams === undefined;

const compare = (a: string, b: string): number => (a < b ? -1 : Number(a > b));
