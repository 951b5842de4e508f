import { readProxyHeaderV1 } from './proxy-header-v1.ts';
import { readProxyHeaderV2 } from './proxy-header-v2.ts';
import { FAULT, MORE, type ProxyHeader } from './relayed.ts';

const V1 = Buffer.from('PROXY ');
const V2 = Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1');

/** Reads the beginning of a connection, version 1 or 2. Whatever isn't exactly a header is a fault, as early as it shows. */
export function readProxyHeader(bytes: Buffer): ProxyHeader {
  if (begins(bytes, V1)) return bytes.length < V1.length ? MORE : readProxyHeaderV1(bytes);
  if (begins(bytes, V2)) return bytes.length < V2.length ? MORE : readProxyHeaderV2(bytes, V2.length);
  return FAULT;
}

/** Whether one of the two is the beginning of the other. */
function begins(bytes: Buffer, signature: Buffer): boolean {
  const length = Math.min(bytes.length, signature.length);
  return bytes.compare(signature, 0, length, 0, length) === 0;
}
