import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { askOnce, type RawAnswer } from '../../support/raw-client.ts';
import { type Gateway, startGateway } from '../support/gateway.ts';
import { ok, startUpstream, type Upstream } from '../support/upstream.ts';

const CORS = {
  cors: {
    allowOrigins: ['https://app.example.com', 'http://localhost:3000', 'https://*.shop.example'],
    allowMethods: ['GET', 'PUT'],
    allowHeaders: ['Content-Type', 'X-Csrf'],
    exposeHeaders: ['X-Total'],
    allowCredentials: true,
    maxAge: '10m',
  },
};
const ANY = { cors: { allowOrigins: ['*'], maxAge: '1500ms' } };
const APP = 'https://app.example.com';

describe('cors', () => {
  let upstream: Upstream;
  let gateway: Gateway;
  beforeAll(async () => {
    upstream = await startUpstream(() =>
      ok('data', 'Access-Control-Allow-Origin: *\r\nACCESS-CONTROL-ALLOW-CREDENTIALS: true\r\nVary: Accept\r\n'),
    );
    gateway = await startGateway({
      port: upstream.port,
      routes: [
        { path: '/', exposure: 'Public' },
        { path: '/secret', exposure: 'Protected' },
        { path: '/api', exposure: 'Protected', methods: ['GET', 'PUT'], filters: CORS },
        { path: '/any', exposure: 'Public', filters: ANY },
        { path: '/closed', exposure: 'Denied', filters: CORS },
        { path: '/down', exposure: 'Public', port: 1, filters: CORS },
        { path: '/office', exposure: 'Public', filters: { ...CORS, clients: { allow: ['10.0.0.0/8'] } } },
      ],
    });
  });
  afterAll(async () => {
    await gateway.close();
    await upstream.close();
  });

  const ask = (method: string, path: string, more: string): Promise<RawAnswer> =>
    askOnce(gateway.port, `${method} ${path} HTTP/1.1\r\nHost: app.example\r\n${more}\r\n`, method);
  const preflight = (path: string, origin: string, method: string, more = ''): Promise<RawAnswer> =>
    ask('OPTIONS', path, `Origin: ${origin}\r\nAccess-Control-Request-Method: ${method}\r\n${more}`);
  const access = (answer: RawAnswer): Readonly<Record<string, string>> =>
    Object.fromEntries(
      answer.headers
        .map(([name, value]) => [name.toLowerCase(), value] as const)
        .filter(([name]) => name.startsWith('access-control-')),
    );

  it('A020 a preflight is answered by us: no login, no body, and no byte goes upstream', async () => {
    const before = upstream.connections;
    const answer = await preflight(
      '/api/x',
      APP,
      'PUT',
      'X-Forwarded-User: root\r\nAccess-Control-Request-Headers: x-csrf\r\n',
    );
    expect([answer.status, answer.body, answer.header('cache-control')]).toEqual([204, '', 'no-store']);
    expect(access(answer)).toEqual({
      'access-control-allow-origin': APP,
      'access-control-allow-credentials': 'true',
      'access-control-allow-methods': 'GET, PUT',
      'access-control-allow-headers': 'Content-Type, X-Csrf',
      'access-control-expose-headers': 'X-Total',
      'access-control-max-age': '600',
    });
    expect(answer.header('vary')).toBe('Origin');
    expect(upstream.connections).toBe(before);
    expect(gateway.records.at(-1)).toMatchObject({ outcome: 'preflight', reason: 'allowed', route: 'shop/route-2' });
  });

  it('A020 where a Route has no cors, a preflight is a request like any other', async () => {
    const before = upstream.seen.length;
    expect((await preflight('/secret', APP, 'GET')).status).toBe(401);
    expect(access(await preflight('/secret', APP, 'GET'))).toEqual({});
    expect(upstream.seen.length).toBe(before);
    const open = await preflight('/open', APP, 'GET', 'X-Forwarded-User: root\r\n');
    expect(open.body).toBe('data');
    expect(upstream.seen.at(-1)?.method).toBe('OPTIONS');
    expect(upstream.seen.at(-1)?.all('x-forwarded-user')).toEqual([]);
  });

  it('A020 is matched as the method that it asks about, and answered by no Denied Route', async () => {
    const before = upstream.seen.length;
    // What isn't served isn't told apart from what has no cors.
    expect((await preflight('/api/x', APP, 'DELETE')).status).toBe(405);
    expect((await preflight('/api/x', APP, 'TRACE')).status).toBe(405);
    expect((await preflight('/api/x', APP, 'get')).status).toBe(405);
    expect((await preflight('/closed', APP, 'GET')).status).toBe(503);
    expect(access(await preflight('/closed', APP, 'GET'))).toEqual({});
    // Without one of the two headers it is none.
    expect((await ask('OPTIONS', '/api/x', `Origin: ${APP}\r\n`)).status).toBe(405);
    expect((await ask('OPTIONS', '/api/x', 'Access-Control-Request-Method: GET\r\n')).status).toBe(405);
    expect(upstream.seen.length).toBe(before);
  });

  it.each([
    'https://evil.example',
    'https://app.example.com.evil.example',
    'https://app.example.com:8443',
    'http://app.example.com',
    'https://shop.example',
    'http://a.shop.example',
    'https://a.shop.example:444',
    'https://evil.example/.shop.example',
    'https://evil.example?.shop.example',
    'https://user@a.shop.example',
    'https://A.shop.example',
    'https://.shop.example',
    'https://evil.example#.shop.example',
    'https://-.shop.example ,https://app.example.com',
    'null',
    '*',
    '',
  ])('origins that are not listed are not repeated: %s', async (origin) => {
    const answer = await preflight('/api', origin, 'GET');
    expect([answer.status, answer.header('vary')]).toEqual([403, 'Origin']);
    expect(access(answer)).toEqual({});
    const real = await ask('GET', '/api', `Cookie: user=1\r\nOrigin: ${origin}\r\n`);
    expect(real.status).toBe(200);
    expect(access(real)).toEqual({});
  });

  it.each([APP, 'http://localhost:3000', 'https://a.shop.example', 'https://a.b.shop.example'])(
    'what the upstream says of %s is replaced, not doubled',
    async (origin) => {
      const answer = await ask('GET', '/api', `Cookie: user=1\r\nOrigin: ${origin}\r\n`);
      expect(answer.all('access-control-allow-origin')).toEqual([origin]);
      expect(answer.all('access-control-allow-credentials')).toEqual(['true']);
      expect(answer.all('access-control-expose-headers')).toEqual(['X-Total']);
      expect(answer.all('vary')).toEqual(['Accept', 'Origin']);
      expect(upstream.seen.at(-1)?.header('origin')).toBe(origin);
    },
  );

  it('our own 401, 403, 502 and 503 can be read by the page', async () => {
    const login = await ask('GET', '/api', `Origin: ${APP}\r\n`);
    expect([login.status, login.header('access-control-allow-origin')]).toEqual([401, APP]);
    const down = await ask('GET', '/down', `Origin: ${APP}\r\n`);
    expect([down.status, down.header('access-control-allow-origin')]).toEqual([502, APP]);
    const office = await ask('GET', '/office', `Origin: ${APP}\r\n`);
    expect([office.status, office.header('access-control-allow-origin')]).toEqual([403, APP]);
    const evil = await ask('GET', '/api', 'Origin: https://evil.example\r\n');
    expect([evil.status, evil.header('access-control-allow-origin')]).toEqual([401, undefined]);
  });

  it('addresses that a Route is not for get no preflight either', async () => {
    const answer = await preflight('/office', APP, 'GET');
    expect([answer.status, answer.header('access-control-allow-methods')]).toEqual([403, undefined]);
    expect(gateway.records.at(-1)).toMatchObject({ outcome: 'refused', reason: 'client_address' });
  });

  it('* is for everybody, says so, and never with credentials', async () => {
    const answer = await ask('GET', '/any', 'Origin: https://whoever.example\r\n');
    expect(access(answer)).toEqual({ 'access-control-allow-origin': '*' });
    expect(answer.header('vary')).toBe('Accept');
    // Without an origin nobody asked; what the upstream says is nonetheless not passed on.
    expect(access(await ask('GET', '/any', ''))).toEqual({});
    const asked = await preflight('/any', 'https://whoever.example', 'POST');
    expect(access(asked)).toEqual({
      'access-control-allow-origin': '*',
      'access-control-allow-methods': 'GET, HEAD, POST',
      'access-control-max-age': '1',
    });
  });

  it('the body of a preflight is read and dropped, and its connection goes on', async () => {
    const before = upstream.seen.length;
    const head = `OPTIONS /api HTTP/1.1\r\nHost: app.example\r\nOrigin: ${APP}\r\nAccess-Control-Request-Method: GET\r\nContent-Length: 5\r\n\r\n`;
    const answer = await askOnce(gateway.port, `${head}hello`, 'OPTIONS');
    expect(answer.status).toBe(204);
    expect(upstream.seen.length).toBe(before);
  });
});
