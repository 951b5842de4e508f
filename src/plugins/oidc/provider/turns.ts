/** Runs at most `most` at a time; whoever comes later waits in line. What `signal` ends before its turn isn't run, and never settles. */
export function createTurns(most: number): <T>(run: () => Promise<T>, signal: AbortSignal) => Promise<T> {
  const waiting: (() => void)[] = [];
  let running = 0;

  const next = (): void => {
    running -= 1;
    waiting.shift()?.();
  };
  return (run, signal) =>
    new Promise((resolve, reject) => {
      const begin = (): void => {
        running += 1;
        if (signal.aborted) next();
        else void run().then(resolve, reject).finally(next);
      };
      if (running < most) begin();
      else waiting.push(begin);
    });
}
