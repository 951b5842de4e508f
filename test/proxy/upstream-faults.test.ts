import { createServer as createTlsServer } from 'node:tls';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Forwarder } from '../../src/proxy/forwarder.ts';
import { namespacedName } from '../../src/resources/keys.ts';
import { askOnce, RawClient } from '../support/raw-client.ts';
import { FORWARDERS } from './support/forwarders.ts';
import { eventually, type Gateway, type GatewayOptions, type RouteSketch, startGateway } from './support/gateway.ts';
import { ok, startRawUpstream, startUpstream } from './support/upstream.ts';

const GET = 'GET /x HTTP/1.1\r\nHost: app.example\r\n\r\n';

describe.each(FORWARDERS)('an upstream that fails or lies, forwarder on %s', (_name, make) => {
  let forwarder: Forwarder;
  const closing: (() => Promise<void>)[] = [];
  beforeEach(() => {
    forwarder = make();
  });
  afterEach(async () => {
    for (const close of closing.splice(0).reverse()) await close();
  });

  const gatewayTo = async (
    port: number,
    timeouts: RouteSketch['timeouts'] = {},
    more: Partial<GatewayOptions> = {},
  ): Promise<Gateway> => {
    const gateway = await startGateway({
      port,
      forwarder,
      routes: [{ path: '/', exposure: 'Public', timeouts: timeouts ?? {} }],
      ...more,
    });
    closing.push(() => gateway.close());
    return gateway;
  };

  /** An upstream that answers every connection's first bytes with `bytes`, then closes or stays. */
  const saying = async (bytes: string, then: 'close' | 'reset' | 'stay'): Promise<number> => {
    const upstream = await startRawUpstream((socket) => {
      socket.once('data', () => {
        socket.write(Buffer.from(bytes, 'latin1'), () => {
          if (then === 'close') socket.end();
          else if (then === 'reset') socket.resetAndDestroy();
        });
      });
    });
    closing.push(() => upstream.close());
    return upstream.port;
  };

  const failure = async (gateway: Gateway, status: number, reason: string | RegExp, bytes = GET): Promise<void> => {
    const answer = await askOnce(gateway.port, bytes);
    expect(answer.status).toBe(status);
    expect(answer.header('cache-control')).toBe('no-store');
    expect(JSON.parse(answer.body)).toMatchObject({ request_id: answer.header('x-request-id') });
    await eventually(() => gateway.records.length > 0, 'the request is recorded');
    expect(gateway.records.at(-1)?.outcome).toBe('upstream_failed');
    expect(gateway.records.at(-1)?.reason).toMatch(reason);
    expect(gateway.records.at(-1)?.cause).not.toBe('');
    expect(answer.body).not.toContain(gateway.records.at(-1)?.cause);
    expect(gateway.leases).toBe(0);
  };

  it('F42 refuses: 502', async () => {
    const gone = await startUpstream();
    await gone.close();
    await failure(await gatewayTo(gone.port), 502, 'connect_refused');
  });

  it('F42 resets before it answers: 502', async () => {
    await failure(await gatewayTo(await saying('', 'reset')), 502, 'reset');
  });

  it('F42 closes before it answers, or in the head: 502', async () => {
    await failure(await gatewayTo(await saying('', 'close')), 502, /reset|bad_response/);
    await failure(await gatewayTo(await saying('HTTP/1.1 200 OK\r\nContent-', 'close')), 502, /reset|bad_response/);
  });

  it('F42 says nothing in time: 504', async () => {
    await failure(await gatewayTo(await saying('', 'stay'), { response: 150 }), 504, 'response_timeout');
    await failure(
      await gatewayTo(await saying('HTTP/1.1 200 OK\r\n', 'stay'), { response: 150 }),
      504,
      'response_timeout',
    );
  });

  it('F42 a name that does not resolve: 502', async () => {
    const gateway = await startGateway({
      port: 1,
      forwarder: {
        forward: (request) =>
          forwarder.forward({
            ...request,
            backend: { kind: 'Url', scheme: 'http', host: 'nowhere.invalid', port: 80, basePath: '' },
          }),
        close: () => forwarder.close(),
      },
    });
    closing.push(() => gateway.close());
    await failure(gateway, 502, 'name_not_resolved');
  });

  it('A174 a link-local address is not reached', async () => {
    const gateway = await startGateway({
      port: 1,
      forwarder: {
        forward: (request) =>
          forwarder.forward({
            ...request,
            backend: { kind: 'Url', scheme: 'http', host: '169.254.169.254', port: 80, basePath: '' },
          }),
        close: () => forwarder.close(),
      },
    });
    closing.push(() => gateway.close());
    await failure(gateway, 502, 'address_not_allowed');
  });

  it('F43 no endpoint of the core Service is ready: 503 that says when to come again', async () => {
    const gateway = await startGateway({
      port: 1,
      forwarder: {
        forward: (request) =>
          forwarder.forward({
            ...request,
            backend: { kind: 'Service', name: namespacedName('shop', 'orders'), port: 80 },
          }),
        close: () => forwarder.close(),
      },
    });
    closing.push(() => gateway.close());
    await failure(gateway, 503, 'no_endpoint');
    const answer = await askOnce(gateway.port, GET);
    expect(answer.header('retry-after')).toBe('5');
    expect(JSON.parse(answer.body)).toMatchObject({ error: 'service_down' });
    expect(gateway.records[0]?.cause).toBe('no endpoint of shop/orders port 80 is ready');
  });

  it('an upstream over TLS whose certificate nobody vouches for: 502', async () => {
    const server = createTlsServer({}, (socket) => socket.on('error', () => {}));
    server.on('tlsClientError', () => {});
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()));
    const address = server.address();
    closing.push(async () => {
      server.close();
    });
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const gateway = await startGateway({
      port,
      forwarder,
      routes: [{ path: '/', exposure: 'Public', scheme: 'https' }],
    });
    closing.push(() => gateway.close());
    await failure(gateway, 502, /tls_failed|connect_failed|reset/);
  });

  it.each([
    [
      'both framings',
      'HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n',
    ],
    ['two lengths', 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello'],
    ['one length twice', 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\nhello'],
    ['a length that is none', 'HTTP/1.1 200 OK\r\nContent-Length: five\r\n\r\nhello'],
    ['another coding', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n'],
    ['identity', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: identity\r\n\r\nhello'],
    ['no HTTP', 'SSH-2.0-OpenSSH_9.6\r\n\r\n'],
    ['HTTP/2.0', 'HTTP/2.0 200 OK\r\nContent-Length: 0\r\n\r\n'],
    ['a control character in a value', 'HTTP/1.1 200 OK\r\nX: a\x01b\r\nContent-Length: 0\r\n\r\n'],
    ['a folded line', 'HTTP/1.1 200 OK\r\nX: a\r\n b\r\nContent-Length: 0\r\n\r\n'],
    ['a blank before the colon', 'HTTP/1.1 200 OK\r\nContent-Length : 0\r\n\r\n'],
    [
      'an upgrade that nobody asked for',
      'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\nhello',
    ],
    ['a flood of interim responses', `${'HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n'.repeat(2000)}`],
    ['a head without end', `HTTP/1.1 200 OK\r\n${'X-Padding: yyyyyyyyyy\r\n'.repeat(10_000)}`],
  ])('A070 %s: 502, and the connection is not used again', async (_what, bytes) => {
    await failure(await gatewayTo(await saying(bytes, 'stay')), 502, 'bad_response');
  });

  it('A070 interim responses are dropped but for hints, the final one counts', async () => {
    const gateway = await gatewayTo(
      await saying(`HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n${ok('hi')}`, 'stay'),
    );
    const client = await RawClient.connect(gateway.port);
    await client.send(GET);
    expect((await client.answer())?.body).toBe('hi');
    expect(client.received.match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 103', 'HTTP/1.1 200']);
    client.destroy();
  });

  it.each([
    ['Content-Length: 10', 'HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello', 'close'],
    ['Content-Length: 10, reset', 'HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello', 'reset'],
    ['chunked without its end', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n', 'close'],
    ['a chunk cut short', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nff\r\nhello', 'close'],
    ['a bad chunk', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nzz\r\n', 'stay'],
  ] as const)('A070 a body that breaks off (%s) is seen to break off', async (_what, bytes, then) => {
    const gateway = await gatewayTo(await saying(bytes, then));
    const client = await RawClient.connect(gateway.port);
    await client.send(GET);
    const answer = await client.answer();
    await client.closed;
    expect(answer?.complete ?? false).toBe(false);
    await eventually(() => gateway.records.length === 1, 'the request is recorded');
    expect(gateway.records[0]).toMatchObject({ outcome: 'upstream_failed', status: 200 });
  });

  it('A070 a body that stands still is broken off after the idle time', async () => {
    const gateway = await gatewayTo(await saying('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello', 'stay'), {
      idle: 150,
    });
    const client = await RawClient.connect(gateway.port);
    await client.send(GET);
    expect((await client.answer())?.complete).toBe(false);
    await client.closed;
  });

  it('a body that ends with its connection is whole, and framed by us', async () => {
    const gateway = await gatewayTo(await saying('HTTP/1.0 200 OK\r\n\r\nhello', 'close'));
    const answer = await askOnce(gateway.port, GET);
    expect([answer.body, answer.complete, answer.header('transfer-encoding')]).toEqual(['hello', true, 'chunked']);
    const old = await askOnce(gateway.port, 'GET /x HTTP/1.0\r\nHost: app.example\r\n\r\n');
    expect([old.body, old.header('transfer-encoding'), old.header('connection')]).toEqual([
      'hello',
      undefined,
      'close',
    ]);
  });

  it('A070 bytes after a response poison no later request', async () => {
    let nth = 0;
    const upstream = await startUpstream(() => {
      nth += 1;
      return nth === 1 ? `${ok('one')}${ok('poison')}` : ok('two');
    });
    closing.push(() => upstream.close());
    const gateway = await gatewayTo(upstream.port);
    expect((await askOnce(gateway.port, GET)).body).toBe('one');
    expect((await askOnce(gateway.port, GET)).body).toBe('two');
    expect(upstream.connections).toBe(2);
  });

  it('A070 bytes on an idle connection poison no later request', async () => {
    let nth = 0;
    const upstream = await startUpstream((_request, socket) => {
      nth += 1;
      if (nth === 1) setTimeout(() => socket.write(ok('poison')), 30);
      return nth === 1 ? ok('one') : ok('two');
    });
    closing.push(() => upstream.close());
    const gateway = await gatewayTo(upstream.port);
    expect((await askOnce(gateway.port, GET)).body).toBe('one');
    await eventually(() => upstream.open === 0, 'the connection with unread bytes is closed');
    expect((await askOnce(gateway.port, GET)).body).toBe('two');
  });

  it('A070 a body on a response to HEAD, 204 or 304 poisons no later request', async () => {
    for (const [method, head] of [
      ['HEAD', 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello'],
      ['GET', 'HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\nhello'],
      ['GET', 'HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\nhello'],
    ] as const) {
      let nth = 0;
      const upstream = await startUpstream(() => {
        nth += 1;
        return nth === 1 ? head : ok('two');
      });
      closing.push(() => upstream.close());
      const gateway = await gatewayTo(upstream.port, { response: 3000 });
      const first = await askOnce(gateway.port, `${method} /x HTTP/1.1\r\nHost: app.example\r\n\r\n`, method);
      expect([200, 204, 304, 502]).toContain(first.status);
      expect(first.body).not.toBe('hello');
      expect((await askOnce(gateway.port, GET)).body).toBe('two');
    }
  });

  it('connections are kept and used again', async () => {
    const upstream = await startUpstream();
    closing.push(() => upstream.close());
    const gateway = await gatewayTo(upstream.port);
    for (let i = 0; i < 10; i++) expect((await askOnce(gateway.port, GET)).status).toBe(200);
    expect(upstream.connections).toBe(1);
  });

  it('F42 a kept connection that dies under a GET is tried once more, under a POST with a body never', async () => {
    let drop = false;
    const upstream = await startUpstream((_request, socket) => {
      if (!drop) return ok();
      drop = false;
      socket.resetAndDestroy();
      return undefined;
    });
    closing.push(() => upstream.close());
    const gateway = await gatewayTo(upstream.port);
    expect((await askOnce(gateway.port, GET)).status).toBe(200);
    drop = true;
    expect((await askOnce(gateway.port, GET)).status).toBe(200);
    expect(upstream.seen.length).toBe(3);
    await askOnce(gateway.port, GET);
    drop = true;
    const post = await askOnce(gateway.port, 'POST /x HTTP/1.1\r\nHost: app.example\r\nContent-Length: 1\r\n\r\na');
    expect(post.status).toBe(502);
    expect(upstream.seen.length).toBe(5);
  });

  it('F42 an upload that the client stops is 408, and the upstream sees it break off', async () => {
    const upstream = await startUpstream();
    closing.push(() => upstream.close());
    const gateway = await gatewayTo(upstream.port, { idle: 150 });
    const client = await RawClient.connect(gateway.port);
    await client.send('POST /x HTTP/1.1\r\nHost: app.example\r\nContent-Length: 10\r\n\r\nabc');
    expect((await client.answer())?.status).toBe(408);
    await eventually(() => upstream.open === 0, 'the upstream connection is closed');
    expect(upstream.seen).toEqual([]);
    client.destroy();
  });
});
