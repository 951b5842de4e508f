import { randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Acquire } from '../control/lease.ts';
import type { ExternalAddress } from '../resources/external.ts';
import type { IdentityHeaders } from '../resources/identity-headers.ts';
import type { Forwarder } from './forwarder.ts';
import { FrontConnection } from './front-connection.ts';
import { headerClassifier } from './header-class.ts';
import { serve } from './journey.ts';
import { DEFAULT_LIMITS, type ProxyLimits } from './limits.ts';
import { rejectionOf } from './raw-answer.ts';
import type { RequestObserver } from './record.ts';
import type { ProxyLog, ProxyWorld } from './world.ts';

export interface ProxyListenerOptions {
  readonly acquire: Acquire;
  readonly forwarder: Forwarder;
  readonly observer: RequestObserver;
  readonly external: ExternalAddress;
  readonly identityHeaders: IdentityHeaders;
  readonly log: ProxyLog;
  readonly limits?: Partial<ProxyLimits>;
  /** Milliseconds of a monotonic clock. */
  now(): number;
  /** Unique; default: 96 random bits of this process and a count. */
  requestId?(): string;
}

export interface ProxyListener {
  /** Rejects where the address can't be had. Port 0: any; the result says which. */
  listen(address: { readonly host: string; readonly port: number }): Promise<AddressInfo>;
  /** New requests are still served, each answer being the last of its connection (F23). */
  drain(): void;
  /** Stops accepting, lets what is in flight finish, and after `grace` milliseconds ends the rest (F26). */
  close(grace: number): Promise<void>;
}

/** The public listener: HTTP/1.1 on node:http, tuned against slow and greedy clients (T16). */
export function createProxyListener(options: ProxyListenerOptions): ProxyListener {
  const limits: ProxyLimits = { ...DEFAULT_LIMITS, ...options.limits };
  const world: ProxyWorld = {
    acquire: options.acquire,
    forwarder: options.forwarder,
    observer: options.observer,
    external: options.external,
    classify: headerClassifier(options.identityHeaders),
    log: options.log,
    limits,
    now: () => options.now(),
    requestId: options.requestId ?? requestIds(),
  };
  const state = { limits, draining: false };
  const connections = new Map<Duplex, FrontConnection>();
  const server = tunedServer(limits);

  const handle = (request: IncomingMessage, response: ServerResponse): void => {
    connections.get(request.socket)?.handle(request, response);
  };
  server.on('request', handle);
  // Both kinds of Expect come the same way: the gate looks at the value, and 100 is sent only once a request may pass (A067).
  server.on('checkContinue', handle);
  server.on('checkExpectation', handle);
  server.on('connection', (socket: Socket) => {
    connections.set(
      socket,
      new FrontConnection(socket, state, limits.pipelined, (exchange) => serve(exchange, world), options.observer),
    );
    options.observer.connection(1);
    socket.on('close', () => {
      connections.delete(socket);
      options.observer.connection(-1);
    });
  });
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Duplex) => {
    const rejection = rejectionOf(error.code);
    const connection = connections.get(socket);
    if (connection === undefined) socket.destroy();
    else connection.broken(rejection);
  });
  server.on('connect', (_request: IncomingMessage, socket: Duplex) => {
    const connection = connections.get(socket);
    if (connection === undefined) socket.destroy();
    else connection.connect();
  });
  server.on('drop', () => options.observer.rejected('too_many_connections'));

  return {
    async listen({ host, port }) {
      const address = await listen(server, host, port);
      // Out of file descriptors, for one: that connection is lost, the listener isn't (F48).
      server.on('error', (error) => options.log.error({ err: error }, 'a connection could not be accepted'));
      return address;
    },
    drain() {
      state.draining = true;
    },
    close(grace) {
      state.draining = true;
      return closeServer(server, grace);
    },
  };
}

/** Unique over processes; a random UUID for each request would cost 1 µs, and nobody has to be unable to guess one. */
function requestIds(): () => string {
  const prefix = randomBytes(12).toString('hex');
  let count = 0;
  return () => {
    count += 1;
    return `${prefix}-${count.toString(16)}`;
  };
}

function tunedServer(limits: ProxyLimits): Server {
  const server = createServer({
    insecureHTTPParser: false,
    // The gate counts more exactly; this is what stops a head that never ends.
    maxHeaderSize: limits.headerBytes + limits.targetBytes + 1024,
    headersTimeout: limits.headTimeout,
    // Bodies are held to the idle time of their Route instead: an upload may take as long as it moves.
    requestTimeout: 0,
    keepAliveTimeout: limits.keepAlive,
    connectionsCheckingInterval: limits.checkInterval,
    noDelay: true,
    // The gate refuses a missing Host in its own words.
    requireHostHeader: false,
    // Upgrades are not passed on; the request is an ordinary one without them (A071, T17).
    shouldUpgradeCallback: () => false,
  });
  // 0: none is cut off silently; the gate counts (A074).
  server.maxHeadersCount = 0;
  server.maxConnections = limits.connections;
  server.timeout = 0;
  return server;
}

function listen(server: Server, host: string, port: number): Promise<AddressInfo> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      const address = server.address();
      if (address === null || typeof address === 'string') reject(new Error('the listener has no TCP address'));
      else resolve(address);
    });
  });
}

function closeServer(server: Server, grace: number): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => server.closeAllConnections(), grace);
    server.close(() => {
      clearTimeout(timer);
      resolve();
    });
    server.closeIdleConnections();
  });
}
