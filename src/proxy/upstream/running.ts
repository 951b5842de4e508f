/** Where a member stands; kept in the member, so that it is found without a search. */
export interface Placed {
  place: number;
}

/**
 * What is under way, in no order. Not a Set: each time a Set has grown full of deleted entries V8 gives it a new table,
 * and the old one, once it has become old garbage, keeps the new one and all of its members alive until the next major
 * collection. With a member for each request that made minor collections copy half of the heap, 20 ms at a time.
 */
export class Running<T extends Placed> {
  readonly #members: (T | undefined)[] = [];
  #size = 0;

  add(member: T): void {
    member.place = this.#size;
    this.#members[this.#size] = member;
    this.#size += 1;
  }

  /** Takes out a member that is in; the last one takes its place. */
  remove(member: T): void {
    const last = this.#members[this.#size - 1];
    if (last === undefined || this.#members[member.place] !== member) return;
    this.#size -= 1;
    this.#members[member.place] = last;
    last.place = member.place;
    this.#members[this.#size] = undefined;
  }

  /** Those that are in now; `visit` may take any of them out. */
  each(visit: (member: T) => void): void {
    for (const member of this.#members.slice(0, this.#size)) if (member !== undefined) visit(member);
  }

  get size(): number {
    return this.#size;
  }
}
