import { canonicalIpv6, endsInNumber, isIpv4 } from './ip.ts';

declare const checked: unique symbol;

/** The host of a request in its one canonical form: lower case, no port, no trailing dot. A DNS name, IPv4, or `[IPv6]`. */
export type Hostname = string & { readonly [checked]: 'Hostname' };

/** What a Route names: an exact DNS name, `*.example.com` (one or more labels), or `*`. */
export type HostPattern = string & { readonly [checked]: 'HostPattern' };

// Underscores are no host name by RFC 1123, but they are in DNS and browsers ask for them.
const LABEL = '[a-z0-9_]([-a-z0-9_]{0,61}[a-z0-9_])?';
const NAME = new RegExp(`^(?=.{1,253}$)${LABEL}(\\.${LABEL})*$`);

/**
 * Host pattern of a Route. Patterns with an upper-case letter or a trailing dot are refused rather than folded: what is
 * written is then what `kubectl get` and the log show.
 */
export function parseHostPattern(text: string): HostPattern | undefined {
  if (text === '*') return text as HostPattern;
  const name = text.startsWith('*.') ? text.slice(2) : text;
  return NAME.test(name) && !endsInNumber(name) ? (text as HostPattern) : undefined;
}

/** RFC 9110 section 7.2: the authority of a request, with or without port, to its canonical host (A030, A031, A033). */
export function parseAuthority(authority: string): Hostname | undefined {
  return splitAuthority(authority)?.host;
}

/** The same with its port, undefined where there is none or an empty one. */
export function splitAuthority(authority: string): Authority | undefined {
  if (authority.length > 512) return undefined;
  const known = authorities.get(authority);
  if (known !== undefined) return known;
  const split = readAuthority(authority);
  if (split === undefined) return undefined;
  if (authorities.size >= MAX_REMEMBERED) authorities.clear();
  authorities.set(authority, split);
  return split;
}

interface Authority {
  readonly host: Hostname;
  readonly port: number | undefined;
}

/** Nearly every request names one of a few hosts: a look-up costs 0.01 µs, reading it 0.5. Bounded, for clients make up others (A165). */
const authorities = new Map<string, Authority>();
const MAX_REMEMBERED = 1024;

function readAuthority(authority: string): Authority | undefined {
  const match = /^(\[[0-9a-fA-F:.]+\]|[^:@/\\?#,\s[\]]+)(?::([0-9]{0,5}))?$/.exec(authority);
  const host = match?.[1] === undefined ? undefined : canonicalHost(match[1]);
  if (host === undefined) return undefined;
  const port = match?.[2] === undefined || match[2] === '' ? undefined : Number(match[2]);
  return port !== undefined && port > 65_535 ? undefined : { host, port };
}

/** A DNS name, an IPv4 address or `[IPv6]`, in any spelling, without port. */
export function canonicalHost(text: string): Hostname | undefined {
  if (text.startsWith('[')) {
    const address = text.endsWith(']') ? canonicalIpv6(text.slice(1, -1)) : undefined;
    return address === undefined ? undefined : (`[${address}]` as Hostname);
  }
  const folded = lowerAscii(text);
  const host = folded.endsWith('.') ? folded.slice(0, -1) : folded;
  return NAME.test(host) && (!endsInNumber(host) || isIpv4(host)) ? (host as Hostname) : undefined;
}

/** `a.example.com` is covered by `*.example.com`, `example.com` isn't. Exact names cover themselves. */
export function hostMatches(pattern: HostPattern, host: Hostname): boolean {
  if (pattern === '*') return true;
  if (!pattern.startsWith('*.')) return (pattern as string) === (host as string);
  return host.length > pattern.length - 1 && host.endsWith(pattern.slice(1));
}

/** ASCII only: `toLowerCase` would fold the Kelvin sign to `k` (T25). */
export function lowerAscii(text: string): string {
  let capital = false;
  // A loop: for words as short as names are, an expression costs more to begin with.
  for (let i = 0; i < text.length && !capital; i++) {
    const code = text.charCodeAt(i);
    capital = code >= 0x41 && code <= 0x5a;
  }
  if (!capital) return text;
  return text.replace(/[A-Z]/g, (c) => String.fromCharCode(c.charCodeAt(0) + 32));
}
