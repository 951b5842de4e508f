import type { IncomingMessage } from 'node:http';
import { fault, faultOf, type ProviderFault } from './http-fault.ts';

export interface ReadAnswer {
  readonly ok: true;
  readonly status: number;
  /** Media type in lower case without parameters; `` where there is none. */
  readonly contentType: string;
  readonly body: Buffer;
  /** `Date` as it came; undefined too where a cache kept the answer, which then is of another time. */
  readonly date: string | undefined;
  /** `Retry-After` as it came. */
  readonly retryAfter: string | undefined;
}

/** No document of a provider comes near it; what is larger is an attack or not a provider (A135). */
const MAX_BODY = 1024 * 1024;

/** Reads the whole body. Whoever calls ends the request when `end` was called. */
export function readAnswer(response: IncomingMessage, end: (result: ReadAnswer | ProviderFault) => void): void {
  const { headers } = response;
  const coding = headers['content-encoding'];
  if (coding !== undefined && coding.toLowerCase() !== 'identity') {
    end(fault('BadAnswer', 'answered with a compressed body though none was asked for'));
    return;
  }
  const chunks: Buffer[] = [];
  let size = 0;
  response.on('data', (chunk: Buffer) => {
    size += chunk.length;
    if (size > MAX_BODY) end(fault('BadAnswer', `answered with more than ${MAX_BODY} bytes`));
    else chunks.push(chunk);
  });
  response.on('error', (error) => end(faultOf(error)));
  response.on('end', () => {
    if (!response.complete) return end(fault('Unreachable', 'closed the connection before its answer was whole'));
    end({
      ok: true,
      status: response.statusCode ?? 0,
      contentType: (headers['content-type'] ?? '').split(';', 1).join('').trim().toLowerCase(),
      body: Buffer.concat(chunks),
      date: (headers.age ?? '0') === '0' ? headers.date : undefined,
      retryAfter: headers['retry-after'],
    });
  });
}
