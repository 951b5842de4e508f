import { lowerAscii } from '../../resources/hostname.ts';
import { hasOption } from '../upgrade-head.ts';
import type { ResponseHead } from './response-head.ts';

/**
 * Whether a 101 is one to exactly the protocol that was asked for (RFC 9110 sections 7.8 and 15.2.2): one Upgrade line with
 * it, `upgrade` in Connection, and no framing, for which there is nothing. What else it is about is the client's to check,
 * as Sec-WebSocket-Accept.
 */
export function switchesTo({ headers }: ResponseHead, protocol: string): boolean {
  let upgrade: string | undefined;
  let connection = false;
  for (let i = 0; i < headers.length; i += 2) {
    const name = lowerAscii(headers[i] ?? '');
    const value = headers[i + 1] ?? '';
    if (name === 'content-length' || name === 'transfer-encoding') return false;
    if (name === 'connection') connection ||= hasOption(value, 'upgrade');
    else if (name === 'upgrade') {
      if (upgrade !== undefined) return false;
      upgrade = value;
    }
  }
  return connection && upgrade !== undefined && lowerAscii(upgrade) === lowerAscii(protocol);
}
