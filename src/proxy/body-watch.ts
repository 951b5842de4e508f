import type { ProxyLimits } from './limits.ts';
import { type Placed, Running } from './upstream/running.ts';

/** A body that a client sends, as far as its time is concerned. */
export interface WatchedBody extends Placed {
  /** Received so far. */
  readonly bytes: number;
  /** Whether it is the client's turn: not while nobody takes what it sends, nor once its answer has begun. */
  readonly awaited: boolean;
  readonly pace: BodyPace;
  overdue(limit: 'bodyTimeout' | 'bodyRate'): void;
}

/** What the watch remembers of a body; kept in the body. Milliseconds in which it was the client's turn. */
export class BodyPace {
  bytes = 0;
  silent = 0;
  waited = 0;
}

/**
 * Holds clients to sending what they announced (A160, a slow body). Swept, not timed: a timer for each body would cost
 * more than looking at all of them, and time that the process itself stood still counts as one sweep.
 */
export class BodyWatch {
  readonly #limits: Pick<ProxyLimits, 'bodyTimeout' | 'bodyRate' | 'checkInterval'>;
  readonly #bodies = new Running<WatchedBody>();

  constructor(limits: Pick<ProxyLimits, 'bodyTimeout' | 'bodyRate' | 'checkInterval'>) {
    this.#limits = limits;
  }

  get size(): number {
    return this.#bodies.size;
  }

  add(body: WatchedBody): void {
    this.#bodies.add(body);
  }

  /** Any number of times. */
  remove(body: WatchedBody): void {
    this.#bodies.remove(body);
  }

  /** To be called each `checkInterval`. */
  sweep(): void {
    this.#bodies.each((body) => this.#look(body));
  }

  #look(body: WatchedBody): void {
    const { bodyTimeout, bodyRate, checkInterval } = this.#limits;
    const { pace } = body;
    const moved = body.bytes !== pace.bytes;
    pace.bytes = body.bytes;
    if (!body.awaited) {
      pace.silent = 0;
      return;
    }
    pace.waited += checkInterval;
    pace.silent = moved ? 0 : pace.silent + checkInterval;
    if (pace.silent > bodyTimeout) body.overdue('bodyTimeout');
    // Until then a beginning that was slow, or one pause, may be made up for.
    else if (pace.waited > bodyTimeout && body.bytes * 1000 < bodyRate * pace.waited) body.overdue('bodyRate');
  }
}
