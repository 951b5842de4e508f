import { lowerAscii } from './hostname.ts';

/**
 * The one fixed set of headers that carry identity (DESIGN: section "A request"). They are removed from what a client
 * sends on every Route, in every spelling, and a plugin can emit no others. The set depends on no object, so that no
 * object can narrow it; `--identity-headers` adds to it.
 */
const EXACT = [
  'x-forwarded-user',
  'x-forwarded-email',
  'x-forwarded-groups',
  'x-forwarded-preferred-username',
  'x-forwarded-access-token',
] as const;
const PREFIXES = ['x-auth-request-', 'x-remote-', 'remote-', 'x-webauth-', 'x-postern-'] as const;

/** The set as names, and beginnings of names that end in `*`. */
export const IDENTITY_HEADER_NAMES: readonly string[] = [...EXACT, ...PREFIXES.map((prefix) => `${prefix}*`)];

/**
 * CGI, WSGI, PHP and nginx fold `_` and `.` to `-`; lighttpd, Plack and others everything that is no letter or digit, so
 * that `X!Forwarded!User` is `HTTP_X_FORWARDED_USER` too (A040). All of them are one name here. ASCII lower case.
 */
export const foldHeaderName = (name: string): string => lowerAscii(name).replace(/[^a-z0-9]/g, '-');

export interface IdentityHeaders {
  /** Whether a header name, in any spelling, belongs to the set. */
  has(name: string): boolean;
}

/** `additional`: names, or prefixes that end in `*`, from `--identity-headers`. */
export function identityHeaders(additional: readonly string[]): IdentityHeaders {
  const exact = new Set<string>(EXACT);
  const prefixes: string[] = [...PREFIXES];
  for (const name of additional) {
    if (name.endsWith('*')) prefixes.push(foldHeaderName(name.slice(0, -1)));
    else exact.add(foldHeaderName(name));
  }
  return {
    has(name) {
      const folded = foldHeaderName(name);
      return exact.has(folded) || prefixes.some((prefix) => folded.startsWith(prefix));
    },
  };
}

/** RFC 9110 section 5.1 token, bounded. */
export const HEADER_NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,128}$/;
