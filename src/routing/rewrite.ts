import { canonicalPath, laxPaths, prefixCovers, type RoutePath } from '../resources/path.ts';
import type { PathMatch } from '../resources/resource.ts';
import { isReserved } from '../resources/route-path.ts';
import type { PathRewrite } from '../resources/route-rewrite.ts';

/**
 * The path that the Service is asked for. `matched`: of the entry that serves `path`. Undefined where the result isn't one
 * that could have been asked for itself: in canonical form, without dot segments, and, however a server reads it, below what
 * was put before it, not Postern's own, and not beginning with two slashes, which some take for the name of a host (A004,
 * A005, A008, A016). Put together, never resolved.
 */
export function rewritePath(rewrite: PathRewrite, matched: PathMatch, path: RoutePath): RoutePath | undefined {
  if (rewrite.kind === 'Full') return rewrite.path;
  const base = matched.value === '/' ? '' : matched.value;
  if (matched.type !== 'Prefix' || !prefixCovers(base, path)) return undefined;
  const joined = rewrite.prefix + path.slice(base.length);
  const canonical = canonicalPath(joined === '' ? '/' : joined);
  if (!canonical.ok || canonical.path !== (joined === '' ? '/' : joined)) return undefined;
  return staysBelow(rewrite.prefix, canonical.path) ? canonical.path : undefined;
}

function staysBelow(prefix: string, path: RoutePath): boolean {
  if (BEGINS_EMPTY.test(path) || isReserved(path)) return false;
  const readings = laxPaths(path);
  return readings?.every((reading) => !isReserved(reading) && prefixCovers(prefix, reading)) ?? false;
}

/** A first segment that is none to whoever decodes `%2F` or drops `;parameters`. */
const BEGINS_EMPTY = /^\/(;|%2F|%3B)/;
