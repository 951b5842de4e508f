import type { BodySink, BodySource, Trailers } from './body.ts';
import type { StreamEnd } from './exchange.ts';

/** Writes a body that comes from elsewhere; what isn't whole breaks off for the client too, and never ends cleanly (A070). */
export abstract class AnswerSink implements BodySink {
  readonly #length: number | undefined;
  readonly #resolve: (end: StreamEnd) => void;
  #source: BodySource | undefined;
  #ended = false;
  #aborted = false;
  #waiting = false;
  bytes = 0;

  /** `length`: what the head says; undefined where the end of the body is known otherwise. */
  constructor(length: number | undefined, resolve: (end: StreamEnd) => void) {
    this.#length = length;
    this.#resolve = resolve;
  }

  /** Whether the last byte ends the answer; otherwise something comes after it. */
  protected abstract readonly endsWithLastByte: boolean;
  /** False: wait for `whenDrained`. */
  protected abstract write(chunk: Buffer): boolean;
  /** The last byte goes with the end, in one write. */
  protected abstract writeLast(chunk: Buffer): void;
  protected abstract writeEnd(trailers: Trailers | undefined): void;
  /** Asked for only when there is something to wait for: few responses ever fill the socket. */
  protected abstract whenDrained(resume: () => void): void;
  /** The client sees that the answer is not whole. */
  protected abstract breakOff(): void;

  follow(source: BodySource): void {
    this.#source = source;
    source.start(this);
  }

  data(chunk: Buffer): boolean {
    if (this.#ended) return true;
    this.bytes += chunk.length;
    if (this.#length !== undefined && this.bytes > this.#length) {
      this.abort();
      return false;
    }
    if (this.bytes === this.#length && this.endsWithLastByte) {
      this.#ended = true;
      this.writeLast(chunk);
      return true;
    }
    const more = this.write(chunk);
    if (!more && !this.#waiting) {
      this.#waiting = true;
      this.whenDrained(() => {
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
    this.writeEnd(trailers);
  }

  abort(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#aborted = true;
    this.#source?.cancel();
    this.breakOff();
  }

  /** The answer was sent, or whoever waited for it is gone. */
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
