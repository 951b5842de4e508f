import type { HostPattern } from '../resources/hostname.ts';
import type { NamespacedName } from '../resources/keys.ts';
import { getOrAdd } from './collections.ts';
import type { PlacedEntry } from './entries.ts';
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
}

/**
 * Exact protected paths whose other spelling (`/admin/` of `/admin`, and the other way round) a Public prefix serves.
 * They are two paths (RFC 3986 section 6.2.3), but many services answer both with the same page.
 */
export function* shadowedBySlash(entries: readonly PlacedEntry[]): Generator<SlashShadow> {
  const exact = entries.filter(({ entry: { path } }) => path.type === 'Exact' && path.value !== '/');
  if (exact.length === 0) return;
  const hosts = pathsByHost(entries);
  for (const { draft, entry, behind } of exact) {
    if (behind !== undefined || draft.plugins.length === 0) continue;
    const { value } = entry.path;
    const other = value.endsWith('/') ? value.slice(0, -1) : `${value}/`;
    const open = openAt(other, hosts.get(entry.host));
    if (open === undefined) continue;
    yield {
      protectedBy: draft.route.name,
      index: draft.route.paths.indexOf(entry.path),
      message: `${other} on ${entry.host} is open to everybody by Route ${open}, and many services take it for ${value}; protect the Prefix, or both`,
    };
  }
}

function pathsByHost(entries: readonly PlacedEntry[]): ReadonlyMap<HostPattern, HostPaths> {
  const hosts = new Map<HostPattern, HostPaths>();
  for (const placed of entries) {
    const { host, path } = placed.entry;
    const at = getOrAdd(hosts, host, () => ({ exact: new Set(), prefixes: new Map() }));
    if (path.type === 'Exact') at.exact.add(path.value);
    else {
      const open = getOrAdd(at.prefixes, pathSegments(path).join('/'), () => []);
      if (placed.entry.exposure === 'Public' && placed.behind === undefined) open.push(placed);
    }
  }
  return hosts;
}

/** The Public Route that serves `path`, where the most specific place that covers it is a prefix of one. */
function openAt(path: string, at: HostPaths | undefined): NamespacedName | undefined {
  if (at === undefined || at.exact.has(path)) return undefined;
  const segments = path.slice(1).split('/');
  for (let length = segments.length; length >= 0; length--) {
    const placed = at.prefixes.get(segments.slice(0, length).join('/'));
    if (placed !== undefined) return placed[0]?.entry.route;
  }
  return undefined;
}
