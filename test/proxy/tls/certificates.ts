import { type HostPattern, parseHostPattern } from '../../../src/resources/hostname.ts';
import { namespacedName } from '../../../src/resources/keys.ts';
import { Redacted } from '../../../src/resources/redacted.ts';
import type { HostCertificate } from '../../../src/routing/snapshot.ts';

export interface Pair {
  readonly cert: string;
  readonly key: string;
}

/** What compiling offers: by host a Secret's name and its pair; the Route has the Secret's name unless it is told apart. */
export function offered(
  hosts: Readonly<Record<string, readonly [secret: string, pair: Pair, route?: string]>>,
): ReadonlyMap<HostPattern, HostCertificate> {
  const map = new Map<HostPattern, HostCertificate>();
  for (const [text, [secret, pair, route]] of Object.entries(hosts)) {
    const host = parseHostPattern(text);
    if (host === undefined) throw new Error(`not a host: ${text}`);
    map.set(host, {
      host,
      route: namespacedName('shop', route ?? secret),
      secret: namespacedName('shop', secret),
      certificate: pair.cert,
      key: new Redacted(pair.key),
    });
  }
  return map;
}

export const NO_PAIR: Pair = { cert: '', key: '' };
export const BROKEN_PAIR: Pair = { cert: '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n', key: 'x' };
