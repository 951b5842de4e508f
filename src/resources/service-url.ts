import { canonicalHost } from './hostname.ts';
import { isMappedIpv4 } from './ip.ts';
import { canonicalPath, laxPaths } from './path.ts';
import type { BackendUrl } from './resource.ts';

export type UrlCheck =
  | { readonly ok: true; readonly url: BackendUrl }
  | { readonly ok: false; readonly message: string };

const refused = (message: string): UrlCheck => ({ ok: false, message });

/**
 * `url` of a Service, taken apart by its own grammar: `new URL()` would turn `\` into `/`, drop tabs and read `0x7f.1`
 * as an address (T24). One place has one spelling here, for whether two Services share a backend decides what happens to
 * `Authorization` (A041). Messages don't repeat the URL: it may hold a password.
 */
export function parseServiceUrl(text: string): UrlCheck {
  const match = /^(https?):\/\/([^/?#\\]*)([^?#]*)([?#].*)?$/s.exec(text);
  const scheme = match?.[1];
  if (scheme !== 'http' && scheme !== 'https') return refused('must begin with http:// or https://');
  const [authority = '', rawPath = '', rest] = match?.slice(2) ?? [];
  if (authority.includes('@')) return refused('must have no user name and password; leave out what is before the @');
  if (rest !== undefined) return refused('must have no query and no fragment; leave out what begins with ? or #');
  const place = hostAndPort(authority, scheme);
  if (typeof place === 'string') return refused(place);
  const basePath = parseBasePath(rawPath);
  if (!basePath.ok) return refused(basePath.message);
  return { ok: true, url: { kind: 'Url', scheme, ...place, basePath: basePath.path } };
}

function hostAndPort(authority: string, scheme: 'http' | 'https'): { host: string; port: number } | string {
  const match = /^(\[[^[\]]*\]|[^:[\]]*)(?::(.*))?$/s.exec(authority);
  const host = match?.[1] === undefined ? undefined : canonicalHost(match[1]);
  if (host === undefined) return 'must have a DNS name, an IPv4 address or an [IPv6] address after ://';
  const bare = host.startsWith('[') ? host.slice(1, -1) : host;
  if (isMappedIpv4(bare)) return 'has an IPv4 address written as IPv6; write the IPv4 address';
  const digits = match?.[2];
  if (digits === undefined) return { host: bare, port: scheme === 'https' ? 443 : 80 };
  const port = /^[1-9][0-9]{0,4}$/.test(digits) ? Number(digits) : 0;
  return port >= 1 && port <= 65_535 ? { host: bare, port } : 'must have a port from 1 to 65535, or none';
}

type BasePath = { readonly ok: true; readonly path: string } | { readonly ok: false; readonly message: string };

/** A path that is put before others: canonical, without a slash at its end. */
export function parseBasePath(raw: string): BasePath {
  if (raw === '' || raw === '/') return { ok: true, path: '' };
  const canonical = canonicalPath(raw);
  if (!canonical.ok)
    return { ok: false, message: 'has a path that no request could have; write plain segments, as in /base' };
  if (canonical.path !== raw || laxPaths(canonical.path)?.length !== 0)
    return { ok: false, message: 'has a path that isn’t in canonical form; write plain segments, as in /base' };
  return { ok: true, path: raw.endsWith('/') ? raw.slice(0, -1) : raw };
}
