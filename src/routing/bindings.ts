import { type ClaimNeeds, unionNeeds } from '../authorization/identity.ts';
import type { ObjectKey } from '../resources/keys.ts';
import type { RoutePath } from '../resources/path.ts';
import type { Tracker } from './cells.ts';
import { getOrAdd } from './collections.ts';
import type { CompiledHost } from './compile-host.ts';
import type { PluginState, PluginStates } from './compile-plugins.ts';
import { type Change, Derived } from './derived.ts';
import type { PlacedEntry } from './entries.ts';
import type { Reservations } from './reserved.ts';
import type { PluginBinding } from './snapshot.ts';
import type { Steps } from './steps.ts';
import type { ReservedMatch } from './table.ts';

/** Plugins that guard something, with what their sessions have to keep. */
export class Bindings {
  /** By plugin the needs of all entries that it guards, by their text, with how many those are. */
  readonly #needs = new Map<ObjectKey, Map<string, { readonly needs: ClaimNeeds; entries: number }>>();
  readonly #bound: Derived<ObjectKey, PluginBinding>;

  constructor(tracker: Tracker, plugins: PluginStates) {
    this.#bound = new Derived({
      tracker,
      stride: STRIDE,
      same: sameBinding,
      make: (key) => bind(plugins.get(key), this.#needs.get(key)),
    });
  }

  get pending(): boolean {
    return this.#bound.pending;
  }

  entries(): Iterable<readonly [ObjectKey, PluginBinding]> {
    return this.#bound.entries();
  }

  /** A plugin is another. */
  mark(key: ObjectKey): void {
    this.#bound.mark(key);
  }

  /** A host is another. */
  *replace(before: CompiledHost | undefined, after: CompiledHost | undefined): Steps<void> {
    const was = new Set(before?.entries);
    const is = new Set(after?.entries);
    let looked = 0;
    for (const [entries, others, by] of [[is, was, 1] as const, [was, is, -1] as const])
      for (const placed of entries) {
        if (looked++ % STRIDE === STRIDE - 1) yield;
        if (!others.has(placed)) this.#count(placed, by);
      }
  }

  *run(): Steps<readonly Change<ObjectKey, PluginBinding>[]> {
    return yield* this.#bound.run();
  }

  #count({ entry }: PlacedEntry, by: 1 | -1): void {
    if (entry.plugins.length === 0) return;
    const text = JSON.stringify(entry.needs);
    for (const key of entry.plugins) {
      const needs = getOrAdd(this.#needs, key, () => new Map());
      const of = getOrAdd(needs, text, () => ({ needs: entry.needs, entries: 0 }));
      of.entries += by;
      if (of.entries > 0 && (by < 0 || of.entries > 1)) continue;
      this.#bound.mark(key);
      if (of.entries === 0) needs.delete(text);
      if (needs.size === 0) this.#needs.delete(key);
    }
  }
}

/** Entries that are handled between two steps. */
const STRIDE = 64;

function bind(
  state: PluginState | undefined,
  needs: ReadonlyMap<string, { readonly needs: ClaimNeeds }> | undefined,
): PluginBinding | undefined {
  if (needs === undefined || state?.kind !== 'Compiled') return undefined;
  const { config, reserved } = state.plugin;
  return { config, reserved, needs: unionNeeds([...needs.values()].map((of) => of.needs)) };
}

const sameBinding = (a: PluginBinding, b: PluginBinding): boolean =>
  a.config === b.config && a.reserved === b.reserved && JSON.stringify(a.needs) === JSON.stringify(b.needs);

/** Paths of one host that are answered: those of plugins that guard something there. */
export function answeredPaths(
  entries: readonly PlacedEntry[],
  { paths }: Reservations,
): ReadonlyMap<RoutePath, ReservedMatch> {
  if (paths.size === 0) return paths;
  const bound = new Set(entries.flatMap(({ entry }) => entry.plugins));
  return new Map([...paths].filter(([, { plugin }]) => bound.has(plugin)));
}
