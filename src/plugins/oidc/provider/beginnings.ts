/** When a turn of the event loop comes, and the time it takes. */
export interface Turning {
  nextTurn(run: () => void): void;
  /** Milliseconds of a monotonic clock. */
  now(): number;
}

/** How long the beginnings of one turn may hold the event loop up, milliseconds. */
const SLICE = 1;

/**
 * Begins one thing after another, as many in a turn of the event loop as fit in a millisecond: a thousand providers that are
 * asked in one go hold everything up for half a second, and their answers, which then come together, for as long again. What the
 * answer cancels hasn't begun.
 */
export function createBeginnings({ nextTurn, now }: Turning): (run: () => void) => () => void {
  const waiting = new Set<() => void>();

  const turn = (): void => {
    const end = now() + SLICE;
    for (const run of waiting) {
      waiting.delete(run);
      run();
      if (now() >= end) break;
    }
    if (waiting.size > 0) nextTurn(turn);
  };
  return (run) => {
    // Each is another one, though two have the same function.
    const one = (): void => run();
    if (waiting.size === 0) nextTurn(turn);
    waiting.add(one);
    return () => void waiting.delete(one);
  };
}
