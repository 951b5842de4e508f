declare const checked: unique symbol;

/**
 * A path in its one canonical form (invariant 1): absolute, every escape valid UTF-8 and written once in upper case,
 * unreserved characters not escaped, no empty segment but a last one, no dot segment, no encoded control or backslash.
 * What is matched, decided, logged and forwarded is this string.
 */
export type RoutePath = string & { readonly [checked]: 'RoutePath' };

export type PathFault =
  | 'NotAbsolute'
  | 'ForbiddenCharacter'
  | 'BadEscape'
  | 'EncodedControl'
  | 'EncodedBackslash'
  | 'InvalidUtf8'
  | 'DotSegment';

export type CanonicalPath =
  | { readonly ok: true; readonly path: RoutePath; readonly encodedSlash: boolean }
  | { readonly ok: false; readonly fault: PathFault };

// RFC 3986 pchar and "/", and `[ ] | ^`, which browsers send unescaped in a path (WHATWG URL, path percent-encode set).
const ALLOWED = /^[A-Za-z0-9\-._~!$&'()*+,;=:@/%[\]|^]*$/;
/** Nothing to rewrite: no escape, no empty segment, no segment that starts with a dot. The common case. */
const PLAIN = /^(\/(?![./])[A-Za-z0-9\-._~!$&'()*+,;=:@]*)+$/;
const UNRESERVED = /[A-Za-z0-9\-._~]/;
/** A segment that is `.` or `..` to whoever decodes `%2F`, drops `;parameters`, cuts at `?` or trims blanks (A004, A007). */
const DOT_SEGMENT = /(\/|%2F)\.{1,2}(%20)*(?=$|\/|;|%2F|%3B|%3F|%23)/;
const utf8 = new TextDecoder('utf-8', { fatal: true });

/**
 * Canonical form of the path of a request-target or of a Route (RFC 3986 section 6.2.2, A002 to A013). Dot segments are
 * refused, not resolved: no browser sends one, and every resolver in front or behind does it in its own way.
 * `encodedSlash` says that a `%2F` is in it, which stays opaque data; who calls decides whether that is allowed (A007).
 */
export function canonicalPath(raw: string): CanonicalPath {
  if (PLAIN.test(raw)) return { ok: true, path: raw as RoutePath, encodedSlash: false };
  if (!raw.startsWith('/')) return { ok: false, fault: 'NotAbsolute' };
  if (!ALLOWED.test(raw)) return { ok: false, fault: 'ForbiddenCharacter' };
  const decoded = raw.includes('%') ? decodeUnreserved(raw) : raw;
  if (typeof decoded !== 'string') return { ok: false, fault: decoded.fault };
  const path = mergeSlashes(decoded);
  if (DOT_SEGMENT.test(path)) return { ok: false, fault: 'DotSegment' };
  return { ok: true, path: path as RoutePath, encodedSlash: path.includes('%2F') };
}

const CONTROL = /%([01][0-9A-F]|7F)/i;
const BACKSLASH = /%5C/i;
const NOT_ASCII = /%[89A-F]/i;

function isUtf8(run: string): boolean {
  try {
    utf8.decode(Uint8Array.from(run.slice(1).split('%'), (hex) => Number.parseInt(hex, 16)));
    return true;
  } catch {
    return false;
  }
}

function decodeUnreserved(raw: string): string | { readonly fault: PathFault } {
  let fault: PathFault | undefined;
  const out = raw.replace(/(%[0-9A-Fa-f]{2})+|%/g, (run) => {
    // One fault is enough: thousands of exceptions for one request would be a way to use the processor up.
    if (fault !== undefined) return run;
    if (run === '%') {
      fault = 'BadEscape';
      return run;
    }
    if (CONTROL.test(run)) fault = 'EncodedControl';
    else if (BACKSLASH.test(run)) fault = 'EncodedBackslash';
    else if (NOT_ASCII.test(run) && !isUtf8(run)) fault = 'InvalidUtf8';
    return run.toUpperCase().replace(/%([0-9A-F]{2})/g, (triplet, hex: string) => {
      const char = String.fromCharCode(Number.parseInt(hex, 16));
      return UNRESERVED.test(char) ? char : triplet;
    });
  });
  return fault === undefined ? out : { fault };
}

/** Most readings that are looked at, and the longest path that has several: what a request may cost (invariant 7). */
const MAX_READINGS = 16;
const MAX_AMBIGUOUS = 4096;

// What a server behind us may do to a path before it looks at it. Nothing else can be written in two ways: unreserved
// characters and everything that a path can't hold unescaped have one canonical spelling.
const READINGS: readonly ((path: string) => string)[] = [
  (path) => path.replace(/%(2[1468-9A-C]|3[AD]|40|5[BDE]|7C)/g, fromTriplet),
  (path) => path.replace(/%3B/g, ';'),
  (path) => path.replace(/%2F/g, '/'),
  (path) => path.replace(/;[^/]*/g, ''),
  (path) => path.replace(/%(3F|23).*$/, ''),
];

/**
 * Other paths that a lax server behind us might take this one for: escaped reserved characters decoded, `;parameters`
 * dropped (Servlet containers, A005), `%2F` taken for a slash (A007), cut at a decoded `?` or `#` (A002); in every
 * combination and order, for a single lax reading could be steered past with what only another server undoes. A request
 * of which one reading is decided otherwise than the path itself is refused, so that no spelling of a protected path
 * slips under a wider Public Route. Empty where there is only one reading; undefined where there are too many to tell.
 */
export function laxPaths(path: RoutePath): readonly RoutePath[] | undefined {
  if (!path.includes('%') && !path.includes(';')) return [];
  const readings = new Set([path]);
  // A Set hands out what is added while it is walked, so this ends when no rewriting finds anything new.
  for (const reading of readings) {
    // Undoing an escape of a canonical path gives a canonical path: all of these characters may stand in it unescaped.
    for (const rewrite of READINGS) readings.add(mergeSlashes(rewrite(reading)) as RoutePath);
    if (readings.size > MAX_READINGS || (readings.size > 1 && path.length > MAX_AMBIGUOUS)) return undefined;
  }
  readings.delete(path);
  return [...readings];
}

/** Whether a path can be read in one way only, as every path of a Route has to be. */
export const hasOneReading = (path: RoutePath): boolean => laxPaths(path)?.length === 0;

/** Whole segments: `/a` and `/a/` cover `/a` and `/a/b`, not `/ab`. `path` has no empty segment (invariant 1). */
export function prefixCovers(prefix: string, path: string): boolean {
  const base = prefix.endsWith('/') ? prefix.slice(0, -1) : prefix;
  return path.startsWith(base) && (path.length === base.length || path[base.length] === '/');
}

const mergeSlashes = (path: string): string => path.replace(/\/{2,}/g, '/');
const fromTriplet = (_: string, hex: string): string => String.fromCharCode(Number.parseInt(hex, 16));
