/**
 * How every cookie that Postern sets begins, with any plugin, host and number of a chunk. Blanks of latin1, whatever anybody trims,
 * and `=` before it are skipped: a nameless cookie `=postern-s-…=x` is sent by browsers as `postern-s-…=x`.
 */
const OURS = /^[\t-\r =\x85\xa0]*(?:__(?:host|secure)-)?postern-/i;

/** Whether a cookie pair (`name=value`) sets or carries a cookie of ours. */
export const isOurCookie = (pair: string): boolean => OURS.test(pair);

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
