import { once } from 'node:events';
import { createServer, type IncomingMessage, request, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { connect, type Socket } from 'node:net';

export interface TestProxy {
  /** `http://127.0.0.1:…` */
  readonly url: string;
  readonly port: number;
  /** `CONNECT idp.example:443`, `GET http://idp.example/…`, in order. */
  readonly asked: string[];
  /** `Proxy-Authorization` of each. */
  readonly credentials: (string | undefined)[];
  /** What the names lead to that only the proxy knows. */
  readonly names: Map<string, { readonly host: string; readonly port: number }>;
  /** Status that CONNECT is answered with; 200 opens the tunnel. */
  status: number;
  /** Takes connections and says nothing. */
  silent: boolean;
  close(): Promise<void>;
}

/** A forward proxy (RFC 9110 section 9.3.6, RFC 9112 section 3.2.2) on 127.0.0.1. */
export async function startEgressProxy(tls?: { readonly key: string; readonly cert: string }): Promise<TestProxy> {
  const server: Server = tls === undefined ? createServer() : createTlsServer(tls);
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => socket.destroy());
    socket.on('close', () => sockets.delete(socket));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the proxy has no port');
  const proxy: TestProxy = {
    url: `${tls === undefined ? 'http' : 'https'}://127.0.0.1:${address.port}`,
    port: address.port,
    asked: [],
    credentials: [],
    names: new Map(),
    status: 200,
    silent: false,
    async close() {
      const closed = once(server, 'close');
      server.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
  const note = (asked: IncomingMessage): void => {
    proxy.asked.push(`${asked.method} ${asked.url}`);
    proxy.credentials.push(asked.headers['proxy-authorization']);
  };
  server.on('connect', (asked: IncomingMessage, client: Socket) => {
    note(asked);
    if (proxy.silent) return;
    if (proxy.status !== 200) return client.end(`HTTP/1.1 ${proxy.status} No\r\nContent-Length: 0\r\n\r\n`);
    const { hostname, port } = new URL(`http://${asked.url}`);
    const to = proxy.names.get(hostname) ?? { host: hostname.replace(/^\[|\]$/g, ''), port: Number(port || 80) };
    const upstream = connect(to.port, to.host, () => {
      client.write('HTTP/1.1 200 Connection established\r\n\r\n');
      client.pipe(upstream).pipe(client);
    });
    sockets.add(upstream);
    upstream.on('error', () => client.destroy());
    client.on('close', () => upstream.destroy());
    return undefined;
  });
  server.on('request', (asked, response) => {
    note(asked);
    if (proxy.silent) return;
    if (proxy.status !== 200) {
      response.writeHead(proxy.status).end();
      return;
    }
    const url = new URL(asked.url ?? '');
    const to = proxy.names.get(url.hostname) ?? { host: url.hostname, port: Number(url.port || 80) };
    const { 'proxy-authorization': _own, ...headers } = asked.headers;
    const onward = request({ ...to, method: asked.method, path: url.pathname + url.search, headers, agent: false });
    onward.on('error', () => response.destroy());
    onward.on('response', (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    });
    asked.pipe(onward);
  });
  return proxy;
}
