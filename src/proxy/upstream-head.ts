import { lowerAscii } from '../resources/hostname.ts';

/** How the body of a response is framed; `UntilClose` ends with the connection. */
export type ResponseFraming =
  | { readonly ok: true; readonly body: boolean; readonly length: number | undefined }
  | { readonly ok: false; readonly fault: string };

const MAX_LINES = 512;

/**
 * RFC 9112 section 6.3 for responses, read as strictly as requests are (A070): both framings, two lengths, any coding but
 * `chunked` are refused, where a lenient reader would guess. `length` of a response without body is what its head claims
 * of the representation (HEAD, 304).
 */
export function responseFraming(
  method: string,
  status: number,
  version: string,
  headers: readonly string[],
): ResponseFraming {
  if (version !== '1.1' && version !== '1.0') return { ok: false, fault: `HTTP version ${version}` };
  if (headers.length > MAX_LINES * 2) return { ok: false, fault: 'too many headers' };
  if (status < 200 || status > 599) return { ok: false, fault: `status ${status}` };
  let length: string | undefined;
  let coding: string | undefined;
  for (let i = 0; i < headers.length; i += 2) {
    const name = headers[i] ?? '';
    if (name.length !== 14 && name.length !== 17) continue;
    const lower = lowerAscii(name);
    if (lower === 'content-length') {
      if (length !== undefined) return { ok: false, fault: 'two Content-Length headers' };
      length = headers[i + 1] ?? '';
    } else if (lower === 'transfer-encoding') {
      if (coding !== undefined) return { ok: false, fault: 'two Transfer-Encoding headers' };
      coding = headers[i + 1] ?? '';
    }
  }
  if (coding !== undefined) {
    if (length !== undefined) return { ok: false, fault: 'both Content-Length and Transfer-Encoding' };
    if (version !== '1.1' || lowerAscii(coding) !== 'chunked')
      return { ok: false, fault: 'a transfer coding other than chunked' };
  }
  if (length !== undefined && !/^[0-9]{1,15}$/.test(length))
    return { ok: false, fault: 'a Content-Length that is no number' };
  const bytes = length === undefined || status === 204 ? undefined : Number(length);
  const body = method !== 'HEAD' && status !== 204 && status !== 304 && bytes !== 0;
  return { ok: true, body, length: bytes };
}
