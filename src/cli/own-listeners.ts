import { networkInterfaces } from 'node:os';
import { inCidr, parseCidr } from '../resources/address-policy.ts';
import { canonicalAddress } from '../resources/ip.ts';
import type { Endpoint } from './values.ts';

/** Of this machine, whatever its interfaces are called; the unspecified address is the machine too (A041). */
const HOME = ['127.0.0.0/8', '::1', '0.0.0.0', '::'].flatMap((text) => parseCidr(text) ?? []);

/**
 * Whether an address and port are those of one of the listeners (A174). Asked at a connect to a provider, which is rare, so
 * that an address that the machine got meanwhile counts too.
 */
export function isOwnListener(
  listeners: readonly (Endpoint | undefined)[],
  interfaces: () => readonly string[] = ownAddresses,
): (address: string, port: number) => boolean {
  const ports = portsOf(listeners);
  return (address, port) => {
    if (!ports.has(port)) return false;
    const canonical = canonicalAddress(address);
    return (
      canonical === undefined ||
      HOME.some((cidr) => inCidr(canonical, cidr)) ||
      interfaces().some((own) => canonicalAddress(own) === canonical)
    );
  };
}

export const portsOf = (listeners: readonly (Endpoint | undefined)[]): ReadonlySet<number> =>
  new Set(listeners.flatMap((listener) => listener?.port ?? []));

const ownAddresses = (): readonly string[] =>
  Object.values(networkInterfaces()).flatMap((addresses) => (addresses ?? []).map(({ address }) => address));
