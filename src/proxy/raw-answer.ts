import { STATUS_CODES } from 'node:http';
import type { LimitName } from './limits.ts';

export interface Rejection {
  readonly status: number;
  /** Of a closed set: label of a metric. */
  readonly reason: 'malformed' | 'connect' | 'head_too_large' | 'head_timeout' | 'chunk_extensions';
  /** That was broken by it. */
  readonly limit?: LimitName;
}

/** What a parse error of node:http is to the client. */
export function rejectionOf(code: string | undefined): Rejection | undefined {
  switch (code) {
    case 'HPE_HEADER_OVERFLOW':
      return { status: 431, reason: 'head_too_large', limit: 'headerBytes' };
    case 'HPE_CHUNK_EXTENSIONS_OVERFLOW':
      return { status: 413, reason: 'chunk_extensions' };
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return { status: 408, reason: 'head_timeout', limit: 'headTimeout' };
    default:
      // Whatever isn't of the parser is of the socket, and there is nobody to answer.
      return code?.startsWith('HPE_') === true ? { status: 400, reason: 'malformed' } : undefined;
  }
}

/** A whole answer for a connection that is in no state for another. `hsts`: value of Strict-Transport-Security. */
export function rawAnswer(status: number, hsts: string | undefined): string {
  const security = hsts === undefined ? '' : `Strict-Transport-Security: ${hsts}\r\n`;
  const text = `${status} ${STATUS_CODES[status] ?? 'Error'}`;
  return `HTTP/1.1 ${text}\r\nConnection: close\r\nContent-Type: text/plain\r\nCache-Control: no-store\r\n${security}Content-Length: ${text.length + 1}\r\n\r\n${text}\n`;
}
