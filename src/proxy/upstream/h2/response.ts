import type { ResponseFault, ResponseHead } from '../response-head.ts';

const NONE = { kind: 'None' } as const;
/** Where it ends is said by frames. */
const FRAMES = { kind: 'Chunked' } as const;
const DIGITS = /^[0-9]{1,15}$/;
/** What a response may not name: it is of the connection (RFC 9113 section 8.2.2), or of a request. */
const FORBIDDEN: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'transfer-encoding',
  'upgrade',
]);

/**
 * The fields of a response as received, names and values in turn. node and nghttp2 have refused most of what is malformed;
 * what must hold for those who read on is looked at again (RFC 9113 sections 8.1 to 8.3).
 */
export function responseHead(fields: readonly string[], method: string, ended: boolean): ResponseHead | ResponseFault {
  const headers: string[] = [];
  let status = 0;
  let length: number | undefined;
  for (let i = 0; i < fields.length; i += 2) {
    const name = fields[i] ?? '';
    const value = fields[i + 1] ?? '';
    if (name === ':status') {
      if (status !== 0 || headers.length > 0 || !/^[2-5][0-9]{2}$/.test(value)) return 'bad_status_line';
      status = Number(value);
      continue;
    }
    if (name.startsWith(':') || FORBIDDEN.has(name)) return 'bad_header';
    if (name === 'content-length') {
      if (length !== undefined || !DIGITS.test(value)) return 'bad_framing';
      length = Number(value);
    }
    headers.push(name, value);
  }
  if (status === 0) return 'bad_status_line';
  const bodyless = method === 'HEAD' || status === 204 || status === 304;
  if (ended && !bodyless && (length ?? 0) > 0) return 'bad_framing';
  const framing =
    ended || bodyless
      ? NONE
      : length === undefined
        ? FRAMES
        : length === 0
          ? NONE
          : { kind: 'Length' as const, length };
  return { status, headers, framing, length: status === 204 ? undefined : length, reusable: true };
}

/** Early hints: `:status` comes first, for nghttp2 lets no field stand before it. */
export const earlyHead = (fields: readonly string[]): ResponseHead => ({
  status: 103,
  headers: fields.slice(2),
  framing: NONE,
  length: undefined,
  reusable: true,
});
