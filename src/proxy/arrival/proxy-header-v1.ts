import { isIpv4 } from '../../resources/ip.ts';
import { canonicalPeer, UNKNOWN_CLIENT } from '../client-address.ts';
import { FAULT, MORE, type ProxyHeader } from './relayed.ts';

/** Section 2.1: the longest line there is, its end included. */
const MAX_BYTES = 107;
const PORT = '(?:0|[1-9][0-9]{0,4})';
const ADDRESSES = new RegExp(`^PROXY TCP([46]) ([0-9a-fA-F:.]+) ([0-9a-fA-F:.]+) (${PORT}) (${PORT})$`);
/** What stands behind UNKNOWN means nothing. */
const UNKNOWN = /^PROXY UNKNOWN(?: [\x20-\x7e]*)?$/;

/** A line of text, ended by CRLF: one blank between the parts, addresses of the family that is named, ports in decimal. */
export function readProxyHeaderV1(bytes: Buffer): ProxyHeader {
  const end = bytes.subarray(0, MAX_BYTES).indexOf('\n');
  if (end < 0) return bytes.length < MAX_BYTES ? MORE : FAULT;
  if (bytes[end - 1] !== 0x0d) return FAULT;
  const line = bytes.toString('latin1', 0, end - 1);
  const length = end + 1;
  if (UNKNOWN.test(line)) return { kind: 'Header', length, relayed: UNKNOWN_CLIENT };
  const [, family, source = '', destination = '', from, to] = ADDRESSES.exec(line) ?? [];
  const address = addressIn(family, source);
  if (address === undefined || addressIn(family, destination) === undefined) return FAULT;
  if (Number(from) > 65_535 || Number(to) > 65_535) return FAULT;
  return { kind: 'Header', length, relayed: address };
}

const addressIn = (family: string | undefined, text: string): string | undefined =>
  isIpv4(text) === (family === '4') ? canonicalPeer(text) : undefined;
