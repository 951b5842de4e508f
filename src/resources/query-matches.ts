import { type Problem, problem } from './problem.ts';
import type { QueryMatch } from './resource.ts';

/**
 * Query matches of a Route. Names are of characters that have one spelling in a query; values are as they are meant, not
 * as they are escaped.
 */
export function queryMatches(params: readonly QueryMatch[], problems: Problem[]): readonly QueryMatch[] {
  const names = new Set<string>();
  for (const [at, { name, value }] of params.entries()) {
    const folded = foldQueryName(name);
    if (names.has(folded)) {
      const message = 'is there twice, or differs from another one only by case or by . and _; leave one out';
      problems.push(problem('Invalid', ['spec', 'queryParams', at, 'name'], message));
    }
    names.add(folded);
    if (/[\p{Cc}\p{Cs}]/u.test(value)) {
      const message = 'has a control character or half a character; write the value as it is meant, without escapes';
      problems.push(problem('Invalid', ['spec', 'queryParams', at, 'value'], message));
    }
  }
  return params;
}

/**
 * One text for all names that some server takes for one: case (ASP.NET), blanks around it and `.` or a blank for `_` (PHP).
 */
export const foldQueryName = (name: string): string =>
  name
    .trim()
    .toLowerCase()
    .replace(/[. [+]/g, '_');
