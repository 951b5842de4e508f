import { constants, type ServerHttp2Stream } from 'node:http2';
import { AnswerSink } from '../answer-sink.ts';
import type { Trailers } from '../body.ts';
import type { StreamEnd } from '../exchange.ts';
import { fieldsFrom } from './fields.ts';

/** The body of an answer on a stream of HTTP/2. */
export class StreamSink extends AnswerSink {
  readonly #stream: ServerHttp2Stream;
  readonly #trails: boolean;
  readonly #trailed: () => void;
  protected readonly endsWithLastByte: boolean;

  /** `trails`: the head said that trailers may come; `trailed`: they were handed on. */
  constructor(
    stream: ServerHttp2Stream,
    length: number | undefined,
    trails: boolean,
    trailed: () => void,
    resolve: (end: StreamEnd) => void,
  ) {
    super(length, resolve);
    this.#stream = stream;
    this.#trails = trails;
    this.#trailed = trailed;
    this.endsWithLastByte = !trails;
  }

  protected write(chunk: Buffer): boolean {
    return this.#stream.destroyed || this.#stream.write(chunk);
  }

  protected writeLast(chunk: Buffer): void {
    if (!this.#stream.destroyed) this.#stream.end(chunk);
  }

  protected writeEnd(trailers: Trailers | undefined): void {
    const stream = this.#stream;
    // Asked for once everything before them was sent; where there are none, an empty frame ends the stream.
    if (this.#trails) stream.once('wantTrailers', () => this.#trail(trailers));
    stream.end();
  }

  protected whenDrained(resume: () => void): void {
    this.#stream.once('drain', resume);
  }

  protected breakOff(): void {
    this.#stream.close(constants.NGHTTP2_INTERNAL_ERROR);
  }

  #trail(trailers: Trailers | undefined): void {
    this.#stream.sendTrailers(trailers === undefined ? {} : fieldsFrom(trailers));
    // node hands them on in a turn of their own.
    setImmediate(this.#trailed);
  }
}
