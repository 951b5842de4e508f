import type { Timers } from '../world.ts';

/** One timer for whatever is to be done next: of several times the earliest counts. */
export interface Alarm {
  /** In so many milliseconds at the latest. */
  set(ms: number): void;
  clear(): void;
}

/** @param now milliseconds of a monotonic clock */
export function createAlarm(timers: Timers, now: () => number, ring: () => void): Alarm {
  let at = Number.POSITIVE_INFINITY;
  let cancel = (): void => {};
  return {
    set(ms) {
      if (now() + ms >= at) return;
      cancel();
      at = now() + ms;
      cancel = timers.after(ms, () => {
        at = Number.POSITIVE_INFINITY;
        ring();
      });
    },
    clear() {
      cancel();
      at = Number.POSITIVE_INFINITY;
    },
  };
}
