import type { Milliseconds } from '../resources/duration.ts';
import type { TunnelSide, TunnelSink } from './tunnel-side.ts';

/** What ended a tunnel. A closed set: label of a metric. */
export type TunnelEnd =
  /** Its peer closed its side properly. */
  | 'client_closed'
  | 'upstream_closed'
  /** The connection broke. */
  | 'client_reset'
  | 'upstream_reset'
  /** Nothing came from either side for the idle time of the Route. */
  | 'idle'
  /** The session that opened it isn't valid any more. */
  | 'session_end'
  /** The process ends. */
  | 'drain';

export interface TunnelTerms {
  readonly idle: Milliseconds;
  /** When the right to it ends, in milliseconds since the epoch; undefined: it doesn't. */
  readonly until: number | undefined;
}

/**
 * How long one side may take for the rest when the other is gone or was told to go, or stay silent when the other has said
 * that it sends no more; in milliseconds.
 */
const LINGER_MS = 5000;

/**
 * Two connections that are one: bytes both ways, each way held back by who takes them. The end of one side is passed on
 * as an end of that way alone, for protocols that have such a thing; a WebSocket peer closes its own side then. Whoever
 * doesn't is left five seconds of silence.
 */
export class Tunnel {
  readonly #client: TunnelSide;
  readonly #upstream: TunnelSide;
  readonly #terms: TunnelTerms;
  readonly #done: (tunnel: Tunnel) => void;
  #clientOpen = true;
  #upstreamOpen = true;
  #halfClosed = false;
  #bytes = 0;
  /** When bytes last moved, by the clock of `tick`; undefined: look at the next. */
  #movedAt: number | undefined;
  /** Told to go, both sides. */
  #closing = false;
  end: TunnelEnd | undefined;

  /** `done`: called once, when both connections are gone. */
  constructor(client: TunnelSide, upstream: TunnelSide, terms: TunnelTerms, done: (tunnel: Tunnel) => void) {
    this.#client = client;
    this.#upstream = upstream;
    this.#terms = terms;
    this.#done = done;
  }

  start(): void {
    this.#upstream.start(this.#sinkOf(this.#upstream, this.#client, 'upstream_closed', 'upstream_reset'));
    this.#client.start(this.#sinkOf(this.#client, this.#upstream, 'client_closed', 'client_reset'));
  }

  /** Ends both sides: what was received is still sent. */
  stop(end: TunnelEnd): void {
    this.end ??= end;
    this.#closing = true;
    this.#movedAt = undefined;
    this.#client.close();
    this.#upstream.close();
  }

  /** Called regularly. `now`: milliseconds of a monotonic clock; `wall`: milliseconds since the epoch. */
  tick(now: number, wall: number): void {
    const bytes = this.#client.received + this.#upstream.received;
    if (this.#movedAt === undefined || (bytes !== this.#bytes && !this.#closing)) {
      this.#bytes = bytes;
      this.#movedAt = now;
    }
    const silent = now - this.#movedAt;
    const { idle, until } = this.#terms;
    if (this.#closing) {
      if (silent >= LINGER_MS) this.#destroy();
    } else if (until !== undefined && wall >= until) this.stop('session_end');
    else if (silent >= (this.#halfClosed ? Math.min(idle, LINGER_MS) : idle)) this.stop('idle');
  }

  #destroy(): void {
    this.#client.destroy();
    this.#upstream.destroy();
  }

  #sinkOf(from: TunnelSide, to: TunnelSide, closed: TunnelEnd, reset: TunnelEnd): TunnelSink {
    let ended = false;
    return {
      data: (bytes) => {
        if (!to.write(bytes)) from.pause();
      },
      drained: () => to.resume(),
      ended: () => {
        ended = true;
        this.end ??= closed;
        this.#halfClosed = true;
        this.#movedAt = undefined;
        to.end();
      },
      closed: () => {
        if (from === this.#client) this.#clientOpen = false;
        else this.#upstreamOpen = false;
        if (this.#clientOpen || this.#upstreamOpen) this.stop(ended ? closed : reset);
        else this.#done(this);
      },
    };
  }
}
