import { afterEach, describe, expect, it } from 'vitest';
import { BodyPace, BodyWatch, type WatchedBody } from '../../src/proxy/body-watch.ts';
import { askOnce, RawClient } from '../support/raw-client.ts';
import { eventually, type Gateway, type GatewayOptions, startGateway } from './support/gateway.ts';
import { startRawUpstream, startUpstream } from './support/upstream.ts';

const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

async function start(options: Partial<GatewayOptions> = {}) {
  const upstream = await startUpstream();
  closing.push(() => upstream.close());
  return { upstream, gateway: await gatewayTo(upstream.port, options) };
}

async function gatewayTo(port: number, options: Partial<GatewayOptions>): Promise<Gateway> {
  const gateway = await startGateway({ port, ...options });
  closing.push(() => gateway.close());
  return gateway;
}

const ROUTES = [
  { path: '/', exposure: 'Public', maxRequestBody: '1Ki' },
  { path: '/private', exposure: 'Protected', maxRequestBody: '1Ki' },
  { path: '/big', exposure: 'Public', maxRequestBody: '2Ki' },
  { path: '/none', exposure: 'Public', maxRequestBody: '0' },
] as const;
const head = (path: string, more: string): string => `POST ${path} HTTP/1.1\r\nHost: app.example\r\n${more}\r\n`;
const post = (path: string, bytes: number, more = ''): string =>
  `${head(path, `${more}Content-Length: ${bytes}\r\n`)}${'x'.repeat(bytes)}`;
const chunk = (bytes: number): string => `${bytes.toString(16)}\r\n${'x'.repeat(bytes)}\r\n`;

describe('the largest body that a Route takes', () => {
  it('passes, and one byte more is 413 before anything is asked of anybody', async () => {
    const { gateway, upstream } = await start({ routes: ROUTES });
    expect((await askOnce(gateway.port, post('/x', 1024))).status).toBe(200);
    expect((await askOnce(gateway.port, post('/big', 2048))).status).toBe(200);
    expect((await askOnce(gateway.port, post('/none', 0))).status).toBe(200);
    const seen = upstream.seen.length;
    for (const [path, bytes] of [
      ['/x', 1025],
      ['/big', 2049],
      ['/none', 1],
    ] as const) {
      const answer = await askOnce(gateway.port, post(path, bytes));
      expect([answer.status, answer.header('connection')]).toEqual([413, 'close']);
    }
    expect(upstream.seen.length).toBe(seen);
    expect(gateway.records.at(-1)).toMatchObject({ outcome: 'bad_request', reason: 'body_too_large', status: 413 });
  });

  it('is told to somebody who may come in; who may not is told that', async () => {
    const { gateway } = await start({ routes: ROUTES });
    expect((await askOnce(gateway.port, post('/private', 2000))).status).toBe(401);
    expect((await askOnce(gateway.port, post('/private', 2000, 'Cookie: user=1\r\n'))).status).toBe(413);
  });

  it('A067 is told instead of the 100 that a client waits for', async () => {
    const { gateway, upstream } = await start({ routes: ROUTES });
    const client = await RawClient.connect(gateway.port);
    await client.send(head('/x', 'Content-Length: 5000\r\nExpect: 100-continue\r\n'));
    await client.closed;
    expect(client.received.startsWith('HTTP/1.1 413 ')).toBe(true);
    expect(upstream.connections).toBe(0);
  });

  it('of a body without length is found out in mid-stream: the upstream sees it break off, the client gets 413', async () => {
    let bytes = '';
    let ended = false;
    const upstream = await startRawUpstream((socket) => {
      socket.on('data', (data: Buffer) => {
        bytes += data.toString('latin1');
      });
      socket.on('close', () => {
        ended = true;
      });
    });
    closing.push(() => upstream.close());
    const gateway = await gatewayTo(upstream.port, { routes: ROUTES });
    const client = await RawClient.connect(gateway.port);
    await client.send(head('/x', 'Transfer-Encoding: chunked\r\n') + chunk(1000));
    await eventually(() => bytes.includes('x'.repeat(1000)), 'the upstream has what is allowed');
    await client.send(chunk(24) + chunk(1));
    const answer = await client.answer();
    expect([answer?.status, answer?.header('connection')]).toEqual([413, 'close']);
    await client.send(`0\r\n\r\n${post('/x', 1)}`);
    await eventually(() => ended, 'the upstream was let go');
    expect(bytes).not.toContain('0\r\n\r\n');
    expect(bytes.match(/POST/g)?.length).toBe(1);
    await client.closed;
    expect(client.rest).toBe('');
    expect(gateway.records.length).toBe(1);
  });

  it('of a body without length may be reached exactly', async () => {
    const { gateway, upstream } = await start({ routes: ROUTES });
    const answer = await askOnce(
      gateway.port,
      `${head('/x', 'Transfer-Encoding: chunked\r\n')}${chunk(1024)}0\r\n\r\n`,
    );
    expect(answer.status).toBe(200);
    expect(upstream.seen[0]?.body.length).toBe(1024);
  });

  it('breaks off an answer that has begun', async () => {
    const upstream = await startRawUpstream((socket) => {
      socket.once('data', () => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc'));
    });
    closing.push(() => upstream.close());
    const gateway = await gatewayTo(upstream.port, { routes: ROUTES });
    const client = await RawClient.connect(gateway.port);
    await client.send(head('/x', 'Transfer-Encoding: chunked\r\n'));
    await eventually(() => client.received.endsWith('abc'), 'the answer has begun');
    await client.send(chunk(2000));
    await client.closed;
    expect((await client.answer())?.complete).toBe(false);
  });

  it('is that of --limits where a Route says nothing', async () => {
    const { gateway } = await start({ routes: [{ path: '/', exposure: 'Public' }], limits: { bodyBytes: 10 } });
    expect((await askOnce(gateway.port, post('/x', 10))).status).toBe(200);
    expect((await askOnce(gateway.port, post('/x', 11))).status).toBe(413);
  });

  it('A068 its 413 reaches a client that is still sending much more', async () => {
    const { gateway } = await start({ routes: ROUTES, limits: { discardBytes: 10_000, discardTimeout: 2000 } });
    const client = await RawClient.connect(gateway.port);
    client.socket.pause();
    await client.send(head('/x', 'Content-Length: 100000000\r\n'));
    const block = Buffer.alloc(64 * 1024, 'x');
    let blocks = 0;
    while (!client.ended && blocks < 20 && client.socket.write(block)) blocks += 1;
    await eventually(() => gateway.records.length === 1, 'it was answered');
    client.socket.resume();
    expect((await client.answer())?.status).toBe(413);
    client.destroy();
    await eventually(() => gateway.connections === 0, 'nothing is left');
  });
});

describe('A160 a slow body', () => {
  it('that stands still is 408, and its upstream is let go', async () => {
    const upstream = await startRawUpstream((socket) => socket.resume());
    closing.push(() => upstream.close());
    const gateway = await gatewayTo(upstream.port, { limits: { bodyTimeout: 300, bodyRate: 0, checkInterval: 50 } });
    const client = await RawClient.connect(gateway.port);
    await client.send(`${head('/x', 'Content-Length: 100\r\n')}abc`);
    const answer = await client.answer();
    expect([answer?.status, answer?.header('connection')]).toEqual([408, 'close']);
    await client.closed;
    expect(gateway.records[0]).toMatchObject({ reason: 'body_timeout', status: 408 });
    await eventually(() => upstream.sockets.size === 0, 'the upstream is let go');
  });

  it('that crawls is 408 too', async () => {
    const upstream = await startRawUpstream(() => {});
    closing.push(() => upstream.close());
    const gateway = await gatewayTo(upstream.port, { limits: { bodyTimeout: 500, bodyRate: 1000, checkInterval: 50 } });
    const client = await RawClient.connect(gateway.port);
    await client.send(head('/x', 'Content-Length: 100000\r\n'));
    const crawl = setInterval(() => client.socket.write('x'), 20);
    const answer = await client.answer();
    clearInterval(crawl);
    expect(answer?.status).toBe(408);
    expect(gateway.records[0]).toMatchObject({ reason: 'body_too_slow' });
    client.destroy();
  });

  it('is counted by the client’s turns only, and made up for by what came before', () => {
    const overdue: string[] = [];
    const body: WatchedBody & { bytes: number; awaited: boolean } = {
      bytes: 0,
      awaited: true,
      pace: new BodyPace(),
      place: -1,
      overdue: (limit) => overdue.push(limit),
    };
    const watch = new BodyWatch({ bodyTimeout: 3000, bodyRate: 100, checkInterval: 1000 });
    watch.add(body);
    const sweeps = (count: number): void => {
      for (let i = 0; i < count; i++) watch.sweep();
    };
    body.awaited = false;
    sweeps(100);
    body.awaited = true;
    body.bytes = 400;
    sweeps(4);
    expect(overdue).toEqual([]);
    sweeps(1);
    expect(overdue).toEqual(['bodyTimeout']);
    body.bytes = 10_000;
    sweeps(1);
    expect(overdue).toEqual(['bodyTimeout']);
    for (let i = 0; i < 93; i++) {
      body.bytes += 1;
      sweeps(1);
    }
    expect(overdue).toEqual(['bodyTimeout']);
    for (let i = 0; i < 10; i++) {
      body.bytes += 1;
      sweeps(1);
    }
    expect(overdue).toContain('bodyRate');
    watch.remove(body);
    expect(watch.size).toBe(0);
  });

  it('that the upstream holds up is nobody’s fault', async () => {
    const upstream = await startRawUpstream((socket) => socket.pause());
    closing.push(() => upstream.close());
    const gateway = await gatewayTo(upstream.port, {
      limits: { bodyTimeout: 200, bodyRate: 100_000, checkInterval: 20 },
    });
    const client = await RawClient.connect(gateway.port);
    await client.send(head('/x', 'Content-Length: 1000000000\r\n'));
    const block = Buffer.alloc(1024 * 1024, 'x');
    for (let i = 0; i < 32; i++) client.socket.write(block);
    await eventually(() => client.socket.writableLength > 0, 'it is held up');
    await new Promise((resolve) => setTimeout(resolve, 1000));
    expect(gateway.records).toEqual([]);
    client.destroy();
  });
});
