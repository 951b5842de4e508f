/**
 * Addresses in their one canonical form. `new URL()` and resolvers also read `0x7f.1`, `2130706433` and `127.1` as
 * 127.0.0.1 (T24), so whatever ends in a number and isn't four plain decimal octets is no host here.
 */
const OCTET = '(25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])';
const IPV4 = new RegExp(`^${OCTET}(\\.${OCTET}){3}$`);
const HEXTET = /^[0-9a-fA-F]{1,4}$/;
const LAST_LABEL_IS_NUMBER = /(^|\.)([0-9]+|0[xX][0-9a-fA-F]*)$/;

export const isIpv4 = (text: string): boolean => IPV4.test(text);

/** Whether resolvers would take the name for an address (WHATWG URL, "ends in a number"). */
export const endsInNumber = (name: string): boolean => LAST_LABEL_IS_NUMBER.test(name);

/** Text between the brackets to the form of RFC 5952, IPv4 tails as hexadecimal; undefined where it is no IPv6 address. */
export function canonicalIpv6(text: string): string | undefined {
  const groups = ipv6Groups(text);
  return groups === undefined ? undefined : format(groups);
}

/** `::ffff:192.0.2.1`: another spelling of an IPv4 address. The text is canonical. */
export const isMappedIpv4 = (canonical: string): boolean => /^::ffff:[0-9a-f]{1,4}:[0-9a-f]{1,4}$/.test(canonical);

/**
 * The bits of an address as text of 0 and 1. IPv4 in IPv6 (mapped, and NAT64 under its well-known prefix) gives the IPv4
 * address that it leads to. Undefined where the text is no address.
 */
export function addressBits(text: string): { readonly family: 4 | 6; readonly bits: string } | undefined {
  if (isIpv4(text))
    return {
      family: 4,
      bits: text
        .split('.')
        .map((octet) => binary(Number(octet), 8))
        .join(''),
    };
  const groups = ipv6Groups(text);
  if (groups === undefined) return undefined;
  const bits = groups.map((group) => binary(group, 16)).join('');
  return CARRIES_IPV4.some((prefix) => bits.startsWith(prefix))
    ? { family: 4, bits: bits.slice(96) }
    : { family: 6, bits };
}

/**
 * The one spelling under which an address is compared with others: an IPv4 address, however it is written in IPv6, as IPv4,
 * and IPv6 as RFC 5952 has it. Undefined where the text is no address.
 */
export function canonicalAddress(text: string): string | undefined {
  const parsed = addressBits(text);
  if (parsed?.family !== 4) return parsed === undefined ? undefined : canonicalIpv6(text);
  return [0, 8, 16, 24].map((at) => Number.parseInt(parsed.bits.slice(at, at + 8), 2)).join('.');
}

const binary = (value: number, size: number): string => value.toString(2).padStart(size, '0');

/** `::ffff:0:0/96` (RFC 4291) and `64:ff9b::/96` (RFC 6052). */
const CARRIES_IPV4: readonly string[] = [
  '0'.repeat(80) + '1'.repeat(16),
  binary(0x64, 16) + binary(0xff9b, 16) + '0'.repeat(64),
];

function ipv6Groups(text: string): readonly number[] | undefined {
  if (text.length > 45) return undefined;
  const halves = text.split('::');
  const [head, tail] = halves;
  if (head === undefined || halves.length > 2) return undefined;
  const left = hextets(head, tail === undefined);
  if (left === undefined) return undefined;
  if (tail === undefined) return left.length === 8 ? left : undefined;
  const right = hextets(tail, true);
  if (right === undefined || left.length + right.length > 7) return undefined;
  return [...left, ...new Array<number>(8 - left.length - right.length).fill(0), ...right];
}

/** `atEnd`: an IPv4 address may be the last part. */
function hextets(text: string, atEnd: boolean): readonly number[] | undefined {
  if (text === '') return [];
  const out: number[] = [];
  const parts = text.split(':');
  for (const [at, part] of parts.entries()) {
    if (HEXTET.test(part)) {
      out.push(Number.parseInt(part, 16));
    } else if (atEnd && at === parts.length - 1 && isIpv4(part)) {
      const [a = 0, b = 0, c = 0, d = 0] = part.split('.').map(Number);
      out.push(a * 256 + b, c * 256 + d);
    } else {
      return undefined;
    }
  }
  return out;
}

function format(groups: readonly number[]): string {
  let best = { at: -1, length: 1 };
  for (let at = 0; at < 8; at++) {
    let length = 0;
    while (at + length < 8 && groups[at + length] === 0) length++;
    if (length > best.length) best = { at, length };
  }
  const hex = (part: readonly number[]): string => part.map((group) => group.toString(16)).join(':');
  return best.at < 0 ? hex(groups) : `${hex(groups.slice(0, best.at))}::${hex(groups.slice(best.at + best.length))}`;
}
