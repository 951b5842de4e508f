import { type AddressPolicy, type Cidr, parseCidr } from '../resources/address-policy.ts';
import { parseHostPattern } from '../resources/hostname.ts';
import { DNS_LABEL, DNS_SUBDOMAIN, type NamespacedName, namespacedName } from '../resources/keys.ts';
import { canonicalPath, hasOneReading, prefixCovers, type RoutePath } from '../resources/path.ts';
import type { HostOwner } from '../routing/options.ts';
import { listed, ok, type Reading, write } from './values.ts';

/** `10.0.0.0/8,fd00::/8`; an empty list is refused, for nobody writes a setting to mean nothing. */
export function cidrs(text: string): Reading<readonly Cidr[]> {
  const read = listed(text).map(parseCidr);
  const known = read.filter((cidr) => cidr !== undefined);
  if (known.length > 0 && known.length === read.length) return ok(known);
  return write('networks, comma between them, bits behind the prefix 0, as in 10.0.0.0/8,fd00::/8 or 192.0.2.7');
}

/** `Public`, `Any`, or networks that may be reached besides public ones. */
export function addressPolicy(text: string): Reading<AddressPolicy> {
  if (text === 'Any' || text === 'Public') return ok({ kind: text });
  const read = cidrs(text);
  return read.ok ? ok({ kind: 'Listed', cidrs: read.value }) : write(`Public, Any, or ${read.write}`);
}

/** `shop.example.com=shop,*.example.com=web`. */
export function hostOwners(text: string): Reading<readonly HostOwner[]> {
  const owners: HostOwner[] = [];
  for (const entry of listed(text)) {
    const [host = '', namespace = '', ...rest] = entry.split('=');
    const pattern = parseHostPattern(host);
    if (pattern === undefined || !DNS_LABEL.test(namespace) || rest.length > 0)
      return write(
        'hosts in lower case with the namespace of each, as in shop.example.com=shop,*.example.com=web,*=edge',
      );
    if (owners.some((owner) => owner.pattern === pattern)) return write(`one owner for ${pattern}`);
    owners.push({ pattern, namespace });
  }
  return ok(owners);
}

export function namespaces(text: string): Reading<readonly string[]> {
  const names = [...new Set(listed(text))];
  return names.length > 0 && names.every((name) => DNS_LABEL.test(name))
    ? ok(names)
    : write('names of namespaces, comma between them, as in shop,web');
}

export const namespace = (text: string): Reading<string> =>
  DNS_LABEL.test(text) ? ok(text) : write('the name of a namespace: lower-case letters, digits and hyphens');

export const objectName = (text: string): Reading<string> =>
  DNS_SUBDOMAIN.test(text) ? ok(text) : write('the name of an object: lower-case letters, digits, hyphens and dots');

export function objectIn(text: string): Reading<NamespacedName> {
  const [of = '', name = '', ...rest] = text.split('/');
  const fits = DNS_LABEL.test(of) && DNS_SUBDOMAIN.test(name) && rest.length === 0;
  return fits ? ok(namespacedName(of, name)) : write('a namespace and a name, as in edge/wildcard-certificate');
}

export const domain = (text: string): Reading<string> =>
  DNS_SUBDOMAIN.test(text) ? ok(text) : write('a DNS name without a dot at either end, as in cluster.local');

/** Compared exactly and before everything else, so it may be written in one way only, and is nobody's callback. */
export function healthPath(text: string): Reading<RoutePath> {
  const read = canonicalPath(text);
  const fits = read.ok && read.path === text && text !== '/' && hasOneReading(read.path);
  if (!fits || prefixCovers('/_oidc', text))
    return write('a path, as in /healthz; / and what is below /_oidc are not free');
  return ok(read.path);
}

export function positive(most: number): (text: string) => Reading<number> {
  return (text) => {
    const value = /^[1-9][0-9]{0,8}$/.test(text) ? Number(text) : 0;
    return value >= 1 && value <= most ? ok(value) : write(`a number from 1 to ${most}`);
  };
}

/** `http,https`: listeners by the names that their ports have. */
export function listenerNames(text: string): Reading<readonly ('http' | 'https')[]> {
  const written = listed(text);
  const names = (['http', 'https'] as const).filter((name) => written.includes(name));
  return names.length > 0 && names.length === written.length ? ok(names) : write('http, https, or http,https');
}

const YEAR = 31_536_000;

/**
 * The value of Strict-Transport-Security (RFC 6797 section 6.1), in its usual spelling. What lists of browsers ask of
 * `preload` is asked here: a host that stands in one without meeting it is hard to get out again.
 */
export function hsts(text: string): Reading<string> {
  const directives = text.split(';').map((each) => each.trim().toLowerCase());
  const [, seconds] = /^max-age=("?)([0-9]{1,10})\1$/.exec(directives[0] ?? '')?.slice(1) ?? [];
  const flags = directives.slice(1);
  const [subDomains, preload] = ['includesubdomains', 'preload'].map((flag) => flags.includes(flag));
  const known = flags.length === Number(subDomains) + Number(preload);
  if (seconds === undefined || !known)
    return write('max-age=SECONDS, and if wanted ; includeSubDomains and ; preload behind it');
  if (preload === true && (subDomains !== true || Number(seconds) < YEAR))
    return write(`preload only with includeSubDomains and a max-age of ${YEAR} or more`);
  return ok(
    [
      `max-age=${Number(seconds)}`,
      ...(subDomains === true ? ['includeSubDomains'] : []),
      ...(preload === true ? ['preload'] : []),
    ].join('; '),
  );
}
