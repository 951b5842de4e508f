/** Turns of the event loop and time, handed in. */
export interface Turning {
  nextTurn(run: () => void): void;
  /** Milliseconds of a monotonic clock. */
  now(): number;
  /** Runs it after so many milliseconds; the answer cancels that. */
  after(ms: number, run: () => void): () => void;
}

/** How long the beginnings of one turn may hold the event loop up, milliseconds. */
const SLICE = 1;
/** So many are under way at a time: answers that come together hold it up as well. */
const MOST = 64;
/** What takes longer waits for somebody else, and makes room: others needn't wait for a provider that hangs. Milliseconds. */
const LONG = 100;

/**
 * Begins one thing after another: a thousand providers that are asked in one go hold everything up for half a second, and
 * their answers for as long again. What the answer cancels hasn't begun. `run` never rejects.
 */
export function createBeginnings({ nextTurn, now, after }: Turning): (run: () => Promise<void>) => () => void {
  const waiting = new Set<() => Promise<void>>();
  let underWay = 0;
  let called = false;

  const call = (): void => {
    if (called || waiting.size === 0 || underWay >= MOST) return;
    called = true;
    nextTurn(turn);
  };
  const turn = (): void => {
    called = false;
    const end = now() + SLICE;
    for (const run of waiting) {
      waiting.delete(run);
      begin(run);
      if (underWay >= MOST || now() >= end) break;
    }
    call();
  };
  const begin = (run: () => Promise<void>): void => {
    underWay += 1;
    let over = false;
    const end = (): void => {
      if (over) return;
      over = true;
      underWay -= 1;
      cancel();
      call();
    };
    const cancel = after(LONG, end);
    void run().finally(end);
  };
  return (run) => {
    // Each is another one, though two have the same function.
    const one = (): Promise<void> => run();
    waiting.add(one);
    call();
    return () => void waiting.delete(one);
  };
}
