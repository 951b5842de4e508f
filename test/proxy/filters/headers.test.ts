import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { askOnce } from '../../support/raw-client.ts';
import { type Gateway, startGateway } from '../support/gateway.ts';
import { ok, startUpstream, type Upstream } from '../support/upstream.ts';

const FILTERS = {
  requestHeaders: {
    set: [
      { name: 'X-Tenant', value: 'shop' },
      { name: 'User-Agent', value: 'postern' },
    ],
    add: [{ name: 'X-Seen', value: 'by, the gateway' }],
    remove: ['X-Debug', 'Accept-Language'],
  },
  responseHeaders: {
    set: [
      { name: 'Server', value: 'web' },
      { name: 'Cache-Control', value: 'public, max-age=60' },
    ],
    add: [{ name: 'Strict-Transport-Security', value: 'max-age=1' }],
    remove: ['X-Powered-By', 'set-cookie'],
  },
};

describe('header filters of a Route', () => {
  let upstream: Upstream;
  let gateway: Gateway;
  beforeAll(async () => {
    upstream = await startUpstream(() =>
      ok(
        'body',
        'Server: leaky/1\r\nsErVer: twice\r\nX-Powered-By: x\r\nCache-Control: private\r\nSet-Cookie: a=b\r\nX-Stays: 1\r\nConnection: X-Hop\r\nX-Hop: 1\r\n',
      ),
    );
    gateway = await startGateway({
      port: upstream.port,
      routes: [
        { path: '/', exposure: 'Public', filters: FILTERS },
        { path: '/private', exposure: 'Protected', filters: FILTERS },
      ],
      plugin: {
        decide: (request) =>
          request.header('cookie') === undefined
            ? { kind: 'respond', status: 401, headers: [], cookies: [], notice: undefined, outcome: 'no_session' }
            : {
                kind: 'continue',
                identity: { issuer: 'i', subject: 's', username: 'a', groups: [], email: undefined, claims: {} },
                headers: [{ name: 'X-Forwarded-User', value: 'alice' }],
                cookies: ['__Host-postern-s-x=renewed; Path=/; Secure'],
              },
      },
    });
  });
  afterAll(async () => {
    await gateway.close();
    await upstream.close();
  });
  const get = (path: string, more = '') =>
    askOnce(gateway.port, `GET ${path} HTTP/1.1\r\nHost: app.example\r\n${more}\r\n`);

  it('A040 set and remove reach every spelling that a server could take for the name', async () => {
    await get(
      '/',
      'x-tenant: evil\r\nX_Tenant: evil\r\nx.TENANT: evil\r\nX-Tenant: evil2\r\nX!Tenant: evil\r\nUser-Agent: curl\r\nX_DEBUG: 1\r\nx-debug: 2\r\nAccept-Language: de\r\nX-Seen: first\r\nX-Other: stays\r\n',
    );
    const seen = upstream.seen.at(-1);
    expect(seen?.all('x-tenant')).toEqual(['shop']);
    expect(seen?.all('user-agent')).toEqual(['postern']);
    expect(seen?.all('x-seen')).toEqual(['first', 'by, the gateway']);
    expect(seen?.all('x-other')).toEqual(['stays']);
    expect(seen?.all('accept-language')).toEqual([]);
    expect(upstream.bytes.at(-1)).not.toMatch(/evil|debug|curl/i);
  });

  it('A042 A041 what a client nominates takes nothing of it away, and identity comes last', async () => {
    await get(
      '/private',
      'Cookie: user=1\r\nConnection: close, X-Tenant, x-forwarded-user, X-Seen\r\nX-Forwarded-User: root\r\nX-Seen: client\r\n',
    );
    const seen = upstream.seen.at(-1);
    expect(seen?.all('x-tenant')).toEqual(['shop']);
    expect(seen?.all('x-seen')).toEqual(['by, the gateway']);
    expect(seen?.all('x-forwarded-user')).toEqual(['alice']);
    expect(seen?.headers.at(-1)?.[0]).toBe('X-Forwarded-User');
    expect(seen?.all('connection')).toEqual([]);
  });

  it('A045 A050 framing, trailers and forwarding headers stay ours', async () => {
    await get('/', 'Trailer: x\r\nX-Forwarded-For: 6.6.6.6\r\nForwarded: for=6.6.6.6\r\nX-Real-IP: 6.6.6.6\r\n');
    const seen = upstream.seen.at(-1);
    expect(seen?.all('trailer')).toEqual([]);
    expect(seen?.all('x-forwarded-for')).toEqual(['127.0.0.1']);
    expect(upstream.bytes.at(-1)?.split('\r\n\r\n').at(-2)).not.toContain('6.6.6.6');
  });

  it('a response: set in the place of all, add besides, remove; hop-by-hop goes as always', async () => {
    const answer = await get('/');
    expect(answer.headers.filter(([name]) => /^server$/i.test(name)).map(([, value]) => value)).toEqual(['web']);
    expect(answer.header('cache-control')).toBe('public, max-age=60');
    expect(answer.header('strict-transport-security')).toBe('max-age=1');
    expect(answer.header('x-powered-by')).toBeUndefined();
    expect(answer.header('set-cookie')).toBeUndefined();
    expect(answer.header('x-hop')).toBeUndefined();
    expect(answer.header('x-stays')).toBe('1');
    expect(answer.header('content-length')).toBe('4');
  });

  it('A105 a response that carries a session is kept by no cache, whatever the Route says, and its cookie stays', async () => {
    const answer = await get('/private', 'Cookie: user=1\r\n');
    expect(answer.headers.filter(([name]) => /^cache-control$/i.test(name)).map(([, value]) => value)).toEqual([
      'no-store',
    ]);
    expect(answer.header('set-cookie')).toContain('__Host-postern-s-x=renewed');
  });

  it('answers of our own are not the Route’s to change', async () => {
    const answer = await get('/private');
    expect([answer.status, answer.header('cache-control'), answer.header('server')]).toEqual([
      401,
      'no-store',
      undefined,
    ]);
  });
});
