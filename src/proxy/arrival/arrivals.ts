import type { Server, Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { canonicalHost, type Hostname } from '../../resources/hostname.ts';
import { peerAddress } from '../client-address.ts';
import { Handshakes } from '../tls/handshakes.ts';
import { serverNameIn } from './client-hello.ts';
import { readProxyHeader } from './proxy-header.ts';
import { readAhead } from './read-ahead.ts';

/** Whose connection it is, for all that is asked on it. */
export interface Arrival {
  /** Canonical address, or `unknown`. */
  readonly client: string;
  /** The host that a client asks for in its TLS handshake (SNI), canonical; undefined for plain connections, and where it names none. */
  readonly serverName: Hostname | undefined;
}

export interface ArrivalOptions {
  /** Who may say whom it speaks for, and has to (PROXY protocol). Undefined: connections begin with TLS or HTTP. */
  readonly proxyHeaderFrom: ((peer: string) => boolean) | undefined;
  /** Whether node may not be able to say the name of a TLS connection: it can't of one that is resumed over TLS 1.2. */
  readonly readServerName: boolean;
  /** How long the first bytes may take to come, in milliseconds. */
  readonly timeout: number;
  /** Connections whose first bytes haven't come; beyond them the oldest ends. */
  readonly unread: number;
  /** Reason of a closed set. */
  rejected(
    reason: 'proxy_header_peer' | 'proxy_header_malformed' | 'proxy_header_timeout' | 'unread_connections',
  ): void;
}

interface Read {
  readonly client: string;
  readonly hello: Hostname | undefined;
}

/**
 * What a connection begins with before TLS or HTTP: reads it, and only then lets the server see the connection. Where a
 * PROXY header is expected, it is required, and from nobody but the proxies that are trusted: whoever could leave it out,
 * or send one itself, would choose its own address (A003, A050).
 */
export class Arrivals {
  readonly #options: ArrivalOptions;
  readonly #unread: Handshakes;
  /** By the addresses and ports of both sides: a TLS socket knows no more of the connection that it is on. */
  readonly #read = new Map<string, Read>();

  constructor(options: ArrivalOptions) {
    this.#options = options;
    this.#unread = new Handshakes(options.unread, () => options.rejected('unread_connections'));
  }

  /** Call it when all who listen to `connection` are there: they get it later, in the same order. */
  guard(server: Server): void {
    const { proxyHeaderFrom, readServerName } = this.#options;
    if (proxyHeaderFrom === undefined && !readServerName) return;
    const listeners = server.listeners('connection');
    server.removeAllListeners('connection');
    server.on('connection', (socket: Socket) =>
      this.#arrive(socket, () => {
        for (const listener of listeners) Reflect.apply(listener, server, [socket]);
      }),
    );
  }

  /** `socket`: the connection, or the TLS socket on it once its handshake is over. Undefined: nothing is known of it any more. */
  of(socket: Socket): Arrival | undefined {
    const { proxyHeaderFrom, readServerName } = this.#options;
    if (proxyHeaderFrom === undefined && !readServerName)
      return { client: peerAddress(socket), serverName: serverNameOf(socket) };
    const read = this.#read.get(keyOf(socket));
    if (read === undefined) return undefined;
    return { client: read.client, serverName: isResumedBefore13(socket) ? read.hello : serverNameOf(socket) };
  }

  endAll(): void {
    this.#unread.endAll();
  }

  #arrive(socket: Socket, handOver: () => void): void {
    this.#unread.begin(socket);
    const pass = (client: string, hello: Hostname | undefined): void => {
      this.#unread.finished(socket);
      const key = keyOf(socket);
      this.#read.set(key, { client, hello });
      socket.once('close', () => this.#read.delete(key));
      handOver();
    };
    this.#readProxyHeader(socket, (client) => this.#readHello(socket, (hello) => pass(client, hello)));
  }

  #readProxyHeader(socket: Socket, next: (client: string) => void): void {
    const { proxyHeaderFrom, timeout, rejected } = this.#options;
    const peer = peerAddress(socket);
    if (proxyHeaderFrom === undefined) {
      next(peer);
      return;
    }
    if (!proxyHeaderFrom(peer)) {
      // Of a health check that is gone already there is no address any more.
      if (peer !== '') rejected('proxy_header_peer');
      socket.destroy();
      return;
    }
    readAhead(socket, relayedIn, timeout, (result) => {
      if (typeof result === 'object' && result.value !== 'Fault') {
        next(result.value.client);
        return;
      }
      // Whoever only looks whether the port is open has done nothing wrong.
      if (result !== 'Gone') rejected(result === 'Late' ? 'proxy_header_timeout' : 'proxy_header_malformed');
      socket.destroy();
    });
  }

  /** Whatever comes of it, TLS goes on: it has the same time-out, and the last word. */
  #readHello(socket: Socket, next: (hello: Hostname | undefined) => void): void {
    if (!this.#options.readServerName) {
      next(undefined);
      return;
    }
    readAhead(socket, helloIn, this.#options.timeout, (result) => {
      if (typeof result === 'string') socket.destroy();
      else next(result.value === 'None' ? undefined : result.value);
    });
  }
}

type RelayedRead = { readonly client: string } | 'Fault';

function relayedIn(bytes: Buffer): { readonly value: RelayedRead; readonly length: number } | undefined {
  const header = readProxyHeader(bytes);
  if (header.kind === 'More') return undefined;
  if (header.kind === 'Fault') return { value: 'Fault', length: 0 };
  return { value: { client: header.relayed }, length: header.length };
}

function helloIn(bytes: Buffer): { readonly value: Hostname | 'None'; readonly length: 0 } | undefined {
  const value = serverNameIn(bytes);
  return value === 'More' ? undefined : { value, length: 0 };
}

const serverNameOf = (socket: Socket): Hostname | undefined =>
  socket instanceof TLSSocket && typeof socket.servername === 'string' ? canonicalHost(socket.servername) : undefined;

const isResumedBefore13 = (socket: Socket): boolean =>
  socket instanceof TLSSocket && socket.getProtocol() !== 'TLSv1.3' && socket.isSessionReused();

const keyOf = ({ remoteAddress, remotePort, localAddress, localPort }: Socket): string =>
  `${remoteAddress} ${remotePort} ${localAddress} ${localPort}`;
