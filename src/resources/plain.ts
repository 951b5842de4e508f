/** Reading of values that nobody checked yet: own properties only, so that no prototype answers for an object. */

export type Plain = Readonly<Record<string, unknown>>;

export const isPlain = (value: unknown): value is Plain =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** An own property of a plain object; undefined for everything else. */
export const own = (value: unknown, name: string): unknown =>
  isPlain(value) && Object.hasOwn(value, name) ? value[name] : undefined;

/**
 * A list that is held for long, without the room to grow that pushing leaves: of one member that would be the sixteenfold.
 * Empty ones are all the same.
 */
export const settled = <T>(list: readonly T[]): readonly T[] => (list.length === 0 ? EMPTY : list.slice());
const EMPTY: readonly never[] = Object.freeze([]);

const MAX_DEPTH = 32;
/** Far more than any object of ours that is within its bounds has. */
const MAX_VALUES = 50_000;

/**
 * Whether a value is small enough to be looked at field by field: bounded in depth and number of values, so also free
 * of cycles. What is not would make a schema report a problem for each of a million members (invariant 7).
 */
export function isBounded(value: unknown, most = MAX_VALUES): boolean {
  return countValues(value, most, MAX_DEPTH) > 0;
}

/** What is left of the budget; negative or 0 where it was used up. */
function countValues(value: unknown, budget: number, depth: number): number {
  let left = budget - 1;
  if (typeof value !== 'object' || value === null) return left;
  if (depth === 0) return 0;
  if (Array.isArray(value)) {
    if (value.length > left) return 0;
    for (const member of value) {
      left = countValues(member, left, depth - 1);
      if (left <= 0) return 0;
    }
    return left;
  }
  for (const member of Object.values(value)) {
    left = countValues(member, left, depth - 1);
    if (left <= 0) return 0;
  }
  return left;
}
