import type { HostPattern } from '../resources/hostname.ts';
import { canonicalPath } from '../resources/path.ts';
import type { Parsed, PathMatch } from '../resources/resource.ts';
import { answeredPaths, bindPlugins } from './bindings.ts';
import { hostCertificates } from './certificates.ts';
import { type Closures, closures } from './closures.ts';
import { compilePlugins } from './compile-plugins.ts';
import { draftRoute } from './compile-routes.ts';
import { resolveConflicts } from './conflicts.ts';
import { closedEntry, routeEntries } from './entries.ts';
import { grantsOf } from './grants.ts';
import { guardedBackends } from './guards.ts';
import { heldHosts, hostOwners } from './host-owners.ts';
import { indexObjects } from './objects.ts';
import type { CompileOptions } from './options.ts';
import type { Known } from './references.ts';
import { type PlacedDraft, reservePaths } from './reserved.ts';
import { routeHosts } from './route-hosts.ts';
import type { Compiled, RouteEntry } from './snapshot.ts';
import { buildTable, type Placement } from './table.ts';
import { verdictsOf } from './verdicts.ts';
import { warningsOf } from './warnings.ts';

export type { CompileOptions } from './options.ts';

/**
 * All objects of one moment to the table, the plugins that have to run, and a verdict on each object. Pure; the order
 * of `parsed` doesn't matter. Breaking any object, or deleting any but a Route, adds nothing that can be reached without
 * login, and lets no identity header pass that was removed before; in a cluster no namespace changes what is reachable on
 * the hosts of another.
 */
export function compile(parsed: readonly Parsed[], options: CompileOptions): Compiled {
  const objects = indexObjects(parsed);
  const owners = hostOwners(objects, options.mode);
  const grants = grantsOf(objects.grants);
  const plugins = compilePlugins(objects, options);
  const known: Known = { objects, owners, grants, plugins, options };
  const closed = closures(objects, owners);
  const placed = placeRoutes(known);
  const reservations = reservePaths(placed, plugins, closed);
  const backends = guardedBackends(objects, grants, options.mode);
  const entries = routeEntries(placed, closed, reservations, backends);
  const certificates = hostCertificates(placed, objects, options.mode);
  const warnings = warningsOf(entries, plugins, backends, options.mode);
  const placements = [...entries.map(({ entry }) => ({ entry, closes: false })), ...closedPlacements(closed)];
  return {
    table: buildTable({
      placements,
      closedHosts: closedHosts(closed),
      heldHosts: heldHosts(options.mode, owners, servedHosts(placements, closed)),
      reserved: answeredPaths(entries, reservations),
    }),
    plugins: bindPlugins(entries, plugins),
    certificates: certificates.byHost,
    verdicts: verdictsOf({ known, placed, entries, reservations, certificates, warnings }),
  };
}

function placeRoutes(known: Known): readonly PlacedDraft[] {
  const routes = known.objects.routes.map((route) => routeHosts(route, known.owners));
  const places = resolveConflicts(routes);
  return routes.map((at) => ({
    draft: draftRoute(at, known),
    places: places.get(at.route.name) ?? { kept: [], lost: [] },
  }));
}

const servedHosts = (placements: readonly Placement[], closed: Closures): ReadonlySet<HostPattern> =>
  new Set([...placements.map(({ entry }) => entry.host), ...closed.hosts.keys()]);

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
