declare const checked: unique symbol;

/** The host of a request in its one canonical form: lower case, no port, no trailing dot. A DNS name, IPv4, or `[IPv6]`. */
export type Hostname = string & { readonly [checked]: 'Hostname' };

/** What a Route names: an exact DNS name, `*.example.com` (one or more labels), or `*`. */
export type HostPattern = string & { readonly [checked]: 'HostPattern' };

// Underscores are no host name by RFC 1123, but they are in DNS and browsers ask for them.
const LABEL = '[a-z0-9_]([-a-z0-9_]{0,61}[a-z0-9_])?';
const NAME = new RegExp(`^(?=.{1,253}$)${LABEL}(\\.${LABEL})*$`);
const IPV6 = /^\[[0-9a-f:.]{2,45}\]$/;

/**
 * Host pattern of a Route. Patterns with an upper-case letter or a trailing dot are refused rather than folded: what is
 * written is then what `kubectl get` and the log show.
 */
export function parseHostPattern(text: string): HostPattern | undefined {
  if (text === '*') return text as HostPattern;
  const name = text.startsWith('*.') ? text.slice(2) : text;
  return NAME.test(name) && !isAddress(name) ? (text as HostPattern) : undefined;
}

/** RFC 9110 section 7.2: the authority of a request, with or without port, to its canonical host (A030, A031, A033). */
export function parseAuthority(authority: string): Hostname | undefined {
  const match = /^(\[[0-9a-fA-F:.]+\]|[^:@/\\?#,\s[\]]+)(:[0-9]{0,5})?$/.exec(authority);
  if (match?.[1] === undefined) return undefined;
  const port = match[2] === undefined || match[2] === ':' ? 0 : Number(match[2].slice(1));
  if (port > 65_535) return undefined;
  let host = lowerAscii(match[1]);
  if (host.endsWith('.')) host = host.slice(0, -1);
  return NAME.test(host) || IPV6.test(host) ? (host as Hostname) : undefined;
}

/** `a.example.com` is covered by `*.example.com`, `example.com` isn't. Exact names cover themselves. */
export function hostMatches(pattern: HostPattern, host: Hostname): boolean {
  if (pattern === '*') return true;
  if (!pattern.startsWith('*.')) return (pattern as string) === (host as string);
  return host.length > pattern.length - 1 && host.endsWith(pattern.slice(1));
}

/** ASCII only: `toLowerCase` would fold the Kelvin sign to `k` (T25). */
export function lowerAscii(text: string): string {
  return text.replace(/[A-Z]/g, (c) => String.fromCharCode(c.charCodeAt(0) + 32));
}

const isAddress = (name: string): boolean => /^[0-9]+(\.[0-9]+){3}$/.test(name);
