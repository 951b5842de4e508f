import type { NamespacedName } from '../resources/keys.ts';
import { prefixCovers } from '../resources/path.ts';
import { literalPrefix } from '../resources/pattern-scan.ts';
import { type Problem, problem } from '../resources/problem.ts';
import type { PathMatch, PatternPath } from '../resources/resource.ts';
import type { PlacedEntry } from './entries.ts';
import { byPatternPrecedence, matching } from './patterns.ts';
import type { Steps } from './steps.ts';
import { pathSegments } from './table.ts';

export interface PatternWarning {
  readonly route: NamespacedName;
  readonly problem: Problem;
}

/** A regular expression that is asked, and what all paths begin with that it matches. */
interface Asked {
  readonly placed: PlacedEntry;
  readonly path: PatternPath;
  readonly start: string;
}

/** Entries that are handled between two steps. */
const STRIDE = 32;

/**
 * What regular expressions of one host give a second look: Public Routes that may serve what one guards, for they are asked
 * before it; and those that are never asked, for a Prefix takes all that they could match. Whether two really meet can't be
 * told in general, so that this warns where their literal beginnings don't exclude it.
 */
export function* patternWarnings(entries: readonly PlacedEntry[]): Steps<readonly PatternWarning[]> {
  const asked = entries.flatMap((placed): readonly Asked[] => {
    const { path } = placed.entry;
    if (path.type !== 'RegularExpression' || placed.behind !== undefined) return [];
    return [{ placed, path, start: literalPrefix(path.value) }];
  });
  if (asked.length === 0) return [];
  const warnings: PatternWarning[] = [];
  const guarded = asked.filter(({ placed: { draft } }) => draft.plugins.length > 0);
  for (const [at, placed] of entries.entries()) {
    if (at % STRIDE === STRIDE - 1) yield;
    if (placed.entry.exposure !== 'Public' || placed.behind !== undefined) continue;
    const opened = guarded.find((one) => isAskedFirst(placed.entry.path, one));
    if (opened !== undefined) warnings.push(opens(placed, opened));
  }
  const taken = new Map(entries.filter(takesAll).map((placed) => [prefixText(placed.entry.path), placed]));
  for (const one of asked) {
    const by = firstCovering(one.start, taken);
    if (by !== undefined) warnings.push(neverAsked(one, by));
  }
  return warnings;
}

/** Whether some request may be for both, and `path` is asked first. */
function isAskedFirst(path: PathMatch, guarded: Asked): boolean {
  const { start } = guarded;
  switch (path.type) {
    case 'Exact':
      return path.value.startsWith(start) && matching(guarded.path.value, path.value).length > 0;
    case 'Prefix':
      return prefixCovers(path.value, start) || path.value.startsWith(start);
    case 'RegularExpression': {
      const other = literalPrefix(path.value);
      const first = byPatternPrecedence(path.value, guarded.path.value) <= 0;
      return first && (other.startsWith(start) || start.startsWith(other));
    }
  }
}

function opens({ draft, entry }: PlacedEntry, guarded: Asked): PatternWarning {
  const { host, path } = entry;
  const message = `${path.value} on ${host} is open to everybody, and asked before the regular expression ${guarded.path.value} of Route ${guarded.placed.entry.route}, which a plugin guards; what both match is open`;
  return {
    route: entry.route,
    problem: problem('OpensProtectedPath', ['spec', 'paths', draft.route.paths.indexOf(path)], message),
  };
}

function neverAsked({ placed: { draft, entry }, path }: Asked, by: PlacedEntry): PatternWarning {
  const message = `${path.value} on ${entry.host} is never asked, for the Prefix ${by.entry.path.value} of Route ${by.entry.route} takes all that it matches; write a Prefix or Exact paths here, or narrower ones there`;
  return {
    route: entry.route,
    problem: problem('NeverAsked', ['spec', 'paths', draft.route.paths.indexOf(path)], message),
  };
}

const takesAll = ({ entry: { path, methods, headers, queryParams } }: PlacedEntry): boolean =>
  path.type === 'Prefix' && methods === undefined && headers.length === 0 && queryParams === undefined;

const prefixText = (path: PathMatch): string =>
  path.type === 'RegularExpression' ? path.value : pathSegments(path).join('/');

/** A prefix that covers every path which begins with `start`: whole segments of it. */
function firstCovering(start: string, taken: ReadonlyMap<string, PlacedEntry>): PlacedEntry | undefined {
  const segments = start.split('/').slice(1, -1);
  for (let length = 0; length <= segments.length; length++) {
    const by = taken.get(segments.slice(0, length).join('/'));
    if (by !== undefined) return by;
  }
  return undefined;
}
