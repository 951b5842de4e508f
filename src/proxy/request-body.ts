import type { IncomingMessage } from 'node:http';
import type { BodySink, BodySource } from './body.ts';
import { BodyPace, type BodyWatch, type WatchedBody } from './body-watch.ts';
import type { LimitName } from './limits.ts';

export interface DiscardLimits {
  /** Bytes of a body that nobody wants which are still read, so that the connection can go on (A068). */
  readonly discardBytes: number;
  /** And for how long, in milliseconds. */
  readonly discardTimeout: number;
}

/** The exchange that a body belongs to. */
export interface BodyHost {
  readonly limits: DiscardLimits;
  readonly bodies: BodyWatch;
  /** Whether its answer has begun. */
  readonly answered: boolean;
  /** Sends the 100 that the client waits for. */
  bodyWanted(): void;
  /** The client broke this limit; the body breaks off. */
  bodyOverdue(limit: 'bodyTimeout' | 'bodyRate'): void;
  limited(limit: LimitName): void;
}

/** Body of a request of node:http. Whatever becomes of it, its connection ends or is in step again afterwards. */
export class RequestBody implements BodySource, WatchedBody {
  readonly #request: IncomingMessage;
  readonly #host: BodyHost;
  #sink: BodySink | undefined;
  #draining = false;
  #paused = false;
  bytes = 0;
  readonly pace = new BodyPace();
  /** Kept by the watch. */
  place = -1;

  constructor(request: IncomingMessage, host: BodyHost) {
    this.#request = request;
    this.#host = host;
  }

  get awaited(): boolean {
    return !this.#paused && !this.#host.answered;
  }

  start(sink: BodySink): void {
    const request = this.#request;
    if (this.#draining || request.destroyed) {
      sink.abort();
      return;
    }
    this.#sink = sink;
    this.#host.bodyWanted();
    this.#host.bodies.add(this);
    request.on('data', (chunk: Buffer) => {
      if (this.#sink === undefined) return;
      this.bytes += chunk.length;
      if (this.#sink.data(chunk)) return;
      this.#paused = true;
      request.pause();
    });
    request.on('end', () => this.#finish(request.complete));
    request.on('error', () => this.#finish(false));
    request.on('close', () => this.#finish(false));
  }

  resume(): void {
    if (this.#sink === undefined) return;
    this.#paused = false;
    this.#request.resume();
  }

  cancel(): void {
    this.#letGo();
    this.drain();
  }

  overdue(limit: 'bodyTimeout' | 'bodyRate'): void {
    this.#host.bodyOverdue(limit);
    this.#finish(false);
  }

  /**
   * Reads what is left up to the cap; whoever sends more, or nothing, loses the connection. Once. Beyond the cap nothing
   * is read any more and our side is closed; the end comes a moment later, for a reset would take away what the client
   * hasn't read yet of its answer (RFC 9112 section 9.6).
   */
  drain(): void {
    const request = this.#request;
    if (this.#draining || request.readableEnded || request.destroyed) return;
    this.#draining = true;
    this.#letGo();
    const { socket } = request;
    const { discardBytes, discardTimeout } = this.#host.limits;
    let left = discardBytes;
    const timer = setTimeout(() => {
      this.#host.limited('discardTimeout');
      socket.destroy();
    }, discardTimeout);
    timer.unref();
    request.on('error', () => {});
    request.on('close', () => clearTimeout(timer));
    request.on('data', (chunk: Buffer) => {
      left -= chunk.length;
      if (left >= 0) return;
      this.#host.limited('discardBytes');
      request.pause();
      socket.end();
    });
    request.resume();
  }

  #finish(complete: boolean): void {
    const sink = this.#letGo();
    if (sink === undefined) return;
    if (complete) sink.end();
    else sink.abort();
  }

  #letGo(): BodySink | undefined {
    const sink = this.#sink;
    this.#sink = undefined;
    if (sink !== undefined) this.#host.bodies.remove(this);
    return sink;
  }
}
