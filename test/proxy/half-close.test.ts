import { afterEach, describe, expect, it } from 'vitest';
import { RawClient } from '../support/raw-client.ts';
import { eventually, type Gateway, type GatewayOptions, startGateway } from './support/gateway.ts';
import { ok, type Respond, startUpstream, type Upstream } from './support/upstream.ts';

let gateway: Gateway;
let upstream: Upstream;
afterEach(async () => {
  await gateway.close();
  await upstream.close();
});

async function start(respond: Respond, options: Partial<GatewayOptions> = {}): Promise<void> {
  upstream = await startUpstream(respond);
  gateway = await startGateway({ port: upstream.port, ...options });
}

const get = (path: string): string => `GET ${path} HTTP/1.1\r\nHost: app.example\r\n\r\n`;
const later: Respond = ({ target }, socket) => {
  setTimeout(() => socket.write(ok(target)), 100);
  return undefined;
};
const halfOpen = () => RawClient.connect(gateway.port, '127.0.0.1', undefined, true);

describe('a client that closes its side after it has asked', () => {
  it('gets its answer, and then the connection ends', async () => {
    await start(later);
    const client = await halfOpen();
    client.socket.end(get('/a'));
    expect((await client.answer())?.body).toBe('/a');
    client.destroy();
    await eventually(() => gateway.connections === 0 && gateway.leases === 0, 'nothing is left');
    expect(gateway.records[0]).toMatchObject({ outcome: 'forwarded', status: 200 });
  });

  it('gets every answer to what it pipelined, in order', async () => {
    await start(later);
    const client = await halfOpen();
    client.socket.end(get('/a') + get('/b') + get('/private') + get('/c'));
    expect((await client.answer())?.body).toBe('/a');
    expect((await client.answer())?.body).toBe('/b');
    expect((await client.answer())?.status).toBe(401);
    const last = await client.answer();
    expect([last?.body, last?.header('connection')]).toEqual(['/c', 'close']);
    await client.closed;
  });

  it('gets a long answer whole', async () => {
    const body = 'x'.repeat(8 * 1024 * 1024);
    await start(() => ok(body));
    const client = await halfOpen();
    client.socket.end(get('/a'));
    const answer = await client.answer();
    expect([answer?.complete, answer?.body.length]).toEqual([true, body.length]);
  });

  it('F46 is waited for only so long while nothing can be sent to it', async () => {
    await start(() => undefined, { limits: { halfClosedTimeout: 200 } });
    const client = await halfOpen();
    client.socket.end(get('/a'));
    await client.closed;
    expect(client.received).toBe('');
    expect(gateway.limited).toEqual(['halfClosedTimeout']);
    await eventually(() => upstream.open === 0 && gateway.leases === 0, 'the upstream is let go');
  });

  it('in the middle of a body has not sent it: its upstream sees it break off', async () => {
    await start(() => ok());
    const client = await halfOpen();
    client.socket.end('POST /a HTTP/1.1\r\nHost: app.example\r\nContent-Length: 10\r\n\r\nabc');
    await client.closed;
    await eventually(() => upstream.open === 0 && gateway.leases === 0, 'the upstream is let go');
    expect(upstream.seen).toEqual([]);
  });

  it('F46 a reset is noticed at once', async () => {
    await start(() => undefined, { limits: { halfClosedTimeout: 600_000 } });
    const client = await halfOpen();
    await client.send(get('/a'));
    await eventually(() => upstream.seen.length === 1, 'it is under way');
    client.socket.resetAndDestroy();
    await eventually(() => upstream.open === 0 && gateway.leases === 0, 'the upstream is let go');
  });
});

it('an upstream that closes its side after its answer has answered', async () => {
  await start((_, socket) => {
    socket.end(ok('bye'));
    return undefined;
  });
  const client = await RawClient.connect(gateway.port);
  for (let i = 0; i < 3; i++) {
    await client.send(get('/a'));
    expect((await client.answer())?.body).toBe('bye');
  }
  client.destroy();
});
