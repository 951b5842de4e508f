import type { IncomingHttpHeaders } from 'node:http';
import { errors } from 'undici';
import { ApiUnreachable } from './api.ts';

/** One event of a watch holds one object, and etcd takes none over 1.5 MiB; escapes make it longer. */
const LONGEST_LINE = 16 * 2 ** 20;
const LONGEST_WAIT = 300_000;

/** A body as JSON; undefined where it is none. Throws where it is larger than `most` bytes. */
export async function readJson(
  body: AsyncIterable<Buffer>,
  most: number,
): Promise<{ readonly body: unknown; readonly bytes: number }> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of body) {
    bytes += chunk.length;
    if (bytes > most) throw new ApiUnreachable(`the API server's answer is larger than ${most >> 20} MiB`, 'TooLarge');
    chunks.push(chunk);
  }
  return { body: json(Buffer.concat(chunks).toString()), bytes };
}

function json(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Lines without their end; what comes after the last end of line, when the connection ended, is no line. */
export async function* readLines(
  body: AsyncIterable<Buffer>,
  limit: { passed(): boolean; end(): void },
  watched: (bytes: number) => void,
): AsyncGenerator<string, void, undefined> {
  let begun: Buffer[] = [];
  let length = 0;
  try {
    for await (const chunk of body) {
      watched(chunk.length);
      let from = 0;
      for (let end = chunk.indexOf(10); end !== -1; end = chunk.indexOf(10, from)) {
        begun.push(chunk.subarray(from, end));
        const line = Buffer.concat(begun).toString();
        begun = [];
        length = 0;
        from = end + 1;
        if (line !== '') yield line;
      }
      if (from === chunk.length) continue;
      begun.push(chunk.subarray(from));
      length += chunk.length - from;
      if (length > LONGEST_LINE) throw new ApiUnreachable('a line of a watch is longer than 16 MiB', 'TooLarge');
    }
  } catch (error) {
    throw unreachable(error, limit.passed());
  } finally {
    limit.end();
  }
}

/** Milliseconds (RFC 9110 section 10.2.3, the form in seconds, which is what API servers send); at most five minutes. */
export function retryAfter(headers: IncomingHttpHeaders): number | undefined {
  const value = headers['retry-after'];
  if (typeof value !== 'string' || !/^\d{1,9}$/.test(value)) return undefined;
  return Math.min(Number(value) * 1000, LONGEST_WAIT);
}

/** What a person can act on: never the request, whose headers hold a token. */
export function unreachable(error: unknown, late: boolean): ApiUnreachable {
  if (error instanceof ApiUnreachable) return error;
  if (late) return new ApiUnreachable('the API server took too long', 'Timeout');
  if (error instanceof errors.BodyTimeoutError)
    return new ApiUnreachable('the API server said nothing for longer than a watch is ever quiet', 'Idle');
  if (error instanceof errors.HeadersTimeoutError)
    return new ApiUnreachable('the API server took too long to answer', 'Timeout');
  if (error instanceof Error && error.name === 'AbortError')
    return new ApiUnreachable('the call was given up', 'Closed');
  return new ApiUnreachable(`the API server can't be reached: ${causeOf(error)}`);
}

function causeOf(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) return causeOf(error.errors[0]);
  if (!(error instanceof Error)) return 'unknown cause';
  return error.message === '' ? error.name : error.message;
}
