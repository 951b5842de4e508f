import type { TLSSocket } from 'node:tls';
import type { Arrival } from '../arrival/arrivals.ts';
import type { BodyWatch } from '../body-watch.ts';
import type { Exchange } from '../exchange.ts';
import type { LimitName, ProxyLimits } from '../limits.ts';
import type { RequestObserver } from '../record.ts';
import { FrontSession, type SessionHost } from './session.ts';

export interface SessionsOptions {
  readonly limits: ProxyLimits;
  readonly bodies: BodyWatch;
  readonly observer: RequestObserver;
  readonly hsts: string | undefined;
  /** Milliseconds of a monotonic clock. */
  readonly now: () => number;
  readonly serve: (exchange: Exchange) => Promise<void>;
}

/** The HTTP/2 connections of a listener. */
export class Sessions implements SessionHost {
  readonly limits: ProxyLimits;
  readonly bodies: BodyWatch;
  readonly hsts: string | undefined;
  readonly #options: SessionsOptions;
  readonly #sessions = new Set<FrontSession>();
  #sweep: NodeJS.Timeout | undefined;
  draining = false;

  constructor(options: SessionsOptions) {
    this.limits = options.limits;
    this.bodies = options.bodies;
    this.hsts = options.hsts;
    this.#options = options;
  }

  /** A connection that spoke for h2 in its handshake. */
  accept(socket: TLSSocket, arrival: Arrival): void {
    this.#options.observer.connection(1);
    this.#sessions.add(new FrontSession(socket, arrival, this));
    this.#sweep ??= setInterval(() => this.#look(), this.limits.checkInterval).unref();
  }

  /** All are told to go; new ones are served, and told so with their first request. */
  drain(): void {
    this.draining = true;
    for (const session of this.#sessions) session.tellToGo();
  }

  /** Requests at hand, of all connections. */
  get requests(): number {
    let requests = 0;
    for (const session of this.#sessions) requests += session.requests;
    return requests;
  }

  destroyAll(): void {
    for (const session of this.#sessions) session.destroy();
  }

  serve(exchange: Exchange): Promise<void> {
    return this.#options.serve(exchange);
  }

  rejected(reason: string): void {
    this.#options.observer.rejected(reason);
  }

  limited(limit: LimitName): void {
    this.#options.observer.limited(limit);
  }

  now(): number {
    return this.#options.now();
  }

  closed(session: FrontSession): void {
    if (!this.#sessions.delete(session)) return;
    this.#options.observer.connection(-1);
    if (this.#sessions.size > 0) return;
    clearInterval(this.#sweep);
    this.#sweep = undefined;
  }

  #look(): void {
    const now = this.now();
    for (const session of this.#sessions) session.sweep(now);
  }
}
