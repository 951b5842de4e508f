import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Arrival } from './arrival/arrivals.ts';
import type { Exchange } from './exchange.ts';
import { type FrontState, NodeExchange } from './node-exchange.ts';
import { type Rejection, rawAnswer } from './raw-answer.ts';
import type { RequestObserver } from './record.ts';

const CONNECT: Rejection = { status: 405, reason: 'connect' };

/**
 * One connection of a client. Its requests are served strictly one after another, each decided by itself (A073), so that
 * nothing that follows a refusal or a close is ever looked at, and one connection can't have many requests at work.
 */
export class FrontConnection {
  readonly #socket: Socket;
  readonly #front: FrontState;
  readonly #arrival: Arrival;
  readonly #maxWaiting: number;
  readonly #serve: (exchange: Exchange) => Promise<void>;
  readonly #observer: RequestObserver;
  readonly #waiting: { readonly request: IncomingMessage; readonly response: ServerResponse }[] = [];
  #current: NodeExchange | undefined;
  #over = false;
  #broken: Rejection | undefined;

  constructor(
    socket: Socket,
    arrival: Arrival,
    front: FrontState,
    maxWaiting: number,
    serve: (exchange: Exchange) => Promise<void>,
    observer: RequestObserver,
  ) {
    this.#socket = socket;
    this.#front = front;
    this.#arrival = arrival;
    this.#maxWaiting = maxWaiting;
    this.#serve = serve;
    this.#observer = observer;
  }

  /** Whether a request is at hand. */
  get busy(): boolean {
    return this.#current !== undefined;
  }

  handle(request: IncomingMessage, response: ServerResponse): void {
    if (this.#over) return;
    if (this.#current === undefined) this.#begin(request, response);
    else if (this.#waiting.length < this.#maxWaiting) this.#waiting.push({ request, response });
    else {
      this.#over = true;
      this.#observer.rejected('pipelining');
      this.#socket.destroy();
    }
  }

  /** Bytes that are no HTTP; undefined: the socket failed. What was asked before them is still answered first. */
  broken(rejection: Rejection | undefined): void {
    if (rejection === undefined) {
      this.#over = true;
      this.#socket.destroy();
      return;
    }
    if (this.#broken !== undefined) return;
    this.#broken = rejection;
    this.#observer.rejected(rejection.reason);
    this.#socket.on('error', () => {});
    const current = this.#current;
    if (current === undefined) this.#reject(rejection);
    else if (!current.received) {
      // The body of the request at hand: its upstream sees it break off, never end (T15).
      if (current.answered) this.#socket.destroy();
      else this.#reject(rejection);
    }
  }

  /**
   * CONNECT is never forwarded (A015). The server has let go of the connection, so what was asked before can't be answered
   * in order any more: an answer to the CONNECT would be taken for one to that (A073).
   */
  connect(): void {
    this.#observer.rejected('connect');
    this.#socket.on('error', () => {});
    if (this.#current === undefined) this.#reject(CONNECT);
    else this.#socket.destroy();
    this.#over = true;
  }

  #begin(request: IncomingMessage, response: ServerResponse): void {
    const exchange = new NodeExchange(request, response, this.#front, this.#arrival, () => this.#next(exchange));
    this.#current = exchange;
    void this.#serve(exchange);
  }

  #next(done: NodeExchange): void {
    this.#current = undefined;
    if (done.closes || done.gone || this.#socket.destroyed) {
      this.#over = true;
      this.#waiting.length = 0;
      return;
    }
    const next = this.#waiting.shift();
    if (next !== undefined) this.#begin(next.request, next.response);
    else if (this.#broken !== undefined) this.#reject(this.#broken);
  }

  #reject(rejection: Rejection): void {
    this.#over = true;
    if (this.#socket.writable) this.#socket.write(rawAnswer(rejection.status, this.#front.hsts));
    this.#socket.destroySoon();
  }
}
