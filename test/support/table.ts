import type { HostPattern } from '../../src/resources/hostname.ts';
import type { RoutePath } from '../../src/resources/path.ts';
import { finish } from '../../src/routing/steps.ts';
import {
  buildHost,
  EMPTY_TABLE,
  indexHosts,
  type Placement,
  type ReservedMatch,
  type RouteTable,
} from '../../src/routing/table.ts';

/** A table of these entries and nothing else, without compiling. */
export function buildTable(
  placements: readonly Placement[],
  reserved: ReadonlyMap<HostPattern, ReadonlyMap<RoutePath, ReservedMatch>> = new Map(),
): RouteTable {
  const byHost = Map.groupBy(placements, ({ entry }) => entry.host);
  const hosts = [...byHost].map(([pattern, placed]) => {
    const input = {
      pattern,
      placements: placed,
      closed: undefined,
      closedPatterns: undefined,
      reserved: reserved.get(pattern) ?? new Map(),
    };
    return [pattern, finish(buildHost(input))] as const;
  });
  return finish(indexHosts(EMPTY_TABLE, new Map(hosts)));
}
