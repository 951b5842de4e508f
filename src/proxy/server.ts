import { createServer, type IncomingMessage, type Server, type ServerOptions } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { FrontRequest } from './front-request.ts';
import type { ProxyLimits } from './limits.ts';
import type { CertificateStore } from './tls/certificate-store.ts';
import { policyWith, SessionTickets, type TicketKeys } from './tls/session-tickets.ts';
import { carriesRequests } from './upgrade-head.ts';

/** HTTP/1.1 without TLS. */
export const plainServer = (limits: ProxyLimits): Server => limited(createServer(serverOptions(limits)), limits);

/**
 * HTTP/1.1 over TLS, and where `http2` says so connections that are for HTTP/2: those are led past it, to whoever listens to
 * `secureConnection` besides. A name without a certificate, where there is no default, gets the alert handshake_failure: node has
 * no way to send unrecognized_name.
 */
export function tlsServer(
  limits: ProxyLimits,
  certificates: CertificateStore,
  ticketKeys: TicketKeys | undefined,
  http2: boolean,
): Server {
  const policy = policyWith(ticketKeys);
  const server = createHttpsServer({
    ...serverOptions(limits),
    ...policy,
    // A client that offers nothing of it hears no_application_protocol; one without ALPN speaks HTTP/1.1.
    ALPNProtocols: http2 ? ['h2', 'http/1.1'] : ['http/1.1'],
    handshakeTimeout: limits.handshakeTimeout,
    SNICallback: (serverName, choose) => {
      try {
        choose(null, certificates.contextFor(serverName));
      } catch {
        // An exception in here ended the process in CVE-2026-21637 (T27).
        choose(null);
      }
    },
  });
  const tickets = ticketKeys === undefined ? undefined : new SessionTickets(server, certificates, ticketKeys);
  certificates.followDefault(({ certificate, key }) => {
    server.setSecureContext({ ...policy, cert: certificate, key: key.reveal() });
    tickets?.contextReplaced();
  });
  if (http2) leadPast(server);
  return limited(server, limits);
}

/** The server reads HTTP/1.1 in a listener of its own; a connection for HTTP/2 has to have no other reader. */
function leadPast(server: Server): void {
  const own = server.listeners('secureConnection');
  if (own.length !== 1) throw new Error('node:https reads its connections in another way than this was made for');
  server.removeAllListeners('secureConnection');
  server.on('secureConnection', (socket: TLSSocket) => {
    if (socket.alpnProtocol !== 'h2') for (const read of own) read.call(server, socket);
  });
}

const serverOptions = (limits: ProxyLimits): ServerOptions => ({
  insecureHTTPParser: false,
  IncomingMessage: FrontRequest,
  // A request without a body is no stream that has to end.
  optimizeEmptyRequests: true,
  // The gate counts more exactly; this is what stops a head that never ends.
  maxHeaderSize: limits.headerBytes + limits.targetBytes + 1024,
  headersTimeout: limits.headTimeout,
  // Bodies are held to the idle time of their Route instead: an upload may take as long as it moves.
  requestTimeout: 0,
  keepAliveTimeout: limits.keepAliveTimeout,
  connectionsCheckingInterval: limits.checkInterval,
  noDelay: true,
  // The gate refuses a missing Host in its own words.
  requireHostHeader: false,
  shouldUpgradeCallback: handsOver,
});

/**
 * Whether the connection is handed over with this request, which has `Upgrade` and names it in `Connection`; otherwise the
 * gate sees an ordinary request, and ignores or refuses the field. The two agree: what isn't handed over isn't an upgrade
 * (T17).
 */
const handsOver = ({ method, httpVersion, headers }: IncomingMessage): boolean =>
  method === 'GET' &&
  httpVersion === '1.1' &&
  (headers['content-length'] ?? '0') === '0' &&
  headers['transfer-encoding'] === undefined &&
  !carriesRequests(headers.upgrade ?? '');

function limited(server: Server, limits: ProxyLimits): Server {
  // 0: none is cut off silently; the gate counts (A074).
  server.maxHeadersCount = 0;
  server.maxConnections = limits.connections;
  server.timeout = 0;
  // A client may close its side once it has asked; whoever is gone altogether is noticed by FrontConnection. In no type.
  Object.assign(server, { httpAllowHalfOpen: true });
  return server;
}

export function listen(server: Server, host: string, port: number): Promise<AddressInfo> {
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

/** `force`: ends what is open after `grace` milliseconds. */
export function closeServer(server: Server, grace: number, force: () => void): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(force, grace);
    server.close(() => {
      clearTimeout(timer);
      resolve();
    });
    server.closeIdleConnections();
  });
}
