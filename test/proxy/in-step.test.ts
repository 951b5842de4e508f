import { afterEach, describe, expect, it } from 'vitest';
import { RawClient } from '../support/raw-client.ts';
import { eventually, type Gateway, type GatewayOptions, startGateway } from './support/gateway.ts';
import { ok, type Respond, startRawUpstream, startUpstream, type Upstream } from './support/upstream.ts';

const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

async function start(respond: Respond): Promise<{ gateway: Gateway; upstream: Upstream }> {
  const upstream = await startUpstream(respond);
  closing.push(() => upstream.close());
  return { upstream, gateway: await gatewayTo(upstream.port) };
}

async function gatewayTo(port: number, options: Partial<GatewayOptions> = {}): Promise<Gateway> {
  const gateway = await startGateway({ port, ...options });
  closing.unshift(() => gateway.close());
  return gateway;
}

const NEXT = 'GET /next HTTP/1.1\r\nHost: app.example\r\n\r\n';

describe('a connection that could be out of step', () => {
  // Whoever is in front may hold the body back after such an answer, and send somebody else's request instead.
  it.each([
    ['refused', '/private', 401],
    ['not found', '/_oidc/x', 404],
    ['not to be forwarded', '/dead', 502],
  ])('A067 ends with the answer where a 100 was waited for and never came: %s', async (_, path, status) => {
    const upstream = await startUpstream();
    closing.push(() => upstream.close());
    const gateway = await gatewayTo(upstream.port, {
      routes: [
        { path: '/', exposure: 'Public' },
        { path: '/private', exposure: 'Protected' },
        { path: '/dead', exposure: 'Public', port: 1 },
      ],
    });
    const client = await RawClient.connect(gateway.port);
    const expecting = `POST ${path} HTTP/1.1\r\nHost: app.example\r\nExpect: 100-continue\r\nContent-Length: ${NEXT.length}\r\n\r\n`;
    await client.send(expecting);
    const answer = await client.answer('POST');
    expect(answer?.status).toBe(status);
    expect(answer?.header('connection')).toBe('close');
    await client.send(NEXT + NEXT);
    await client.closed;
    expect(client.rest).toBe('');
    expect(upstream.seen).toEqual([]);
  });

  it('A067 serves nothing that was sent behind such a body either', async () => {
    const { gateway, upstream } = await start(() => ok());
    const client = await RawClient.connect(gateway.port);
    await client.send(
      `POST /private HTTP/1.1\r\nHost: app.example\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\nabc${NEXT}`,
    );
    expect((await client.answer('POST'))?.status).toBe(401);
    await client.closed;
    expect(client.rest).toBe('');
    await eventually(() => gateway.leases === 0 && gateway.connections === 0, 'all is over');
    expect(gateway.records.length).toBe(1);
    expect(upstream.seen).toEqual([]);
  });

  it('A073 serves nothing behind an answer to HTTP/1.0 that only the end of the connection ends', async () => {
    const { gateway, upstream } = await start((_, socket) => {
      socket.end('HTTP/1.1 200 OK\r\n\r\nall');
      return undefined;
    });
    const client = await RawClient.connect(gateway.port);
    const old = 'GET /x HTTP/1.0\r\nHost: app.example\r\nConnection: keep-alive\r\n\r\n';
    await client.send(old + old);
    expect((await client.answer())?.body).toBe('all');
    await client.closed;
    await eventually(() => gateway.leases === 0 && gateway.connections === 0, 'all is over');
    expect(gateway.records.length).toBe(1);
    expect(upstream.seen.length).toBe(1);
  });

  it('A067 goes on where a 100 was sent', async () => {
    const { gateway } = await start(() => ok());
    const client = await RawClient.connect(gateway.port);
    const head = 'POST /private HTTP/1.1\r\nHost: app.example\r\nExpect: 100-continue\r\nContent-Length: 3\r\n';
    await client.send(`${head}Cookie: user=1\r\n\r\n`);
    while (client.received === '') await client.more();
    await client.send(`abc${NEXT}`);
    expect((await client.answer('POST'))?.status).toBe(200);
    expect((await client.answer())?.status).toBe(200);
    client.destroy();
  });

  it('A015 A073 an answer to a CONNECT is never taken for one to the request before it', async () => {
    const { gateway, upstream } = await start(() => undefined);
    const client = await RawClient.connect(gateway.port);
    await client.send(`GET /slow HTTP/1.1\r\nHost: app.example\r\n\r\n`);
    await eventually(() => upstream.seen.length === 1, 'the first request is on its way');
    await client.send(`CONNECT app.example:443 HTTP/1.1\r\nHost: app.example\r\n\r\n${NEXT}`);
    await client.closed;
    expect(client.received).toBe('');
    expect(upstream.seen.length).toBe(1);
    expect(gateway.rejected).toEqual(['connect']);
    await eventually(() => gateway.leases === 0, 'no lease is left');
  });
});

describe('a client that reads slowly', () => {
  it('A160 that takes nothing of an answer that is still coming loses its connection, and its upstream', async () => {
    const block = 'x'.repeat(1024 * 1024);
    const chunk = Buffer.from(`${block.length.toString(16)}\r\n${block}\r\n`);
    const upstream = await startRawUpstream((socket) => {
      socket.on('data', () => {
        socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n');
        const more = (): void => {
          while (socket.writable && socket.write(chunk));
        };
        socket.on('drain', more);
        more();
      });
    });
    closing.push(() => upstream.close());
    const gateway = await gatewayTo(upstream.port, { limits: { sendTimeout: 200 } });
    const client = await RawClient.connect(gateway.port);
    client.socket.pause();
    await client.send('GET /x HTTP/1.1\r\nHost: app.example\r\n\r\n');
    await eventually(() => gateway.records.length === 1, 'the request has ended');
    expect(gateway.records[0]?.outcome).toBe('client_gone');
    await eventually(() => gateway.connections === 0 && upstream.sockets.size === 0, 'no connection is left');
    client.destroy();
  });

  it('A160 that waits for an upstream that says nothing keeps its connection', async () => {
    const upstream = await startUpstream((_, socket) => {
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\na');
      setTimeout(() => socket.write('bc'), 300);
      return undefined;
    });
    closing.push(() => upstream.close());
    const gateway = await gatewayTo(upstream.port, { limits: { sendTimeout: 20 } });
    const client = await RawClient.connect(gateway.port);
    await client.send(NEXT);
    expect((await client.answer())?.body).toBe('abc');
    client.destroy();
  });
});
