import type { IncomingMessage } from 'node:http';
import { type BodyHost, FlowingBody } from './flowing-body.ts';
import type { LimitName } from './limits.ts';

export interface DiscardLimits {
  /** Bytes of a body that nobody wants which are still read, so that the connection can go on (A068). */
  readonly discardBytes: number;
  /** And for how long, in milliseconds. */
  readonly discardTimeout: number;
}

export interface RequestBodyHost extends BodyHost {
  readonly limits: DiscardLimits;
  limited(limit: LimitName): void;
}

/** Body of a request of node:http. Whatever becomes of it, its connection ends or is in step again afterwards. */
export class RequestBody extends FlowingBody {
  readonly #request: IncomingMessage;
  readonly #host: RequestBodyHost;
  #draining = false;

  constructor(request: IncomingMessage, host: RequestBodyHost) {
    super(request, host);
    this.#request = request;
    this.#host = host;
  }

  protected get over(): boolean {
    return this.#draining || this.#request.destroyed;
  }

  protected get whole(): boolean {
    return this.#request.complete;
  }

  cancel(): void {
    this.letGo();
    this.drain();
  }

  /**
   * Reads what is left up to the cap; whoever sends more, or nothing, loses the connection. Once. Beyond the cap nothing
   * is read any more and our side is closed; the end comes a moment later, for a reset would take away what the client
   * hasn't read yet of its answer (RFC 9112 section 9.6).
   */
  drain(): void {
    const request = this.#request;
    if (this.#draining || request.readableEnded || request.destroyed) return;
    this.#draining = true;
    this.letGo();
    const { socket } = request;
    const { discardBytes, discardTimeout } = this.#host.limits;
    let left = discardBytes;
    const timer = setTimeout(() => {
      this.#host.limited('discardTimeout');
      socket.destroy();
    }, discardTimeout);
    timer.unref();
    request.on('error', () => {});
    request.on('close', () => clearTimeout(timer));
    request.on('data', (chunk: Buffer) => {
      left -= chunk.length;
      if (left >= 0) return;
      this.#host.limited('discardBytes');
      request.pause();
      socket.end();
    });
    request.resume();
  }
}
