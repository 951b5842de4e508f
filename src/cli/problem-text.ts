import type { Origin } from '../control/source.ts';
import { type ObjectKey, objectText } from '../resources/keys.ts';
import { formatPath, type Problem } from '../resources/problem.ts';

/** Where to say a problem: of an object that is there twice, which one is meant can be told of the duplicate alone. */
export function placesOf({ reason }: Problem, origins: readonly Origin[] = []): readonly (Origin | undefined)[] {
  return reason === 'Duplicate' && origins.length > 0 ? origins : [origins[0]];
}

/** `objects/route.yaml:7: Route shop/orders: spec.hosts[0]: must be ...`: one line, the same in log and `validate`. */
export function problemText(key: ObjectKey, problem: Problem, origin: Origin | undefined): string {
  const place = origin === undefined ? '' : `${origin.file}:${origin.line(problem.path)}: `;
  return `${place}${objectText(key)}: ${fieldText(problem)}`;
}

/** `spec.hosts[0]: must be ...`; the message alone where it is about the whole object. */
export const fieldText = ({ path, message }: Problem): string =>
  path.length === 0 ? message : `${formatPath(path)}: ${message}`;
