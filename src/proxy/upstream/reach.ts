import type { LookupAddress } from 'node:dns';
import { BlockList, isIP, type LookupFunction } from 'node:net';
import { type AddressPolicy, isAddressAllowed } from '../../resources/address-policy.ts';
import { canonicalAddress } from '../../resources/ip.ts';
import { dnsResolve, type Resolve, systemResolve } from './resolve.ts';

/** What `url` backends may reach. */
export interface ReachRules {
  /** `--url-backends`. */
  readonly urlBackends: AddressPolicy;
  /** `cluster.local`: names under it are for `backendRef`, unless everything may be reached. */
  readonly clusterDomain: string;
  /** The API server's own addresses, canonical (`canonicalAddress`), as far as they are known by now. */
  readonly forbiddenAddresses?: () => ReadonlySet<string>;
}

export interface Reach {
  /** Why a host, as a `url` has it, is not reached. A name that passes may still have no address that does. */
  refusal(host: string): string | undefined;
  /** Why an address that was let through is not reached any more; canonical. Costs a look-up, for it is asked at each request. */
  forbidden(address: string): string | undefined;
  /** Addresses of a name that may be reached: those that were judged are those that are connected to (DNS rebinding). */
  readonly lookup: LookupFunction;
}

export function createReach(rules: ReachRules, resolve: Resolve = resolverFor(rules)): Reach {
  const { urlBackends, clusterDomain } = rules;
  const inCluster = (name: string): boolean =>
    urlBackends.kind !== 'Any' && clusterDomain !== '' && `.${name.toLowerCase()}`.endsWith(`.${clusterDomain}`);

  return {
    refusal(host) {
      if (isIP(host) !== 0) return addressRefusal(host, rules);
      return inCluster(host.replace(/\.$/, ''))
        ? `${host} is a name of the cluster: write spec.backendRef instead of spec.url, or start with --url-backends Any`
        : undefined;
    },
    forbidden: (address) => forbiddenNow(address, rules),
    lookup(hostname, options, callback) {
      resolve(hostname, (error, addresses) => {
        if (error !== null) return callback(error, '', 0);
        const reachable = addresses.filter(({ address }) => addressRefusal(address, rules) === undefined);
        const [first] = reachable;
        if (first === undefined) return callback(notAllowed(hostname, addresses[0], rules), '', 0);
        if (options.all === true) return callback(null, reachable);
        return callback(null, first.address, first.family);
      });
    },
  };
}

/** Where everything may be reached, names are what they are to the machine; elsewhere they are what they are to everybody. */
const resolverFor = ({ urlBackends }: ReachRules): Resolve =>
  urlBackends.kind === 'Any' ? systemResolve : dnsResolve();

function notAllowed(name: string, first: LookupAddress | undefined, rules: ReachRules): NodeJS.ErrnoException {
  const why = first === undefined ? 'it has no address' : addressRefusal(first.address, rules);
  const error: NodeJS.ErrnoException = new Error(`${name} leads nowhere that may be reached: ${why}`);
  error.code = first === undefined ? 'ENOTFOUND' : 'EADDRFORBIDDEN';
  return error;
}

const forbiddenNow = (canonical: string, { forbiddenAddresses }: ReachRules): string | undefined =>
  forbiddenAddresses?.().has(canonical) === true
    ? `${canonical} is an address of the API server: reached under no setting`
    : undefined;

/** Why an address is not reached, to be read by whoever runs Postern. */
export function addressRefusal(address: string, rules: ReachRules): string | undefined {
  const canonical = canonicalAddress(address);
  if (canonical === undefined || !isAddressAllowed(canonical, { kind: 'Any' }))
    return `${address} is a link-local address, or of cloud metadata: reached under no setting`;
  const forbidden = forbiddenNow(canonical, rules);
  if (forbidden !== undefined) return forbidden;
  if (isAddressAllowed(canonical, rules.urlBackends)) return undefined;
  const cidr = `${canonical}/${canonical.includes(':') ? 128 : 32}`;
  return `${address} is not a public address: to let spec.url reach it start with --url-backends ${cidr}, or Any`;
}

const loopback = new BlockList();
loopback.addSubnet('127.0.0.0', 8, 'ipv4');
loopback.addAddress('::1', 'ipv6');

interface Ends {
  readonly remoteAddress?: string | undefined;
  readonly localAddress?: string | undefined;
}

/** Whether a connection leads to the machine that it comes from. */
export function leadsHome({ remoteAddress = '', localAddress }: Ends): boolean {
  const family = isIP(remoteAddress);
  if (family !== 0 && loopback.check(remoteAddress, family === 6 ? 'ipv6' : 'ipv4')) return true;
  return remoteAddress === localAddress;
}

/** Endpoints have addresses; a name among them is no endpoint's. */
export const noNames: LookupFunction = (hostname, _options, callback) => {
  const error: NodeJS.ErrnoException = new Error(`${hostname} is no address`);
  error.code = 'EADDRFORBIDDEN';
  callback(error, '', 0);
};
