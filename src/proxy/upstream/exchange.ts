import type { Trailers } from '../body.ts';
import type { FailureCode, ForwardResult, OutgoingRequest } from '../forwarder.ts';
import { Attempts } from './attempts.ts';
import type { ConnectionUser } from './connection.ts';
import type { ExchangeConnection } from './exchange-connection.ts';
import type { Pool } from './pool.ts';
import { type BodyFlow, ResponseBody } from './response-body.ts';
import type { ResponseHead } from './response-head.ts';
import type { Placed } from './running.ts';
import { Upload, type UploadFlow } from './upload.ts';
import type { Upstream, Waiting } from './upstream.ts';

/** What an exchange needs from the forwarder around it. */
export interface ExchangeHost {
  /** The moment, by the forwarder's clock, that is this far away. */
  deadline(milliseconds: number): number;
  finished(exchange: Exchange): void;
}

/** One request and its response on one connection, and on another where it may be tried again. */
export class Exchange implements ConnectionUser, BodyFlow, UploadFlow, Placed, Waiting {
  readonly #request: OutgoingRequest;
  readonly #upstream: Upstream;
  readonly #host: ExchangeHost;
  readonly #settle: (result: ForwardResult) => void;
  #pool: Pool | undefined;
  #connection: ExchangeConnection | undefined;
  /** `pending`: it waits for its turn to have a connection. */
  #phase: 'pending' | 'connecting' | 'waiting' | 'reading' | 'finished' = 'pending';
  /** Undefined: nothing has failed yet. */
  #attempts: Attempts | undefined;
  /** When all of it has to be over (`timeouts.request`). */
  readonly #last: number;
  /** The whole request was handed to the socket. */
  #sent = false;
  /** The upload waits for the socket; otherwise, while it isn't sent, for the client. */
  #blocked = false;
  #responseBody: ResponseBody | undefined;
  /**
   * Monotonic milliseconds after which the forwarder calls `expire`. The forwarder sweeps: arming and clearing three
   * timers for each request costs more than the sweep of all.
   */
  deadline = 0;
  /** Milliseconds since the epoch after which the forwarder calls `cutOff`. */
  until = Number.POSITIVE_INFINITY;
  /** Kept by the forwarder. */
  place = 0;
  /** Kept by the line of those that wait. */
  ahead: Waiting | undefined = undefined;
  behind: Waiting | undefined = undefined;

  constructor(
    request: OutgoingRequest,
    upstream: Upstream,
    host: ExchangeHost,
    settle: (result: ForwardResult) => void,
  ) {
    this.#request = request;
    this.#upstream = upstream;
    this.#host = host;
    this.#settle = settle;
    const { request: whole } = request.timeouts;
    this.#last = whole === undefined ? Number.POSITIVE_INFINITY : host.deadline(whole);
  }

  begin(): void {
    this.#request.client.onGone(() => this.#fail('client_gone', 'the client went away'));
    const place = this.#upstream.place();
    if (place === undefined) this.#fail('no_endpoint', noEndpoint(this.#request));
    else if (place !== 'Full') this.#attach(place, false);
    else if (this.#upstream.wait(this)) this.#extend(this.#upstream.settings.policy.limits.pendingTimeout);
    else this.#fail('pending_full', 'too many requests to this Service wait for a connection');
  }

  /** There is a connection to be had. */
  placed(pool: Pool): void {
    this.#attach(pool, false);
  }

  /** The forwarder is closing. */
  stop(): void {
    this.#fail('reset', 'the forwarder was closed');
  }

  /** The right to the answer has ended while it runs (A084). */
  cutOff(): void {
    this.#fail('reset', 'the session ended');
  }

  /** The deadline has passed. */
  expire(): void {
    // A deadline is never after the last one.
    if (this.deadline >= this.#last) this.#outOfTime();
    else if (this.#phase === 'pending') this.#fail('pending_timeout', 'no connection became free in time');
    else if (this.#phase === 'connecting') this.#notConnected('connect_timeout', 'no connection in time');
    else if (this.#sent)
      this.#blame('response_timeout', this.#phase === 'waiting' ? 'no response in time' : 'the response stalled');
    else if (this.#blocked) this.#blame('upload_stalled', 'the upstream takes no more of the body');
    else this.#fail('client_timeout', 'the client sends no more of the body');
  }

  connected(): void {
    const connection = this.#connection;
    if (this.#phase !== 'connecting' || connection === undefined) return;
    this.#phase = 'waiting';
    connection.begin(this.#request);
    const { body, framing } = this.#request;
    if (body === undefined) {
      this.sent();
    } else {
      this.moved();
      body.start(new Upload(this, framing.kind === 'Length' ? framing.bytes : undefined, connection.framed));
    }
  }

  broken(code: FailureCode, cause: string, unprocessed = false): void {
    const connection = this.#connection;
    this.#connection = undefined;
    if (this.#phase === 'connecting') this.#notConnected(code, cause);
    else if (code !== 'reset' || !this.#repeat(connection, unprocessed)) this.#blame(code, cause);
  }

  // The response, as the parser reads it.

  head(head: ResponseHead): void {
    this.#phase = 'reading';
    if (this.#pool !== undefined) this.#upstream.answered(this.#pool, head.status);
    this.#extend(this.#request.timeouts.idle);
    const { framing } = head;
    if (framing.kind !== 'None') this.#responseBody = new ResponseBody(this, this.#connection?.framed === true);
    if (head.length === undefined && this.#request.until !== undefined) this.until = this.#request.until;
    this.#settle({
      kind: 'Response',
      status: head.status,
      headers: head.headers,
      length: head.length,
      body: this.#responseBody,
    });
  }

  hint(head: ResponseHead): void {
    this.#request.client.hint?.(head.status, head.headers);
  }

  body(chunk: Buffer): void {
    this.#extend(this.#request.timeouts.idle);
    this.#responseBody?.push(chunk);
  }

  end(trailers?: Trailers): void {
    if (this.#phase !== 'reading') return;
    const sent = this.#sent;
    const connection = this.#finish();
    // A response that came before the whole request was sent: the rest of the request must not meet another (A068).
    if (!sent) this.#request.body?.cancel();
    // After an upgrade was asked for, who knows what the upstream takes the next bytes for (A080).
    if (connection?.release(sent && this.#request.upgrade === undefined) === true) this.#pool?.kept(connection);
    this.#responseBody?.close('ended', trailers);
  }

  switched(head: ResponseHead, early: Buffer): void {
    if (this.#pool !== undefined) this.#upstream.answered(this.#pool, head.status);
    const side = this.#finish()?.switched(early);
    if (side !== undefined) this.#settle({ kind: 'Switched', headers: head.headers, side });
  }

  // The response's body, held back by who reads it.

  get lends(): boolean {
    return this.#connection?.lends ?? false;
  }

  keep(): void {
    this.#connection?.keep();
  }

  pause(): void {
    // A reader that is slow is the front's to time out, not the upstream's.
    this.deadline = this.#last;
    this.#connection?.pause();
  }

  resume(): void {
    this.#extend(this.#request.timeouts.idle);
    this.#connection?.resume();
  }

  cancelled(): void {
    this.#request.body?.cancel();
    this.#finish()?.destroy();
  }

  // The request's body.

  write(data: Buffer | string): boolean {
    const more = this.#connection?.write(data) ?? false;
    this.#blocked = !more;
    return more;
  }

  cork(): void {
    this.#connection?.cork();
  }

  uncork(): void {
    this.#connection?.uncork();
  }

  drained(): void {
    if (this.#sent || this.#phase === 'finished') return;
    this.#blocked = false;
    this.moved();
    this.#request.body?.resume();
  }

  moved(): void {
    if (this.#phase === 'waiting') this.#extend(this.#request.timeouts.idle);
  }

  cut(cause: string): void {
    this.#fail('bad_request_body', cause);
  }

  sent(): void {
    this.#sent = true;
    this.#connection?.sent();
    if (this.#phase === 'waiting') this.#extend(this.#request.timeouts.response);
  }

  #attach(pool: Pool, fresh: boolean): void {
    this.#pool = pool;
    this.#phase = 'connecting';
    this.#extend(this.#request.timeouts.connect);
    // What becomes a tunnel is nobody's afterwards, and of a kept connection nobody knows whether it still stands.
    this.#connection = pool.connect(fresh || this.#request.upgrade !== undefined);
    this.#connection.use(this, this.#request.method, this.#request.upgrade);
  }

  #notConnected(code: FailureCode, cause: string): void {
    this.#connection?.destroy();
    this.#connection = undefined;
    if (this.#pool !== undefined) this.#upstream.notConnected(this.#pool);
    const other = this.#failed().afterNoConnection(this.#pool);
    if (other === undefined) this.#fail(code, cause);
    else this.#attach(other, false);
  }

  /** Whether it is sent once more. */
  #repeat(connection: ExchangeConnection | undefined, unprocessed: boolean): boolean {
    const place =
      this.#phase === 'waiting' ? this.#failed().afterReset(this.#pool, connection, unprocessed) : undefined;
    if (place === undefined) return false;
    this.#sent = false;
    this.#attach(place, true);
    return true;
  }

  #failed(): Attempts {
    this.#attempts ??= new Attempts(this.#request, this.#upstream);
    return this.#attempts;
  }

  #outOfTime(): void {
    this.#upstream.timedOut();
    // Until all of the request was sent it may have been the client that took the time.
    if (this.#sent) this.#blame('request_timeout', TOO_LONG);
    else this.#fail('request_timeout', TOO_LONG);
  }

  /** It was the endpoint's doing. */
  #blame(code: FailureCode, cause: string): void {
    if (this.#phase !== 'finished' && this.#pool !== undefined) this.#upstream.failed(this.#pool);
    this.#fail(code, cause);
  }

  #extend(milliseconds: number): void {
    const deadline = this.#host.deadline(milliseconds);
    this.deadline = Math.min(deadline, this.#last);
  }

  #fail(code: FailureCode, cause: string): void {
    if (this.#phase === 'finished') return;
    const answered = this.#phase === 'reading';
    this.#finish()?.destroy();
    if (answered) this.#responseBody?.close('aborted');
    else this.#settle({ kind: 'Failed', code, cause });
    // A body that nobody takes any more is left to the front, which drains or closes.
    this.#request.body?.cancel();
  }

  /** Ends the exchange's hold on everything; returns the connection for its last step. */
  #finish(): ExchangeConnection | undefined {
    const connection = this.#connection;
    this.#connection = undefined;
    if (this.#phase === 'pending') this.#upstream.leave(this);
    this.#phase = 'finished';
    this.#request.client.onGone(undefined);
    this.#host.finished(this);
    return connection;
  }
}

const TOO_LONG = 'the whole exchange took too long';

const noEndpoint = ({ backend }: OutgoingRequest): string =>
  backend.kind === 'Service'
    ? `no endpoint of ${backend.name} port ${backend.port} is ready`
    : `${backend.host} is no place to connect to`;
