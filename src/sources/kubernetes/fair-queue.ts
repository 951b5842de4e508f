/**
 * What waits for its turn, each once: one of this namespace, then one of the next. So a namespace with thousands of them
 * delays its own, and no other's (invariant 8).
 *
 * Within a namespace the ranks take turns too, the oldest of each: what is alone in its rank waits for no more turns than
 * there are ranks, whatever there is of the others. All ranks but the last are urgent: for those a namespace may take up to
 * `AHEAD` turns before they are its own. Then it has had them: in the long run each namespace has as many turns as every
 * other one that waits.
 */
export class FairQueue<T> {
  readonly #ownerOf: (item: T) => string;
  readonly #ranks: number;
  readonly #waiting = new Map<string, Owner<T>>();
  /** Those that wait, by the turn that is theirs next. */
  readonly #due = new Map<number, Set<Owner<T>>>();
  /** Of owners that had more turns than the others when they had nothing more: gone for a moment, they aren't new. */
  readonly #ahead = new Map<string, number>();
  /** The turn it is. */
  #turn = 0;
  #size = 0;

  /** @param ownerOf between whom it is fair: the namespace */
  constructor(ownerOf: (item: T) => string, ranks = 1) {
    this.#ownerOf = ownerOf;
    this.#ranks = ranks;
  }

  get size(): number {
    return this.#size;
  }

  has(item: T): boolean {
    return this.#rankOf(item) !== undefined;
  }

  /** `rank` 0: most urgent. What waits already keeps its place, unless this one is better. */
  add(item: T, rank = this.#ranks - 1): void {
    const before = this.#rankOf(item);
    if (before !== undefined && before <= rank) return;
    const owner = this.#owner(this.#ownerOf(item));
    this.#change(owner, () => {
      if (before !== undefined) owner.items[before]?.delete(item);
      owner.items[rank]?.add(item);
    });
  }

  /** Of the ones that may go now, whose turn it is; it stays until it is taken. */
  next(may: (item: T) => boolean = () => true): T | undefined {
    for (const turn of [...this.#due.keys()].sort((a, b) => a - b)) {
      for (const owner of this.#due.get(turn) ?? []) {
        const item = this.#nextOf(owner, may);
        if (item !== undefined) return item;
      }
    }
    return undefined;
  }

  /** It had its turn. */
  take(item: T): void {
    const owner = this.#waiting.get(this.#ownerOf(item));
    const rank = this.#rankOf(item);
    if (owner === undefined || rank === undefined) return;
    this.#goOn(dueOf(owner));
    this.#change(owner, () => {
      owner.items[rank]?.delete(item);
      owner.turns += 1;
      owner.rank = (rank + 1) % this.#ranks;
    });
  }

  /** Its turn came to nothing, which is no fault of its: it comes first of its namespace, and that had one turn less. */
  giveBack(item: T, rank = this.#ranks - 1): void {
    this.delete(item);
    const owner = this.#owner(this.#ownerOf(item));
    this.#change(owner, () => {
      const items = owner.items[rank];
      const others = [...(items ?? [])];
      items?.clear();
      for (const each of [item, ...others]) items?.add(each);
      owner.turns = Math.max(owner.turns - 1, this.#turn);
      owner.rank = rank;
    });
  }

  /** Without a turn. */
  delete(item: T): void {
    const owner = this.#waiting.get(this.#ownerOf(item));
    const rank = this.#rankOf(item);
    if (owner === undefined || rank === undefined) return;
    this.#change(owner, () => owner.items[rank]?.delete(item));
  }

  /** The oldest of the namespace that has most of them: what to leave out where there are too many. */
  surplus(): T | undefined {
    let most: Owner<T> | undefined;
    for (const owner of this.#waiting.values()) if (most === undefined || count(owner) > count(most)) most = owner;
    return most?.items.reduce<T | undefined>((found, items) => first(items) ?? found, undefined);
  }

  clear(): void {
    this.#waiting.clear();
    this.#due.clear();
    this.#ahead.clear();
    this.#turn = 0;
    this.#size = 0;
  }

  #rankOf(item: T): number | undefined {
    const found = this.#waiting.get(this.#ownerOf(item))?.items.findIndex((items) => items.has(item)) ?? -1;
    return found === -1 ? undefined : found;
  }

  #nextOf(owner: Owner<T>, may: (item: T) => boolean): T | undefined {
    for (let step = 0; step < this.#ranks; step += 1) {
      for (const item of owner.items[(owner.rank + step) % this.#ranks] ?? []) if (may(item)) return item;
    }
    return undefined;
  }

  #owner(name: string): Owner<T> {
    const known = this.#waiting.get(name);
    if (known !== undefined) return known;
    const items = Array.from({ length: this.#ranks }, () => new Set<T>());
    return { name, turns: Math.max(this.#ahead.get(name) ?? 0, this.#turn), rank: 0, items };
  }

  /** Keeps its place among those whose turn is the same, unless another one is its own now. */
  #change(owner: Owner<T>, change: () => void): void {
    const [countBefore, before] = [count(owner), dueOf(owner)];
    change();
    const [countAfter, after] = [count(owner), dueOf(owner)];
    this.#size += countAfter - countBefore;
    if (countBefore > 0 && (countAfter === 0 || after !== before)) this.#leave(owner, before);
    if (countAfter > 0 && (countBefore === 0 || after !== before)) this.#enter(owner, after);
    if (this.#size === 0) this.clear();
  }

  #enter(owner: Owner<T>, turn: number): void {
    this.#waiting.set(owner.name, owner);
    this.#ahead.delete(owner.name);
    const due = this.#due.get(turn);
    if (due === undefined) this.#due.set(turn, new Set([owner]));
    else due.add(owner);
  }

  #leave(owner: Owner<T>, turn: number): void {
    const due = this.#due.get(turn);
    due?.delete(owner);
    if (due?.size === 0) this.#due.delete(turn);
    if (count(owner) > 0) return;
    this.#waiting.delete(owner.name);
    if (owner.turns > this.#turn) this.#ahead.set(owner.name, owner.turns);
  }

  #goOn(turn: number): void {
    if (turn <= this.#turn) return;
    this.#turn = turn;
    for (const [name, turns] of this.#ahead) if (turns <= turn) this.#ahead.delete(name);
  }
}

/** Enough for one of each of a few ranks. */
const AHEAD = 4;

interface Owner<T> {
  readonly name: string;
  /** That it had, counted from the ones of all others when it came. */
  turns: number;
  /** Whose turn it is. */
  rank: number;
  /** By rank, the oldest first. */
  readonly items: readonly Set<T>[];
}

const isUrgent = <T>({ items }: Owner<T>): boolean =>
  items.some(({ size }, rank) => size > 0 && rank < items.length - 1);
const dueOf = <T>(owner: Owner<T>): number => owner.turns - (isUrgent(owner) ? AHEAD : 0);
const count = <T>({ items }: Owner<T>): number => items.reduce((sum, { size }) => sum + size, 0);

function first<T>(items: Iterable<T>): T | undefined {
  for (const item of items) return item;
  return undefined;
}
