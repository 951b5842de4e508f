import { addressBits } from './ip.ts';

/** Bits of an address as text of 0 and 1, and how many of them count. */
export interface Cidr {
  readonly family: 4 | 6;
  readonly bits: string;
  /** As it was written, for messages. */
  readonly text: string;
}

/** Which addresses may be reached (`--url-backends`, `--provider-addresses`). Link-local ones never are, under none of these. */
export type AddressPolicy =
  | { readonly kind: 'Any' }
  /** Addresses of the public internet only. */
  | { readonly kind: 'Public' }
  /** Public ones, and those listed. */
  | { readonly kind: 'Listed'; readonly cidrs: readonly Cidr[] };

/** `10.0.0.0/8`, `fd00::/8`, or one address; undefined where it is none of these. Bits after the prefix have to be 0. */
export function parseCidr(text: string): Cidr | undefined {
  const [address = '', length, ...rest] = text.split('/');
  const parsed = addressBits(address);
  if (parsed === undefined || rest.length > 0) return undefined;
  const { family, bits } = parsed;
  if (length === undefined) return { family, bits, text };
  if (!/^(0|[1-9][0-9]{0,2})$/.test(length) || Number(length) > bits.length) return undefined;
  const size = Number(length);
  return bits.slice(size).includes('1') ? undefined : { family, bits: bits.slice(0, size), text };
}

/** An IPv4 address that is written as IPv6 is that IPv4 address. */
export function inCidr(address: string, cidr: Cidr): boolean {
  const parsed = addressBits(address);
  return parsed !== undefined && parsed.family === cidr.family && parsed.bits.startsWith(cidr.bits);
}

/** `address`: IPv4 or IPv6 (no brackets, no zone). What is no address isn't allowed: resolve names first. */
export function isAddressAllowed(address: string, policy: AddressPolicy): boolean {
  const parsed = addressBits(address);
  if (parsed === undefined || isLinkLocal(parsed)) return false;
  switch (policy.kind) {
    case 'Any':
      return true;
    case 'Public':
      return !isIn(parsed, NOT_PUBLIC);
    case 'Listed':
      return isIn(parsed, policy.cidrs) || !isIn(parsed, NOT_PUBLIC);
  }
}

/**
 * Whether an endpoint of a core Service may be at this address: namespaces write EndpointSlices by hand too, and none is to
 * lead to the machine itself, to cloud metadata or to groups of machines (A174). Private addresses are what Pods have.
 */
export function isEndpointAddress(address: string): boolean {
  const parsed = addressBits(address);
  return parsed !== undefined && !isLinkLocal(parsed) && !isIn(parsed, NO_ENDPOINT);
}

interface Bits {
  readonly family: 4 | 6;
  readonly bits: string;
}

const isIn = ({ family, bits }: Bits, cidrs: readonly Cidr[]): boolean =>
  cidrs.some((cidr) => cidr.family === family && bits.startsWith(cidr.bits));

const known = (...texts: readonly string[]): readonly Cidr[] =>
  texts.map((text) => {
    const cidr = parseCidr(text);
    if (cidr === undefined) throw new Error(`${text} is no CIDR`);
    return cidr;
  });

/**
 * Where clouds keep the credentials of machines (A174): link-local addresses, also inside old ways of carrying IPv4 in IPv6
 * (RFC 4291 section 2.5.5.1, RFC 2765, RFC 3056), and the addresses of the same in IPv6 (AWS, Google Cloud, Scaleway).
 */
const LINK_LOCAL = known(
  '169.254.0.0/16',
  'fe80::/10',
  '::a9fe:0/112',
  '::ffff:0:a9fe:0/112',
  '2002:a9fe::/32',
  'fd00:ec2::254',
  'fd20:ce::254',
  'fd00:42::42',
);

/** Prefixes of translators of one's own (RFC 8215). */
const LOCAL_NAT64 = known('64:ff9b:1::/48');

const isLinkLocal = (parsed: Bits): boolean =>
  isIn(parsed, LINK_LOCAL) ||
  (isIn(parsed, LOCAL_NAT64) && translated(parsed.bits).some((one) => isIn(one, LINK_LOCAL)));

/** The IPv4 addresses that it is in IPv6, by the length of the prefix: 48, 56, 64 or 96; bits 64 to 71 are none of it (RFC 6052). */
const translated = (bits: string): readonly Bits[] =>
  [
    bits.slice(48, 64) + bits.slice(72, 88),
    bits.slice(56, 64) + bits.slice(72, 96),
    bits.slice(72, 104),
    bits.slice(96),
  ].map((ipv4) => ({ family: 4, bits: ipv4 }));

/** This machine, nobody, and everybody. */
const NO_ENDPOINT = known('0.0.0.0/8', '127.0.0.0/8', '224.0.0.0/4', '255.255.255.255', '::/96', 'ff00::/8');

/**
 * IANA special-purpose registries (RFC 6890), multicast, what carries IPv4 in IPv6 (6to4, Teredo, NAT64 local), and Azure's
 * WireServer, which answers every machine there at an address that looks public.
 */
const NOT_PUBLIC = known(
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '168.63.129.16',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.0.2.0/24',
  '192.88.99.0/24',
  '192.168.0.0/16',
  '198.18.0.0/15',
  '198.51.100.0/24',
  '203.0.113.0/24',
  '224.0.0.0/4',
  '240.0.0.0/4',
  '::/96',
  '64:ff9b:1::/48',
  '100::/64',
  '2001::/23',
  '2001:db8::/32',
  '2002::/16',
  '3fff::/20',
  '5f00::/16',
  'fc00::/7',
  'fec0::/10',
  'ff00::/8',
);
