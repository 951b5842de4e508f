import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import type { BodySink, BodySource } from './body.ts';
import type { StreamEnd } from './exchange.ts';
import type { ResponseWriter } from './response-writer.ts';

/** Writes a body that comes from elsewhere; what isn't whole ends as a broken connection, never as a clean end (A070). */
export class ResponseSink implements BodySink {
  readonly #writer: ResponseWriter;
  readonly #socket: Socket;
  readonly #length: number | undefined;
  readonly #untaken: () => void;
  readonly #resolve: (end: StreamEnd) => void;
  #source: BodySource | undefined;
  #ended = false;
  #aborted = false;
  #waiting = false;
  bytes = 0;
  holdsNothing = false;

  /**
   * `length`: what the head says; undefined where the end of the body is framed otherwise. `untaken`: something was
   * handed on that the client has yet to take.
   */
  constructor(
    writer: ResponseWriter,
    socket: Socket,
    length: number | undefined,
    untaken: () => void,
    resolve: (end: StreamEnd) => void,
  ) {
    this.#untaken = untaken;
    this.#writer = writer;
    this.#socket = socket;
    this.#length = length;
    this.#resolve = resolve;
  }

  follow(source: BodySource): void {
    this.#source = source;
    source.start(this);
  }

  /** Listens for `drain` only when there is something to wait for: few responses ever fill the socket. */
  #write(chunk: Buffer): boolean {
    const more = this.#writer.write(chunk);
    if (!more && !this.#waiting) {
      this.#waiting = true;
      this.#untaken();
      this.#socket.once('drain', () => {
        this.#waiting = false;
        this.#source?.resume();
      });
    }
    return more;
  }

  data(chunk: Buffer): boolean {
    if (this.#ended) return true;
    this.bytes += chunk.length;
    if (this.#length === undefined || this.bytes < this.#length) {
      const more = this.#write(chunk);
      this.holdsNothing = this.#writer.holdsNothing(chunk);
      return more;
    }
    if (this.bytes > this.#length) {
      this.abort();
      return false;
    }
    // The last byte goes with the end, in one write.
    this.#ended = true;
    this.#writer.end(chunk);
    this.holdsNothing = this.#writer.holdsNothing(chunk);
    this.#untaken();
    return true;
  }

  end(): void {
    if (this.#ended) return;
    if (this.#length !== undefined && this.bytes < this.#length) {
      this.abort();
      return;
    }
    this.#ended = true;
    this.#writer.end();
    this.#untaken();
  }

  abort(): void {
    if (this.#aborted || this.#writer.sent) return;
    this.#ended = true;
    this.#aborted = true;
    this.#source?.cancel();
    // For where the body has no framing but the end of the connection: a reset; over TLS an end without close_notify, which
    // says the same (RFC 9112 section 9.8).
    if (this.#socket instanceof TLSSocket) this.#socket.destroy();
    else this.#socket.resetAndDestroy();
  }

  /** The response was sent, or its connection is gone. */
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
