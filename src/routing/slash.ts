import type { NamespacedName } from '../resources/keys.ts';
import { getOrAdd } from './collections.ts';
import type { PlacedEntry } from './entries.ts';
import { matching } from './patterns.ts';
import type { Steps } from './steps.ts';
import { pathSegments } from './table.ts';

/** A protected path that somebody can get round by a slash at its end. */
export interface SlashShadow {
  readonly protectedBy: NamespacedName;
  /** Of the Route's path in `spec.paths`. */
  readonly index: number;
  readonly message: string;
}

interface HostPaths {
  /** Values of exact paths. */
  readonly exact: Set<string>;
  /** Prefixes, as `pathSegments` joined, to the Public Routes there; empty where there is none. */
  readonly prefixes: Map<string, PlacedEntry[]>;
  /** Regular expressions of Public Routes. */
  readonly patterns: Map<string, PlacedEntry>;
}

/**
 * Exact protected paths of a host whose other spelling (`/admin/` of `/admin`, and the other way round) a Public prefix
 * serves. They are two paths (RFC 3986 section 6.2.3), but many services answer both with the same page.
 */
export function* shadowedBySlash(entries: readonly PlacedEntry[]): Steps<readonly SlashShadow[]> {
  const exact = entries.filter(
    ({ draft, entry: { path }, behind }) =>
      path.type === 'Exact' && path.value !== '/' && behind === undefined && draft.plugins.length > 0,
  );
  if (exact.length === 0) return [];
  const at = yield* pathsOf(entries);
  const shadows: SlashShadow[] = [];
  for (const [n, { draft, entry }] of exact.entries()) {
    if (n % STRIDE === STRIDE - 1) yield;
    const { value } = entry.path;
    const other = value.endsWith('/') ? value.slice(0, -1) : `${value}/`;
    const open = openAt(other, at);
    if (open === undefined) continue;
    shadows.push({
      protectedBy: draft.route.name,
      index: draft.route.paths.indexOf(entry.path),
      message: `${other} on ${entry.host} is open to everybody by Route ${open}, and many services take it for ${value}; protect the Prefix, or both`,
    });
  }
  return shadows;
}

/** Entries that are handled between two steps. */
const STRIDE = 32;

function* pathsOf(entries: readonly PlacedEntry[]): Steps<HostPaths> {
  const at: HostPaths = { exact: new Set(), prefixes: new Map(), patterns: new Map() };
  for (const [n, placed] of entries.entries()) {
    if (n % STRIDE === STRIDE - 1) yield;
    const { path } = placed.entry;
    const isOpen = placed.entry.exposure === 'Public' && placed.behind === undefined;
    if (path.type === 'Exact') at.exact.add(path.value);
    else if (path.type === 'Prefix') {
      const open = getOrAdd(at.prefixes, pathSegments(path).join('/'), () => []);
      if (isOpen) open.push(placed);
    } else if (isOpen) getOrAdd(at.patterns, path.value, () => placed);
  }
  return at;
}

/** The Public Route that serves `path`, where the most specific place that covers it is a prefix, or a regular expression, of one. */
function openAt(path: string, at: HostPaths): NamespacedName | undefined {
  if (at.exact.has(path)) return undefined;
  const segments = path.slice(1).split('/');
  for (let length = segments.length; length >= 0; length--) {
    const placed = at.prefixes.get(segments.slice(0, length).join('/'));
    if (placed !== undefined) return placed[0]?.entry.route;
  }
  for (const [expression, { entry }] of at.patterns) if (matching(expression, path).length > 0) return entry.route;
  return undefined;
}
