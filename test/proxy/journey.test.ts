import { afterEach, describe, expect, it } from 'vitest';
import type { Policy } from '../../src/authorization/policy.ts';
import type { Decision } from '../../src/routing/decision.ts';
import { askOnce, askRaw, RawClient } from '../support/raw-client.ts';
import { ALICE, eventually, type Gateway, type GatewayOptions, PLUGIN, startGateway } from './support/gateway.ts';
import { ok, startUpstream, type Upstream } from './support/upstream.ts';

const get = (path: string, more = ''): string => `GET ${path} HTTP/1.1\r\nHost: app.example\r\n${more}\r\n`;
const ADMINS: Policy = {
  rules: [
    {
      name: 'only-admins',
      paths: undefined,
      methods: undefined,
      claims: [],
      groups: ['admins'],
      emailDomains: undefined,
    },
  ],
};

describe('the journey of a request', () => {
  let upstream: Upstream;
  let gateway: Gateway;
  const start = async (options: Partial<GatewayOptions> = {}): Promise<void> => {
    upstream = await startUpstream((request) => ok(request.target, 'X-From: upstream\r\n'));
    gateway = await startGateway({ port: upstream.port, ...options });
  };
  afterEach(async () => {
    await gateway.close();
    await upstream.close();
  });

  it('a Protected Route: nobody’s request stops at the door, Alice’s goes on as Alice', async () => {
    await start();
    const stranger = await askOnce(gateway.port, get('/private', 'X-Forwarded-User: root\r\n'));
    expect(stranger.status).toBe(401);
    expect(stranger.header('www-authenticate')).toBe('Bearer');
    expect(upstream.connections).toBe(0);
    const alice = await askOnce(
      gateway.port,
      get('/private', 'Cookie: user=1\r\nX-Forwarded-User: root\r\nAuthorization: Basic x\r\n'),
    );
    expect(alice.status).toBe(200);
    expect(alice.header('x-from')).toBe('upstream');
    const [seen] = upstream.seen;
    expect(seen?.all('x-forwarded-user')).toEqual(['alice']);
    expect(seen?.all('authorization')).toEqual([]);
    expect(seen?.header('x-request-id')).toBe(alice.header('x-request-id'));
    await eventually(() => gateway.records.length === 2, 'both are recorded');
    expect(gateway.records[0]).toMatchObject({
      status: 401,
      outcome: 'unauthenticated',
      reason: 'no_session',
      plugin: PLUGIN,
      upstreamMs: undefined,
    });
    expect(gateway.records[1]).toMatchObject({
      status: 200,
      outcome: 'forwarded',
      path: '/private',
      host: 'app.example',
    });
  });

  it('A041 identity headers go no further on a Public Route either', async () => {
    await start();
    await askOnce(
      gateway.port,
      get(
        '/open',
        'X-Forwarded-User: root\r\nREMOTE_USER: root\r\nX.Auth.Request.Email: root\r\nAuthorization: Basic x\r\n',
      ),
    );
    expect(upstream.bytes[0]).not.toMatch(/root/);
    expect(upstream.seen[0]?.all('authorization')).toEqual(['Basic x']);
  });

  it('no snapshot yet: 503, never open', async () => {
    await start({ noSnapshot: true });
    const answer = await askOnce(gateway.port, get('/open'));
    expect([answer.status, answer.header('retry-after')]).toEqual([503, '10']);
    expect(upstream.connections).toBe(0);
  });

  it('the rules of a Route: 403 that names the rule, on every request', async () => {
    await start({ routes: [{ path: '/', exposure: 'Protected', authorization: ADMINS }] });
    const answer = await askOnce(gateway.port, get('/x', 'Cookie: user=1\r\n'));
    expect(answer.status).toBe(403);
    expect(JSON.parse(answer.body)).toMatchObject({ error: 'forbidden', request_id: answer.header('x-request-id') });
    expect(answer.body).toContain('only-admins');
    expect(answer.body).not.toMatch(/alice|staff/);
    expect(upstream.connections).toBe(0);
    expect(gateway.records[0]).toMatchObject({ outcome: 'forbidden', rule: 'only-admins' });
  });

  it('pages for people, JSON for scripts, never cached, never sniffed', async () => {
    await start();
    const page = await askOnce(gateway.port, 'GET / HTTP/1.1\r\nHost: other.example\r\nAccept: text/html\r\n\r\n');
    expect(page.status).toBe(404);
    expect(page.header('content-type')).toBe('text/html; charset=utf-8');
    expect(page.header('content-security-policy')).toContain("default-src 'none'");
    expect(page.header('x-content-type-options')).toBe('nosniff');
    expect(page.header('cache-control')).toBe('no-store');
    expect(page.body).toContain(page.header('x-request-id') ?? 'no id');
    const json = await askOnce(
      gateway.port,
      'GET / HTTP/1.1\r\nHost: other.example\r\nAccept: text/html\r\nSec-Fetch-Mode: cors\r\n\r\n',
    );
    expect(json.header('content-type')).toBe('application/json');
    const misspelt = await askOnce(gateway.port, 'GET /%zz HTTP/1.1\r\nHost: a.example\r\nAccept: text/html\r\n\r\n');
    expect([misspelt.status, misspelt.header('content-type')]).toEqual([400, 'text/html; charset=utf-8']);
    const head = await askOnce(gateway.port, 'HEAD / HTTP/1.1\r\nHost: other.example\r\n\r\n', 'HEAD');
    expect([head.status, head.body]).toEqual([404, '']);
  });

  it.each([
    [
      'throws',
      (): Decision => {
        throw new Error('bug');
      },
    ],
    ['rejects', (): Promise<Decision> => Promise.reject(new Error('bug'))],
    [
      'proves nothing and says go on',
      (): Decision => ({ kind: 'continue', identity: undefined, headers: [], cookies: [] }),
    ],
    [
      'writes a header that is not its own',
      (): Decision => ({ kind: 'continue', identity: ALICE, headers: [{ name: 'X-Admin', value: '1' }], cookies: [] }),
    ],
    [
      'A046 T18 writes a value that breaks the line',
      (): Decision => ({
        kind: 'continue',
        identity: ALICE,
        headers: [{ name: 'X-Forwarded-User', value: 'a\r\nX-Admin: 1' }],
        cookies: [],
      }),
    ],
    [
      'answers with a header that can’t be sent',
      (): Decision => ({
        kind: 'respond',
        status: 302,
        headers: [{ name: 'Location', value: '/a\r\nX: 1' }],
        cookies: [],
        notice: undefined,
        outcome: 'x',
      }),
    ],
  ])('F55 a plugin that %s closes the door: 500, nothing forwarded, logged once', async (_what, decide) => {
    await start({ plugin: { decide } });
    const answer = await askOnce(gateway.port, get('/private', 'Cookie: user=1\r\n'));
    expect(answer.status).toBe(500);
    expect(answer.header('x-admin')).toBeUndefined();
    expect(upstream.connections).toBe(0);
    expect(gateway.errors.length).toBe(1);
    expect(gateway.records[0]).toMatchObject({ outcome: 'internal_error', status: 500 });
    expect(gateway.leases).toBe(0);
    expect((await askOnce(gateway.port, get('/open'))).status).toBe(200);
  });

  it('F55 an observer that throws hurts no request', async () => {
    await start({
      onFinished: () => {
        throw new Error('bug');
      },
    });
    const answers = await askRaw(gateway.port, get('/a') + get('/b', 'Connection: close\r\n'));
    expect(answers.map(({ status }) => status)).toEqual([200, 200]);
    expect(gateway.leases).toBe(0);
  });

  it('a redirect of a plugin goes out with its headers and cookies, never cached', async () => {
    await start({
      plugin: {
        decide: () => ({
          kind: 'respond',
          status: 302,
          headers: [{ name: 'Location', value: 'https://idp.example/authorize?x=1' }],
          cookies: ['a=1; Path=/', 'b=2; Path=/'],
          notice: undefined,
          outcome: 'login_started',
        }),
      },
    });
    const answer = await askOnce(gateway.port, get('/private'));
    expect([answer.status, answer.header('location'), answer.header('cache-control'), answer.body]).toEqual([
      302,
      'https://idp.example/authorize?x=1',
      'no-store',
      '',
    ]);
    expect(answer.all('set-cookie')).toEqual(['a=1; Path=/', 'b=2; Path=/']);
    expect(gateway.records[0]).toMatchObject({ outcome: 'login', reason: 'login_started' });
  });

  it('cookies of a decision to go on are added to the upstream’s response, which no cache keeps then', async () => {
    await start({
      plugin: {
        decide: async () => ({
          kind: 'continue',
          identity: ALICE,
          headers: [],
          cookies: ['__Host-postern-s-abcdefgh=new'],
        }),
      },
    });
    const answer = await askOnce(gateway.port, get('/private'));
    expect([answer.status, answer.all('set-cookie'), answer.header('cache-control')]).toEqual([
      200,
      ['__Host-postern-s-abcdefgh=new'],
      'no-store',
    ]);
  });

  it('A052 A054 our cookies reach no upstream, and an upstream can set none', async () => {
    await start();
    await upstream.close();
    upstream = await startUpstream(() =>
      ok('x', 'Set-Cookie: __Host-postern-s-abcdefgh=evil; Path=/\r\nSet-Cookie: a=1\r\n'),
    );
    await gateway.close();
    gateway = await startGateway({ port: upstream.port });
    const answer = await askOnce(
      gateway.port,
      get('/private', 'Cookie: user=1; __Host-postern-s-abcdefgh.0=x; b="2"\r\n'),
    );
    expect(upstream.seen[0]?.all('cookie')).toEqual(['user=1; b="2"']);
    expect(answer.all('set-cookie')).toEqual(['a=1']);
  });

  it('A099 a body that stops at the door reaches nobody and doesn’t stop the connection', async () => {
    await start();
    const answers = await askRaw(
      gateway.port,
      `POST /private HTTP/1.1\r\nHost: app.example\r\nContent-Length: 6\r\n\r\nsecret${get('/open', 'Connection: close\r\n')}`,
    );
    expect(answers.map(({ status }) => status)).toEqual([401, 200]);
    expect(upstream.bytes.join('')).not.toContain('secret');
  });

  it('F15 a request keeps the snapshot it began with until its end', async () => {
    let go = (): void => {};
    const waiting = new Promise<void>((resolve) => {
      go = resolve;
    });
    await start({
      plugin: {
        decide: async () => {
          await waiting;
          return { kind: 'continue', identity: ALICE, headers: [], cookies: [] };
        },
      },
    });
    const client = await RawClient.connect(gateway.port);
    await client.send(get('/private'));
    await eventually(() => gateway.leases === 1, 'the request holds its lease');
    go();
    expect((await client.answer())?.status).toBe(200);
    await eventually(() => gateway.leases === 0, 'the lease is released');
    client.destroy();
  });

  it('a client that goes away during a decision reaches no upstream', async () => {
    let go = (): void => {};
    const waiting = new Promise<void>((resolve) => {
      go = resolve;
    });
    await start({
      limits: { halfClosedTimeout: 0 },
      plugin: {
        decide: async () => {
          await waiting;
          return { kind: 'continue', identity: ALICE, headers: [], cookies: [] };
        },
      },
    });
    const client = await RawClient.connect(gateway.port);
    await client.send(get('/private'));
    await eventually(() => gateway.leases === 1, 'the decision is under way');
    client.destroy();
    await eventually(() => gateway.connections === 0, 'the proxy has noticed');
    go();
    await eventually(() => gateway.records.length === 1, 'the request is recorded');
    expect(gateway.records[0]).toMatchObject({ outcome: 'client_gone', status: 0 });
    expect(upstream.connections).toBe(0);
  });
});

describe('the listener', () => {
  it('A160 T16 a head that never ends, and a connection that never speaks, end with 408', async () => {
    const gateway = await startGateway({ port: 1, limits: { headTimeout: 300, checkInterval: 50 } });
    const silent = await RawClient.connect(gateway.port);
    const slow = await RawClient.connect(gateway.port);
    await slow.send('GET / HTTP/1.1\r\nHost: app.ex');
    expect((await slow.answer())?.status).toBe(408);
    await slow.closed;
    await silent.closed;
    expect(gateway.rejected).toContain('head_timeout');
    await eventually(() => gateway.connections === 0, 'both are gone');
    await gateway.close();
  });

  it('A160 idle connections end, and no more than the cap are open', async () => {
    const upstream = await startUpstream();
    const gateway = await startGateway({ port: upstream.port, limits: { connections: 3, keepAliveTimeout: 1000 } });
    const clients = await Promise.all([1, 2, 3].map(() => RawClient.connect(gateway.port)));
    await eventually(() => gateway.connections === 3, 'three are open');
    const fourth = await RawClient.connect(gateway.port);
    await fourth.closed;
    expect(fourth.received).toBe('');
    expect(gateway.rejected).toEqual(['too_many_connections']);
    for (const client of clients) {
      await client.send(get('/x'));
      expect((await client.answer())?.status).toBe(200);
      await client.closed;
    }
    await gateway.close();
    await upstream.close();
  });

  it('A160 a client that takes no answer loses its connection', async () => {
    const gateway = await startGateway({
      port: 1,
      limits: { sendTimeout: 200 },
      plugin: {
        decide: () => ({
          kind: 'respond',
          status: 401,
          headers: [],
          cookies: [],
          notice: {
            code: 'big',
            title: 'Big',
            text: 'x'.repeat(32 * 1024 * 1024),
            advice: undefined,
            action: undefined,
          },
          outcome: 'big',
        }),
      },
    });
    const client = await RawClient.connect(gateway.port);
    client.socket.pause();
    await client.send(get('/private'));
    await eventually(() => gateway.records.length === 1, 'it was answered');
    await eventually(() => gateway.connections === 0, 'its connection ended');
    client.destroy();
    await gateway.close();
  });

  it('A073 more waiting requests than the cap end the connection', async () => {
    const upstream = await startUpstream(() => undefined);
    const gateway = await startGateway({ port: upstream.port, limits: { pipelinedRequests: 10 } });
    const client = await RawClient.connect(gateway.port);
    await client.send(get('/x').repeat(50));
    await client.closed;
    expect(gateway.rejected).toEqual(['pipelining']);
    expect(upstream.seen.length).toBeLessThanOrEqual(1);
    await eventually(() => gateway.leases === 0, 'nothing is left');
    await gateway.close();
    await upstream.close();
  });

  it('F23 draining: what is in flight finishes, each answer is the last of its connection, new ones are served until the close', async () => {
    let finish = (): void => {};
    const upstream = await startUpstream((request, socket) => {
      if (request.target !== '/slow') return ok();
      finish = () => socket.write(ok('slow'));
      return undefined;
    });
    const gateway = await startGateway({ port: upstream.port });
    const slow = await RawClient.connect(gateway.port);
    await slow.send(get('/slow'));
    await eventually(() => upstream.seen.length === 1, 'it is under way');
    gateway.listener.drain();
    const late = await askOnce(gateway.port, get('/late'));
    expect([late.status, late.header('connection')]).toEqual([200, 'close']);
    const closed = gateway.listener.close(10_000);
    finish();
    const answer = await slow.answer();
    expect([answer?.body, answer?.header('connection')]).toEqual(['slow', 'close']);
    await closed;
    expect(gateway.leases).toBe(0);
    await upstream.close();
  });

  it('F23 a spare connection that never asks holds up no end', async () => {
    const gateway = await startGateway({ port: 1, limits: { headTimeout: 300 } });
    const spare = await RawClient.connect(gateway.port);
    await eventually(() => gateway.connections === 1, 'it is open');
    await gateway.listener.close(60_000);
    await spare.closed;
  });

  it('F23 a connection whose answer began before the drain holds up no end once that is over', async () => {
    let finish = (): void => {};
    const upstream = await startUpstream((_, socket) => {
      finish = () => socket.write('there');
      return 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n';
    });
    const gateway = await startGateway({ port: upstream.port });
    const client = await RawClient.connect(gateway.port);
    await client.send(get('/slow'));
    await eventually(() => client.received.includes('keep-alive'), 'it said that its connection goes on');
    const closed = gateway.listener.close(60_000);
    finish();
    expect((await client.answer())?.body).toBe('there');
    expect(await closed).toEqual({ requests: 0, tunnels: 0 });
    expect(gateway.cuts).toEqual([]);
    await upstream.close();
  });

  it('F26 what doesn’t end by itself is ended at the deadline', async () => {
    const upstream = await startUpstream(() => undefined);
    const gateway = await startGateway({ port: upstream.port });
    const client = await RawClient.connect(gateway.port);
    await client.send(get('/never'));
    await eventually(() => upstream.seen.length === 1, 'it is under way');
    expect(await gateway.listener.close(100)).toEqual({ requests: 1, tunnels: 0 });
    await client.closed;
    await eventually(() => gateway.leases === 0, 'the lease is released');
    await upstream.close();
  });

  it('an address that is taken is an error to whoever starts it', async () => {
    const gateway = await startGateway({ port: 1 });
    const other = await startGateway({ port: 1 });
    await expect(other.listener.listen({ host: '127.0.0.1', port: gateway.port })).rejects.toThrow();
    await gateway.close();
    await other.close();
  });
});
