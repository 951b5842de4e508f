import { lowerAscii } from '../resources/hostname.ts';
import { CHUNKED, type Framing, NO_BODY } from './body.ts';
import type { HeaderClassifier, HeaderInfo } from './header-class.ts';
import { goesRound, passesIn } from './loop.ts';
import { askedUpgrade } from './upgrade-head.ts';

/** A request head as a front parsed it. */
export interface RequestHead {
  readonly method: string;
  /** Request-target, as sent. */
  readonly target: string;
  /** As text says it, `1.1`; `2` for HTTP/2, which no text can claim, for there it is `2.0` (A071). */
  readonly version: string;
  /** Names and values in turn, as sent. */
  readonly headers: readonly string[];
  /**
   * The front's parser lets no other byte into a value than `isFieldValue` does; reading a browser's cookies once more
   * would cost 2.5 µs.
   */
  readonly valuesChecked: boolean;
  /** HTTP/2: a body may follow whatever the fields say, for each frame says whether it is the last. */
  readonly openEnded?: boolean;
  /** Whether the front can hand the connection over to another protocol after this request. */
  readonly upgradable?: boolean;
}

export interface GateLimits {
  /** Longest request-target. */
  readonly targetBytes: number;
  readonly headerLines: number;
  /** Names and values together. */
  readonly headerBytes: number;
}

/** A head that can be read in one way only. `infos[i]` is of the header at `headers[2 * i]`. */
export interface CheckedHead extends RequestHead {
  readonly infos: readonly HeaderInfo[];
  /** Value of the one Host line, not parsed yet. */
  readonly host: string;
  readonly framing: Framing;
  readonly expectContinue: boolean;
  /** The protocol that the client asks to be switched to (RFC 9110 section 7.8); undefined: the request is an ordinary one. */
  readonly upgrade: string | undefined;
}

export type GateFault =
  | { readonly status: 400; readonly reason: BadHeadReason }
  | { readonly status: 414; readonly reason: 'target_too_long' }
  | { readonly status: 417; readonly reason: 'unknown_expectation' }
  | { readonly status: 431; readonly reason: 'headers_too_large' | 'too_many_headers' }
  | { readonly status: 505; readonly reason: 'http_version' }
  /** It came through here several times already. */
  | { readonly status: 508; readonly reason: 'loop' };

export type BadHeadReason =
  | 'header_name'
  | 'header_value'
  | 'duplicate_header'
  | 'host_missing'
  | 'content_length'
  | 'transfer_encoding'
  | 'upgrade';

export type GateResult =
  | { readonly ok: true; readonly head: CheckedHead }
  | { readonly ok: false; readonly fault: GateFault };

/** Largest number of digits that is exact as a number. */
const MAX_LENGTH_DIGITS = 15;
const bad = (reason: BadHeadReason): GateResult => ({ ok: false, fault: { status: 400, reason } });

/**
 * The strict gate, before anything else is done with a request (RFC 9112, T14, attacks 1d): what two readers could read
 * in two ways is refused. The connection is to be closed after any fault, for it isn't known where the next request begins.
 */
export function checkHead(head: RequestHead, classify: HeaderClassifier, limits: GateLimits): GateResult {
  const { headers, version } = head;
  if (version !== '1.1' && version !== '1.0' && version !== '2')
    return { ok: false, fault: { status: 505, reason: 'http_version' } };
  if (head.target.length > limits.targetBytes) return { ok: false, fault: { status: 414, reason: 'target_too_long' } };
  if (headers.length > limits.headerLines * 2) return { ok: false, fault: { status: 431, reason: 'too_many_headers' } };

  const infos: HeaderInfo[] = [];
  let bytes = 0;
  let seen = 0;
  let host: string | undefined;
  let length: string | undefined;
  let coding: string | undefined;
  let expect: string | undefined;
  let upgrade: string | undefined;
  let passes = 0;
  for (let i = 0; i < headers.length; i += 2) {
    const name = headers[i] ?? '';
    const value = headers[i + 1] ?? '';
    const info = classify(name);
    infos.push(info);
    bytes += name.length + value.length + 4;
    if (info.kind === 'Invalid' || (version === '2' && info.name !== name)) return bad('header_name');
    if (!head.valuesChecked && !isFieldValue(value)) return bad('header_value');
    if ((seen & info.single) !== 0) return bad('duplicate_header');
    seen |= info.single;
    if (info.kind === 'Host') host = value;
    else if (info.kind === 'ContentLength') length = value;
    else if (info.kind === 'TransferEncoding') coding = value;
    else if (info.kind === 'Expect') expect = value;
    else if (info.kind === 'Upgrade') upgrade = value;
    else if (info.kind === 'Loop') passes += passesIn(value);
  }
  if (bytes > limits.headerBytes) return { ok: false, fault: { status: 431, reason: 'headers_too_large' } };
  if (host === undefined || host === '') return bad('host_missing');
  if (goesRound(passes)) return { ok: false, fault: { status: 508, reason: 'loop' } };

  const framing = framingOf(length, coding, head);
  if (typeof framing === 'string') return bad(framing);
  // RFC 9110 section 10.1.1: a 100-continue of HTTP/1.0 is ignored.
  const asks = expect !== undefined && version !== '1.0';
  if (asks && lowerAscii(expect ?? '') !== '100-continue') {
    return { ok: false, fault: { status: 417, reason: 'unknown_expectation' } };
  }
  const asked = upgrade === undefined ? undefined : askedUpgrade(head, infos, upgrade, framing);
  if (asked === 'Malformed') return bad('upgrade');
  const { method, target, valuesChecked } = head;
  return {
    ok: true,
    head: {
      method,
      target,
      version,
      headers,
      valuesChecked,
      infos,
      host,
      framing,
      expectContinue: asks,
      upgrade: asked?.protocol,
    },
  };
}

/** RFC 9112 section 6.3, without its leniencies: only `chunked`, only on HTTP/1.1, never beside a length (A060 to A063). */
function framingOf(
  length: string | undefined,
  coding: string | undefined,
  { version, openEnded }: RequestHead,
): Framing | BadHeadReason {
  if (coding !== undefined) {
    return coding === 'chunked' && version === '1.1' && length === undefined ? CHUNKED : 'transfer_encoding';
  }
  if (length === undefined) return openEnded === true ? CHUNKED : NO_BODY;
  if (length.length === 0 || length.length > MAX_LENGTH_DIGITS) return 'content_length';
  let bytes = 0;
  for (let i = 0; i < length.length; i++) {
    const digit = length.charCodeAt(i) - 48;
    if (digit < 0 || digit > 9) return 'content_length';
    bytes = bytes * 10 + digit;
  }
  return bytes === 0 ? NO_BODY : { kind: 'Length', bytes };
}

/** RFC 9110 section 5.5: visible characters, blanks, tabs and obs-text; latin1. No expression: this runs over every byte. */
export function isFieldValue(value: string): boolean {
  for (let i = 0; i < value.length; i++) {
    const code = value.charCodeAt(i);
    if (code < 0x20 ? code !== 0x09 : code === 0x7f || code > 0xff) return false;
  }
  return true;
}
