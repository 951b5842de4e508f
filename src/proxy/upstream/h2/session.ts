import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  type ClientSessionOptions,
  connect as connectSession,
  constants,
  type OutgoingHttpHeaders,
  type Settings,
} from 'node:http2';
import { connect as connectPlain, type Socket } from 'node:net';
import { connect as connectTls, TLSSocket } from 'node:tls';
import type { FailureCode } from '../../forwarder.ts';
import { failureCode, type Peer, tlsOptions } from '../connection.ts';
import type { UpstreamStream } from './stream.ts';

/** Streams that are begun before the upstream has said how many it takes; node:http2 takes no more by itself. */
const STREAMS = 100;

const OPTIONS: ClientSessionOptions & { readonly strictSingleValueFields: boolean } = {
  maxSessionMemory: 64,
  maxHeaderListPairs: 256,
  maxSettings: 32,
  maxOutstandingPings: 10,
  maxReservedRemoteStreams: 0,
  peerMaxConcurrentStreams: STREAMS,
  // A client that repeats a field does so over HTTP/1.1 too.
  strictSingleValueFields: false,
  settings: {
    enablePush: false,
    maxConcurrentStreams: 0,
    initialWindowSize: 128 * 1024,
    maxFrameSize: 16_384,
    maxHeaderListSize: 64 * 1024,
  },
};

export interface SessionEvents {
  /** It takes no new streams any more; those named found no room. */
  retired(session: UpstreamSession, homeless: readonly UpstreamStream[]): void;
  closed(session: UpstreamSession): void;
}

/**
 * One HTTP/2 connection to an upstream, with as many streams as the upstream allows. What it may lead to is asked before a
 * byte is sent on it (A174), and no request is sent before the upstream has shown that it speaks HTTP/2.
 */
export class UpstreamSession {
  readonly scheme: 'http' | 'https';
  readonly #peer: Peer;
  readonly #events: SessionEvents;
  readonly #socket: Socket;
  readonly #streams = new Set<UpstreamStream>();
  /** Streams that wait for the connection. */
  readonly #waiting: UpstreamStream[] = [];
  #session: ClientHttp2Session | undefined;
  #ready = false;
  #retired = false;
  #over = false;
  #maximum = STREAMS;
  #lastProcessed: number | undefined;
  /** Signs of life. */
  heard = 0;
  /** Requests that were begun on it. */
  uses = 0;
  /** Milliseconds of the pool's clock. */
  idleSince = 0;

  constructor(peer: Peer, events: SessionEvents) {
    this.#peer = peer;
    this.#events = events;
    this.scheme = peer.tls === undefined ? 'http' : 'https';
    const { host, port, lookup, tls } = peer;
    this.#socket =
      tls === undefined
        ? connectPlain({ host, port, lookup }, () => this.#connected())
        : connectTls(tlsOptions(peer, tls, 'h2'), () => this.#connected());
    this.#socket.setNoDelay(true);
    this.#socket.on('error', (error: NodeJS.ErrnoException) =>
      this.#fail(failureCode(error, this.#ready), error.message),
    );
    this.#socket.on('close', () => this.#fail(this.#ready ? 'reset' : 'connect_failed', 'the connection was closed'));
  }

  /** Whether another stream may begin on it. */
  get hasRoom(): boolean {
    return !this.#retired && this.#streams.size < this.#maximum;
  }

  get idle(): boolean {
    return this.#streams.size === 0;
  }

  /** Its place is taken at once; `ready` is called when it may send. */
  add(stream: UpstreamStream): void {
    this.#streams.add(stream);
    this.uses += 1;
    stream.assign(this);
  }

  join(stream: UpstreamStream): void {
    if (this.#over) stream.lost('connect_failed', 'the connection is gone');
    else if (this.#ready) stream.ready();
    else this.#waiting.push(stream);
  }

  leave(stream: UpstreamStream): void {
    this.#streams.delete(stream);
    const at = this.#waiting.indexOf(stream);
    if (at >= 0) this.#waiting.splice(at, 1);
    if (this.#retired && this.idle) this.#end();
  }

  request(fields: OutgoingHttpHeaders, endStream: boolean): ClientHttp2Stream {
    if (this.#session === undefined) throw new Error('a stream was begun before its session was there');
    return this.#session.request(fields, { endStream });
  }

  /** Whether the upstream says that it did nothing about a stream (RFC 9113 sections 6.8 and 8.7). */
  unprocessed(id: number | undefined, code: number): boolean {
    if (code === constants.NGHTTP2_REFUSED_STREAM || id === undefined) return true;
    return this.#lastProcessed !== undefined && id > this.#lastProcessed;
  }

  /** No new streams; it ends with the last of those that it has (F25). */
  retire(): void {
    if (this.#retired) return;
    this.#retired = true;
    this.#events.retired(this, []);
    if (this.idle) this.#end();
  }

  destroy(): void {
    this.#fail('reset', 'the connection was closed');
  }

  #connected(): void {
    const refusal = this.#peer.refusal(this.#socket);
    if (refusal !== undefined) {
      this.#fail('address_not_allowed', refusal);
      return;
    }
    if (this.#socket instanceof TLSSocket && this.#socket.alpnProtocol !== 'h2') {
      this.#fail('tls_failed', 'the upstream does not agree to HTTP/2 (ALPN h2)');
      return;
    }
    const session = connectSession(`${this.scheme}://upstream.invalid`, {
      ...OPTIONS,
      createConnection: () => this.#socket,
    });
    this.#session = session;
    session.on('remoteSettings', (settings) => this.#settled(settings));
    session.on('goaway', (_code: number, last: number) => {
      this.#lastProcessed = last;
      this.retire();
    });
    session.on('stream', (pushed) => pushed.close(constants.NGHTTP2_REFUSED_STREAM));
    session.on('error', (error: Error) => this.#fail(this.#ready ? 'reset' : 'connect_failed', error.message));
    session.on('close', () => this.#fail('reset', 'the connection was closed'));
  }

  #settled({ maxConcurrentStreams }: Settings): void {
    this.heard += 1;
    this.#maximum = maxConcurrentStreams ?? STREAMS;
    if (this.#ready) return;
    if (this.#maximum === 0) {
      this.#fail('connect_failed', 'the upstream allows no streams');
      return;
    }
    this.#ready = true;
    const waiting = this.#waiting.splice(0);
    const homeless = waiting.splice(this.#maximum);
    for (const stream of homeless) this.#streams.delete(stream);
    for (const stream of waiting) stream.ready();
    if (homeless.length > 0) this.#events.retired(this, homeless);
  }

  /** Graceful: what is still to be said is said. */
  #end(): void {
    if (this.#session === undefined) this.#socket.destroy();
    else this.#session.close();
  }

  #fail(code: FailureCode, cause: string): void {
    if (this.#over) return;
    this.#over = true;
    this.#retired = true;
    // Streams that were sent hear of it from node, each with the code that it ended with.
    for (const stream of this.#waiting.splice(0)) stream.lost(code, cause);
    this.#session?.destroy();
    this.#socket.destroy();
    this.#events.closed(this);
  }
}
