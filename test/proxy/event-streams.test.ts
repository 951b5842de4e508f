import { once } from 'node:events';
import type { Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { RawClient } from '../support/raw-client.ts';
import { eventually, type Gateway, startGateway } from './support/gateway.ts';
import { ok, startUpstream, type Upstream } from './support/upstream.ts';

let upstream: Upstream;
let gateway: Gateway;

afterEach(async () => {
  await gateway.close();
  await upstream.close();
});

const chunk = (text: string): string => `${text.length.toString(16)}\r\n${text}\r\n`;

describe('server-sent events and long polling', () => {
  it('each event is at the client before the upstream writes the next one, and the end is an end', async () => {
    let side: Socket | undefined;
    upstream = await startUpstream((_request, socket) => {
      side = socket;
      return 'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n';
    });
    gateway = await startGateway({ port: upstream.port });
    const client = await RawClient.connect(gateway.port);
    await client.send('GET /events HTTP/1.1\r\nHost: app.example\r\nAccept: text/event-stream\r\n\r\n');
    await eventually(() => client.received.includes('text/event-stream'), 'the head is there before any event');
    for (let i = 0; i < 20; i++) {
      side?.write(chunk(`data: ${i}\n\n`));
      await eventually(() => client.received.includes(`data: ${i}\n\n`), `event ${i}`);
    }
    side?.write('0\r\n\r\n');
    const answer = await client.answer();
    expect(answer?.body).toBe(Array.from({ length: 20 }, (_, i) => `data: ${i}\n\n`).join(''));
    client.destroy();
  });

  it('an answer that is long in coming is waited for as long as the Route says, and comes at once', async () => {
    let answer = (): void => {};
    upstream = await startUpstream((_request, socket) => {
      answer = () => socket.write(ok('news'));
      return undefined;
    });
    gateway = await startGateway({
      port: upstream.port,
      limits: { keepAliveTimeout: 200, headTimeout: 200, checkInterval: 50 },
    });
    const client = await RawClient.connect(gateway.port);
    await client.send('GET /poll HTTP/1.1\r\nHost: app.example\r\n\r\n');
    await eventually(() => upstream.seen.length === 1, 'it waits');
    await new Promise((resolve) => setTimeout(resolve, 1000));
    expect(client.received).toBe('');
    answer();
    expect((await client.answer())?.body).toBe('news');
    client.destroy();
  });
});

describe('F23 draining', () => {
  it('an upload and a stream that are under way come to their own end', async () => {
    let stream: Socket | undefined;
    upstream = await startUpstream((request, socket) => {
      if (request.method === 'POST') return ok(request.body);
      stream = socket;
      return `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${chunk('one')}`;
    });
    gateway = await startGateway({ port: upstream.port });
    const reader = await RawClient.connect(gateway.port);
    await reader.send('GET /events HTTP/1.1\r\nHost: app.example\r\n\r\n');
    const writer = await RawClient.connect(gateway.port);
    await writer.send('POST /up HTTP/1.1\r\nHost: app.example\r\nContent-Length: 6\r\n\r\nabc');
    await eventually(() => reader.received.includes('one') && upstream.open === 2, 'both are under way');
    gateway.listener.drain();
    const closed = gateway.listener.close(20_000);
    await writer.send('def');
    const uploaded = await writer.answer('POST');
    expect([uploaded?.status, uploaded?.body, uploaded?.header('connection')]).toEqual([200, 'abcdef', 'close']);
    stream?.write(`${chunk('two')}0\r\n\r\n`);
    expect((await reader.answer())?.body).toBe('onetwo');
    if (!reader.socket.destroyed) {
      reader.socket.end();
      await once(reader.socket, 'close');
    }
    await closed;
    expect(gateway.leases).toBe(0);
    expect(gateway.errors).toEqual([]);
  });
});
