import type { Timers } from '../../src/control/quiet.ts';

/** A clock with timers that moves by hand. */
export interface HandTime {
  now(): number;
  readonly timers: Timers;
  /** Goes on by `ms`, running what falls due, in order. */
  move(ms: number): void;
  /** Timers that are set. */
  pending(): number;
}

export function handTime(): HandTime {
  let now = 0;
  let sequence = 0;
  const set = new Map<number, { readonly at: number; run(): void }>();
  const first = (until: number): number | undefined => {
    let found: number | undefined;
    for (const [id, timer] of set) {
      if (timer.at <= until && (found === undefined || timer.at < (set.get(found)?.at ?? 0))) found = id;
    }
    return found;
  };
  return {
    now: () => now,
    timers: {
      after(ms, run) {
        sequence += 1;
        const id = sequence;
        set.set(id, { at: now + ms, run });
        return () => set.delete(id);
      },
    },
    move(ms) {
      const until = now + ms;
      for (let id = first(until); id !== undefined; id = first(until)) {
        const timer = set.get(id);
        set.delete(id);
        now = Math.max(now, timer?.at ?? now);
        timer?.run();
      }
      now = until;
    },
    pending: () => set.size,
  };
}
