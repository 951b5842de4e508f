import { identityHeaders } from '../../../resources/identity-headers.ts';
import type { Trailers } from '../../body.ts';

/**
 * RFC 9110 section 6.5.1: who merges trailers into a head that was decided about must find nothing there that decides: no
 * framing, no routing, no credentials, nothing that caches and browsers act on.
 */
const NEVER: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'transfer-encoding',
  'upgrade',
  'te',
  'trailer',
  'host',
  'authorization',
  'cookie',
  'set-cookie',
  'www-authenticate',
  'location',
  'age',
  'cache-control',
  'expires',
  'date',
  'vary',
  'retry-after',
  'strict-transport-security',
  'x-request-id',
]);
const IDENTITY = identityHeaders([]);
const MAX_LINES = 128;

/** Trailers of a response that go on to the client, names and values in turn (invariant 3). */
export function passedTrailers(fields: readonly string[]): Trailers {
  const out: string[] = [];
  for (let i = 0; i < Math.min(fields.length, 2 * MAX_LINES); i += 2) {
    const name = fields[i] ?? '';
    const dropped =
      NEVER.has(name) ||
      name.startsWith(':') ||
      name.startsWith('content-') ||
      name.startsWith('proxy-') ||
      IDENTITY.has(name);
    if (!dropped) out.push(name, fields[i + 1] ?? '');
  }
  return out;
}
