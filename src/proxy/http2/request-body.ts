import type { ServerHttp2Stream } from 'node:http2';
import type { BodySink, BodySource } from '../body.ts';

/**
 * Body of a request over HTTP/2. A reader that is slow holds back its stream alone: the window of the connection is given
 * back as bytes come in, that of the stream as they are read. Trailers go no further.
 */
export class StreamBody implements BodySource {
  readonly #stream: ServerHttp2Stream;
  readonly #beforeStart: () => void;
  #sink: BodySink | undefined;
  #over = false;
  bytes = 0;

  /** `beforeStart`: sends the 100 that the client waits for. */
  constructor(stream: ServerHttp2Stream, beforeStart: () => void) {
    this.#stream = stream;
    this.#beforeStart = beforeStart;
  }

  start(sink: BodySink): void {
    const stream = this.#stream;
    if (this.#over || stream.closed || stream.destroyed) {
      sink.abort();
      return;
    }
    this.#sink = sink;
    this.#beforeStart();
    stream.on('data', (chunk: Buffer) => {
      if (this.#sink === undefined) return;
      this.bytes += chunk.length;
      if (!this.#sink.data(chunk)) stream.pause();
    });
    // A stream that is reset ends all the same: only one that is still open at its end was sent whole (T15).
    stream.on('end', () => this.#finish(!stream.closed && !stream.destroyed));
    stream.on('close', () => this.#finish(false));
  }

  resume(): void {
    if (this.#sink !== undefined) this.#stream.resume();
  }

  /** What is not wanted is not read: the client stops at its window, and hears so after the answer. */
  cancel(): void {
    this.#over = true;
    if (this.#sink === undefined) return;
    this.#sink = undefined;
    this.#stream.pause();
  }

  #finish(complete: boolean): void {
    const sink = this.#sink;
    this.#sink = undefined;
    if (sink === undefined) return;
    if (complete) sink.end();
    else sink.abort();
  }
}
