import { type ClaimNeeds, unionNeeds } from '../authorization/identity.ts';
import type { ObjectKey } from '../resources/keys.ts';
import type { RoutePath } from '../resources/path.ts';
import { getOrAdd } from './collections.ts';
import type { CompiledHost } from './compile-host.ts';
import type { PluginState } from './compile-plugins.ts';
import type { PlacedEntry } from './entries.ts';
import type { Memo } from './memo.ts';
import type { Reservations } from './reserved.ts';
import type { PluginBinding } from './snapshot.ts';
import type { Steps } from './steps.ts';
import type { ReservedMatch } from './table.ts';

/** Plugins that guard something, with what their sessions have to keep. */
export function* bindPlugins(
  hosts: Iterable<CompiledHost>,
  plugins: ReadonlyMap<ObjectKey, PluginState>,
  memory: Memo<ObjectKey, PluginBinding>,
): Steps<ReadonlyMap<ObjectKey, PluginBinding>> {
  const needs = yield* needsByPlugin(hosts);
  const bindings = new Map<ObjectKey, PluginBinding>();
  for (const [key, state] of plugins) {
    const of = needs.get(key);
    if (of === undefined || state.kind !== 'Compiled') continue;
    if (bindings.size % STRIDE === 0) yield;
    const { config, reserved } = state.plugin;
    bindings.set(
      key,
      memory.get(key, [state, ...of], () => ({ config, reserved, needs: unionNeeds(of) })),
    );
  }
  return bindings;
}

/** Entries that are handled between two steps. */
const STRIDE = 64;

function* needsByPlugin(hosts: Iterable<CompiledHost>): Steps<ReadonlyMap<ObjectKey, ReadonlySet<ClaimNeeds>>> {
  const needs = new Map<ObjectKey, Set<ClaimNeeds>>();
  let looked = 0;
  for (const { entries } of hosts) {
    for (const { entry } of entries) {
      if (++looked % STRIDE === 0) yield;
      for (const key of entry.plugins) getOrAdd(needs, key, () => new Set()).add(entry.needs);
    }
  }
  return needs;
}

/** Paths of one host that are answered: those of plugins that guard something there. */
export function answeredPaths(
  entries: readonly PlacedEntry[],
  { paths }: Reservations,
): ReadonlyMap<RoutePath, ReservedMatch> {
  if (paths.size === 0) return paths;
  const bound = new Set(entries.flatMap(({ entry }) => entry.plugins));
  return new Map([...paths].filter(([, { plugin }]) => bound.has(plugin)));
}
