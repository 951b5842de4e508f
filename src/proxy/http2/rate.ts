/** How much may happen at once, and how fast it comes back. */
export interface Allowance {
  readonly burst: number;
  readonly perSecond: number;
}

/** A token bucket over a clock that is handed in, in milliseconds. */
export class Rate {
  readonly #allowance: Allowance;
  #left: number;
  #at = 0;

  constructor(allowance: Allowance) {
    this.#allowance = allowance;
    this.#left = allowance.burst;
  }

  /** False: that was one too many. */
  take(now: number): boolean {
    const { burst, perSecond } = this.#allowance;
    this.#left = Math.min(burst, this.#left + ((now - this.#at) / 1000) * perSecond);
    this.#at = now;
    this.#left -= 1;
    return this.#left >= 0;
  }
}
