import type { ServerHttp2Stream } from 'node:http2';
import { type BodyHost, FlowingBody } from '../flowing-body.ts';

/**
 * Body of a request over HTTP/2. A reader that is slow holds back its stream alone: the window of the connection is given
 * back as bytes come in, that of the stream as they are read. Trailers go no further.
 */
export class StreamBody extends FlowingBody {
  readonly #stream: ServerHttp2Stream;
  #cancelled = false;

  constructor(stream: ServerHttp2Stream, host: BodyHost) {
    super(stream, host);
    this.#stream = stream;
  }

  protected get over(): boolean {
    return this.#cancelled || !this.whole;
  }

  /** A stream that is reset ends all the same: only one that is still open at its end was sent whole. */
  protected get whole(): boolean {
    return !this.#stream.closed && !this.#stream.destroyed;
  }

  /** What is not wanted is not read: the client stops at its window, and hears so after the answer. */
  cancel(): void {
    this.#cancelled = true;
    if (this.letGo()) this.#stream.pause();
  }
}
