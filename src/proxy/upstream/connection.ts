import { connect as connectPlain, isIP, type LookupFunction, type OnReadOpts, type Socket } from 'node:net';
import { type ConnectionOptions, connect as connectTls } from 'node:tls';
import { gatherWrites } from '../end-of-turn.ts';
import type { FailureCode, OutgoingRequest } from '../forwarder.ts';
import { SocketSide } from '../socket-side.ts';
import type { TunnelSide } from '../tunnel-side.ts';
import type { ExchangeConnection } from './exchange-connection.ts';
import { requestHead } from './request-head.ts';
import { ResponseParser, type ResponseSink } from './response-parser.ts';
import type { PeerTls } from './tls.ts';

/** Who uses a connection for one request. Its `ResponseSink` half hears the response, the rest what happens around it. */
export interface ConnectionUser extends ResponseSink {
  connected(): void;
  drained(): void;
  /**
   * The connection is of no more use and the response is not complete. Called at most once. `unprocessed`: the upstream says
   * that it has done nothing about the request.
   */
  broken(code: FailureCode, cause: string, unprocessed?: boolean): void;
}

/** Where to connect to, and what may be reached there. */
export interface Peer {
  /** Whether HTTP/2 is spoken, and nothing else; otherwise HTTP/1.1. */
  readonly http2?: boolean;
  /** Undefined: plain. */
  readonly tls: PeerTls | undefined;
  /** A name, or an address without brackets. */
  readonly host: string;
  readonly port: number;
  /** For names: gives only addresses that may be reached, and the connection goes to one of these. */
  readonly lookup: LookupFunction;
  /** Why the connection leads where none may lead; asked once it stands, before a byte is sent on it (A174). */
  refusal(socket: Socket): string | undefined;
}

/**
 * One buffer for the reads of all plain connections: a read is handled before the next one begins, and who keeps bytes
 * copies them. Saves an allocation of 64 KiB for each read.
 */
const READ_BUFFER = allocate();
/** A read of so many bytes is of a body that has more: from the next one on the connection reads into a buffer of its own. */
const LARGE_READ = 32 * 1024;

function allocate(): Buffer {
  return Buffer.allocUnsafeSlow(64 * 1024);
}

/** One connection to an upstream: bytes out, a strict parser in, one user at a time. */
export class UpstreamConnection implements ExchangeConnection {
  readonly framed = false;
  readonly #socket: Socket;
  readonly #parser = new ResponseParser();
  readonly #peer: Peer;
  readonly #closed: (connection: UpstreamConnection) => void;
  #user: ConnectionUser | undefined;
  /** Once it was switched to another protocol. */
  #side: SocketSide | undefined;
  /** Where the next bytes go; undefined: into the shared buffer. */
  #buffer: Buffer | undefined;
  #connected = false;
  #paused = false;
  #reading = false;
  /** Of the bytes that are being handed on: nobody else reads into their place. */
  lends = false;
  /** Requests that were begun on it. */
  uses = 0;
  /** Whether anything came back since the last of them began. */
  heard = false;
  /** Milliseconds of a monotonic clock; set by the pool. */
  idleSince = 0;

  constructor(peer: Peer, closed: (connection: UpstreamConnection) => void) {
    this.#peer = peer;
    this.#closed = closed;
    this.#socket = peer.tls === undefined ? this.#openPlain(peer) : this.#openTls(peer, peer.tls);
    this.#socket.setNoDelay(true);
    this.#socket
      .on('end', () => this.#ended())
      .on('drain', () => (this.#side ?? this.#user)?.drained())
      .on('error', (error: NodeJS.ErrnoException) => this.#fail(failureCode(error, this.#connected), error.message))
      .on('close', () => {
        this.#fail('reset', 'the connection was closed');
        this.#side?.closed();
        this.#closed(this);
      });
  }

  get usable(): boolean {
    return !this.#socket.destroyed && this.#socket.writable && this.#user === undefined;
  }

  get connected(): boolean {
    return this.#connected;
  }

  /** Begins a request: what arrives from now on is its response. */
  use(user: ConnectionUser, method: string, upgrade?: string): void {
    this.uses += 1;
    this.heard = false;
    this.#user = user;
    gatherWrites(this.#socket);
    this.#parser.expect(method, user, upgrade);
    if (this.#connected) user.connected();
  }

  begin(request: OutgoingRequest): void {
    this.write(requestHead(request));
  }

  sent(): void {}

  /** What is lent is still needed. */
  keep(): void {
    if (this.#buffer !== undefined) this.#buffer = allocate();
  }

  /** False: wait for `drained`. */
  write(data: string | Buffer): boolean {
    return typeof data === 'string' ? this.#socket.write(data, 'latin1') : this.#socket.write(data);
  }

  cork(): void {
    this.#socket.cork();
  }

  uncork(): void {
    this.#socket.uncork();
  }

  pause(): void {
    this.#paused = true;
    // During a read its return value pauses; most responses end within one read and are never paused at all.
    if (!this.#reading) this.#socket.pause();
  }

  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    if (!this.#reading) this.#socket.resume();
  }

  /**
   * The user is done with it. True where the connection can carry another request: the response was complete, nothing
   * came after it, and everything was sent (A068). Otherwise it is closed.
   */
  release(everythingSent: boolean): boolean {
    this.#user = undefined;
    this.#buffer = undefined;
    const reusable = everythingSent && this.#parser.reusable && !this.#socket.destroyed && this.#socket.writable;
    if (reusable) this.resume();
    else this.#socket.destroy();
    return reusable;
  }

  destroy(): void {
    this.#user = undefined;
    this.#socket.destroy();
  }

  /**
   * The upstream has switched to another protocol: the user is done with it, and it is for nobody else ever. `early`: bytes
   * of that protocol which came with the response.
   */
  switched(early: Buffer): TunnelSide {
    this.#user = undefined;
    this.#socket.allowHalfOpen = true;
    this.#side = new SocketSide(this.#socket, early);
    return this.#side;
  }

  #openPlain({ host, port, lookup }: Peer): Socket {
    const onread: OnReadOpts = {
      buffer: () => this.#buffer ?? READ_BUFFER,
      callback: (bytes, buffer) => {
        this.lends = buffer !== READ_BUFFER;
        if (bytes >= LARGE_READ) this.#buffer ??= allocate();
        return this.#received(Buffer.from(buffer.buffer, buffer.byteOffset, bytes));
      },
    };
    return connectPlain({ host, port, lookup, onread }, () => this.#open());
  }

  #openTls(peer: Peer, tls: PeerTls): Socket {
    const socket = connectTls(tlsOptions(peer, tls, 'http/1.1'), () => this.#open());
    // Each comes in memory of its own.
    this.lends = true;
    return socket.on('data', (chunk: Buffer) => {
      if (!this.#received(chunk)) socket.pause();
    });
  }

  #open(): void {
    const refusal = this.#peer.refusal(this.#socket);
    if (refusal !== undefined) {
      this.#fail('address_not_allowed', refusal);
      return;
    }
    this.#connected = true;
    this.#user?.connected();
  }

  #received(chunk: Buffer): boolean {
    if (this.#side !== undefined) return this.#side.receive(chunk);
    if (this.#user === undefined) {
      // Nobody asked for these bytes: whoever came next would take them for its response.
      this.#socket.destroy();
      return false;
    }
    this.heard = true;
    this.#reading = true;
    const fault = this.#parser.push(chunk);
    if (fault === undefined) this.#parser.flushEnd();
    else this.#fail('bad_response', fault);
    this.#reading = false;
    return !this.#paused && fault === undefined;
  }

  #ended(): void {
    if (this.#side !== undefined) {
      this.#side.ended();
      return;
    }
    const fault = this.#parser.eof();
    if (fault === undefined) this.#parser.flushEnd();
    this.#fail('reset', fault ?? 'the upstream closed the connection');
    this.#socket.destroy();
  }

  #fail(code: FailureCode, cause: string): void {
    const user = this.#user;
    this.#user = undefined;
    this.#socket.destroy();
    user?.broken(code, cause);
  }
}

const CODES: Readonly<Record<string, FailureCode>> = {
  ECONNREFUSED: 'connect_refused',
  ENOTFOUND: 'name_not_resolved',
  EAI_AGAIN: 'name_not_resolved',
  EADDRFORBIDDEN: 'address_not_allowed',
};

/** How a TLS connection to a peer is made. `protocol`: the one that is offered (RFC 7301). */
export function tlsOptions(
  { host, port, lookup }: Peer,
  { verify, serverName, context }: PeerTls,
  protocol: 'h2' | 'http/1.1',
): ConnectionOptions {
  return {
    host,
    port,
    lookup,
    // RFC 6066 section 3: no SNI for addresses.
    servername: serverName ?? (isIP(host) === 0 ? host : ''),
    ALPNProtocols: [protocol],
    // Said, so that NODE_TLS_REJECT_UNAUTHORIZED=0 in the environment doesn't decide it.
    rejectUnauthorized: verify,
    ...(context === undefined ? {} : { secureContext: context }),
  };
}

/** What an error of a socket is to a request; `connected`: it stood already. */
export function failureCode(error: NodeJS.ErrnoException, connected: boolean): FailureCode {
  const code = error.code ?? '';
  // With TLS 1.3 an upstream refuses a client certificate only after the handshake.
  if (code.startsWith('ERR_SSL')) return 'tls_failed';
  if (connected) return 'reset';
  if (/^(ERR_TLS|ERR_SSL|CERT_|UNABLE_TO|SELF_SIGNED|DEPTH_ZERO|HOSTNAME_MISMATCH)/.test(code)) return 'tls_failed';
  return CODES[code] ?? 'connect_failed';
}
