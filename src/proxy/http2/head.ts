import { METHODS } from 'node:http';
import type { RequestHead } from '../gate.ts';

/** Why fields are no request (RFC 9113 section 8.1.1): label of a metric. */
export type FieldsFault = 'h2_pseudo_header' | 'h2_connection_field' | 'connect' | 'malformed';

/** Those that the parser of HTTP/1.1 knows: what it refuses is not to come in by another door (A021). */
const KNOWN_METHODS: ReadonlySet<string> = new Set(METHODS);

export type HeadResult =
  | { readonly ok: true; readonly head: RequestHead }
  | { readonly ok: false; readonly fault: FieldsFault };

const malformed = (fault: FieldsFault): HeadResult => ({ ok: false, fault });

/**
 * The fields of a request over HTTP/2 as the head that every front gives to the gate. `fields`: names and values in turn, as
 * received. Nothing is chosen where two readers could choose differently: `:authority` beside another `host` becomes two
 * Host lines, which the gate refuses; none becomes none (RFC 9113 sections 8.2 and 8.3). Cookies that came as several fields
 * are the one line that an upstream over HTTP/1.1 has to see (section 8.2.3).
 */
export function headOf(fields: readonly string[], endStream: boolean): HeadResult {
  let method: string | undefined;
  let scheme: string | undefined;
  let path: string | undefined;
  let authority: string | undefined;
  let cookieAt = -1;
  const headers: string[] = [];
  for (let i = 0; i < fields.length; i += 2) {
    const name = fields[i] ?? '';
    const value = fields[i + 1] ?? '';
    switch (name) {
      case ':method':
        if (method !== undefined || headers.length > 0) return malformed('h2_pseudo_header');
        method = value;
        break;
      case ':scheme':
        if (scheme !== undefined || headers.length > 0) return malformed('h2_pseudo_header');
        scheme = value;
        break;
      case ':path':
        if (path !== undefined || headers.length > 0) return malformed('h2_pseudo_header');
        path = value;
        break;
      case ':authority':
        if (authority !== undefined || headers.length > 0) return malformed('h2_pseudo_header');
        authority = value;
        break;
      case 'host':
        if (value !== authority) headers.push(name, value);
        break;
      case 'cookie':
        if (cookieAt < 0) cookieAt = headers.push(name, value) - 1;
        else headers[cookieAt] += `; ${value}`;
        break;
      case 'connection':
      case 'transfer-encoding':
      case 'upgrade':
      case 'keep-alive':
      case 'proxy-connection':
        return malformed('h2_connection_field');
      case 'te':
        if (value !== 'trailers') return malformed('h2_connection_field');
        headers.push(name, value);
        break;
      default:
        if (name.startsWith(':')) return malformed('h2_pseudo_header');
        headers.push(name, value);
    }
  }
  // Tunnels are for nobody, plain or extended (A015).
  if (method === 'CONNECT') return malformed('connect');
  if (method !== undefined && !KNOWN_METHODS.has(method)) return malformed('malformed');
  if (method === undefined || scheme !== 'https' || path === undefined) return malformed('h2_pseudo_header');
  // Origin-form, or `*`, which is refused further on: an absolute-form here would name another authority (A014).
  if (!path.startsWith('/') && path !== '*') return malformed('h2_pseudo_header');
  if (authority !== undefined) headers.unshift('host', authority);
  return {
    ok: true,
    // What nghttp2 takes for a value is what `isFieldValue` does; a test sends every byte.
    head: { method, target: path, version: '2', headers, valuesChecked: true, openEnded: !endStream },
  };
}
