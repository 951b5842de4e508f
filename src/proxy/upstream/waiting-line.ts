/** Who waits in a line; the links are kept in the member, so that it can leave from the middle without a search. */
export interface InLine<T> {
  ahead: T | undefined;
  behind: T | undefined;
}

/** First come, first served. */
export class WaitingLine<T extends InLine<T>> {
  #first: T | undefined;
  #last: T | undefined;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  get first(): T | undefined {
    return this.#first;
  }

  join(member: T): void {
    member.ahead = this.#last;
    member.behind = undefined;
    if (this.#last === undefined) this.#first = member;
    else this.#last.behind = member;
    this.#last = member;
    this.#size += 1;
  }

  /** Takes out a member that is in it. */
  leave(member: T): void {
    const { ahead, behind } = member;
    if (ahead === undefined && this.#first !== member) return;
    if (ahead === undefined) this.#first = behind;
    else ahead.behind = behind;
    if (behind === undefined) this.#last = ahead;
    else behind.ahead = ahead;
    member.ahead = undefined;
    member.behind = undefined;
    this.#size -= 1;
  }
}
