import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { TLSSocket } from 'node:tls';
import { acceptFailures, connectionAdmission } from './accepting.ts';
import { Arrivals } from './arrival/arrivals.ts';
import { BodyWatch } from './body-watch.ts';
import { ClientAddresses } from './client-address.ts';
import { ConnectionLimits } from './connection-limits.ts';
import { type ConnectionHost, FrontConnection } from './front-connection.ts';
import { headerClassifier } from './header-class.ts';
import { Sessions } from './http2/sessions.ts';
import { serve } from './journey.ts';
import { DEFAULT_LIMITS, type LimitName, type ProxyLimits } from './limits.ts';
import type { ProxyListenerOptions } from './listener-options.ts';
import { NEVER_OVERLOADED } from './overload/overload.ts';
import { rejectionOf } from './raw-answer.ts';
import type { Cut } from './record.ts';
import { requestIds } from './request-ids.ts';
import { keepAliveLines } from './response-writer.ts';
import { closeServer, listen, plainServer, tlsServer } from './server.ts';
import { Handshakes } from './tls/handshakes.ts';
import { Tunnels } from './tunnels.ts';
import type { ProxyWorld } from './world.ts';

export interface ProxyListener {
  /** Rejects where the address can't be had. Port 0: any; the result says which. */
  listen(address: { readonly host: string; readonly port: number }): Promise<AddressInfo>;
  /** New requests are still served, each answer being the last of its connection (F23). */
  drain(): void;
  /** Stops accepting, lets what is in flight finish, and after `grace` milliseconds ends the rest: gives what that was (F26). */
  close(grace: number): Promise<Cut>;
}

/** One public listener: HTTP/1.1 on node:http or node:https, HTTP/2 beside it on node:http2, tuned against slow and greedy clients (T16, A160). */
export function createProxyListener(options: ProxyListenerOptions): ProxyListener {
  const limits: ProxyLimits = { ...DEFAULT_LIMITS, ...options.limits };
  const {
    observer,
    certificates,
    ticketKeys,
    trustedProxies = [],
    http2 = false,
    overload = NEVER_OVERLOADED,
  } = options;
  const clients = new ClientAddresses(trustedProxies);
  const world: ProxyWorld = {
    acquire: options.acquire,
    forwarder: options.forwarder,
    observer,
    external: options.external,
    classify: headerClassifier(options.identityHeaders),
    log: options.log,
    limits,
    overload,
    secure: certificates !== undefined,
    admit: options.admit,
    forwardedHeader: options.forwardedHeader ?? false,
    clients: trustedProxies.length === 0 ? undefined : clients,
    tunnels: new Tunnels({ now: () => options.now(), wall: Date.now }),
    now: () => options.now(),
    wall: Date.now,
    requestId: options.requestId ?? requestIds(),
  };
  const limited = (limit: LimitName): void => observer.limited(limit);
  const bodies = new BodyWatch(limits);
  const keepAlive = keepAliveLines(limits.keepAliveTimeout);
  const state = { limits, bodies, limited, keepAlive, draining: false, hsts: options.hsts };
  const host: ConnectionHost = { front: state, limits, observer, serve: (exchange) => serve(exchange, world) };
  const connections = new Map<Duplex, FrontConnection>();
  const server = certificates === undefined ? plainServer(limits) : tlsServer(limits, certificates, ticketKeys, http2);
  const sessions = new Sessions({
    limits,
    bodies,
    observer,
    hsts: options.hsts,
    now: world.now,
    serve: (exchange) => serve(exchange, world),
  });
  const handshakes = new Handshakes(limits.handshakes, () => {
    observer.rejected('tls_handshakes');
    limited('handshakes');
  });
  const arrivals = new Arrivals({
    proxyHeaderFrom: options.proxyHeader === true ? (peer) => clients.trusts(peer) : undefined,
    readServerName: ticketKeys !== undefined,
    timeout: limits.headTimeout,
    unread: limits.handshakes,
    rejected: (reason) => observer.rejected(reason),
  });
  const admit = connectionAdmission(
    options.connections ?? new ConnectionLimits(limits, trustedProxies),
    overload,
    observer,
  );
  const sweep = setInterval(() => {
    bodies.sweep();
    if (limits.requestTimeout !== Number.POSITIVE_INFINITY)
      for (const connection of connections.values()) connection.sweep(limits.checkInterval);
  }, limits.checkInterval);
  sweep.unref();

  const handle = (request: IncomingMessage, response: ServerResponse): void => {
    connections.get(request.socket)?.handle(request, response);
  };
  server.on('request', handle);
  // Both kinds of Expect come the same way: the gate looks at the value, and 100 is sent only once a request may pass (A067).
  server.on('checkContinue', handle);
  server.on('checkExpectation', handle);
  const open = (socket: Socket): void => {
    const arrival = arrivals.of(socket);
    if (arrival === undefined) {
      socket.destroy();
      return;
    }
    connections.set(socket, new FrontConnection(socket, arrival, host));
    observer.connection(1);
    socket.on('close', () => {
      connections.delete(socket);
      observer.connection(-1);
    });
  };
  if (certificates === undefined) {
    server.on('connection', (socket: Socket) => {
      if (admit(socket)) open(socket);
    });
  } else {
    server.on('connection', (raw: Socket) => {
      if (admit(raw)) handshakes.begin(raw);
    });
    server.on('secureConnection', (socket: TLSSocket) => {
      handshakes.finished(socket);
      const arrival = socket.alpnProtocol === 'h2' ? arrivals.of(socket) : undefined;
      if (arrival === undefined) open(socket);
      else sessions.accept(socket, arrival);
    });
    server.on('tlsClientError', (error: NodeJS.ErrnoException) => {
      // Whoever only looks whether the port is open has done nothing wrong.
      if (error.code !== 'ECONNRESET') observer.rejected('tls_handshake');
      if (error.code === 'ERR_TLS_HANDSHAKE_TIMEOUT') limited('handshakeTimeout');
    });
  }
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Duplex) => {
    const rejection = rejectionOf(error.code);
    const connection = connections.get(socket);
    // Before the end of its handshake a connection is none yet.
    if (connection === undefined) socket.destroy();
    else connection.broken(rejection);
  });
  server.on('connect', (_request: IncomingMessage, socket: Duplex) => {
    const connection = connections.get(socket);
    if (connection === undefined) socket.destroy();
    else connection.connect();
  });
  arrivals.guard(server);
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, early: Buffer) => {
    const connection = connections.get(socket);
    if (connection === undefined) socket.destroy();
    else connection.upgrade(request, early);
  });
  server.on('drop', () => {
    observer.rejected('too_many_connections');
    limited('connections');
  });

  return {
    async listen({ host, port }) {
      const address = await listen(server, host, port);
      // Out of file descriptors, for one: that connection is lost, the listener isn't (F48).
      server.on('error', acceptFailures(options.log, options.now));
      return address;
    },
    drain() {
      state.draining = true;
      sessions.drain();
    },
    async close(grace) {
      state.draining = true;
      arrivals.endAll();
      handshakes.endAll();
      sessions.drain();
      // A server that closes no longer looks at the time that heads take: a browser's spare connection would hold it up.
      const silent = setTimeout(() => {
        for (const [socket, connection] of connections) if (!connection.busy) socket.destroy();
      }, limits.headTimeout);
      // Answers that began before the drain said that their connection goes on, and it would hold up the end for as long.
      const kept = setInterval(() => server.closeIdleConnections(), KEPT_MS);
      let cut: Cut = { requests: 0, tunnels: 0 };
      await closeServer(server, grace, () => {
        let requests = sessions.requests;
        for (const connection of connections.values()) requests += connection.unanswered;
        cut = { requests, tunnels: world.tunnels.size };
        observer.cut?.(cut);
        sessions.destroyAll();
        server.closeAllConnections();
        world.tunnels.endAll();
        // Their peers see an end rather than a reset where they are still there.
        setTimeout(() => {
          for (const socket of connections.keys()) socket.destroy();
        }, FLUSH_MS).unref();
      });
      clearTimeout(silent);
      clearInterval(kept);
      clearInterval(sweep);
      return cut;
    },
  };
}

/** How often connections are ended that nobody asks anything of any more. */
const KEPT_MS = 1000;

/** For tunnels to send what they have read, when their time is over. */
const FLUSH_MS = 250;
