import { pino } from 'pino';
import type { LogOutput } from '../log.ts';

/** Bytes that wait for a reader that is slow; lines beyond that are dropped, so that a stuck pipe fills no memory. */
const MOST_WAITING = 16 * 1024 * 1024;

export interface StandardOutput extends LogOutput {
  /** Writes what waits; before the process ends. */
  flush(): void;
}

/**
 * Standard output for the log. Not synchronous: a slow reader slows no request. A reader that went away, or a disk that
 * is full, ends the log and not the process (T26).
 */
export function standardOutput(): StandardOutput {
  const destination = pino.destination({ dest: 1, sync: false, maxLength: MOST_WAITING });
  // pino ends the log itself on EPIPE, and hands on all other errors, which would be uncaught.
  destination.on('error', () => {});
  return {
    write: (text) => destination.write(text),
    flush() {
      try {
        destination.flushSync();
      } catch {}
    },
  };
}
