import type { IncomingMessage } from 'node:http';
import type { BodySink, BodySource } from './body.ts';

export interface BodyWatch {
  progress(): void;
  /** Once. Complete: every byte that the framing promised came. */
  over(complete: boolean): void;
}

/** Body of a response of node:http's client. */
export class NodeResponseBody implements BodySource {
  readonly #response: IncomingMessage;
  readonly #watch: BodyWatch;
  #sink: BodySink | undefined;
  #cancelled = false;
  #over = false;

  constructor(response: IncomingMessage, watch: BodyWatch) {
    this.#response = response;
    this.#watch = watch;
    response.on('end', () => this.#finish(response.complete));
    response.on('close', () => this.#finish(false));
  }

  start(sink: BodySink): void {
    if (this.#over || this.#cancelled) {
      sink.abort();
      return;
    }
    this.#sink = sink;
    this.#response.on('data', (chunk: Buffer) => {
      this.#watch.progress();
      if (this.#sink !== undefined && !this.#sink.data(chunk)) this.#response.pause();
    });
  }

  resume(): void {
    if (!this.#cancelled) this.#response.resume();
  }

  cancel(): void {
    if (this.#cancelled || this.#over) return;
    this.#cancelled = true;
    this.#sink = undefined;
    this.#response.destroy();
  }

  /** There is no body: read to the end of the message, so that the connection is free again. */
  discard(): void {
    this.#response.resume();
  }

  /** The call failed after the response had begun. */
  abort(): void {
    this.#finish(false);
  }

  #finish(complete: boolean): void {
    if (this.#over) return;
    this.#over = true;
    const sink = this.#sink;
    this.#sink = undefined;
    this.#watch.over(complete);
    if (complete) sink?.end();
    else sink?.abort();
  }
}
