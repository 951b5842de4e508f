import { isIP } from 'node:net';
import { isAddressAllowed } from '../../../resources/address-policy.ts';

/**
 * Addresses that no setting opens (A117): link-local ones, where clouds keep machine credentials, also as IPv6 writes
 * IPv4 (mapped, NAT64), and the IPv6 metadata address of AWS. `host` as a socket takes it: a name, IPv4, or IPv6 without
 * brackets. Names are allowed here and checked once resolved.
 */
export function isForbiddenAddress(host: string): boolean {
  const zone = host.indexOf('%');
  const address = zone < 0 ? host : host.slice(0, zone);
  return isIP(address) !== 0 && !isAddressAllowed(address, { kind: 'Any' });
}

export type ProviderUrl =
  | { readonly ok: true; readonly url: URL }
  /** `fault` continues a sentence that names the URL: `must be https`. */
  | { readonly ok: false; readonly fault: string };

/**
 * A URL that may be called, or that browsers may be sent to: absolute, https (http only where `allowHttp`), without
 * credentials and fragment, not at a link-local address.
 */
export function checkProviderUrl(text: string, allowHttp: boolean): ProviderUrl {
  const refused = (fault: string): ProviderUrl => ({ ok: false, fault });
  const url = URL.parse(text);
  if (url === null || !/^https?:\/\/[^/]/i.test(text))
    return refused('must be an absolute URL that starts with https://');
  if (url.protocol !== 'https:' && url.protocol !== 'http:') return refused('must start with https://');
  if (url.protocol === 'http:' && !allowHttp) {
    return refused('must start with https:// (plain http only with insecure.httpProvider: true)');
  }
  if (url.username !== '' || url.password !== '') return refused('must not hold a user name or password');
  if (text.includes('#')) return refused('must not have a fragment (#…)');
  if (isForbiddenAddress(socketHost(url))) return refused('must not be at a link-local address');
  return { ok: true, url };
}

/** The host of a URL as a socket takes it. */
export const socketHost = (url: URL): string => url.hostname.replace(/^\[|\]$/g, '');

export const portOf = (url: URL): number => Number(url.port === '' ? (url.protocol === 'https:' ? 443 : 80) : url.port);
