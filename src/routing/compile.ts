import type { HostPattern } from '../resources/hostname.ts';
import { canonicalPath } from '../resources/path.ts';
import type { Parsed, PathMatch } from '../resources/resource.ts';
import { answeredPaths, bindPlugins } from './bindings.ts';
import { type Closures, closures, everyHost } from './closures.ts';
import { compilePlugins } from './compile-plugins.ts';
import { draftRoute } from './compile-routes.ts';
import { resolveConflicts } from './conflicts.ts';
import { closedEntry, routeEntries } from './entries.ts';
import { guardedBackends } from './guards.ts';
import { indexObjects } from './objects.ts';
import type { CompileOptions } from './options.ts';
import type { Known } from './references.ts';
import { type PlacedDraft, reservePaths } from './reserved.ts';
import type { Compiled, RouteEntry } from './snapshot.ts';
import { buildTable, type Placement } from './table.ts';
import { verdictsOf } from './verdicts.ts';
import { warningsOf } from './warnings.ts';

export type { CompileOptions } from './options.ts';

/**
 * All objects of one moment to the table, the plugins that have to run, and a verdict on each object. Pure; the order
 * of `parsed` doesn't matter. Breaking any object, or deleting any but a Route, adds nothing that can be reached without
 * login, and lets no identity header pass that was removed before.
 */
export function compile(parsed: readonly Parsed[], options: CompileOptions): Compiled {
  const objects = indexObjects(parsed);
  const plugins = compilePlugins(objects, options);
  const known: Known = { objects, plugins, options };
  const closed = closures(objects, everyHost(objects));
  const placed = placeRoutes(known);
  const reservations = reservePaths(placed, plugins, closed);
  const backends = guardedBackends(objects);
  const entries = routeEntries(placed, closed, reservations, backends);
  const warnings = warningsOf(entries, plugins, backends);
  return {
    table: buildTable({
      placements: [...entries.map(({ entry }) => ({ entry, closes: false })), ...closedPlacements(closed)],
      closedHosts: closedHosts(closed),
      reserved: answeredPaths(entries, reservations),
    }),
    plugins: bindPlugins(entries, plugins),
    certificates: new Map(),
    verdicts: verdictsOf({ known, placed, entries, reservations, warnings }),
  };
}

function placeRoutes(known: Known): readonly PlacedDraft[] {
  const places = resolveConflicts(known.objects.routes);
  return known.objects.routes.map((route) => ({
    draft: draftRoute(route, known),
    places: places.get(route.name) ?? { kept: [], lost: [] },
  }));
}

const closedPlacements = (closed: Closures): readonly Placement[] =>
  closed.places.map((place) => ({ entry: closedEntry(place, place.host, place.path), closes: true }));

function closedHosts(closed: Closures): ReadonlyMap<HostPattern, RouteEntry> {
  const whole = wholeHost();
  return new Map([...closed.hosts].map(([host, by]) => [host, closedEntry(by, host, whole)]));
}

function wholeHost(): PathMatch {
  const root = canonicalPath('/');
  if (!root.ok) throw new Error('/ is a path');
  return { type: 'Prefix', value: root.path };
}
