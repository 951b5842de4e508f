import type { Steps } from './steps.ts';

/** A Set, or the keys of a Map. */
interface Members<T> {
  readonly size: number;
  has(member: T): boolean;
  keys(): Iterable<T>;
}

/** Where a sorted order is left to the next step. */
const STRIDE = 256;

/**
 * Sorts what is mostly the same as the time before: what is new is merged into that order, so that one change among 10,000
 * costs no sort. The comparison depends on nothing but the members, which nobody changes, and holds no two for equal.
 */
export class Order<T> {
  readonly #compare: (a: T, b: T) => number;
  #before: readonly T[] = [];
  #known: ReadonlySet<T> = new Set();

  constructor(compare: (a: T, b: T) => number) {
    this.#compare = compare;
  }

  *of(members: Members<T>): Steps<readonly T[]> {
    const kept: T[] = [];
    for (const member of this.#before) {
      if (members.has(member)) kept.push(member);
      if (kept.length % STRIDE === 0) yield;
    }
    if (kept.length === members.size && kept.length === this.#before.length) return this.#before;
    const fresh: T[] = [];
    let looked = 0;
    for (const member of kept.length < members.size ? members.keys() : []) {
      if (!this.#known.has(member)) fresh.push(member);
      if (++looked % STRIDE === 0) yield;
    }
    const all = yield* merged(kept, yield* sorted(fresh, this.#compare), this.#compare);
    const known = new Set<T>();
    for (const member of all) {
      known.add(member);
      if (known.size % STRIDE === 0) yield;
    }
    this.#before = all;
    this.#known = known;
    return all;
  }
}

/** In steps, for a sort of 10,000 keys takes longer than a request may wait. */
export function* sorted<T>(items: readonly T[], compare: (a: T, b: T) => number): Steps<readonly T[]> {
  if (items.length <= STRIDE) return [...items].sort(compare);
  const half = items.length >> 1;
  const [left, right] = [items.slice(0, half), items.slice(half)];
  yield;
  return yield* merged(yield* sorted(left, compare), yield* sorted(right, compare), compare);
}

function* merged<T>(a: readonly T[], b: readonly T[], compare: (a: T, b: T) => number): Steps<readonly T[]> {
  if (a.length === 0) return b;
  if (b.length === 0) return a;
  const out: T[] = [];
  const [ones, others] = [a[Symbol.iterator](), b[Symbol.iterator]()];
  let [one, other] = [ones.next(), others.next()];
  while (one.done !== true || other.done !== true) {
    if (other.done === true || (one.done !== true && compare(one.value, other.value) < 0)) {
      if (one.done !== true) out.push(one.value);
      one = ones.next();
    } else {
      out.push(other.value);
      other = others.next();
    }
    if (out.length % STRIDE === 0) yield;
  }
  return out;
}
