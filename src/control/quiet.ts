/** Time, handed in. */
export interface Timers {
  /** Runs `run` once after `ms` milliseconds; the answer cancels that. */
  after(ms: number, run: () => void): () => void;
}

export interface QuietOptions {
  readonly timers: Timers;
  /** Milliseconds of a monotonic clock. */
  now(): number;
  /** So long after the last mark ... */
  readonly quietMs: number;
  /** ... but no longer than this after the first. */
  readonly ceilingMs: number;
  run(): void;
}

export interface Quiet {
  mark(): void;
  stop(): void;
}

/**
 * Gathers marks into runs (F12): an editor that saves ten files causes one run, and a source that never is quiet still
 * gets one every `ceilingMs`. A mark costs two comparisons; at most one timer is set at any time.
 */
export function createQuiet(options: QuietOptions): Quiet {
  let firstMark = 0;
  let lastMark = 0;
  let cancel: (() => void) | undefined;

  const due = (): number => Math.min(lastMark + options.quietMs, firstMark + options.ceilingMs);
  const wait = (): void => {
    cancel = options.timers.after(Math.max(0, due() - options.now()), () => {
      if (options.now() < due()) {
        wait();
        return;
      }
      cancel = undefined;
      options.run();
    });
  };

  return {
    mark() {
      lastMark = options.now();
      if (cancel !== undefined) return;
      firstMark = lastMark;
      wait();
    },
    stop() {
      cancel?.();
      cancel = undefined;
    },
  };
}
