import { rememberNames } from '../name-memo.ts';

/** How the end of a body is known (RFC 9112 section 6.3). */
export type BodyFraming =
  | { readonly kind: 'None' }
  | { readonly kind: 'Length'; readonly length: number }
  | { readonly kind: 'Chunked' }
  | { readonly kind: 'UntilClose' };

export interface ResponseHead {
  readonly status: number;
  /** Names and values in turn, as received; names keep their spelling. */
  readonly headers: readonly string[];
  readonly framing: BodyFraming;
  /** Content-Length, which a response to HEAD and a 304 have of a body that they don't carry; undefined: none. */
  readonly length: number | undefined;
  /** Whether the connection may carry another request once this response has ended. */
  readonly reusable: boolean;
}

/** Why bytes of an upstream are not a response that we pass on. A closed set, for log and metric. */
export type ResponseFault =
  | 'bad_status_line'
  | 'bad_header'
  | 'bad_framing'
  | 'bad_chunk'
  | 'head_too_large'
  | 'unasked_switch'
  | 'bad_switch'
  | 'too_many_informational'
  | 'bytes_before_request'
  | 'truncated';

const STATUS_LINE = /^HTTP\/1\.([01]) ([1-5][0-9]{2})(?: [\t\x20-\x7e\x80-\xff]*)?$/;
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;
/** Without tabs around it, which are legal: llhttp takes `chunked` and a tab for another coding. */
const CODING = /^ *chunked *$/i;
const DIGITS = /^[0-9]{1,15}$/;
type NameClass = 'plain' | 'invalid' | 'content-length' | 'transfer-encoding' | 'connection';

const NONE: BodyFraming = { kind: 'None' };
const CHUNKED: BodyFraming = { kind: 'Chunked' };
const UNTIL_CLOSE: BodyFraming = { kind: 'UntilClose' };

/**
 * Reads a response head: everything before the empty line, latin1, lines ended by CRLF only. As strict as the gate on
 * requests: no obsolete folding, no bare CR or LF, no blank before the colon, one Content-Length or exactly `chunked`,
 * never both (RFC 9112 sections 4 to 6; A070). What is legal and ambiguous is refused.
 */
export function parseResponseHead(head: string, requestMethod: string): ResponseHead | ResponseFault {
  const lineEnd = head.indexOf('\r\n');
  const statusLine = STATUS_LINE.exec(lineEnd < 0 ? head : head.slice(0, lineEnd));
  if (statusLine === null) return 'bad_status_line';
  const status = Number(statusLine[2]);
  const http10 = statusLine[1] === '0';

  const headers: string[] = [];
  let length = -1;
  let chunked = false;
  let close = http10;
  for (let start = lineEnd < 0 ? head.length : lineEnd + 2; start < head.length; ) {
    let end = head.indexOf('\r\n', start);
    if (end < 0) end = head.length;
    const colon = head.indexOf(':', start);
    if (colon < 0 || colon >= end) return 'bad_header';
    const name = head.slice(start, colon);
    const value = trimBlanks(head, colon + 1, end);
    const nameClass = classify(name);
    if (nameClass === 'invalid' || !VALUE.test(value)) return 'bad_header';
    if (nameClass === 'content-length') {
      if (length >= 0 || !DIGITS.test(value)) return 'bad_framing';
      length = Number(value);
    } else if (nameClass === 'transfer-encoding') {
      if (chunked || !CODING.test(head.slice(colon + 1, end))) return 'bad_framing';
      chunked = true;
    } else if (nameClass === 'connection' && /(^|[\t ,])close($|[\t ,])/i.test(value)) {
      close = true;
    }
    headers.push(name, value);
    start = end + 2;
  }

  if (chunked && (length >= 0 || http10)) return 'bad_framing';
  // RFC 9110 section 15.2: there is no body, so whoever reads one takes the response behind it for that.
  if (status < 200 && (chunked || length > 0)) return 'bad_framing';
  const framing = framingOf(status, requestMethod, length, chunked);
  const declared = length < 0 || status === 204 ? undefined : length;
  return { status, headers, framing, length: declared, reusable: !close && framing.kind !== 'UntilClose' };
}

function framingOf(status: number, method: string, length: number, chunked: boolean): BodyFraming {
  if (method === 'HEAD' || status < 200 || status === 204 || status === 304) return NONE;
  if (chunked) return CHUNKED;
  if (length < 0) return UNTIL_CLOSE;
  return length === 0 ? NONE : { kind: 'Length', length };
}

const classify = rememberNames((name): NameClass => {
  if (!TOKEN.test(name)) return 'invalid';
  const lower = name.toLowerCase();
  return lower === 'content-length' || lower === 'transfer-encoding' || lower === 'connection' ? lower : 'plain';
});

function trimBlanks(text: string, from: number, to: number): string {
  let start = from;
  let end = to;
  while (start < end && isBlank(text.charCodeAt(start))) start += 1;
  while (end > start && isBlank(text.charCodeAt(end - 1))) end -= 1;
  return text.slice(start, end);
}

const isBlank = (code: number): boolean => code === 0x20 || code === 0x09;
