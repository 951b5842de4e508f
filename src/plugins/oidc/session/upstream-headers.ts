import type { HeaderLine } from '../../../routing/decision.ts';
import type { ClaimEncoding, ForwardedClaim, OidcConfig } from '../spec/config.ts';
import { claimAt } from './claims.ts';
import type { Session } from './session.ts';

/**
 * Claims and tokens as header lines (A046, A047). The rule: a value that its encoding can't write leaves the header out
 * (it is then absent, as if the claim were) and is reported; a value longer than 4 KiB refuses the login. Nothing is
 * ever cut short.
 *
 * - Text: visible ASCII, blanks inside only; a list of such without commas is joined with commas.
 * - Percent: UTF-8, everything but RFC 3986 unreserved characters escaped; lists joined with commas, which are escaped
 *   inside a member.
 * - Json: in ASCII, other characters as \u escapes. Base64Json: base64 of UTF-8 JSON. Both for every claim.
 */
const MAX_HEADER_VALUE = 4096;

export interface UpstreamHeaders {
  readonly lines: readonly HeaderLine[];
  /** Headers left out because their encoding can't write the value. */
  readonly omitted: readonly ForwardedClaim[];
  /** Headers too long to send; where there is one, the session isn't used. */
  readonly tooLong: readonly string[];
}

const VISIBLE = /^[!-~]([ -~]*[!-~])?$/;
/** RFC 6749 appendix A.12, without the blank. */
const TOKEN = /^[!-~]+$/;

export function upstreamHeaders(config: OidcConfig, session: Session): UpstreamHeaders {
  const lines: HeaderLine[] = [...tokenLines(config, session)];
  const omitted: ForwardedClaim[] = [];
  const tooLong: string[] = [];
  for (const forwarded of config.upstream.claims) {
    const value = claimAt(session.claims, forwarded.claim);
    if (value === undefined || value === null) continue;
    const written = writeClaim(value, forwarded.encoding);
    if (written === undefined) omitted.push(forwarded);
    else if (written.length > MAX_HEADER_VALUE) tooLong.push(forwarded.header);
    else lines.push({ name: forwarded.header, value: written });
  }
  return { lines, omitted, tooLong };
}

function tokenLines(config: OidcConfig, { accessToken, idToken }: Session): readonly HeaderLine[] {
  const lines: HeaderLine[] = [];
  const { accessToken: placement, idTokenHeader } = config.upstream;
  if (accessToken !== undefined && placement.kind === 'Bearer')
    lines.push({ name: 'Authorization', value: `Bearer ${accessToken}` });
  if (accessToken !== undefined && placement.kind === 'Header')
    lines.push({ name: placement.name, value: accessToken });
  if (idToken !== undefined && idTokenHeader !== undefined) lines.push({ name: idTokenHeader, value: idToken });
  return lines;
}

/** Whether a token can be a header value at all. */
export const isWritableToken = (token: string): boolean => TOKEN.test(token);

/** Undefined: this encoding can't say this value. Never throws. */
export function writeClaim(value: unknown, encoding: ClaimEncoding): string | undefined {
  switch (encoding) {
    case 'Text':
      return writeScalars(value, (text) => text, VISIBLE);
    case 'Percent':
      return writeScalars(value, percent, /^/);
    case 'Json':
      return asciiJson(value);
    case 'Base64Json':
      return Buffer.from(JSON.stringify(value)).toString('base64');
  }
}

function writeScalars(value: unknown, write: (text: string) => string, allowed: RegExp): string | undefined {
  const members: readonly unknown[] = Array.isArray(value) ? value : [value];
  const written: string[] = [];
  for (const member of members) {
    const text = scalar(member);
    if (text === undefined || !allowed.test(text)) return undefined;
    const out = write(text);
    // In a list, a comma inside one member would make two of it (A047).
    if (Array.isArray(value) && (out.includes(',') || out === '')) return undefined;
    written.push(out);
  }
  return written.length === 0 ? undefined : written.join(',');
}

function scalar(value: unknown): string | undefined {
  if (typeof value === 'string') return value;
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : undefined;
}

const percent = (text: string): string =>
  encodeURIComponent(text.toWellFormed()).replace(/[!'()*]/g, (char) => `%${hex(char.charCodeAt(0), 2).toUpperCase()}`);

const asciiJson = (value: unknown): string =>
  JSON.stringify(value).replace(/[\u007f-\uffff]/g, (char) => `\\u${hex(char.charCodeAt(0), 4)}`);

const hex = (code: number, digits: number): string => code.toString(16).padStart(digits, '0');
