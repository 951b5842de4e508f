import type { BodySink } from '../body.ts';

/** What an upload tells the exchange that it belongs to. */
export interface UploadFlow {
  /** False: the socket is full. */
  write(data: Buffer | string): boolean;
  cork(): void;
  uncork(): void;
  moved(): void;
  sent(): void;
  /** The body isn't what its head announced. */
  cut(cause: string): void;
}

/**
 * The body of a request on its way to the upstream, framed as its head says: chunks of our own making, or exactly as many
 * bytes as announced (invariant 4). A body that breaks off, or isn't as long as announced, is never completed.
 */
export class Upload implements BodySink {
  readonly #flow: UploadFlow;
  readonly #chunked: boolean;
  readonly #framed: boolean;
  #remaining: number;

  /** `bytes` undefined: its length is not known, and it goes as chunks unless it is `framed` by what carries it (HTTP/2). */
  constructor(flow: UploadFlow, bytes: number | undefined, framed = false) {
    this.#flow = flow;
    this.#chunked = bytes === undefined;
    this.#framed = framed;
    this.#remaining = bytes ?? 0;
  }

  data(chunk: Buffer): boolean {
    if (chunk.length === 0) return true;
    this.#flow.moved();
    if (this.#chunked) return this.#framed ? this.#flow.write(chunk) : this.#writeChunk(chunk);
    this.#remaining -= chunk.length;
    if (this.#remaining >= 0) return this.#flow.write(chunk);
    this.#flow.cut('the body is longer than its Content-Length');
    return false;
  }

  end(): void {
    if (this.#chunked && !this.#framed) this.#flow.write('0\r\n\r\n');
    if (this.#remaining === 0) this.#flow.sent();
    else this.#flow.cut('the body is shorter than its Content-Length');
  }

  abort(): void {
    this.#flow.cut('the body broke off');
  }

  #writeChunk(chunk: Buffer): boolean {
    this.#flow.cork();
    this.#flow.write(`${chunk.length.toString(16)}\r\n`);
    this.#flow.write(chunk);
    const more = this.#flow.write('\r\n');
    this.#flow.uncork();
    return more;
  }
}
