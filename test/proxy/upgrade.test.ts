import { connect, type Socket } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Decision } from '../../src/routing/decision.ts';
import { askOnce, RawClient } from '../support/raw-client.ts';
import { ALICE, eventually, type Gateway, type GatewayOptions, startGateway } from './support/gateway.ts';
import { echo, headOf, openTunnel, switching, switchingUpstream, upgradeRequest } from './support/switching.ts';
import { ok, type Respond, startUpstream, type Upstream } from './support/upstream.ts';

const SMUGGLED = 'GET /internal HTTP/1.1\r\nHost: app.example\r\n\r\n';
const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

async function world(
  respond: Respond,
  options: Omit<GatewayOptions, 'port'> = {},
): Promise<{ upstream: Upstream; gateway: Gateway }> {
  const upstream = await startUpstream(respond);
  closing.push(() => upstream.close());
  const gateway = await startGateway({ port: upstream.port, ...options });
  closing.push(() => gateway.close());
  return { upstream, gateway };
}

describe('an upgrade', () => {
  it.each(['websocket', 'SPDY/3.1', 'tcp'])('to %s is passed on, and bytes go both ways', async (protocol) => {
    const { gateway, upstream } = await world(switchingUpstream(echo));
    const tunnel = await openTunnel(gateway, upgradeRequest('/x?y', { protocol, lines: 'Sec-WebSocket-Key: k\r\n' }));
    expect(tunnel.head).toContain(`\r\nConnection: Upgrade\r\nUpgrade: ${protocol}\r\n`);
    expect(tunnel.head).toContain('\r\nX-Request-Id: ');
    expect(upstream.seen[0]?.target).toBe('/x?y');
    expect(upstream.seen[0]?.all('connection')).toEqual(['upgrade']);
    expect(upstream.seen[0]?.all('upgrade')).toEqual([protocol]);
    expect(upstream.seen[0]?.header('sec-websocket-key')).toBe('k');
    for (const text of ['one', '\x00\xff\r\n\r\n', 'x'.repeat(100_000)]) {
      await tunnel.client.send(text);
      await tunnel.until(text);
    }
    tunnel.client.destroy();
    await eventually(() => gateway.records.length === 1, 'the line of the tunnel');
    expect(gateway.records[0]).toMatchObject({
      status: 101,
      outcome: 'forwarded',
      requestBytes: 100_009,
      responseBytes: 100_009,
    });
    expect(gateway.errors).toEqual([]);
  });

  it('carries the identity of the session, and nothing that the client wrote in its place', async () => {
    const { gateway, upstream } = await world(switchingUpstream(echo));
    const tunnel = await openTunnel(
      gateway,
      upgradeRequest('/private', { lines: 'Cookie: user=1\r\nX-Forwarded-User: mallory\r\n' }),
    );
    expect(upstream.seen[0]?.all('x-forwarded-user')).toEqual(['alice']);
    // The snapshot isn't kept for it.
    expect(gateway.leases).toBe(0);
    tunnel.client.destroy();
  });

  it('bytes behind the head of either side come in order, in the same packet or not', async () => {
    const { gateway } = await world((request, socket) => {
      socket.removeAllListeners('data');
      echo(socket);
      return `${switching(request.header('upgrade'))}early `;
    });
    const tunnel = await openTunnel(gateway, `${upgradeRequest('/')}first `);
    await tunnel.client.send('second ');
    await tunnel.until('second ');
    expect(tunnel.received).toBe('early first second ');
    tunnel.client.destroy();
  });

  it('T17 A080 what stands behind the request is held until the 101', async () => {
    let sockets: Socket[] = [];
    const { gateway, upstream } = await world((_request, socket) => {
      sockets = [...sockets, socket];
      return undefined;
    });
    const client = await RawClient.connect(gateway.port);
    await client.send(upgradeRequest('/') + SMUGGLED);
    await eventually(() => upstream.seen.length === 1, 'the upgrade at the upstream');
    await client.send(SMUGGLED);
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(upstream.bytes.join('')).not.toContain('/internal');
    sockets[0]?.write(switching());
    await eventually(() => upstream.bytes.join('').split('/internal').length === 3, 'the bytes at the upstream');
    client.destroy();
  });

  it.each([
    ['426', 'HTTP/1.1 426 Upgrade Required\r\nSec-WebSocket-Version: 13\r\nContent-Length: 2\r\n\r\nno'],
    ['200', ok('no')],
    ['chunked', 'HTTP/1.1 400 Bad Request\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nno\r\n0\r\n\r\n'],
    ['until its end', 'HTTP/1.1 403 Forbidden\r\n\r\nno'],
    ['after 103', `HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n${ok('no')}`],
  ])(
    'A080 an answer that switches to nothing (%s) ends the connection, and nothing behind the head went anywhere',
    async (_what, answer) => {
      const { gateway, upstream } = await world((_request, socket) => {
        if (/length|chunked/i.test(answer)) return answer;
        socket.end(Buffer.from(answer));
        return undefined;
      });
      const client = await RawClient.connect(gateway.port);
      await client.send(upgradeRequest('/', { lines: 'Sec-WebSocket-Version: 777\r\n' }) + SMUGGLED);
      const got = await client.answer();
      expect(got?.body).toBe('no');
      expect(got?.header('connection')).toBe('close');
      await client.send(SMUGGLED);
      await client.closed;
      expect(client.rest).toBe('');
      expect(upstream.seen.map(({ target }) => target)).toEqual(['/']);
      expect(upstream.bytes.join('')).not.toContain('/internal');
      // Nor does the next request come on that connection to the upstream.
      await askOnce(gateway.port, 'GET /next HTTP/1.1\r\nHost: app.example\r\n\r\n');
      expect(upstream.connections).toBe(2);
      expect(gateway.leases).toBe(0);
    },
  );

  it.each([
    ['another protocol', switching('h2c')],
    ['no protocol', 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n\r\n'],
    ['two protocols', switching('websocket', 'Upgrade: websocket\r\n')],
    ['a list', switching('websocket, h2c')],
    ['no Connection', 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n'],
    ['a Connection of something else', switching().replace('Connection: Upgrade', 'Connection: keep-alive')],
    ['a length', switching('websocket', 'Content-Length: 5\r\n')],
    ['a coding', switching('websocket', 'Transfer-Encoding: chunked\r\n')],
    ['HTTP/1.0', switching().replace('HTTP/1.1', 'HTTP/1.0')],
  ])('A080 a 101 with %s is 502', async (_what, answer) => {
    const { gateway, upstream } = await world((_request, socket) => {
      socket.write(answer);
      return undefined;
    });
    const client = await RawClient.connect(gateway.port);
    await client.send(upgradeRequest('/') + SMUGGLED);
    expect((await client.answer())?.status).toBe(502);
    await client.closed;
    expect(gateway.records[0]?.reason).toBe('bad_response');
    expect(upstream.bytes.join('')).not.toContain('/internal');
    await eventually(() => upstream.open === 0, 'the connection to the upstream to end');
  });

  it('A080 who sends much before the 101 isn’t read any more', async () => {
    const routes = [{ path: '/', exposure: 'Public', timeouts: { response: 1500 } }] as const;
    const { gateway, upstream } = await world(() => undefined, { routes });
    const client = await RawClient.connect(gateway.port);
    await client.send(upgradeRequest('/'));
    await eventually(() => upstream.seen.length === 1, 'the upgrade at the upstream');
    const block = Buffer.alloc(64 * 1024, 'x');
    let sent = 0;
    for (let i = 0; i < 1000; i++) client.socket.write(block, () => (sent += block.length));
    await new Promise((resolve) => setTimeout(resolve, 500));
    // The buffers of both systems, and ours.
    expect(sent).toBeLessThan(20 * 1024 * 1024);
    client.destroy();
    // A connection that isn't read doesn't say that it is gone; the time for the answer ends the rest.
    await eventually(() => upstream.open === 0, 'the connection to the upstream to end');
  });
});

describe('what an upgrade has to be', () => {
  let upstream: Upstream;
  let gateway: Gateway;
  beforeAll(async () => {
    upstream = await startUpstream(switchingUpstream(echo));
    gateway = await startGateway({ port: upstream.port });
  });
  afterAll(async () => {
    await gateway.close();
    await upstream.close();
  });

  it.each([
    ['several protocols', upgradeRequest('/', { protocol: 'websocket, tcp' })],
    ['one of them h2c', upgradeRequest('/', { protocol: 'websocket, h2c' })],
    ['two lines', upgradeRequest('/', { lines: 'Upgrade: tcp\r\n' })],
    ['nothing', upgradeRequest('/', { protocol: '' })],
    ['no protocol', upgradeRequest('/', { protocol: 'web socket' })],
    ['no protocol', upgradeRequest('/', { protocol: 'a/b/c' })],
    ['POST', upgradeRequest('/', { method: 'POST' })],
    ['HEAD', upgradeRequest('/', { method: 'HEAD' })],
    ['a length', `${upgradeRequest('/', { lines: 'Content-Length: 5\r\n' })}hello`],
    ['chunks', `${upgradeRequest('/', { lines: 'Transfer-Encoding: chunked\r\n' })}0\r\n\r\n`],
    ['two keys', upgradeRequest('/', { lines: 'Sec-WebSocket-Key: a\r\nSec-WebSocket-Key: b\r\n' })],
    ['two versions', upgradeRequest('/', { lines: 'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Version: 8\r\n' })],
  ])('A071 T17 with %s it is refused, and nothing behind it is looked at', async (_what, request) => {
    const seen = upstream.seen.length;
    const client = await RawClient.connect(gateway.port);
    await client.send(request + SMUGGLED);
    expect((await client.answer())?.status).toBe(400);
    await client.closed;
    expect(client.rest).toBe('');
    expect(upstream.seen.length).toBe(seen);
  });

  it.each([
    [
      'h2c',
      upgradeRequest('/', {
        protocol: 'h2c',
        connection: 'Upgrade, HTTP2-Settings',
        lines: 'HTTP2-Settings: AAMAAABk\r\n',
      }),
    ],
    ['H2C', upgradeRequest('/', { protocol: 'H2C' })],
    [
      'h2c with a body',
      `${upgradeRequest('/', { protocol: 'h2c', method: 'POST', lines: 'Content-Length: 5\r\n' })}hello`,
    ],
    ['h2', upgradeRequest('/', { protocol: 'h2, h2c' })],
    ['HTTP/2.0', upgradeRequest('/', { protocol: 'HTTP/2.0' })],
    ['TLS', upgradeRequest('/', { protocol: 'TLS/1.3' })],
    ['HTTP/1.0', upgradeRequest('/', { version: '1.0' })],
    ['no upgrade in Connection', upgradeRequest('/', { connection: 'keep-alive' })],
    [
      'another spelling of the name',
      `GET / HTTP/1.1\r\nHost: app.example\r\nConnection: upgrade\r\nUp_grade: websocket\r\n\r\n`,
    ],
  ])('A071 %s: the request is an ordinary one, without any of it', async (_what, request) => {
    const bytes = upstream.bytes.join('').length;
    const answer = await askOnce(gateway.port, request);
    expect(answer.status).toBe(200);
    expect(answer.body).toBe('plain /');
    expect(upstream.bytes.join('').slice(bytes)).not.toMatch(/^(connection|upgrade|http2-settings):/im);
  });

  it('A073 an upgrade behind unanswered requests waits for its turn, and what stands behind it is its own', async () => {
    const client = await RawClient.connect(gateway.port);
    const one = (path: string): string => `GET ${path} HTTP/1.1\r\nHost: app.example\r\n\r\n`;
    await client.send(`${one('/a')}${one('/private')}${one('/b')}${upgradeRequest('/ws')}${SMUGGLED}`);
    const answers = [await client.answer(), await client.answer(), await client.answer()];
    expect(answers.map((answer) => answer?.status)).toEqual([200, 401, 200]);
    const seen = upstream.seen.length;
    while (!client.rest.includes('/internal')) await client.more();
    expect(client.rest).toMatch(/^HTTP\/1.1 101 /);
    expect(client.rest.endsWith(`\r\n\r\n${SMUGGLED}`)).toBe(true);
    expect(upstream.seen.length - seen).toBeLessThanOrEqual(1);
    expect(upstream.seen.some(({ target }) => target === '/internal')).toBe(false);
    client.destroy();
  });

  it('A073 an upgrade behind a large answer that the client takes slowly waits for it', async () => {
    const large = await world((request, socket) =>
      request.target === '/large' ? ok('x'.repeat(24_000_000)) : switchingUpstream(echo)(request, socket, 1),
    );
    const socket = connect(large.gateway.port, '127.0.0.1');
    socket.pause();
    socket.write(`GET /large HTTP/1.1\r\nHost: app.example\r\n\r\n${upgradeRequest('/ws')}hello`);
    await eventually(() => large.upstream.seen.length === 1, 'the request for the large answer');
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(large.upstream.seen.map(({ target }) => target)).toEqual(['/large']);
    let bytes = 0;
    let tail = '';
    socket.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      tail = (tail + chunk.toString('latin1')).slice(-1000);
    });
    socket.resume();
    await eventually(() => tail.endsWith('hello'), 'the echo of the tunnel', 25_000);
    expect(bytes).toBeGreaterThan(24_000_000);
    expect(tail).toMatch(/xHTTP\/1.1 101 .*\r\n\r\nhello$/s);
    socket.destroy();
  });

  it('A073 after a request that closes the connection no upgrade is looked at', async () => {
    const seen = upstream.seen.length;
    const client = await RawClient.connect(gateway.port);
    await client.send(`GET /last HTTP/1.1\r\nHost: app.example\r\nConnection: close\r\n\r\n${upgradeRequest('/ws')}`);
    expect((await client.answer())?.status).toBe(200);
    await client.closed;
    expect(client.rest).toBe('');
    expect(upstream.seen.slice(seen).map(({ target }) => target)).toEqual(['/last']);
  });
});

describe('who may upgrade', () => {
  const ROUTES = [
    { path: '/', exposure: 'Public' },
    { path: '/private', exposure: 'Protected' },
    { path: '/other', exposure: 'Protected', websocket: { enabled: true, allowedOrigins: ['https://friend.example'] } },
    { path: '/any', exposure: 'Protected', websocket: { enabled: true, allowedOrigins: ['*'] } },
    { path: '/off', exposure: 'Public', websocket: { enabled: false, allowedOrigins: undefined } },
    { path: '/open', exposure: 'Public', websocket: { enabled: true, allowedOrigins: ['https://friend.example'] } },
    { path: '/denied', exposure: 'Denied' },
  ] as const;
  let upstream: Upstream;
  let gateway: Gateway;
  let redirects = false;
  beforeAll(async () => {
    upstream = await startUpstream(switchingUpstream(echo));
    gateway = await startGateway({
      port: upstream.port,
      routes: ROUTES,
      plugin: {
        decide: (request): Decision => {
          if (/(^|; )user=/.test(request.header('cookie') ?? ''))
            return { kind: 'continue', identity: ALICE, headers: [], cookies: [] };
          const notice = { code: 'x', title: 'x', text: 'x', advice: undefined, action: undefined };
          return redirects
            ? {
                kind: 'respond',
                status: 302,
                headers: [{ name: 'Location', value: 'https://idp.example/' }],
                cookies: ['attempt=1; Path=/'],
                notice: undefined,
                outcome: 'login_started',
              }
            : { kind: 'respond', status: 401, headers: [], cookies: [], notice, outcome: 'unauthenticated' };
        },
      },
    });
  });
  afterAll(async () => {
    await gateway.close();
    await upstream.close();
  });

  const statusOf = async (path: string, lines = ''): Promise<string> => {
    const client = await RawClient.connect(gateway.port);
    await client.send(upgradeRequest(path, { lines }));
    const head = await headOf(client);
    client.destroy();
    return head;
  };
  const USER = 'Cookie: user=1\r\n';

  it('A082 nobody without a session, and none is sent to a login', async () => {
    const seen = upstream.seen.length;
    expect(await statusOf('/private')).toMatch(/^HTTP\/1.1 401 /);
    expect(await statusOf('/private', 'Cookie: other=1\r\n')).toMatch(/^HTTP\/1.1 401 /);
    redirects = true;
    const head = await statusOf('/private', 'Accept: text/html\r\n');
    redirects = false;
    expect(head).toMatch(/^HTTP\/1.1 401 /);
    expect(head).not.toMatch(/location|set-cookie/i);
    expect(head).toMatch(/www-authenticate/i);
    expect(upstream.seen.length).toBe(seen);
  });

  it('A082 nobody on a Route that is Denied, and on none', async () => {
    expect(await statusOf('/denied', USER)).toMatch(/^HTTP\/1.1 503 /);
    expect(await statusOf('/off', USER)).toMatch(/^HTTP\/1.1 403 /);
    const elsewhere = upgradeRequest('/').replace('app.example', 'nowhere.example');
    expect((await askOnce(gateway.port, elsewhere)).status).toBe(404);
  });

  it.each([
    ['/private', undefined, 101],
    ['/private', 'https://app.example', 101],
    ['/private', 'http://app.example', 403],
    ['/private', 'https://app.example:8443', 403],
    ['/private', 'https://evil.app.example', 403],
    ['/private', 'https://app.example.evil.example', 403],
    ['/private', 'https://APP.example', 403],
    ['/private', 'null', 403],
    ['/private', '', 403],
    ['/other', 'https://friend.example', 101],
    ['/other', 'https://app.example', 101],
    ['/other', 'https://friend.example.evil.example', 403],
    ['/other', '*', 403],
    ['/any', 'https://whoever.example', 101],
    ['/any', 'null', 101],
    ['/', 'https://whoever.example', 101],
    ['/open', 'https://whoever.example', 403],
    ['/open', 'https://friend.example', 101],
  ])('A082 on %s a page of %s: %i', async (path, origin, status) => {
    const seen = upstream.seen.length;
    const head = await statusOf(path, `${USER}${origin === undefined ? '' : `Origin: ${origin}\r\n`}`);
    expect(head).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    if (status !== 101) {
      expect(upstream.seen.length).toBe(seen);
      await eventually(() => gateway.records.at(-1)?.reason === 'origin', 'the record of the refusal');
      expect(gateway.records.at(-1)?.outcome).toBe('upgrade_refused');
    }
  });

  it('an ordinary request isn’t held to any of this', async () => {
    const answer = await askOnce(
      gateway.port,
      `GET /other HTTP/1.1\r\nHost: app.example\r\nOrigin: https://evil.example\r\n${USER}\r\n`,
    );
    expect(answer.status).toBe(200);
  });
});
