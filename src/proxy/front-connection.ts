import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Arrival } from './arrival/arrivals.ts';
import type { Exchange } from './exchange.ts';
import type { ProxyLimits } from './limits.ts';
import { type FrontState, NodeExchange } from './node-exchange.ts';
import { type Rejection, rawAnswer } from './raw-answer.ts';
import type { RequestObserver } from './record.ts';
import { UpgradeSeat } from './upgrade-seat.ts';

const CONNECT: Rejection = { status: 405, reason: 'connect' };

/** What a connection needs of the listener that accepted it. */
export interface ConnectionHost {
  readonly front: FrontState;
  readonly limits: Pick<ProxyLimits, 'pipelinedRequests' | 'requestsPerConnection' | 'requestTimeout'>;
  readonly observer: RequestObserver;
  serve(exchange: Exchange): Promise<void>;
}

/**
 * One connection of a client. Its requests are served strictly one after another, each decided by itself (A073), so that
 * nothing that follows a refusal or a close is ever looked at, and one connection can't have many requests at work.
 */
export class FrontConnection {
  readonly #socket: Socket;
  readonly #host: ConnectionHost;
  readonly #arrival: Arrival;
  readonly #waiting: { readonly request: IncomingMessage; readonly response: ServerResponse }[] = [];
  #current: NodeExchange | undefined;
  #requests = 0;
  /** The client has closed its side. */
  #halfClosed = false;
  #over = false;
  #broken: Rejection | undefined;
  /** Its turn comes after everything that was asked before. */
  #upgrade: { readonly request: IncomingMessage; readonly seat: UpgradeSeat } | undefined;

  constructor(socket: Socket, arrival: Arrival, host: ConnectionHost) {
    this.#socket = socket;
    this.#arrival = arrival;
    this.#host = host;
    // The only time-out that node:http sets on a socket; it ends the connection itself.
    socket.on('timeout', () => host.observer.limited('keepAliveTimeout'));
    // node:http takes its own away when it lets go of a socket; one that is reset then would end the process (A085).
    socket.on('error', () => {});
    socket.on('end', () => this.#ended());
  }

  /** Whether a request is at hand. */
  get busy(): boolean {
    return this.#current !== undefined;
  }

  /** Requests that are cut where the connection ends now; a tunnel is none any more. */
  get unanswered(): number {
    const current = this.#current === undefined || this.#current.switched ? 0 : 1;
    return current + this.#waiting.length + (this.#upgrade === undefined ? 0 : 1);
  }

  handle(request: IncomingMessage, response: ServerResponse): void {
    if (this.#over) return;
    if (this.#current === undefined) this.#begin(request, response);
    else if (this.#waiting.length < this.#host.limits.pipelinedRequests) this.#waiting.push({ request, response });
    else {
      this.#over = true;
      this.#host.observer.rejected('pipelining');
      this.#host.observer.limited('pipelinedRequests');
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
    this.#host.observer.rejected(rejection.reason);
    if (rejection.limit !== undefined) this.#host.observer.limited(rejection.limit);
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
   * A request that asks for an upgrade. The server has let go of the connection: it reads no more requests of it (A071), and
   * `early`, what came behind the head, is held (A080). What was asked before is answered first (A073).
   */
  upgrade(request: IncomingMessage, early: Buffer): void {
    if (this.#over) {
      // Nobody reads any more: what comes is dropped until the client, or the time, ends it.
      this.#socket.resume();
      return;
    }
    this.#upgrade = { request, seat: new UpgradeSeat(this.#socket, early, this.#host.front.limits) };
    if (this.#current === undefined) this.#beginUpgrade();
  }

  /**
   * CONNECT is never forwarded (A015). The server has let go of the connection, so what was asked before can't be answered
   * in order any more: an answer to the CONNECT would be taken for one to that (A073).
   */
  connect(): void {
    this.#host.observer.rejected('connect');
    this.#socket.on('error', () => {});
    if (this.#current === undefined) this.#reject(CONNECT);
    else this.#socket.destroy();
    this.#over = true;
  }

  /** `milliseconds`: since it was asked before. Only where a request may not take any time. */
  sweep(milliseconds: number): void {
    const current = this.#current;
    // How long a tunnel may be open is for its own times to say.
    if (current === undefined || current.switched) return;
    current.age += milliseconds;
    if (current.age <= this.#host.limits.requestTimeout) return;
    this.#over = true;
    this.#host.observer.limited('requestTimeout');
    current.expire(rawAnswer(504, this.#host.front.hsts));
  }

  #beginUpgrade(): void {
    const upgrade = this.#upgrade;
    if (upgrade === undefined) return;
    this.#upgrade = undefined;
    const { request, seat } = upgrade;
    this.#begin(request, seat.response(request), seat);
  }

  #begin(request: IncomingMessage, response: ServerResponse, seat?: UpgradeSeat): void {
    const done = (): void => this.#next(exchange);
    const exchange = new NodeExchange(request, response, this.#host.front, this.#arrival, done, seat);
    this.#current = exchange;
    this.#requests += 1;
    if (this.#requests >= this.#host.limits.requestsPerConnection) {
      this.#host.observer.limited('requestsPerConnection');
      exchange.becomeLast();
    } else if (this.#halfClosed && this.#waiting.length === 0) exchange.becomeLast();
    void this.#host.serve(exchange);
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
    else this.#beginUpgrade();
  }

  /**
   * A client may close its side once it has asked, and still wants its answers. One that is gone altogether can't be told
   * from it until something is sent, so that an answer that doesn't begin is waited for only so long.
   */
  #ended(): void {
    this.#halfClosed = true;
    if (this.#current === undefined) return;
    if (this.#waiting.length === 0) this.#current.becomeLast();
    const timer = setTimeout(() => {
      if (this.#current?.answered !== false) return;
      this.#host.observer.limited('halfClosedTimeout');
      this.#socket.destroy();
    }, this.#host.front.limits.halfClosedTimeout);
    this.#socket.once('close', () => clearTimeout(timer));
  }

  #reject(rejection: Rejection): void {
    this.#over = true;
    if (this.#socket.writable) this.#socket.write(rawAnswer(rejection.status, this.#host.front.hsts));
    this.#socket.destroySoon();
  }
}
