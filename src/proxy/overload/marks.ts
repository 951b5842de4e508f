import type { Overload, OverloadCause } from './overload.ts';

/** How things are at one moment. */
export interface Pressure {
  /** Share of the memory that is in use, 0 to 1: of the heap or of the container, whichever is more. */
  readonly memory: number;
  /** How late the event loop is, in milliseconds. */
  readonly delay: number;
}

export interface Marks {
  /** 0 to 1; Infinity: off. */
  readonly memory: number;
  /** Milliseconds; Infinity: off. */
  readonly loopDelay: number;
}

/** Below its mark by this much before memory counts as there again, so that it doesn't flap around the mark. */
const MEMORY_GAP = 0.05;
/** Samples in a row over the mark for the loop to count as late: one long pause is no overload. */
const LATE = 2;
/** Samples in a row under half of the mark for it to be on time again. */
const ON_TIME = 10;

/** The beginning or end of an episode. */
export interface Turn {
  readonly cause: OverloadCause;
  readonly over: boolean;
  readonly pressure: Pressure;
}

/** Decides from one sample after another, with a gap between beginning and end. No clock and no process in here. */
export class OverloadMarks implements Overload {
  readonly #marks: Marks;
  #memory = false;
  #delay = false;
  #late = 0;
  #onTime = 0;
  shedding: OverloadCause | undefined;
  refusing = false;

  constructor(marks: Marks) {
    this.#marks = marks;
  }

  /** What began or ended with this sample; most often nothing. */
  sample(pressure: Pressure): readonly Turn[] {
    const [memory, delay] = [this.#memory, this.#delay];
    this.#lookAtMemory(pressure.memory);
    this.#lookAtDelay(pressure.delay);
    this.shedding = this.#memory ? 'memory' : this.#delay ? 'loop_delay' : undefined;
    if (memory === this.#memory && delay === this.#delay) return NONE;
    const turns: Turn[] = [];
    if (memory !== this.#memory) turns.push({ cause: 'memory', over: this.#memory, pressure });
    if (delay !== this.#delay) turns.push({ cause: 'loop_delay', over: this.#delay, pressure });
    return turns;
  }

  #lookAtMemory(used: number): void {
    const mark = this.#marks.memory;
    this.#memory = used >= (this.#memory ? mark - MEMORY_GAP : mark);
    this.refusing = this.#memory && used >= mark + (1 - mark) / 2;
  }

  #lookAtDelay(delay: number): void {
    const mark = this.#marks.loopDelay;
    this.#late = delay >= mark ? this.#late + 1 : 0;
    this.#onTime = delay < mark / 2 ? this.#onTime + 1 : 0;
    this.#delay = this.#delay ? this.#onTime < ON_TIME : this.#late >= LATE;
  }
}

const NONE: readonly Turn[] = [];
