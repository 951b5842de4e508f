import type { NamespacedName } from '../resources/keys.ts';
import type { PathMatch } from '../resources/resource.ts';
import type { ClosedBy, HostClosure } from './closures.ts';
import type { PlacedDraft } from './reserved.ts';

/**
 * Steps of all regular expressions of one host, of which a usual one has about twenty: what one character of a path may cost
 * (T25, invariant 7).
 */
export const MOST_STEPS = 1000;

/**
 * Who is told where a host has more regular expressions than can be asked at each request; then all of them are closed, for
 * one that is left out could be what guards a path that another one opens. Those of invalid Routes count as when they were
 * valid, so that breaking one makes no room for another one (DESIGN: Exposure).
 */
export function patternExcess(placed: readonly PlacedDraft[], closure: HostClosure): ClosedBy | undefined {
  const steps = new Map<string, number>();
  let last: NamespacedName | undefined;
  const count = (route: NamespacedName, path: PathMatch): void => {
    if (path.type !== 'RegularExpression') return;
    steps.set(path.value, path.steps);
    last = route;
  };
  for (const { route, path } of closure.places) count(route, path);
  for (const { draft, places } of placed) for (const { path } of places.kept) count(draft.route.name, path);
  const all = [...steps.values()].reduce((sum, one) => sum + one, 0);
  return last === undefined || all <= MOST_STEPS ? undefined : { route: last, reason: 'TooManyExpressions' };
}
