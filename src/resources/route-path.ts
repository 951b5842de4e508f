import { canonicalPath, laxPaths, type PathFault, type RoutePath } from './path.ts';
import type { Reason } from './problem.ts';
import type { PlainPath } from './resource.ts';

/** Everything below is Postern's own on every host: callbacks, logout. */
export const RESERVED = '/_oidc';

export const isReserved = (path: string): boolean => path === RESERVED || path.startsWith(`${RESERVED}/`);

export type RoutePathCheck =
  | { readonly ok: true; readonly match: PlainPath }
  | { readonly ok: false; readonly reason: Reason; readonly message: string };

const FAULTS: Readonly<Record<PathFault, string>> = {
  NotAbsolute: 'must begin with /',
  ForbiddenCharacter:
    'has a character that a path can’t hold; it has no query, and others are escaped as UTF-8, as in %20',
  BadEscape: 'has a % that begins no escape; write %25',
  EncodedControl: 'has an escaped control character, which no request may have; leave it out',
  EncodedBackslash: 'has an escaped backslash, which no request may have; leave it out',
  InvalidUtf8: 'has escapes that aren’t UTF-8',
  DotSegment: 'has a segment . or .., which no request may have; write where it leads to',
};

/**
 * The path of a Route or of an authorization rule: in its one canonical spelling, and with one reading only, so that
 * what is written here is what a request is compared with. A Prefix loses its final slash, for both cover the same.
 * Says nothing of reserved paths.
 */
export function checkRoutePath(type: 'Exact' | 'Prefix', value: string): RoutePathCheck {
  const canonical = canonicalPath(value);
  if (!canonical.ok) return refused('Invalid', FAULTS[canonical.fault]);
  if (canonical.path !== value) return refused('Invalid', `must be in canonical form; write "${canonical.path}"`);
  if (value.includes('*')) return refused('UnsupportedValue', wildcardMessage(value));
  const readings = laxPaths(canonical.path);
  if (readings?.length === 0) return { ok: true, match: { type, value: trimmed(type, canonical.path) } };
  const plain = readings?.find((reading) => laxPaths(reading)?.length === 0);
  const advice = plain === undefined ? 'leave out ; and the escape' : `write "${plain}"`;
  return refused('UnsupportedValue', `servers read this path in more than one way; ${advice}`);
}

const refused = (reason: Reason, message: string): RoutePathCheck => ({ ok: false, reason, message });

function trimmed(type: 'Exact' | 'Prefix', path: RoutePath): RoutePath {
  if (type === 'Exact' || path === '/' || !path.endsWith('/')) return path;
  const shorter = canonicalPath(path.slice(0, -1));
  return shorter.ok ? shorter.path : path;
}

function wildcardMessage(value: string): string {
  const base = /^(\/[^*]*?)\/?\*+$/.exec(value)?.[1];
  const advice = base === undefined ? 'leave out the *' : `write "${base}"`;
  return `paths have no wildcards, and a Prefix covers all that is below it; ${advice}`;
}
