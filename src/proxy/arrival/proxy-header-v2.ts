import { canonicalPeer, UNKNOWN_CLIENT } from '../client-address.ts';
import { FAULT, MORE, type ProxyHeader, type Relayed } from './relayed.ts';

/**
 * Section 2.2: addresses have 36 bytes at most here; the rest is for what clouds and TLS-terminating proxies add (ids,
 * the name of a client certificate), which has some hundred.
 */
const MAX_REST_BYTES = 4096;
const LOCAL = 0x20;
const PROXY = 0x21;

/** Of address family and transport; sockets that carry no stream, and local ones, don't lead here. */
const UNSPECIFIED = 0x00;
const TCP4 = { code: 0x11, bytes: 4 };
const TCP6 = { code: 0x21, bytes: 16 };
const PORTS_BYTES = 4;
const TLV_HEAD_BYTES = 3;

/** Binary: version and command, family, length, addresses, and what else there is, of which only the sizes are looked at. */
export function readProxyHeaderV2(bytes: Buffer, at: number): ProxyHeader {
  const command = bytes[at];
  if (command === undefined) return MORE;
  if (command !== LOCAL && command !== PROXY) return FAULT;
  const family = bytes[at + 1];
  if (family === undefined) return MORE;
  if (command === PROXY && family !== UNSPECIFIED && family !== TCP4.code && family !== TCP6.code) return FAULT;
  const start = at + 4;
  if (bytes.length < start) return MORE;
  const rest = bytes.readUInt16BE(at + 2);
  if (rest > MAX_REST_BYTES) return FAULT;
  const length = start + rest;
  if (bytes.length < length) return MORE;
  const relayed = relayedBy(command, family, bytes.subarray(start, length));
  return relayed === undefined ? FAULT : { kind: 'Header', length, relayed };
}

function relayedBy(command: number, family: number, rest: Buffer): Relayed | undefined {
  if (command === LOCAL || family === UNSPECIFIED) return UNKNOWN_CLIENT;
  const { bytes } = family === TCP4.code ? TCP4 : TCP6;
  const addresses = bytes * 2 + PORTS_BYTES;
  if (rest.length < addresses || !isTlvList(rest, addresses)) return undefined;
  return canonicalPeer(addressText(rest.subarray(0, bytes)));
}

function addressText(address: Buffer): string {
  if (address.length === TCP4.bytes) return address.join('.');
  const groups = Array.from({ length: 8 }, (_, at) => address.readUInt16BE(at * 2).toString(16));
  return groups.join(':');
}

/** Section 2.2.1: type, length and value, one after the other, up to the last byte. */
function isTlvList(rest: Buffer, from: number): boolean {
  let at = from;
  while (at + TLV_HEAD_BYTES <= rest.length) at += TLV_HEAD_BYTES + rest.readUInt16BE(at + 1);
  return at === rest.length;
}
