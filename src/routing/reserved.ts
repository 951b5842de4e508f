import type { HostPattern } from '../resources/hostname.ts';
import { type ObjectKey, objectText } from '../resources/keys.ts';
import { prefixCovers, type RoutePath } from '../resources/path.ts';
import { type Problem, problem } from '../resources/problem.ts';
import type { PathMatch, PlainPath } from '../resources/resource.ts';
import { isReserved } from '../resources/route-path.ts';
import { byAge } from './age.ts';
import type { HostClosure } from './closures.ts';
import { getOrAdd } from './collections.ts';
import type { PluginStates } from './compile-plugins.ts';
import type { RouteDraft } from './compile-routes.ts';
import type { RoutePlaces } from './conflicts.ts';
import { byPatternPrecedence, matching } from './patterns.ts';
import type { ReservedPath } from './plugin-rules.ts';
import type { Steps } from './steps.ts';
import { pathSegments, type ReservedMatch } from './table.ts';

/** What plugins answer themselves on one host. */
export interface Reservations {
  readonly paths: ReadonlyMap<RoutePath, ReservedMatch>;
  /** Why a plugin can't be used on the host: there a Route that names it is Denied. */
  readonly denials: ReadonlyMap<ObjectKey, Problem>;
}

/** A Route at one host. */
export interface PlacedDraft {
  readonly draft: RouteDraft;
  readonly places: RoutePlaces;
}

/** What stands at one path of a host, as far as reserving needs it. */
interface Standing {
  readonly path: PathMatch;
  /** Undefined: closed by an invalid Route. */
  readonly draft: RouteDraft | undefined;
  readonly everyRequest: boolean;
}

/**
 * Gives each plugin its paths on a host where a Route names it. A path outside `/_oidc` is its own only where every
 * request to it would otherwise meet a Route that names the plugin, a closed place, or none: so that the end of the
 * plugin never hands its path to somebody else. Of two plugins with one path the older has it.
 */
export function* reservePaths(
  host: HostPattern,
  placed: readonly PlacedDraft[],
  plugins: PluginStates,
  closure: HostClosure,
): Steps<Reservations> {
  const paths = new Map<RoutePath, ReservedMatch>();
  const denials = new Map<ObjectKey, Problem>();
  const permitted = new Set(placed.flatMap(({ draft, places }) => (places.kept.length > 0 ? draft.permitted : [])));
  if (permitted.size === 0) return { paths, denials: NO_DENIALS };
  const standing = standingAt(placed, closure);
  for (const [key, reserved] of inOrderOfAge(permitted, plugins)) {
    const fault = closure.whole === undefined ? firstFault(host, key, reserved, standing, paths) : undefined;
    if (fault !== undefined) denials.set(key, fault);
    else for (const { purpose, path } of reserved) paths.set(path, { kind: 'Reserved', plugin: key, purpose });
    yield;
  }
  return { paths, denials: denials.size === 0 ? NO_DENIALS : denials };
}

function standingAt(placed: readonly PlacedDraft[], closure: HostClosure): readonly Standing[] {
  const standing: Standing[] = [];
  for (const { draft, places } of placed) {
    for (const { path, methods } of places.kept) {
      const { headers, queryParams } = draft.route;
      const everyRequest = methods === undefined && headers.length === 0 && queryParams === undefined;
      standing.push({ path, draft, everyRequest });
    }
  }
  for (const { path } of closure.places) standing.push({ path, draft: undefined, everyRequest: true });
  // Where all regular expressions are closed, none of them serves anybody.
  return closure.patterns === undefined ? standing : standing.filter(({ path }) => path.type !== 'RegularExpression');
}

function inOrderOfAge(
  keys: ReadonlySet<ObjectKey>,
  plugins: PluginStates,
): readonly (readonly [ObjectKey, readonly ReservedPath[]])[] {
  const aged: (readonly [string | undefined, ObjectKey, readonly ReservedPath[]])[] = [];
  for (const key of keys) {
    const state = plugins.get(key);
    if (state?.kind === 'Compiled') aged.push([state.resource.meta.creationTimestamp, key, state.plugin.reserved]);
  }
  aged.sort(([a, m], [b, n]) => byAge(a, m, b, n));
  return aged.map(([, key, reserved]) => [key, reserved]);
}

function firstFault(
  host: HostPattern,
  key: ObjectKey,
  reserved: readonly ReservedPath[],
  standing: readonly Standing[],
  taken: ReadonlyMap<RoutePath, ReservedMatch>,
): Problem | undefined {
  for (const { purpose, path } of reserved) {
    const other = taken.get(path);
    if (other !== undefined && other.plugin !== key) {
      const message = `${path} (${purpose}) on ${host} is answered by ${objectText(other.plugin)} already; give one of the two another path`;
      return problem('Conflicted', ['spec'], message);
    }
    const stranger = isReserved(path) ? undefined : firstStranger(key, path, standing);
    if (stranger !== undefined) {
      const message = `${path} (${purpose}) on ${host} is served by Route ${stranger.route.name}, which doesn't name ${objectText(key)}; leave the path at its default, or choose one that only Routes with this plugin serve`;
      return problem('ReservedPath', ['spec'], message);
    }
  }
  return undefined;
}

/** A Route that requests to `path` could meet and that doesn't name the plugin; from the most specific path on. */
function firstStranger(key: ObjectKey, path: RoutePath, standing: readonly Standing[]): RouteDraft | undefined {
  for (const node of [...plainNodes(path, standing), ...patternNodes(path, standing)]) {
    if (node.some(({ draft }) => draft === undefined)) return undefined;
    const stranger = node.find(({ draft }) => draft?.plugins.includes(key) === false);
    if (stranger !== undefined) return stranger.draft;
    if (node.some(({ everyRequest }) => everyRequest)) return undefined;
  }
  return undefined;
}

/** What stands at the exact path and at each prefix of it, most specific first. */
function plainNodes(path: RoutePath, standing: readonly Standing[]): readonly (readonly Standing[])[] {
  const nodes = new Map<number, Standing[]>();
  for (const one of standing) {
    if (one.path.type === 'RegularExpression' || !covers(one.path, path)) continue;
    const depth = one.path.type === 'Exact' ? Number.POSITIVE_INFINITY : pathSegments(one.path).length;
    getOrAdd(nodes, depth, () => []).push(one);
  }
  return [...nodes].sort(([a], [b]) => b - a).map(([, node]) => node);
}

/** What stands at each regular expression that matches it, in the order in which they are asked. */
function patternNodes(path: RoutePath, standing: readonly Standing[]): readonly (readonly Standing[])[] {
  const nodes = new Map<string, Standing[]>();
  for (const one of standing) {
    if (one.path.type === 'RegularExpression') getOrAdd(nodes, one.path.value, () => []).push(one);
  }
  const matched = [...nodes].filter(([expression]) => matching(expression, path).length > 0);
  return matched.sort(([a], [b]) => byPatternPrecedence(a, b)).map(([, node]) => node);
}

const covers = (at: PlainPath, path: RoutePath): boolean =>
  at.type === 'Exact' ? at.value === path : prefixCovers(at.value, path);

/** Of most hosts; one value for all of them. */
const NO_DENIALS: Reservations['denials'] = new Map();
