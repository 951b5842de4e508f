import { RE2JS, RE2JSException, RE2JSSyntaxException } from 're2js';
import { literalPrefix, patternSize } from './pattern-scan.ts';
import type { Reason } from './problem.ts';
import type { PatternPath } from './resource.ts';
import { RESERVED } from './route-path.ts';

export type PathPatternCheck =
  | { readonly ok: true; readonly match: PatternPath }
  | { readonly ok: false; readonly reason: Reason; readonly message: string };

/** Characters of a regular expression. */
const MAX_PATTERN = 512;
/**
 * Instructions of the program of one regular expression. Each character of a path costs as many steps at most, so that this
 * bounds what a Route can cost other tenants (T25, invariant 7): `((a{10}){10}){10}` alone has 1,200.
 */
const MAX_STEPS = 250;

const UNRESERVED = /[A-Za-z0-9\-._~]/;
const MEANING = 'look-around, references to groups and \\Q, \\p, \\x or the like don’t exist here';

/**
 * A regular expression over the whole canonical path of a request, in RE2 syntax: no backtracking, so that it takes time
 * linear in the path whatever it says (T25). What could never match a canonical path is refused, for who wrote it meant
 * something else, and so is what costs more than a Route may.
 */
export function checkPathPattern(text: string): PathPatternCheck {
  const message = writtenWrong(text);
  if (message !== undefined) return refused('Invalid', message);
  if (literalPrefix(text).startsWith(`${RESERVED}/`)) {
    return refused('ReservedPath', `${RESERVED} is Postern’s own on every host; write another path`);
  }
  // Before it is compiled: that would be what costs.
  if (patternSize(text) > MAX_STEPS) return refused('Invalid', TOO_MUCH);
  const size = programSize(text);
  if (typeof size === 'string') return refused('Invalid', `can’t be read: ${size}; ${MEANING}`);
  if (size > MAX_STEPS) return refused('Invalid', TOO_MUCH);
  return { ok: true, match: { type: 'RegularExpression', value: text, steps: size } };
}

const TOO_MUCH = `costs more than ${MAX_STEPS} steps for each character of a path; write smaller numbers in braces, [^/]+ where any will do, or several paths`;

const refused = (reason: Reason, message: string): PathPatternCheck => ({ ok: false, reason, message });

function writtenWrong(text: string): string | undefined {
  if (text.length > MAX_PATTERN) return `must have at most ${MAX_PATTERN} characters; write several paths`;
  if (!/^\^?\//.test(text)) return 'must begin with / or ^/, as every path does; it has to match the whole path';
  if (!/^[!-~]*$/.test(text)) return 'has a character that no path holds; others are escaped as UTF-8, as in %20';
  if (/#|\\\?/.test(text)) return 'is for the path alone, which has no ? and no #; write queryParams for a query';
  for (const [triplet, hex = ''] of text.matchAll(/%([0-9A-Fa-f]{2})/g)) {
    const char = String.fromCharCode(Number.parseInt(hex, 16));
    if (UNRESERVED.test(char)) return `has ${triplet}, which no canonical path has; write ${char}`;
    if (triplet !== triplet.toUpperCase())
      return `has ${triplet}; escapes are in upper case: write ${triplet.toUpperCase()}`;
  }
  const odd = /\\(?![dDwWsS]|[!-/:-@[-`{-~])/.test(text.replace(/\\\\/g, ''));
  return odd ? `has a \\ before what has no meaning with it; ${MEANING}` : undefined;
}

/** Instructions; what is wrong where it can't be read. */
function programSize(text: string): number | string {
  try {
    return RE2JS.compile(text).programSize();
  } catch (error) {
    if (error instanceof RE2JSSyntaxException) return error.error;
    if (error instanceof RE2JSException) return error.message;
    throw error;
  }
}
