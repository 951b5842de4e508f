/** Pauses between attempts, milliseconds. */
export interface Pace {
  /** The first pause; each one after is twice as long ... */
  readonly first: number;
  /** ... but no longer than this where the server can't be reached, or ends watches early: they cost it next to nothing. */
  readonly reach: number;
  /** ... or than this where it answers with an error. */
  readonly refused: number;
  /** ... or than this where it has no such kind. */
  readonly absent: number;
  /** Complete lists are the dear thing: one for each such time, after a few in stock (F05). */
  readonly list: number;
}

/** `reach` is less than 5 s, in which a change must be seen after the server came back (F02). */
export const PACE: Pace = { first: 200, reach: 4000, refused: 10_000, absent: 10_000, list: 30_000 };

/** Why it has to be tried again; `gone`: the version to go on from is too old, so that only a list helps. */
export type Setback = 'reach' | 'refused' | 'absent' | 'gone';

/**
 * Exponential, and between half and the whole of it at random: what failed together doesn't come back together (A164). For
 * each cause by itself: an API server that is back after a day, and has its caches to fill (429) or has forgotten its history
 * (410), isn't asked as slowly as the one that wasn't there (F02). One that fails in turns is, soon.
 */
export class Backoff {
  readonly #pace: Pace;
  readonly #random: () => number;
  readonly #attempts: Record<Setback, number> = { reach: 0, refused: 0, absent: 0, gone: 0 };

  /** `random`: 0 ≤ x < 1. */
  constructor(pace: Pace, random: () => number) {
    this.#pace = pace;
    this.#random = random;
  }

  /** `retryAfter`: what the server asked for; it gets at least that. */
  next(kind: Setback, retryAfter?: number): number {
    const attempts = this.#attempts[kind];
    const whole = Math.min(this.#pace.first * 2 ** attempts, this.#pace[kind === 'gone' ? 'reach' : kind]);
    this.#attempts[kind] = Math.min(attempts + 1, 30);
    const pause = whole * (0.5 + this.#random() / 2);
    return retryAfter === undefined ? pause : Math.max(pause, retryAfter + this.#random() * this.#pace.first);
  }

  /** After success that lasted. */
  reset(): void {
    Object.assign(this.#attempts, { reach: 0, refused: 0, absent: 0, gone: 0 });
  }
}

const STOCK = 5;

/** How long a complete list has to wait, so that they come once in `interval` at most in the long run. */
export class ListAllowance {
  readonly #interval: number;
  readonly #now: () => number;
  #stock = STOCK;
  #countedAt: number;

  constructor(interval: number, now: () => number) {
    this.#interval = interval;
    this.#now = now;
    this.#countedAt = now();
  }

  /** Milliseconds until the next one; 0: now. */
  wait(): number {
    this.#count();
    return this.#stock >= 1 ? 0 : (1 - this.#stock) * this.#interval;
  }

  spend(): void {
    this.#count();
    this.#stock -= 1;
  }

  #count(): void {
    const now = this.#now();
    this.#stock = Math.min(STOCK, this.#stock + (now - this.#countedAt) / this.#interval);
    this.#countedAt = now;
  }
}
