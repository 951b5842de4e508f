import { type ClientHttp2Stream, constants } from 'node:http2';
import type { FailureCode, OutgoingRequest } from '../../forwarder.ts';
import type { ConnectionUser } from '../connection.ts';
import type { ExchangeConnection } from '../exchange-connection.ts';
import { requestFields } from './request-fields.ts';
import { earlyHead, responseHead } from './response.ts';
import type { UpstreamSession } from './session.ts';
import { passedTrailers } from './trailers.ts';

/** 103 Early Hints and 100 come once or twice; an upstream that sends more is holding us up (A070). */
const MAX_INFORMATIONAL = 16;

/** One request and its response on a stream of a session. */
export class UpstreamStream implements ExchangeConnection {
  /** Each chunk of a stream comes in memory of its own. */
  readonly lends = true;
  readonly framed = true;
  readonly #closed: (stream: UpstreamStream) => void;
  #session: UpstreamSession | undefined;
  #stream: ClientHttp2Stream | undefined;
  #user: ConnectionUser | undefined;
  #method = '';
  /** The end of the response was received, as a frame says it: node ends a stream that is reset in the same way (A070). */
  #whole = false;
  #answered = false;
  #informational = 0;
  #trailers: readonly string[] | undefined;
  /** What the session had heard when this began. */
  #heardBefore = 0;
  #over = false;
  uses = 0;

  constructor(closed: (stream: UpstreamStream) => void) {
    this.#closed = closed;
  }

  get heard(): boolean {
    return this.#answered || this.#informational > 0;
  }

  /** Where it goes; again where the session before had no room. */
  assign(session: UpstreamSession): void {
    this.#session = session;
    this.uses = session.uses;
    if (this.#user !== undefined) session.join(this);
  }

  use(user: ConnectionUser, method: string): void {
    this.#user = user;
    this.#method = method;
    this.#session?.join(this);
  }

  /** The session is there, and has room for it. */
  ready(): void {
    this.#user?.connected();
  }

  keep(): void {}

  begin(request: OutgoingRequest): void {
    const session = this.#session;
    if (session === undefined) return;
    this.#heardBefore = session.heard;
    if (request.upgrade !== undefined) {
      this.lost('bad_response', 'over HTTP/2 an upstream switches to no other protocol');
      return;
    }
    const stream = this.#request(session, request);
    if (stream === undefined) return;
    this.#stream = stream;
    // The only moment at which an end that was sent and one that node makes up can be told apart.
    const push = stream.push.bind(stream);
    stream.push = (chunk: unknown) => {
      if (chunk === null && !stream.closed) this.#whole = true;
      return push(chunk);
    };
    stream.on('headers', (_fields, _flags: number, fields: string[]) => this.#inform(fields));
    stream.on('response', (_fields, flags: number, fields: string[]) => this.#head(fields, flags));
    stream.on('trailers', (_fields, _flags: number, fields: string[]) => {
      this.#trailers = passedTrailers(fields);
    });
    stream.on('end', () => this.#end());
    stream.on('drain', () => this.#user?.drained());
    stream.on('error', () => {});
    stream.on('close', () => this.#close());
  }

  write(data: string | Buffer): boolean {
    const stream = this.#stream;
    return stream !== undefined && !stream.closed && !stream.destroyed ? stream.write(data) : false;
  }

  sent(): void {
    this.#stream?.end();
  }

  cork(): void {}

  uncork(): void {}

  pause(): void {
    this.#stream?.pause();
  }

  resume(): void {
    this.#stream?.resume();
  }

  /** Nothing of it is kept; the session is, by itself. */
  release(everythingSent: boolean): boolean {
    this.#user = undefined;
    if (!everythingSent) this.#stream?.close(constants.NGHTTP2_CANCEL);
    this.#leave();
    return false;
  }

  destroy(): void {
    // An upstream that said nothing at all meanwhile may be gone: others are not to wait for it too.
    if (!this.#answered && this.#session?.heard === this.#heardBefore) this.#session.retire();
    this.#user = undefined;
    this.#stream?.close(constants.NGHTTP2_CANCEL);
    this.#leave();
  }

  switched(): never {
    throw new Error('no stream switches to another protocol');
  }

  /** The session is of no use. */
  lost(code: FailureCode, cause: string): void {
    const user = this.#user;
    this.#user = undefined;
    this.#leave();
    user?.broken(code, cause);
  }

  /** What node won't send is no fault of the upstream, and ends no process. */
  #request(session: UpstreamSession, request: OutgoingRequest): ClientHttp2Stream | undefined {
    try {
      return session.request(requestFields(request, session.scheme), request.body === undefined);
    } catch (error) {
      this.lost(
        'reset',
        `the request can't be sent over HTTP/2: ${error instanceof Error ? error.message : 'unknown'}`,
      );
      return undefined;
    }
  }

  #inform(fields: readonly string[]): void {
    this.#informational += 1;
    if (this.#informational > MAX_INFORMATIONAL) this.#fault('too_many_informational');
    else if (fields[1] === '103') this.#user?.hint?.(earlyHead(fields));
  }

  #head(fields: readonly string[], flags: number): void {
    const session = this.#session;
    const stream = this.#stream;
    if (session === undefined || stream === undefined) return;
    session.heard += 1;
    const head = responseHead(fields, this.#method, (flags & constants.NGHTTP2_FLAG_END_STREAM) !== 0);
    if (this.#answered || typeof head === 'string') {
      this.#fault(typeof head === 'string' ? head : 'bad_header');
      return;
    }
    this.#answered = true;
    this.#user?.head(head);
    // Not before: what came with the head would be read before it is told.
    stream.on('data', (chunk: Buffer) => {
      session.heard += 1;
      this.#user?.body(chunk);
    });
  }

  #end(): void {
    if (!this.#whole || !this.#answered) return;
    const user = this.#user;
    const trailers = this.#trailers;
    user?.end(trailers);
  }

  #fault(cause: string): void {
    this.#stream?.close(constants.NGHTTP2_PROTOCOL_ERROR);
    this.lost('bad_response', cause);
  }

  #close(): void {
    const stream = this.#stream;
    const code = stream?.rstCode ?? 0;
    const id = stream?.id;
    this.#leave();
    const user = this.#user;
    this.#user = undefined;
    if (user === undefined) return;
    // nghttp2 resets with this what breaks the protocol.
    if (code === constants.NGHTTP2_PROTOCOL_ERROR) user.broken('bad_response', 'the response breaks HTTP/2');
    else
      user.broken(
        'reset',
        `the upstream ended the stream, code ${code}`,
        this.#session?.unprocessed(id, code) === true,
      );
  }

  #leave(): void {
    if (this.#over) return;
    this.#over = true;
    this.#session?.leave(this);
    this.#closed(this);
  }
}
