import { RE2Set } from 're2js';

/**
 * Characters of a path that regular expressions are held against; a longer one matches none of them. With what a host may
 * have of them this bounds what one request can cost (T25, invariant 7).
 */
export const LONGEST_MATCHED = 1024;

/** Bytes of states that are kept of the expressions of one host, and how many hosts have theirs ready at a time. */
const STATES = 262_144;
const MOST_READY = 256;

const ready = new Map<string, RE2Set>();

/**
 * Which of `expressions` match the whole path, as indices in order. All are held against it at once, character by
 * character, so that a host with fifty of them costs what one costs. `expressions`: one a line; compiled when they are
 * first asked, for most hosts of most installations are never asked at all.
 */
export function matching(expressions: string, path: string): readonly number[] {
  if (path.length > LONGEST_MATCHED) return NONE;
  const found = (ready.get(expressions) ?? prepare(expressions)).match(path);
  return found.length < 2 ? found : found.sort((a, b) => a - b);
}

const NONE: readonly number[] = [];

function prepare(expressions: string): RE2Set {
  const set = new RE2Set(RE2Set.ANCHOR_BOTH, 0, STATES);
  for (const expression of expressions.split('\n')) set.add(expression);
  set.compile();
  for (const oldest of ready.keys()) {
    if (ready.size < MOST_READY) break;
    ready.delete(oldest);
  }
  ready.set(expressions, set);
  return set;
}

/** Longer ones are asked first, then in order of text: by what they say, never by who came first. */
export const byPatternPrecedence = (a: string, b: string): number =>
  b.length - a.length || (a < b ? -1 : Number(a > b));
