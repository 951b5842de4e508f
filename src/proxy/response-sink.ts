import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { AnswerSink } from './answer-sink.ts';
import type { StreamEnd } from './exchange.ts';
import type { ResponseWriter } from './response-writer.ts';

/** The body of an answer over HTTP/1.1. */
export class ResponseSink extends AnswerSink {
  readonly #writer: ResponseWriter;
  readonly #socket: Socket;
  readonly #untaken: () => void;
  protected readonly endsWithLastByte = true;
  holdsNothing = false;

  /** `untaken`: something was handed on that the client has yet to take. */
  constructor(
    writer: ResponseWriter,
    socket: Socket,
    length: number | undefined,
    untaken: () => void,
    resolve: (end: StreamEnd) => void,
  ) {
    super(length, resolve);
    this.#writer = writer;
    this.#socket = socket;
    this.#untaken = untaken;
  }

  protected write(chunk: Buffer): boolean {
    const more = this.#writer.write(chunk);
    this.holdsNothing = this.#writer.holdsNothing(chunk);
    return more;
  }

  protected writeLast(chunk: Buffer): void {
    this.#writer.end(chunk);
    this.holdsNothing = this.#writer.holdsNothing(chunk);
    this.#untaken();
  }

  protected writeEnd(): void {
    this.#writer.end();
    this.#untaken();
  }

  protected whenDrained(resume: () => void): void {
    this.#untaken();
    this.#socket.once('drain', resume);
  }

  /**
   * For where the body has no framing but the end of the connection: a reset; over TLS an end without close_notify, which
   * says the same (RFC 9112 section 9.8).
   */
  protected breakOff(): void {
    if (this.#socket instanceof TLSSocket) this.#socket.destroy();
    else this.#socket.resetAndDestroy();
  }
}
