/** At most so many in any second, evenly: a burst would be one that the API server has to bear at once. */
export interface Pace {
  /** Milliseconds until the next may go; 0: now. */
  wait(): number;
  spend(): void;
}

/** @param now milliseconds of a monotonic clock */
export function createPace(perSecond: number, now: () => number): Pace {
  let next = Number.NEGATIVE_INFINITY;
  return {
    wait: () => Math.max(0, next - now()),
    spend() {
      next = now() + 1000 / perSecond;
    },
  };
}
