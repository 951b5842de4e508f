import { type Marks, OverloadMarks, type Turn } from './marks.ts';
import type { MemoryGauge } from './memory.ts';
import type { Overload } from './overload.ts';

/** How often things are looked at, in milliseconds. */
const SAMPLE_MS = 100;
/** A collection of garbage holds everything up: it takes a twentieth of the time at most. */
const COLLECT_SHARE = 20;
const COLLECT_LEAST_MS = 500;
/** A loop this late serves nobody in time ... */
const STUCK_MS = 5000;
/** ... and after so long of it there is no hope that it will (F29). */
const STUCK_FOR_MS = 30_000;

export interface OverloadWatchOptions {
  readonly marks: Marks;
  readonly memory: MemoryGauge;
  collect(): void;
  onTurn(turn: Turn): void;
  /** Milliseconds of a monotonic clock. */
  now(): number;
}

export interface OverloadWatch {
  readonly overload: Overload;
  /** Whether the event loop has been so late for so long that only a new process helps. */
  readonly stuck: boolean;
  /** Looks now, and from then on by itself. */
  start(): void;
  stop(): void;
}

/** Looks at memory and at the event loop ten times a second (F48). What it costs is 20 µs each time. */
export function watchOverload({ marks, memory, collect, onTurn, now }: OverloadWatchOptions): OverloadWatch {
  const overload = new OverloadMarks(marks);
  let timer: NodeJS.Timeout | undefined;
  let due = 0;
  let collectable = Number.NEGATIVE_INFINITY;
  let stuckSince: number | undefined;

  /** Garbage isn't memory in use; whether there is any is known only after it was collected. */
  const usedMemory = (): number => {
    const used = memory.read();
    const suspect = overload.shedding === 'memory' || used >= marks.memory;
    const begun = now();
    if (!suspect || begun < collectable) return used;
    collect();
    const done = now();
    collectable = done + Math.max(COLLECT_LEAST_MS, (done - begun) * COLLECT_SHARE);
    return memory.read();
  };

  const look = (): void => {
    const time = now();
    const delay = Math.max(0, time - due);
    if (delay < STUCK_MS) stuckSince = undefined;
    else stuckSince ??= time;
    for (const turn of overload.sample({ memory: usedMemory(), delay })) onTurn(turn);
    due = now() + SAMPLE_MS;
    timer = setTimeout(look, SAMPLE_MS);
    timer.unref();
  };

  return {
    overload,
    get stuck() {
      return stuckSince !== undefined && now() - stuckSince >= STUCK_FOR_MS;
    },
    start() {
      due = now();
      look();
    },
    stop() {
      clearTimeout(timer);
    },
  };
}
