import type { Hostname } from '../resources/hostname.ts';
import { laxPaths, type RoutePath } from '../resources/path.ts';
import { isReserved } from '../resources/route-path.ts';
import { matching } from './patterns.ts';
import { queryFit } from './query.ts';
import type { HostTable, PathNode, PatternTable, ReservedMatch, RouteMatch, RouteTable, Slot } from './table.ts';

/** What a request is for. Everything but `Reserved` and `Route` is answered without asking anybody. */
export type Match =
  /** No Route names the host: 404 (A036). */
  | { readonly kind: 'NoHost' }
  | { readonly kind: 'NotFound' }
  /**
   * 405 with `Allow` (RFC 9110 section 15.5.6): the methods that a Route serves. A Denied one serves none, so it may be
   * empty.
   */
  | { readonly kind: 'MethodNotAllowed'; readonly allow: readonly string[] }
  | AmbiguousMatch
  | ReservedMatch
  /** At or under `/_oidc`, and nothing answers there: 404, never forwarded. */
  | { readonly kind: 'ReservedNotFound' }
  | RouteMatch;

/** Servers behind us could read another path or query parameter, with another guard, out of it: 400. */
export interface AmbiguousMatch {
  readonly kind: 'Ambiguous';
  readonly of: 'Path' | 'Query';
}

export interface MatchTarget {
  readonly method: string;
  readonly host: Hostname;
  readonly path: RoutePath;
  /** With its `?`, as sent. Only Routes with `queryParams` look at it, never a path (A001). */
  readonly query: string;
}

/** `name` in ASCII lower case; several lines joined with `, `. */
export type HeaderReader = (name: string) => string | undefined;

const NO_HOST: Match = { kind: 'NoHost' };
const NOT_FOUND: Match = { kind: 'NotFound' };
const AMBIGUOUS_PATH: Match = { kind: 'Ambiguous', of: 'Path' };
const AMBIGUOUS_QUERY: AmbiguousMatch = { kind: 'Ambiguous', of: 'Query' };
const RESERVED_NOT_FOUND: Match = { kind: 'ReservedNotFound' };

/**
 * The one decision about where a request goes: host, then most specific path, then method, headers and query, never
 * widening (DESIGN: Exposure). Pure; allocates nothing where the first Route asked fits.
 */
export function match(table: RouteTable, target: MatchTarget, header: HeaderReader): Match {
  const host = findHost(table, target.host);
  if (host === undefined) return NO_HOST;
  const found = matchPath(host, target.path, target, header);
  return readOneWay(target.path) || agreed(found, host, target, header) ? found : AMBIGUOUS_PATH;
}

/** Every Route of the host whose place covers the path, whatever its methods and headers; the most specific place first. */
export function covering(table: RouteTable, host: Hostname, path: RoutePath): readonly Slot[] {
  const found = findHost(table, host);
  if (found === undefined) return [];
  return found.closed === undefined ? slotsOf(found, path) : [[found.closed]];
}

/** Exact before wildcard, the longest wildcard before shorter ones, `*` last; a host that exists never falls through (A038). */
function findHost(table: RouteTable, host: Hostname): HostTable | undefined {
  const exact = table.exact.get(host);
  if (exact !== undefined) return exact;
  if (table.wildcards.size > 0) {
    for (let dot = host.indexOf('.', 1); dot > 0; dot = host.indexOf('.', dot + 1)) {
      const wildcard = table.wildcards.get(host.slice(dot));
      if (wildcard !== undefined) return wildcard;
    }
  }
  return table.any;
}

/** `path`: that of the target, or another reading of it. */
function matchPath(host: HostTable, path: string, target: MatchTarget, header: HeaderReader): Match {
  const reserved = host.reserved.get(path);
  if (reserved !== undefined) return reserved;
  if (isReserved(path)) return RESERVED_NOT_FOUND;
  if (host.closed !== undefined) return host.closed;
  const slot = mostSpecific(host.paths, path) ?? (host.patterns && patternSlots(host.patterns, path)[0]);
  if (slot === undefined) return NOT_FOUND;
  return firstFit(slot, target.method, target, header) ?? fallThrough(slotsOf(host, path), target, header);
}

/** The common case of `laxPaths`. */
const readOneWay = (path: string): boolean => !path.includes('%') && !path.includes(';');

/** Whether every server behind us, however it reads the path, reads one that is decided in the same way (A002 to A007). */
function agreed(found: Match, host: HostTable, target: MatchTarget, header: HeaderReader): boolean {
  const readings = laxPaths(target.path);
  if (readings === undefined) return false;
  if (host.patterns !== undefined && readings.length * target.path.length > MOST_REREAD) return false;
  return readings.every((reading) => sameDecision(found, matchPath(host, reading, target, header)));
}

/** Characters that regular expressions are held against again, for other readings of a path (invariant 7). */
const MOST_REREAD = 4096;

function sameDecision(a: Match, b: Match): boolean {
  if (a.kind === 'Route' && b.kind === 'Route') return a === b || (a.guard !== undefined && a.guard === b.guard);
  if (a.kind === 'Reserved' || b.kind === 'Reserved') return a === b;
  return a.kind !== 'Route' && b.kind !== 'Route';
}

function mostSpecific(root: PathNode, path: string): Slot | undefined {
  let node = root;
  let best = root.prefix;
  for (let start = 1; ; ) {
    const end = path.indexOf('/', start);
    const child = node.children.get(end < 0 ? path.slice(start) : path.slice(start, end));
    if (child === undefined) return best;
    node = child;
    best = node.prefix ?? best;
    if (end < 0) return node.exact ?? best;
    start = end + 1;
  }
}

/** Slots of the regular expressions that match the path, in the order in which they are asked. */
function patternSlots({ expressions, slots, closed }: PatternTable, path: string): readonly Slot[] {
  if (closed !== undefined) return [closed];
  return matching(expressions, path)
    .map((at) => slots[at])
    .filter((slot) => slot !== undefined);
}

/** Every slot that covers the path, most specific first. */
function slotsOf({ paths: root, patterns }: HostTable, path: string): readonly Slot[] {
  const slots: Slot[] = [];
  let node: PathNode | undefined = root;
  if (root.prefix !== undefined) slots.push(root.prefix);
  const segments = path.slice(1).split('/');
  for (const [index, segment] of segments.entries()) {
    node = node.children.get(segment);
    if (node === undefined) break;
    if (node.prefix !== undefined) slots.push(node.prefix);
    if (index === segments.length - 1 && node.exact !== undefined) slots.push(node.exact);
  }
  slots.reverse();
  return patterns === undefined ? slots : [...slots, ...patternSlots(patterns, path)];
}

/** `method`: that of the target, or another one. */
function firstFit(
  slot: Slot,
  method: string,
  target: MatchTarget,
  header: HeaderReader,
): RouteMatch | AmbiguousMatch | undefined {
  for (const candidate of slot) {
    if (!methodFits(candidate, method) || !headersFit(candidate, header)) continue;
    const { queryParams } = candidate.entry;
    if (queryParams === undefined) return candidate;
    const fit = queryFit(queryParams, target);
    if (fit === 'Fits') return candidate;
    if (fit === 'Ambiguous') return AMBIGUOUS_QUERY;
  }
  return undefined;
}

/** Compared exactly; HEAD is answered where GET is (A021, RFC 9110 section 9.3.2). */
function methodFits(candidate: RouteMatch, method: string): boolean {
  const { methods } = candidate.entry;
  return methods === undefined || methods.includes(method) || (method === 'HEAD' && methods.includes('GET'));
}

function headersFit(candidate: RouteMatch, header: HeaderReader): boolean {
  for (const { name, value } of candidate.entry.headers) {
    if (header(name) !== value) return false;
  }
  return true;
}

/** The most specific path has Routes, none of them fits: a less specific one serves only where that widens nothing (A107). */
function fallThrough(slots: readonly Slot[], target: MatchTarget, header: HeaderReader): Match {
  const served = throughSlots(slots, target.method, target, header);
  if (served !== undefined) return served;
  const methods = new Set<string>();
  for (const candidate of slots.flat()) {
    for (const named of candidate.entry.methods ?? []) methods.add(named);
  }
  if (methods.has('GET')) methods.add('HEAD');
  const answered = [...methods].sort().map((method) => ({ method, by: throughSlots(slots, method, target, header) }));
  if (answered.every(({ by }) => by === undefined)) return NOT_FOUND;
  const allow = answered.filter(({ by }) => by?.kind === 'Route' && by.guard !== undefined).map(({ method }) => method);
  return { kind: 'MethodNotAllowed', allow };
}

function throughSlots(
  slots: readonly Slot[],
  method: string,
  target: MatchTarget,
  header: HeaderReader,
): RouteMatch | AmbiguousMatch | undefined {
  const passed: RouteMatch[] = [];
  for (const slot of slots) {
    const candidate = firstFit(slot, method, target, header);
    if (candidate?.kind === 'Ambiguous') return candidate;
    if (candidate !== undefined) return mayServe(candidate, passed) ? candidate : undefined;
    passed.push(...slot);
  }
  return undefined;
}

/** `passed`: every entry of the more specific paths; none of them fitted. */
function mayServe(candidate: RouteMatch, passed: readonly RouteMatch[]): boolean {
  if (candidate.guard === undefined) return true;
  return passed.every(({ guard }) => guard === '') || passed.every(({ guard }) => guard === candidate.guard);
}
