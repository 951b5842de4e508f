import { type ClaimNeeds, unionNeeds } from '../authorization/identity.ts';
import type { HostPattern } from '../resources/hostname.ts';
import type { ObjectKey } from '../resources/keys.ts';
import type { RoutePath } from '../resources/path.ts';
import { getOrAdd } from './collections.ts';
import type { PluginState } from './compile-plugins.ts';
import type { PlacedEntry } from './entries.ts';
import type { Reservations } from './reserved.ts';
import type { PluginBinding } from './snapshot.ts';
import type { ReservedMatch } from './table.ts';

/** Plugins that guard something, with what their sessions have to keep. */
export function bindPlugins(
  entries: readonly PlacedEntry[],
  plugins: ReadonlyMap<ObjectKey, PluginState>,
): ReadonlyMap<ObjectKey, PluginBinding> {
  const needs = new Map<ObjectKey, Set<ClaimNeeds>>();
  for (const { entry } of entries) {
    for (const key of entry.plugins) getOrAdd(needs, key, () => new Set()).add(entry.needs);
  }
  const bindings = new Map<ObjectKey, PluginBinding>();
  for (const [key, state] of plugins) {
    const of = needs.get(key);
    if (of === undefined || state.kind !== 'Compiled') continue;
    const { config, reserved } = state.plugin;
    bindings.set(key, { config, reserved, needs: unionNeeds(of) });
  }
  return bindings;
}

/** Paths that are answered: those of plugins that guard something on the host. */
export function answeredPaths(
  entries: readonly PlacedEntry[],
  reservations: Reservations,
): ReadonlyMap<HostPattern, ReadonlyMap<RoutePath, ReservedMatch>> {
  const bound = new Map<HostPattern, Set<ObjectKey>>();
  for (const { entry } of entries) {
    if (entry.plugins.length === 0) continue;
    const of = getOrAdd(bound, entry.host, () => new Set());
    for (const key of entry.plugins) of.add(key);
  }
  const answered = new Map<HostPattern, ReadonlyMap<RoutePath, ReservedMatch>>();
  for (const [host, keys] of bound) {
    const paths = [...(reservations.paths.get(host) ?? [])].filter(([, { plugin }]) => keys.has(plugin));
    answered.set(host, new Map(paths));
  }
  return answered;
}
