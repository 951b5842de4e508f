import type { IncomingMessage } from 'node:http';
import type { BodySink, BodySource } from './body.ts';

export interface DrainLimits {
  /** Bytes of a body that nobody wants which are still read, so that the connection can go on (A068). */
  readonly drainBytes: number;
  /** And for how long, in milliseconds. */
  readonly drainTimeout: number;
}

/** Body of a request of node:http. Whatever becomes of it, its connection ends or is in step again afterwards. */
export class RequestBody implements BodySource {
  readonly #request: IncomingMessage;
  readonly #limits: DrainLimits;
  readonly #beforeStart: () => void;
  #sink: BodySink | undefined;
  #draining = false;
  bytes = 0;

  /** `beforeStart`: sends the 100 that the client waits for. */
  constructor(request: IncomingMessage, limits: DrainLimits, beforeStart: () => void) {
    this.#request = request;
    this.#limits = limits;
    this.#beforeStart = beforeStart;
  }

  start(sink: BodySink): void {
    const request = this.#request;
    if (this.#draining || request.destroyed) {
      sink.abort();
      return;
    }
    this.#sink = sink;
    this.#beforeStart();
    request.on('data', (chunk: Buffer) => {
      if (this.#sink === undefined) return;
      this.bytes += chunk.length;
      if (!this.#sink.data(chunk)) request.pause();
    });
    request.on('end', () => this.#finish(request.complete));
    request.on('error', () => this.#finish(false));
    request.on('close', () => this.#finish(false));
  }

  resume(): void {
    if (this.#sink !== undefined) this.#request.resume();
  }

  cancel(): void {
    this.#sink = undefined;
    this.drain();
  }

  /** Reads what is left up to the cap; whoever sends more, or nothing, loses the connection. Once. */
  drain(): void {
    const request = this.#request;
    if (this.#draining || request.readableEnded || request.destroyed) return;
    this.#draining = true;
    this.#sink = undefined;
    const { socket } = request;
    let left = this.#limits.drainBytes;
    const timer = setTimeout(() => socket.destroy(), this.#limits.drainTimeout);
    timer.unref();
    request.on('error', () => {});
    request.on('close', () => clearTimeout(timer));
    request.on('data', (chunk: Buffer) => {
      left -= chunk.length;
      if (left < 0) socket.destroy();
    });
    request.resume();
  }

  #finish(complete: boolean): void {
    const sink = this.#sink;
    this.#sink = undefined;
    if (sink === undefined) return;
    if (complete) sink.end();
    else sink.abort();
  }
}
