import { constants, performServerHandshake, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2';
import type { TLSSocket } from 'node:tls';
import type { Arrival } from '../arrival/arrivals.ts';
import type { BodyWatch } from '../body-watch.ts';
import type { Exchange } from '../exchange.ts';
import type { LimitName, ProxyLimits } from '../limits.ts';
import { faultOf } from './connection-fault.ts';
import { StreamExchange } from './exchange.ts';
import { type FieldsFault, headOf } from './head.ts';
import { sessionOptions } from './limits.ts';
import { Rate } from './rate.ts';

/** How long a client may take for what was last said to it, in milliseconds. */
const LINGER = 1000;

/** What is answered as over HTTP/1.1; anything else is a stream that is reset (RFC 9113 section 8.1.1). */
const REFUSED_STATUS: Readonly<Partial<Record<FieldsFault, number>>> = { connect: 405, malformed: 400 };

export interface SessionHost {
  readonly limits: ProxyLimits;
  readonly bodies: BodyWatch;
  readonly draining: boolean;
  /** Value of Strict-Transport-Security on every answer; undefined: none. */
  readonly hsts: string | undefined;
  serve(exchange: Exchange): Promise<void>;
  /** Reason of a closed set. */
  rejected(reason: string): void;
  limited(limit: LimitName): void;
  /** Milliseconds of a monotonic clock. */
  now(): number;
  closed(session: FrontSession): void;
}

/**
 * One HTTP/2 connection of a client: its requests side by side, each decided by itself, and what bounds the connection. Who
 * goes beyond a bound loses this connection and no other (A161).
 */
export class FrontSession {
  readonly #session: ServerHttp2Session;
  readonly #socket: TLSSocket;
  readonly #host: SessionHost;
  readonly #arrival: Arrival;
  readonly #open = new Set<StreamExchange>();
  readonly #resets: Rate;
  readonly #control: Rate;
  /** Streams that came to us, and those that node refused before. */
  #streams = 0;
  #refused = 0;
  #quietSince: number;
  #over = false;
  #overAt: number | undefined;

  constructor(socket: TLSSocket, arrival: Arrival, host: SessionHost) {
    const { limits } = host;
    this.#host = host;
    this.#arrival = arrival;
    this.#resets = new Rate(limits.streamResets);
    this.#control = new Rate(limits.controlFrames);
    this.#quietSince = host.now();
    const session = performServerHandshake(socket, sessionOptions(limits));
    this.#session = session;
    this.#socket = socket;
    session.on('stream', (stream: ServerHttp2Stream, _headers, flags: number, fields: string[]) =>
      this.#begin(stream, flags, fields),
    );
    session.on('ping', () => this.#controlled());
    session.on('remoteSettings', () => this.#controlled());
    session.on('error', (error: NodeJS.ErrnoException) => {
      const fault = faultOf(error);
      if (fault !== undefined && !this.#over) host.rejected(fault);
    });
    // Before the session hears of it and knows nothing any more.
    socket.prependListener('close', () => this.#countRefused());
    session.on('close', () => {
      this.#over = true;
      host.closed(this);
    });
  }

  /** Requests at hand. */
  get requests(): number {
    return this.#open.size;
  }

  get busy(): boolean {
    return this.requests > 0;
  }

  /**
   * No new requests are wanted: GOAWAY names the last that was taken, and what is under way is served (F23). One that crosses
   * it is not, and the client knows that it was not, so that it can ask again elsewhere (RFC 9113 section 6.8). The longer way
   * round, a GOAWAY that names none first, is not to be had: nghttp2 takes nothing after one that node:http2 lets it send.
   */
  tellToGo(): void {
    this.#session.close();
  }

  /** Looks at everything that takes time: once in a while, from outside. */
  sweep(now: number): void {
    if (this.#session.destroyed) {
      // It waits for the client to take what was last said: not for ever.
      this.#over = true;
      this.#overAt ??= now;
      if (now - this.#overAt >= LINGER) this.#socket.destroy();
      return;
    }
    this.#countRefused();
    const { sendTimeout, headTimeout, keepAliveTimeout, requestTimeout, checkInterval } = this.#host.limits;
    for (const exchange of this.#open) {
      exchange.age += checkInterval;
      if (exchange.age > requestTimeout && !exchange.ended) {
        this.#host.limited('requestTimeout');
        exchange.abort();
        continue;
      }
      const stalled = exchange.stalledFor(now);
      if (stalled < sendTimeout) continue;
      this.#host.rejected('slow_reader');
      this.#host.limited('sendTimeout');
      // Where not even the end of a stream gets through, the whole connection stands still.
      if (exchange.ended) {
        this.destroy();
        return;
      }
      exchange.abort();
    }
    if (this.busy) return;
    const quiet = now - this.#quietSince;
    if (this.#streams === 0 && quiet >= headTimeout) {
      this.#host.rejected('head_timeout');
      this.#host.limited('headTimeout');
      this.destroy();
    } else if (this.#streams > 0 && quiet >= keepAliveTimeout) {
      this.#host.limited('keepAliveTimeout');
      this.tellToGo();
    }
    // A client that was told and stays without asking for anything.
    if (quiet >= keepAliveTimeout + 2 * LINGER) this.destroy();
  }

  destroy(): void {
    this.#over = true;
    this.#session.destroy();
    this.#socket.destroy();
  }

  #begin(stream: ServerHttp2Stream, flags: number, fields: readonly string[]): void {
    const { limits } = this.#host;
    this.#streams += 1;
    if (this.#over || stream.destroyed || stream.closed) {
      // Taken back in the same read: no request was made of it (CVE-2023-44487).
      stream.on('error', () => {});
      this.#reset();
      return;
    }
    const result = headOf(fields, (flags & constants.NGHTTP2_FLAG_END_STREAM) !== 0);
    if (!result.ok) {
      this.#host.rejected(result.fault);
      stream.on('error', () => {});
      const status = REFUSED_STATUS[result.fault];
      if (status !== undefined) stream.respond({ ':status': status }, { endStream: true });
      stream.close(status === undefined ? constants.NGHTTP2_PROTOCOL_ERROR : constants.NGHTTP2_NO_ERROR);
      stream.resume();
      return;
    }
    const exchange = new StreamExchange(stream, result.head, this.#arrival, this.#host, (ended) => this.#end(ended));
    this.#open.add(exchange);
    if (this.#streams === limits.streamsPerConnection) this.#host.limited('streamsPerConnection');
    if (this.#streams >= limits.streamsPerConnection || this.#host.draining) this.tellToGo();
    void this.#host.serve(exchange);
  }

  #end(exchange: StreamExchange): void {
    this.#open.delete(exchange);
    if (this.#open.size === 0) this.#quietSince = this.#host.now();
    if (exchange.gone) this.#reset();
  }

  #reset(): void {
    if (!this.#resets.take(this.#host.now())) this.#tooMuch('h2_stream_resets');
  }

  #controlled(): void {
    if (!this.#control.take(this.#host.now())) this.#tooMuch('h2_control_frames');
  }

  #tooMuch(reason: string): void {
    if (this.#over) return;
    this.#over = true;
    this.#host.rejected(reason);
    this.#session.destroy(new Error(reason), constants.NGHTTP2_ENHANCE_YOUR_CALM);
  }

  /** node refuses some streams without a word: those that never came to us. Clients count by two from one. */
  #countRefused(): void {
    const { lastProcStreamID } = this.#session.state;
    if (lastProcStreamID === undefined) return;
    const refused = (lastProcStreamID + 1) / 2 - this.#streams;
    for (; this.#refused < Math.min(refused, 1000); this.#refused++) {
      this.#host.rejected('h2_refused_stream');
      this.#host.limited('streams');
    }
  }
}
