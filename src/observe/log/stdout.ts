import { pino } from 'pino';
import type { LogOutput } from '../log.ts';

/** Bytes that wait for a reader that is slow; lines beyond that are dropped, so that a stuck pipe fills no memory. */
const MOST_WAITING = 16 * 1024 * 1024;
/**
 * Milliseconds for which lines are gathered into one write: a write for each line costs more than making it, and each write
 * wakes a thread that takes the processor from requests where there is one for both.
 */
const GATHER = 10;
/** Characters that are written without waiting for more. */
const MOST_GATHERED = 256 * 1024;
/** Milliseconds that the end of the process waits for a reader that doesn't read. */
const PATIENCE = 1000;

export interface StandardOutput extends LogOutput {
  /** Resolves when everything was written, in order, or nobody has read for a second: before the process ends. Never rejects. */
  drained(): Promise<void>;
  /**
   * Writes what waits at once, where there is no time left. Lines that are being written may come after it; waits for as
   * long as a reader that doesn't read lets it.
   */
  flush(): void;
}

/**
 * Standard output for the log. Not synchronous: a slow reader slows no request. A reader that went away, or a disk that
 * is full, ends the log and not the process (T26).
 */
export function standardOutput(): StandardOutput {
  const destination = pino.destination({ dest: 1, sync: false, maxLength: MOST_WAITING });
  let gathered = '';
  let timer: NodeJS.Timeout | undefined;
  let waiting = false;
  let settled: (() => void) | undefined;
  const settle = (): void => {
    waiting = false;
    settled?.();
  };
  destination.on('drain', settle);
  // pino ends the log itself on EPIPE, and hands on all other errors, which would be uncaught.
  destination.on('error', settle);
  const handOver = (): void => {
    clearTimeout(timer);
    timer = undefined;
    if (gathered === '') return;
    waiting = true;
    const text = gathered;
    gathered = '';
    destination.write(text);
  };
  return {
    write(text) {
      gathered += text;
      if (gathered.length >= MOST_GATHERED) handOver();
      else timer ??= setTimeout(handOver, GATHER);
    },
    async drained() {
      handOver();
      if (!waiting) return;
      const { promise, resolve } = Promise.withResolvers<void>();
      settled = resolve;
      const patience = setTimeout(resolve, PATIENCE);
      await promise;
      clearTimeout(patience);
    },
    flush() {
      try {
        handOver();
        destination.flushSync();
      } catch {}
    },
  };
}
