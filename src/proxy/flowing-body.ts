import type { Readable } from 'node:stream';
import type { BodySink, BodySource } from './body.ts';
import { BodyPace, type BodyWatch, type WatchedBody } from './body-watch.ts';

/** The exchange that a body belongs to. */
export interface BodyHost {
  readonly bodies: BodyWatch;
  /** Whether its answer has begun. */
  readonly answered: boolean;
  /** Sends the 100 that the client waits for. */
  bodyWanted(): void;
  /** The client broke this limit; the body breaks off. */
  bodyOverdue(limit: 'bodyTimeout' | 'bodyRate'): void;
}

/** Body of a request on its way from what a server reads to a sink. What becomes of one that nobody wants is its front's to say. */
export abstract class FlowingBody implements BodySource, WatchedBody {
  readonly #readable: Readable;
  readonly #host: BodyHost;
  #sink: BodySink | undefined;
  #paused = false;
  bytes = 0;
  readonly pace = new BodyPace();
  /** Kept by the watch. */
  place = -1;

  constructor(readable: Readable, host: BodyHost) {
    this.#readable = readable;
    this.#host = host;
  }

  /** Nothing is to be had of it any more. */
  protected abstract readonly over: boolean;
  /** Whether what has come by its end is all that was sent (T15). */
  protected abstract readonly whole: boolean;
  /** Nobody wants the rest; the sink hears nothing more. */
  abstract cancel(): void;

  get awaited(): boolean {
    return !this.#paused && !this.#host.answered;
  }

  start(sink: BodySink): void {
    const readable = this.#readable;
    if (this.over) {
      sink.abort();
      return;
    }
    this.#sink = sink;
    this.#host.bodyWanted();
    this.#host.bodies.add(this);
    readable.on('data', (chunk: Buffer) => {
      if (this.#sink === undefined) return;
      this.bytes += chunk.length;
      if (this.#sink.data(chunk)) return;
      this.#paused = true;
      readable.pause();
    });
    readable.on('end', () => this.#finish(this.whole));
    readable.on('error', () => this.#finish(false));
    readable.on('close', () => this.#finish(false));
  }

  resume(): void {
    if (this.#sink === undefined) return;
    this.#paused = false;
    this.#readable.resume();
  }

  overdue(limit: 'bodyTimeout' | 'bodyRate'): void {
    this.#host.bodyOverdue(limit);
    this.#finish(false);
  }

  /** Whether somebody was reading it until now. */
  protected letGo(): boolean {
    return this.#takeSink() !== undefined;
  }

  #finish(complete: boolean): void {
    const sink = this.#takeSink();
    if (sink === undefined) return;
    if (complete) sink.end();
    else sink.abort();
  }

  #takeSink(): BodySink | undefined {
    const sink = this.#sink;
    this.#sink = undefined;
    if (sink !== undefined) this.#host.bodies.remove(this);
    return sink;
  }
}
