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
  const path = decoded.replace(/\/{2,}/g, '/');
  if (path.split('/').some((segment) => segment === '.' || segment === '..')) return { ok: false, fault: 'DotSegment' };
  return { ok: true, path: path as RoutePath, encodedSlash: path.includes('%2F') };
}

function decodeUnreserved(raw: string): string | { readonly fault: PathFault } {
  let fault: PathFault | undefined;
  const out = raw.replace(/(%[0-9A-Fa-f]{2})+|%/g, (run) => {
    if (run === '%') {
      fault ??= 'BadEscape';
      return run;
    }
    const bytes = Uint8Array.from(run.slice(1).split('%'), (hex) => Number.parseInt(hex, 16));
    if (bytes.some((b) => b < 0x20 || b === 0x7f)) fault ??= 'EncodedControl';
    if (bytes.includes(0x5c)) fault ??= 'EncodedBackslash';
    try {
      utf8.decode(bytes);
    } catch {
      fault ??= 'InvalidUtf8';
    }
    return run.toUpperCase().replace(/%([0-9A-F]{2})/g, (triplet, hex: string) => {
      const char = String.fromCharCode(Number.parseInt(hex, 16));
      return UNRESERVED.test(char) ? char : triplet;
    });
  });
  return fault === undefined ? out : { fault };
}

/**
 * The path as the laxest server behind us might read it: escaped reserved characters decoded once, `;parameters` of
 * each segment dropped (Servlet containers). A request whose lax reading is routed to another decision than its
 * canonical form is refused, so that no spelling of a protected path slips under a wider Public Route.
 * Returns the same string where both readings agree.
 */
export function laxPath(path: RoutePath): string {
  if (!path.includes('%') && !path.includes(';')) return path;
  return path
    .replace(/%(2[1-9A-E]|3[A-F]|40|5B|5D|5E|7C)/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
    .replace(/;[^/]*/g, '');
}
