import { lowerAscii } from '../resources/hostname.ts';

/** Every cookie that Postern sets, with any plugin, host and number of a chunk, has a name that begins like one of these. */
const PREFIXES = ['postern-', '__host-postern-', '__secure-postern-'];

/**
 * Whether a cookie pair (`name=value`) sets or carries a cookie of ours. Leading blanks and `=` are skipped: a nameless
 * cookie `=postern-s-…=x` is sent by browsers as `postern-s-…=x`.
 */
export function isOurCookie(pair: string): boolean {
  const start = pair.search(/[^\s=]/);
  if (start < 0) return false;
  const head = lowerAscii(pair.slice(start, start + 18));
  return PREFIXES.some((prefix) => head.startsWith(prefix));
}

/**
 * A Cookie value without our cookies, chunks included; all others byte for byte as they were (A052). Undefined: nothing is
 * left, and the header goes.
 */
export function withoutOurCookies(value: string): string | undefined {
  if (!/postern-/i.test(value)) return value;
  const kept = value.split(';').filter((pair) => !isOurCookie(pair));
  const rest = kept.join(';');
  const first = rest.search(/[^ \t;]/);
  return first < 0 ? undefined : rest.slice(first);
}
