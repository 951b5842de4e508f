import { lowerAscii } from '../resources/hostname.ts';

/** Every cookie that Postern sets, with any plugin, host and number of a chunk, has a name that begins like one of these. */
const PREFIXES = ['postern-', '__host-postern-', '__secure-postern-'];

/**
 * Whether a cookie pair (`name=value`) sets or carries a cookie of ours. Leading blanks and `=` are skipped: a nameless
 * cookie `=postern-s-…=x` is sent by browsers as `postern-s-…=x`.
 */
export function isOurCookie(pair: string): boolean {
  let start = 0;
  while (start < pair.length && isSkipped(pair.charCodeAt(start))) start += 1;
  // No regular expression and no copy for the many that are somebody else's: it runs over every pair of every request.
  const first = pair.charCodeAt(start);
  if (first !== 0x70 && first !== 0x50 && first !== 0x5f) return false;
  const head = lowerAscii(pair.slice(start, start + LONGEST));
  return PREFIXES.some((prefix) => head.startsWith(prefix));
}

const LONGEST = Math.max(...PREFIXES.map((prefix) => prefix.length));

/** Blanks of latin1, whatever anybody trims, and `=`. */
const isSkipped = (code: number): boolean =>
  code === 0x20 || code === 0x3d || (code >= 0x09 && code <= 0x0d) || code === 0x85 || code === 0xa0;

/**
 * A Cookie value without our cookies, chunks included; all others byte for byte as they were (A052). Undefined: nothing is
 * left, and the header goes.
 */
export function withoutOurCookies(value: string): string | undefined {
  if (!MENTIONS_US.test(value)) return value;
  let rest = '';
  for (let start = 0; start <= value.length; ) {
    const semicolon = value.indexOf(';', start);
    const end = semicolon < 0 ? value.length : semicolon;
    const pair = value.slice(start, end);
    if (!isOurCookie(pair)) rest += rest === '' ? pair : `;${pair}`;
    start = end + 1;
  }
  const first = rest.search(/[^ \t;]/);
  return first < 0 ? undefined : rest.slice(first);
}

const MENTIONS_US = /postern-/i;
