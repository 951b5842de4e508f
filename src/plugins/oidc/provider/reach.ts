import { lookup as dnsLookup, type LookupAddress } from 'node:dns';
import { isIP, type LookupFunction } from 'node:net';
import { type AddressPolicy, isAddressAllowed } from '../../../resources/address-policy.ts';
import type { PluginNetwork } from '../../contract.ts';

/** Which addresses may be connected to. A fault goes on a sentence that names the URL. */
export interface Reach {
  /** For a host that is an address already, or a name of this machine itself; other names are checked once resolved. */
  literal(host: string, port: number): string | undefined;
  /**
   * Name resolution that checks every address it gives, at each connect: what was checked is what is connected to, so
   * that a name can't be turned in between (A117, DNS rebinding). Its error is a `NotReachable`.
   */
  lookup(port: number): LookupFunction;
}

/** An address that may not be connected to; `message` is the fault. */
export class NotReachable extends Error {}

/** `addresses`: what the policy is for these calls; it differs for what the operator named himself. */
export function createReach(
  addresses: AddressPolicy,
  { isOwn, lookUp = systemLookUp }: Pick<PluginNetwork, 'isOwn' | 'lookUp'>,
): Reach {
  const fault = (address: string, port: number): string | undefined => {
    if (!isAddressAllowed(address, { kind: 'Any' })) return 'is at a link-local address, which is never called';
    if (isOwn(address, port)) return 'is a listener of this gateway itself, which is never called';
    return isAddressAllowed(address, addresses) ? undefined : NOT_ALLOWED[addresses.kind];
  };
  return {
    literal(host, port) {
      const address = literalAddress(host);
      return address === undefined ? undefined : fault(address, port);
    },
    lookup: (port) => (hostname, options, callback) => {
      lookUp(hostname, (error, all) => {
        if (error !== null) return callback(error, []);
        const found = ofFamily(all, options.family);
        // One that is forbidden among several is somebody's try to get past this.
        const refused = found.map(({ address }) => fault(address, port)).find((each) => each !== undefined);
        if (refused !== undefined) return callback(new NotReachable(refused), []);
        const [first] = found;
        if (options.all === true || first === undefined) callback(null, found);
        else callback(null, first.address, first.family);
      });
    },
  };
}

const systemLookUp: NonNullable<PluginNetwork['lookUp']> = (name, found) => dnsLookup(name, { all: true }, found);

/** `family`: as a socket asks for it; none, or 0, is both. */
function ofFamily(all: readonly LookupAddress[], family: number | string | undefined): LookupAddress[] {
  const wanted = Number(/[46]/.exec(String(family))?.[0] ?? 0);
  return all.filter((each) => wanted === 0 || each.family === wanted);
}

/** The address is not named: those of a name may change from one look to the next, and a status may not. */
const NOT_ALLOWED: Readonly<Record<AddressPolicy['kind'], string>> = {
  Any: 'is at no address',
  Public: 'is at an address that is not public, and --provider-addresses allows public ones only',
  Listed: 'is at an address that is neither public nor among those that --provider-addresses lists',
};

/** A proxy resolves names by itself, so of a name only what every resolver says of it can be told beforehand (RFC 6761). */
function literalAddress(host: string): string | undefined {
  if (isIP(host) !== 0) return host.split('%', 1).join('');
  return /(^|\.)localhost\.?$/i.test(host) ? '127.0.0.1' : undefined;
}
