import type { ServerHttp2Stream } from 'node:http2';
import type { BodySink, BodySource } from '../body.ts';
import { BodyPace, type BodyWatch, type WatchedBody } from '../body-watch.ts';

/** The exchange that a body belongs to. */
export interface StreamBodyHost {
  readonly bodies: BodyWatch;
  /** Whether its answer has begun. */
  readonly answered: boolean;
  /** Sends the 100 that the client waits for. */
  bodyWanted(): void;
  /** The client broke this limit; the body breaks off. */
  bodyOverdue(limit: 'bodyTimeout' | 'bodyRate'): void;
}

/**
 * Body of a request over HTTP/2. A reader that is slow holds back its stream alone: the window of the connection is given
 * back as bytes come in, that of the stream as they are read. Trailers go no further.
 */
export class StreamBody implements BodySource, WatchedBody {
  readonly #stream: ServerHttp2Stream;
  readonly #host: StreamBodyHost;
  #sink: BodySink | undefined;
  #over = false;
  #paused = false;
  bytes = 0;
  readonly pace = new BodyPace();
  /** Kept by the watch. */
  place = -1;

  constructor(stream: ServerHttp2Stream, host: StreamBodyHost) {
    this.#stream = stream;
    this.#host = host;
  }

  get awaited(): boolean {
    return !this.#paused && !this.#host.answered;
  }

  start(sink: BodySink): void {
    const stream = this.#stream;
    if (this.#over || stream.closed || stream.destroyed) {
      sink.abort();
      return;
    }
    this.#sink = sink;
    this.#host.bodyWanted();
    this.#host.bodies.add(this);
    stream.on('data', (chunk: Buffer) => {
      if (this.#sink === undefined) return;
      this.bytes += chunk.length;
      if (this.#sink.data(chunk)) return;
      this.#paused = true;
      stream.pause();
    });
    // A stream that is reset ends all the same: only one that is still open at its end was sent whole (T15).
    stream.on('end', () => this.#finish(!stream.closed && !stream.destroyed));
    stream.on('close', () => this.#finish(false));
  }

  resume(): void {
    if (this.#sink === undefined) return;
    this.#paused = false;
    this.#stream.resume();
  }

  /** What is not wanted is not read: the client stops at its window, and hears so after the answer. */
  cancel(): void {
    this.#over = true;
    if (this.#letGo() !== undefined) this.#stream.pause();
  }

  overdue(limit: 'bodyTimeout' | 'bodyRate'): void {
    this.#host.bodyOverdue(limit);
    this.#finish(false);
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
