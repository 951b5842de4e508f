import { afterEach, describe, expect, it } from 'vitest';
import { ConnectionLimits } from '../../src/proxy/connection-limits.ts';
import { parseCidr } from '../../src/resources/address-policy.ts';
import { RawClient } from '../support/raw-client.ts';
import { eventually, type Gateway, startGateway } from './support/gateway.ts';
import { startUpstream, type Upstream } from './support/upstream.ts';

const cidrs = (...texts: readonly string[]) => texts.flatMap((text) => parseCidr(text) ?? []);
const GET = 'GET /x HTTP/1.1\r\nHost: app.example\r\n\r\n';

describe('A160 connections by address', () => {
  const limits = { connections: 10, connectionsPerAddress: 2 };

  it('are counted up to the limit, and given back', () => {
    const connections = new ConnectionLimits(limits, []);
    const first = connections.take('192.0.2.1');
    expect(typeof connections.take('192.0.2.1')).toBe('function');
    expect(connections.take('192.0.2.1')).toBe('connectionsPerAddress');
    expect(typeof connections.take('192.0.2.2')).toBe('function');
    if (typeof first === 'string') throw new Error(first);
    first();
    first();
    expect(typeof connections.take('192.0.2.1')).toBe('function');
    expect(connections.take('192.0.2.1')).toBe('connectionsPerAddress');
    expect(connections.open).toBe(3);
  });

  it('of one IPv6 network, or of one IPv4 address however it is written, are one address', () => {
    const connections = new ConnectionLimits(limits, []);
    connections.take('2001:db8:1:2::1');
    connections.take('2001:db8:1:2:ffff::2');
    expect(connections.take('2001:db8:1:2::3')).toBe('connectionsPerAddress');
    expect(typeof connections.take('2001:db8:1:3::1')).toBe('function');
    connections.take('198.51.100.1');
    connections.take('::ffff:198.51.100.1');
    expect(connections.take('198.51.100.1')).toBe('connectionsPerAddress');
  });

  it('of a trusted proxy are counted among all only', () => {
    const connections = new ConnectionLimits(limits, cidrs('10.0.0.0/8', '2001:db8::/32'));
    for (let i = 0; i < 5; i++) {
      expect(typeof connections.take('10.1.2.3')).toBe('function');
      expect(typeof connections.take('2001:db8::9')).toBe('function');
    }
    expect(connections.take('10.1.2.3')).toBe('connections');
    expect(connections.take('192.0.2.1')).toBe('connections');
  });
});

describe('A160 on the wire', () => {
  let gateway: Gateway;
  let upstream: Upstream;
  afterEach(async () => {
    await gateway.close();
    await upstream.close();
  });

  it('one address has its share, and another one is served meanwhile', async () => {
    upstream = await startUpstream();
    gateway = await startGateway({ port: upstream.port, limits: { connections: 10, connectionsPerAddress: 3 } });
    const clients = await Promise.all([1, 2, 3].map(() => RawClient.connect(gateway.port)));
    await eventually(() => gateway.connections === 3, 'three are open');
    const fourth = await RawClient.connect(gateway.port);
    await fourth.closed;
    expect(gateway.rejected).toEqual(['too_many_connections_of_address']);
    expect(gateway.limited).toEqual(['connectionsPerAddress']);
    const neighbour = await RawClient.connect(gateway.port, '127.0.0.1', '127.0.0.2');
    await neighbour.send(GET);
    expect((await neighbour.answer())?.status).toBe(200);
    clients[0]?.destroy();
    await eventually(() => gateway.connections === 3, 'one has gone');
    const next = await RawClient.connect(gateway.port);
    await next.send(GET);
    expect((await next.answer())?.status).toBe(200);
    for (const client of [...clients, neighbour, next]) client.destroy();
  });

  it('a connection ends after so many requests, with the last answer saying so', async () => {
    upstream = await startUpstream();
    gateway = await startGateway({ port: upstream.port, limits: { requestsPerConnection: 3 } });
    const client = await RawClient.connect(gateway.port);
    await client.send(GET.repeat(5));
    const closes: (string | undefined)[] = [];
    for (let i = 0; i < 3; i++) closes.push((await client.answer())?.header('connection'));
    await client.closed;
    expect(closes[2]).toBe('close');
    expect(closes.slice(0, 2)).not.toContain('close');
    expect(upstream.seen.length).toBe(3);
    expect(gateway.limited).toEqual(['requestsPerConnection']);
  });

  it('a request that may take no longer is 504 and gives up its upstream; one whose answer has begun is cut', async () => {
    upstream = await startUpstream((request, socket) => {
      if (request.target === '/begun') socket.write('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc');
      return undefined;
    });
    gateway = await startGateway({ port: upstream.port, limits: { requestTimeout: 300, checkInterval: 50 } });
    const waiting = await RawClient.connect(gateway.port);
    await waiting.send(GET);
    expect((await waiting.answer())?.status).toBe(504);
    await waiting.closed;
    const begun = await RawClient.connect(gateway.port);
    await begun.send('GET /begun HTTP/1.1\r\nHost: app.example\r\n\r\n');
    expect((await begun.answer())?.complete).toBe(false);
    await eventually(() => upstream.open === 0 && gateway.leases === 0, 'all is let go');
    expect(gateway.limited).toEqual(['requestTimeout', 'requestTimeout']);
  });
});
