import type { Origin } from '../control/source.ts';
import type { ObjectKey } from '../resources/keys.ts';
import { formatPath, type Problem } from '../resources/problem.ts';

/** `Route shop/orders` of `Route/shop/orders`. */
export const objectName = (key: ObjectKey): string => key.replace('/', ' ');

/** `objects/route.yaml:7: Route shop/orders: spec.hosts[0]: must be ...`: one line, the same in log and `validate`. */
export function problemText(key: ObjectKey, problem: Problem, origin: Origin | undefined): string {
  const place = origin === undefined ? '' : `${origin.file}:${origin.line(problem.path)}: `;
  return `${place}${objectName(key)}: ${fieldText(problem)}`;
}

/** `spec.hosts[0]: must be ...`; the message alone where it is about the whole object. */
export const fieldText = ({ path, message }: Problem): string =>
  path.length === 0 ? message : `${formatPath(path)}: ${message}`;
