import { constants, type ServerHttp2Stream } from 'node:http2';
import type { BodySink, BodySource, Trailers } from '../body.ts';
import type { StreamEnd } from '../exchange.ts';
import { fieldsFrom } from './fields.ts';

/** Writes a body that comes from elsewhere; what isn't whole ends as a stream that was reset, never as a clean end (A070). */
export class StreamSink implements BodySink {
  readonly #stream: ServerHttp2Stream;
  readonly #length: number | undefined;
  readonly #trails: boolean;
  readonly #trailed: () => void;
  readonly #resolve: (end: StreamEnd) => void;
  #source: BodySource | undefined;
  #ended = false;
  #aborted = false;
  #waiting = false;
  bytes = 0;

  /**
   * `length`: what the head says; undefined where it says nothing. `trails`: the head said that trailers may come;
   * `trailed`: they were handed on.
   */
  constructor(
    stream: ServerHttp2Stream,
    length: number | undefined,
    trails: boolean,
    trailed: () => void,
    resolve: (end: StreamEnd) => void,
  ) {
    this.#stream = stream;
    this.#length = length;
    this.#trails = trails;
    this.#trailed = trailed;
    this.#resolve = resolve;
  }

  follow(source: BodySource): void {
    this.#source = source;
    source.start(this);
  }

  data(chunk: Buffer): boolean {
    if (this.#ended || this.#stream.destroyed) return true;
    this.bytes += chunk.length;
    if (this.#length !== undefined && this.bytes > this.#length) {
      this.abort();
      return false;
    }
    if (this.bytes === this.#length && !this.#trails) {
      // The last byte goes with the end, in one frame.
      this.#ended = true;
      this.#stream.end(chunk);
      return true;
    }
    const more = this.#stream.write(chunk);
    if (!more && !this.#waiting) {
      this.#waiting = true;
      this.#stream.once('drain', () => {
        this.#waiting = false;
        this.#source?.resume();
      });
    }
    return more;
  }

  end(trailers?: Trailers): void {
    if (this.#ended) return;
    if (this.#length !== undefined && this.bytes < this.#length) {
      this.abort();
      return;
    }
    this.#ended = true;
    const stream = this.#stream;
    // Asked for once everything before them was sent; where there are none, an empty frame ends the stream.
    if (this.#trails) stream.once('wantTrailers', () => this.#trail(trailers));
    stream.end();
  }

  abort(): void {
    if (this.#aborted || this.#ended) return;
    this.#ended = true;
    this.#aborted = true;
    this.#source?.cancel();
    this.#stream.close(constants.NGHTTP2_INTERNAL_ERROR);
  }

  #trail(trailers: Trailers | undefined): void {
    this.#stream.sendTrailers(trailers === undefined ? {} : fieldsFrom(trailers));
    // node hands them on in a turn of their own.
    setImmediate(this.#trailed);
  }

  /** The response was sent, or its stream is gone. */
  closed(sent: boolean): void {
    this.#ended = true;
    if (sent) {
      this.#resolve('Complete');
      return;
    }
    this.#source?.cancel();
    this.#resolve(this.#aborted ? 'Aborted' : 'ClientGone');
  }
}
