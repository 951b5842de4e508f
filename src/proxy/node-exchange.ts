import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Hostname } from '../resources/hostname.ts';
import type { Arrival } from './arrival/arrivals.ts';
import type { BodySource } from './body.ts';
import type { BodyWatch } from './body-watch.ts';
import { closeSlowly } from './closing.ts';
import { earlyHints } from './early-hints.ts';
import { atEndOfTurn } from './end-of-turn.ts';
import type { Exchange, StreamEnd } from './exchange.ts';
import { watchFlush } from './flush-watch.ts';
import type { CheckedHead, RequestHead } from './gate.ts';
import { addHsts } from './hsts.ts';
import type { LimitName } from './limits.ts';
import { type DiscardLimits, RequestBody, type RequestBodyHost } from './request-body.ts';
import { ResponseSink } from './response-sink.ts';
import { ResponseWriter } from './response-writer.ts';
import type { TunnelSide } from './tunnel-side.ts';
import type { UpgradeSeat } from './upgrade-seat.ts';

export interface FrontLimits extends DiscardLimits {
  /** How long the rest of an answer may stand still before its connection ends, in milliseconds. */
  readonly sendTimeout: number;
  /** How long a client that has closed its side is waited for while its answer hasn't begun, in milliseconds. */
  readonly halfClosedTimeout: number;
}

/** What of a front its exchanges look at. */
export interface FrontState {
  readonly limits: FrontLimits;
  /** Value of Strict-Transport-Security on every answer; undefined: none is written. */
  readonly hsts: string | undefined;
  /** What a client is told of a connection that goes on (`keepAliveLines`). */
  readonly keepAlive: string;
  readonly bodies: BodyWatch;
  /** A limit struck on a connection, where no request says so. */
  limited(limit: LimitName): void;
  /** Every answer is then the last one of its connection. */
  readonly draining: boolean;
}

/** A request of a node:http server. The only place, with the listener, that knows IncomingMessage and ServerResponse. */
export class NodeExchange implements Exchange, RequestBodyHost {
  readonly head: RequestHead;
  readonly client: string;
  readonly serverName: Hostname | undefined;
  readonly #request: IncomingMessage;
  readonly #response: ServerResponse;
  readonly #writer: ResponseWriter;
  readonly #front: FrontState;
  readonly #done: () => void;
  #last: boolean;
  #expectsContinue = false;
  readonly #seat: UpgradeSeat | undefined;
  #body: RequestBody | undefined;
  #continued = false;
  #sink: ResponseSink | undefined;
  #bytes = 0;
  #onGone: (() => void) | undefined;
  #flush: NodeJS.Timeout | undefined;
  gone = false;
  /** No other request of this connection is to be served. */
  closes = false;
  bodyFault: 'bodyTimeout' | 'bodyRate' | undefined;
  /** Milliseconds that it has taken, as the sweeps of its listener count them. */
  age = 0;

  /**
   * `done`: called once, when the answer was sent or the client went away. `seat`: the connection, where the server has let
   * go of it because the request asks for an upgrade.
   */
  constructor(
    request: IncomingMessage,
    response: ServerResponse,
    front: FrontState,
    { client, serverName }: Arrival,
    done: () => void,
    seat?: UpgradeSeat,
  ) {
    this.head = {
      method: request.method ?? '',
      target: request.url ?? '',
      version: request.httpVersion,
      headers: request.rawHeaders,
      // llhttp, strict: a test sends every byte.
      valuesChecked: true,
      upgradable: seat !== undefined,
    };
    this.client = client;
    this.serverName = serverName;
    this.#request = request;
    this.#response = response;
    this.#writer = new ResponseWriter(response, request.socket, front.keepAlive, seat && (() => seat.leave()));
    this.#front = front;
    this.#done = done;
    this.#seat = seat;
    // The parser takes what follows an upgrade for another protocol and drops it, so nothing may follow (A071, T17).
    this.#last = request.headers.upgrade !== undefined;
    response.on('close', () => this.#closed());
  }

  get requestBytes(): number {
    return this.#seat?.switched === true ? this.#seat.side.received : (this.#body?.bytes ?? 0);
  }

  get responseBytes(): number {
    return this.#sink?.bytes ?? (this.#seat?.switched === true ? this.#seat.side.sent : this.#bytes);
  }

  /** The connection was handed over to another protocol. */
  get switched(): boolean {
    return this.#seat?.switched === true;
  }

  get answered(): boolean {
    return this.#writer.begun || this.switched;
  }

  /** Whether the request was received whole; what comes after it on the connection is another. */
  get received(): boolean {
    return this.#request.complete;
  }

  onGone(callback: (() => void) | undefined): void {
    this.#onGone = callback;
  }

  body(head: CheckedHead): BodySource | undefined {
    if (head.framing.kind === 'None') return undefined;
    this.#expectsContinue = head.expectContinue;
    this.#body ??= new RequestBody(this.#request, this);
    return this.#body;
  }

  get limits(): FrontLimits {
    return this.#front.limits;
  }

  get bodies(): BodyWatch {
    return this.#front.bodies;
  }

  bodyWanted(): void {
    if (!this.#expectsContinue || this.gone || this.#writer.begun) return;
    this.#continued = true;
    this.#response.writeContinue();
  }

  bodyOverdue(limit: 'bodyTimeout' | 'bodyRate'): void {
    this.bodyFault = limit;
  }

  limited(limit: LimitName): void {
    this.#front.limited(limit);
  }

  hint(status: number, headers: readonly string[]): void {
    // RFC 9110 section 15.2: nothing of the kind to HTTP/1.0.
    if (this.gone || this.#writer.begun || this.head.version !== '1.1') return;
    const hints = earlyHints(status, headers);
    if (hints !== undefined) this.#request.socket.write(hints, 'latin1');
  }

  /** What comes after it on the connection isn't served. */
  becomeLast(): void {
    this.#last = true;
  }

  /** It has taken longer than anything may: the client hears so if it can still hear anything, and all of it ends. */
  expire(answer: string): void {
    const { socket } = this.#request;
    this.closes = true;
    if (this.answered || !socket.writable) socket.destroy();
    else {
      socket.write(answer);
      socket.destroySoon();
    }
  }

  answer(status: number, headers: readonly string[], body: string | undefined, close: boolean): void {
    if (this.gone || this.#writer.begun) return;
    const lines = [...headers];
    const bodyless = status === 204 || status === 304 || status < 200;
    const bytes = body === undefined || bodyless ? 0 : Buffer.byteLength(body);
    if (!bodyless) lines.push('Content-Length', String(bytes));
    this.#begin(status, lines, { framed: true, chunked: false, close });
    this.#settleRequest();
    const sends = bytes > 0 && this.head.method !== 'HEAD';
    this.#bytes = sends ? bytes : 0;
    this.#writer.end(sends ? body : undefined);
    this.#watchFlush();
  }

  stream(
    status: number,
    headers: readonly string[],
    length: number | undefined,
    body: BodySource | undefined,
  ): Promise<StreamEnd> {
    if (this.gone || this.#writer.begun) {
      body?.cancel();
      return Promise.resolve('ClientGone');
    }
    const unframed = length === undefined && body !== undefined;
    const chunked = unframed && this.head.version === '1.1';
    const lines = [...headers];
    if (length !== undefined) lines.push('Content-Length', String(length));
    else if (chunked) lines.push('Transfer-Encoding', 'chunked');
    // Over HTTP/2 an upstream can end a response with its head, and say no length.
    else if (body === undefined && this.#hasBody(status)) lines.push('Content-Length', '0');
    this.#begin(status, lines, { framed: !unframed, chunked, close: unframed && !chunked });
    return new Promise((resolve) => {
      const bytes = body === undefined ? 0 : length;
      const untaken = (): void => this.#watchFlush();
      const sink = new ResponseSink(this.#writer, this.#request.socket, bytes, untaken, resolve);
      this.#sink = sink;
      if (body === undefined) sink.end();
      else sink.follow(body);
    });
  }

  switchProtocols(protocol: string, headers: readonly string[]): TunnelSide | undefined {
    if (this.#seat === undefined) throw new Error('this connection can’t be handed over');
    if (this.gone || this.answered) return undefined;
    this.closes = true;
    const lines = [...headers];
    if (this.#front.hsts !== undefined) addHsts(lines, this.#front.hsts);
    return this.#seat.take(this.#response, protocol, lines, () => this.#done());
  }

  abort(): void {
    this.closes = true;
    this.#request.socket.destroy();
  }

  #hasBody(status: number): boolean {
    return status !== 204 && status !== 304 && this.head.method !== 'HEAD';
  }

  #begin(
    status: number,
    lines: string[],
    { framed, chunked, close }: { readonly framed: boolean; readonly chunked: boolean; readonly close: boolean },
  ): void {
    if (close || this.#last || this.#front.draining || this.#bodyIsUncertain()) {
      this.closes = true;
      lines.push('Connection', 'close');
      if (!this.#request.complete) closeSlowly(this.#request.socket, this.#front.limits.discardTimeout);
    }
    if (this.#front.hsts !== undefined) addHsts(lines, this.#front.hsts);
    if (!this.#writer.begin({ status, lines, framed, chunked, last: this.closes })) this.closes = true;
  }

  /** The answer doesn't wait for the rest of the request, but the connection has to be in step, or to end. */
  #settleRequest(): void {
    // Received whole: node drops what nobody read. Most requests have no body at all.
    if (this.#request.complete || this.#request.readableEnded) return;
    this.#body ??= new RequestBody(this.#request, this);
    this.#body.drain();
  }

  /**
   * A client that waited in vain for its 100 may send its body nonetheless, or the next request in its place: what comes
   * on such a connection can be read in two ways, so nothing of it is (A067, RFC 9110 section 10.1.1).
   */
  #bodyIsUncertain(): boolean {
    return !this.#continued && !this.#request.complete && this.#request.headers.expect !== undefined;
  }

  #watchFlush(): void {
    // What is only gathered for the end of the turn isn't untaken.
    atEndOfTurn(() => this.#expectFlush());
  }

  #expectFlush(): void {
    const { socket } = this.#request;
    if (this.#flush !== undefined || socket.writableLength === 0 || socket.destroyed) return;
    this.#flush = watchFlush(socket, this.#front);
  }

  #closed(): void {
    clearInterval(this.#flush);
    const { sent } = this.#writer;
    this.gone ||= !sent;
    this.#sink?.closed(sent);
    if (sent) this.#settleRequest();
    if (!sent) this.#onGone?.();
    this.#onGone = undefined;
    this.#done();
  }
}
