import { constants, type OutgoingHttpHeaders, type ServerHttp2Stream } from 'node:http2';
import type { Hostname } from '../../resources/hostname.ts';
import type { Arrival } from '../arrival/arrivals.ts';
import type { BodySource } from '../body.ts';
import type { BodyWatch } from '../body-watch.ts';
import { hintLines } from '../early-hints.ts';
import type { Exchange, StreamEnd } from '../exchange.ts';
import type { BodyHost } from '../flowing-body.ts';
import type { CheckedHead, RequestHead } from '../gate.ts';
import { addHsts } from '../hsts.ts';
import { fieldsFrom } from './fields.ts';
import { StreamBody } from './request-body.ts';
import { StreamSink } from './response-sink.ts';

/** What of a front its streams look at. */
export interface StreamFront {
  readonly bodies: BodyWatch;
  /** Value of Strict-Transport-Security on every answer; undefined: none. */
  readonly hsts: string | undefined;
}

/** A request of an HTTP/2 connection. `close` of an answer means nothing here: the framing of a stream is in no doubt. */
export class StreamExchange implements Exchange, BodyHost {
  readonly head: RequestHead;
  readonly client: string;
  readonly serverName: Hostname | undefined;
  readonly #stream: ServerHttp2Stream;
  readonly #front: StreamFront;
  readonly #done: (exchange: StreamExchange) => void;
  #body: StreamBody | undefined;
  #sink: StreamSink | undefined;
  #bytes = 0;
  #flushed = false;
  #aborted = false;
  /** Trailers are still to come after what is written. */
  #trails = false;
  #onGone: (() => void) | undefined;
  /** Of what was answered, as of the last look at it. */
  #taken = -1;
  #takenAt = 0;
  gone = false;
  bodyFault: 'bodyTimeout' | 'bodyRate' | undefined;
  #expectsContinue = false;
  /** Milliseconds that it has taken, as the sweeps of its connection count them. */
  age = 0;

  /** `done`: called once, when the answer was sent or the client went away. */
  constructor(
    stream: ServerHttp2Stream,
    head: RequestHead,
    arrival: Arrival,
    front: StreamFront,
    done: (exchange: StreamExchange) => void,
  ) {
    this.head = head;
    this.client = arrival.client;
    this.serverName = arrival.serverName;
    this.#front = front;
    this.#stream = stream;
    this.#done = done;
    stream.on('finish', () => this.#finished());
    stream.on('close', () => this.#closed());
    stream.on('error', () => {});
  }

  get requestBytes(): number {
    return this.#body?.bytes ?? 0;
  }

  get responseBytes(): number {
    return this.#sink?.bytes ?? this.#bytes;
  }

  get answered(): boolean {
    return this.#stream.headersSent;
  }

  onGone(callback: (() => void) | undefined): void {
    this.#onGone = callback;
  }

  body(head: CheckedHead): BodySource | undefined {
    if (head.framing.kind === 'None') return undefined;
    this.#expectsContinue = head.expectContinue;
    this.#body ??= new StreamBody(this.#stream, this);
    return this.#body;
  }

  get bodies(): BodyWatch {
    return this.#front.bodies;
  }

  bodyWanted(): void {
    if (this.#expectsContinue && this.#writable()) this.#stream.additionalHeaders({ ':status': 100 });
  }

  bodyOverdue(limit: 'bodyTimeout' | 'bodyRate'): void {
    this.bodyFault = limit;
  }

  hint(status: number, headers: readonly string[]): void {
    const lines = hintLines(status, headers);
    if (lines === undefined || !this.#writable()) return;
    this.#stream.additionalHeaders({ ...fieldsFrom(lines), ':status': status });
  }

  /** No stream asks for another protocol: `Upgrade` in its fields is malformed (RFC 9113 section 8.2.2). */
  switchProtocols(): undefined {
    throw new Error('a stream can’t be handed over');
  }

  answer(status: number, headers: readonly string[], body: string | undefined): void {
    if (!this.#writable()) return;
    const bodyless = status === 204 || status === 304;
    const bytes = body === undefined || bodyless ? 0 : Buffer.byteLength(body);
    const fields = this.#fieldsOf(status, headers);
    if (bytes > 0) fields['content-length'] = String(bytes);
    const sends = bytes > 0 && this.head.method !== 'HEAD';
    this.#bytes = sends ? bytes : 0;
    this.#stream.respond(fields, { endStream: !sends });
    if (sends) this.#stream.end(body);
    this.#settleHead();
  }

  stream(
    status: number,
    headers: readonly string[],
    length: number | undefined,
    body: BodySource | undefined,
  ): Promise<StreamEnd> {
    if (!this.#writable()) {
      body?.cancel();
      return Promise.resolve('ClientGone');
    }
    const fields = this.#fieldsOf(status, headers);
    if (length !== undefined) fields['content-length'] = String(length);
    return new Promise((resolve) => {
      this.#trails = body?.trails === true;
      const trailed = (): void => {
        this.#trails = false;
        this.#finished();
      };
      const bytes = body === undefined ? 0 : length;
      this.#sink = new StreamSink(this.#stream, bytes, this.#trails, trailed, resolve);
      this.#stream.respond(fields, body === undefined ? { endStream: true } : { waitForTrailers: this.#trails });
      if (body !== undefined) this.#sink.follow(body);
      this.#settleHead();
    });
  }

  /** Ends the stream at once; others of its connection have done nothing wrong. */
  abort(): void {
    this.#aborted = true;
    this.#stream.close(constants.NGHTTP2_INTERNAL_ERROR);
  }

  /** Everything was handed on, or given up; only the end of the stream is left. */
  get ended(): boolean {
    return this.#flushed || this.#aborted;
  }

  /** For how long the client has taken nothing of what waits for it, in milliseconds. Asked again and again. */
  stalledFor(now: number): number {
    const waiting = this.#stream.bufferSize;
    const idle = waiting === 0 && !this.#flushed;
    const taken = this.responseBytes - waiting;
    if (idle || taken !== this.#taken) {
      this.#taken = taken;
      this.#takenAt = now;
    }
    return now - this.#takenAt;
  }

  #fieldsOf(status: number, headers: readonly string[]): OutgoingHttpHeaders {
    const lines = [...headers];
    if (this.#front.hsts !== undefined) addHsts(lines, this.#front.hsts);
    const fields = fieldsFrom(lines);
    fields[':status'] = status;
    return fields;
  }

  #writable(): boolean {
    return !this.gone && !this.#stream.headersSent && !this.#stream.closed && !this.#stream.destroyed;
  }

  /** node ends its half of a stream for HEAD before there is an answer, so that says nothing. */
  #settleHead(): void {
    if (this.head.method === 'HEAD') this.#finished();
  }

  /** Everything was handed on. What is left of the request is wanted no more (RFC 9113 section 8.1, A068). */
  #finished(): void {
    const stream = this.#stream;
    if (!stream.headersSent || this.#trails || stream.aborted) return;
    if (stream.closed && stream.rstCode !== constants.NGHTTP2_NO_ERROR) return;
    this.#flushed = true;
    if (this.head.openEnded !== true || stream.readableEnded || stream.destroyed) return;
    this.#body?.cancel();
    stream.close(constants.NGHTTP2_NO_ERROR);
    // What has come already has to be dropped, or the stream stays.
    stream.resume();
  }

  #closed(): void {
    const { rstCode, headersSent } = this.#stream;
    const sent = headersSent && this.#flushed && rstCode === constants.NGHTTP2_NO_ERROR;
    this.gone ||= !sent;
    this.#sink?.closed(sent);
    if (!sent) this.#onGone?.();
    this.#onGone = undefined;
    this.#done(this);
  }
}
