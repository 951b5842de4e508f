import type { NamespacedName } from '../resources/keys.ts';
import type { RouteEntry } from '../routing/snapshot.ts';
import type { PathNode, RouteTable } from '../routing/table.ts';

/** Every place of a table by the Route that it belongs to, hosts in order of name, paths in order of text. */
export function entriesByRoute(table: RouteTable): ReadonlyMap<NamespacedName, readonly RouteEntry[]> {
  const entries: RouteEntry[] = [];
  const hosts = [...table.exact.values(), ...table.wildcards.values(), ...(table.any === undefined ? [] : [table.any])];
  for (const host of hosts) {
    if (host.closed !== undefined) entries.push(host.closed.entry);
    collect(host.paths, entries);
  }
  entries.sort((a, b) => compare(a.host, b.host) || compare(a.path.value, b.path.value));
  return Map.groupBy(entries, ({ route }) => route);
}

function collect(node: PathNode, into: RouteEntry[]): void {
  for (const slot of [node.exact, node.prefix]) for (const { entry } of slot ?? []) into.push(entry);
  for (const child of node.children.values()) collect(child, into);
}

const compare = (a: string, b: string): number => (a < b ? -1 : Number(a > b));
