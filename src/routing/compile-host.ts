import type { HostPattern } from '../resources/hostname.ts';
import type { ObjectKey } from '../resources/keys.ts';
import { canonicalPath } from '../resources/path.ts';
import { type Problem, problem } from '../resources/problem.ts';
import type { PathMatch } from '../resources/resource.ts';
import { answeredPaths } from './bindings.ts';
import type { HostClosure } from './closures.ts';
import type { PluginStates } from './compile-plugins.ts';
import type { RouteDraft } from './compile-routes.ts';
import { HostClaims, type RoutePlaces } from './conflicts.ts';
import { closedEntry, closedNodes, type PlacedEntry, routeEntries } from './entries.ts';
import { hostDenial } from './exposure.ts';
import type { GuardedBackends } from './guards.ts';
import type { CompileMode } from './options.ts';
import { patternExcess } from './pattern-excess.ts';
import { type PlacedDraft, type Reservations, reservePaths } from './reserved.ts';
import { shadowedBySlash } from './slash.ts';
import type { Steps } from './steps.ts';
import { buildHost, type HostTable, type Placement } from './table.ts';
import { warningsOf } from './warnings.ts';

/** Everything that one host takes from the rest of the world; no Route of another host changes it. */
export interface HostWorld {
  readonly host: HostPattern;
  /** Routes that may name it, older ones first, each once. */
  readonly drafts: readonly RouteDraft[];
  readonly closure: HostClosure;
  readonly plugins: PluginStates;
  readonly guarded: GuardedBackends;
  readonly mode: CompileMode;
}

export interface CompiledHost {
  readonly table: HostTable;
  readonly entries: readonly PlacedEntry[];
  /** Why plugins can't be used here. */
  readonly denials: ReadonlyMap<ObjectKey, Problem>;
  readonly shares: ReadonlyMap<RouteDraft, HostShare>;
}

/** What became of one Route on one host. */
export interface HostShare {
  readonly places: RoutePlaces;
  readonly entries: readonly PlacedEntry[];
  readonly denial: Problem | undefined;
  /** Those of slashes come before all others that a Route has. */
  readonly slashes: readonly Problem[];
  readonly warnings: readonly Problem[];
}

/** `before`: the host in the run before, of which stays what says nothing else now. */
export function* compileHost(given: HostWorld, before: CompiledHost | undefined): Steps<CompiledHost> {
  const { host, plugins, guarded, mode } = given;
  const placed = yield* claimPlaces(given);
  const closure = { ...given.closure, patterns: patternExcess(placed, given.closure) };
  const world = { ...given, closure };
  const reservations = yield* reservePaths(host, placed, plugins, closure);
  const sharesBefore = before?.shares ?? NO_SHARES;
  const entries = yield* entriesOf(placed, reservations, world, sharesBefore);
  const flat = [...entries.values()].flat();
  const warnings = yield* warningsOf(flat, plugins, guarded, mode);
  const slashes = Map.groupBy(yield* shadowedBySlash(flat), ({ protectedBy }) => protectedBy);
  const shares = new Map<RouteDraft, HostShare>();
  for (const { draft, places } of placed) {
    if (shares.size % STRIDE === STRIDE - 1) yield;
    const { name } = draft.route;
    const share = {
      places,
      entries: entries.get(draft) ?? [],
      denial: places.kept.length === 0 ? undefined : hostDenial(draft, reservations.denials),
      slashes: (slashes.get(name) ?? []).map(({ index, message }) =>
        problem('DiffersOnlyBySlash', ['spec', 'paths', index], message),
      ),
      warnings: warnings.get(name) ?? NONE,
    };
    const was = sharesBefore.get(draft);
    shares.set(draft, was !== undefined && sameShare(was, share) ? was : share);
  }
  return { table: yield* tableOf(flat, reservations, world), entries: flat, denials: reservations.denials, shares };
}

/** Routes that are handled between two steps. */
const STRIDE = 32;

const NONE: readonly Problem[] = [];
const NO_SHARES: CompiledHost['shares'] = new Map();

function* claimPlaces({ host, drafts }: HostWorld): Steps<readonly PlacedDraft[]> {
  const claims = new HostClaims(host);
  const placed: PlacedDraft[] = [];
  for (const draft of drafts) {
    if (placed.length % STRIDE === STRIDE - 1) yield;
    placed.push({ draft, places: claims.claim(draft.route) });
  }
  return placed;
}

function* entriesOf(
  placed: readonly PlacedDraft[],
  reservations: Reservations,
  { closure, guarded }: HostWorld,
  before: CompiledHost['shares'],
): Steps<ReadonlyMap<RouteDraft, readonly PlacedEntry[]>> {
  const world = { reservations, closure, closedNodes: closedNodes(closure), guarded };
  const entries = new Map<RouteDraft, readonly PlacedEntry[]>();
  for (const one of placed) {
    if (entries.size % STRIDE === STRIDE - 1) yield;
    entries.set(one.draft, routeEntries(one, world, before.get(one.draft)?.entries ?? []));
  }
  return entries;
}

/** Of the same draft. Whoever has lost something or is warned of something is told anew. */
function sameShare(a: HostShare, b: HostShare): boolean {
  const quiet = [a, b].every(
    ({ places, slashes, warnings }) => places.lost.length + slashes.length + warnings.length === 0,
  );
  const same = a.entries.length === b.entries.length && a.entries.every((entry, at) => entry === b.entries[at]);
  return quiet && same && a.denial === b.denial;
}

function* tableOf(
  entries: readonly PlacedEntry[],
  reservations: Reservations,
  { host, closure }: HostWorld,
): Steps<HostTable> {
  const { places, whole, patterns } = closure;
  const placements: Placement[] = entries.map(({ entry }) => ({ entry, closes: false }));
  for (const place of places) placements.push({ entry: closedEntry(place, place.host, place.path), closes: true });
  return yield* buildHost({
    pattern: host,
    placements,
    closed: whole && closedEntry(whole, host, wholeHost()),
    closedPatterns: patterns && closedEntry(patterns, host, wholeHost()),
    reserved: answeredPaths(entries, reservations),
  });
}

function wholeHost(): PathMatch {
  const root = canonicalPath('/');
  if (!root.ok) throw new Error('/ is a path');
  return { type: 'Prefix', value: root.path };
}
