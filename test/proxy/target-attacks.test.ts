import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { askOnce, RawClient } from '../support/raw-client.ts';
import { FRONTS } from './support/fronts.ts';
import { type Gateway, startGateway } from './support/gateway.ts';
import { startUpstream, type Upstream } from './support/upstream.ts';

/** Attacks 1a and 1b over the wire. `/private` and `/admin` are Protected, everything else of the host is Public. */
describe.each(FRONTS)('path, target and host confusion over $name', (front) => {
  let upstream: Upstream;
  let gateway: Gateway;
  let before = 0;

  beforeAll(async () => {
    upstream = await startUpstream();
    gateway = await startGateway({
      ...front.options(),
      port: upstream.port,
      reserved: ['/_oidc/door/callback'],
      routes: [
        { path: '/', exposure: 'Public' },
        { path: '/private', exposure: 'Protected' },
        { path: '/admin', exposure: 'Protected' },
        { path: '/getonly', exposure: 'Protected', methods: ['GET'] },
        { path: '/keep', exposure: 'Public', encodedSlashes: 'Keep' },
        { path: '/closed', exposure: 'Denied' },
        { path: '/based', exposure: 'Public', basePath: '/v1' },
        { path: '/', host: '*.wild.example', exposure: 'Public' },
        { path: '/only', host: 'exact.wild.example', exposure: 'Public' },
      ],
    });
  });
  afterAll(async () => {
    await gateway.close();
    await upstream.close();
  });
  beforeEach(() => {
    before = upstream.seen.length;
  });

  const get = (target: string, more = '', host = 'app.example') => front.ask(gateway, { target, host, lines: more });
  /** Over HTTP/2 what is malformed may be reset instead of answered. */
  const refusal = (status: number): unknown =>
    front.http2 ? expect.toSatisfy((is) => is === status || is === 0) : status;

  const refused = async (line: string, status: number, host = 'app.example'): Promise<void> => {
    const seen = upstream.seen.length;
    if (front.http2) {
      const [method = '', ...target] = line.split(' ');
      const { status: got } = await front.ask(gateway, { method, target: target.join(' '), host });
      expect(got, line).toEqual(refusal(status));
      expect(upstream.seen.length, line).toBe(seen);
      return;
    }
    const client = await RawClient.connect(gateway.port);
    await client.send(`${line} HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
    const answer = await client.answer();
    expect(answer?.status, line).toBe(status);
    await client.closed;
    expect(client.rest).toBe('');
    expect(upstream.seen.length, line).toBe(seen);
  };

  const forwardedAs = async (target: string, seen: string, more = ''): Promise<void> => {
    const answer = await get(target, more);
    expect(answer.status, target).toBe(200);
    expect(upstream.seen.at(-1)?.target, target).toBe(seen);
  };

  const needsLogin = async (target: string, more = ''): Promise<void> => {
    const seen = upstream.seen.length;
    const answer = await get(target, more);
    expect(answer.status, target).toBe(401);
    expect(answer.header('cache-control'), target).toBe('no-store');
    expect(upstream.seen.length, target).toBe(seen);
  };

  it('A001 a query that looks like a public path decides nothing', async () => {
    await needsLogin('/private?x=/status');
    await needsLogin('/private/x?/../../public');
    await forwardedAs('/public?x=/private', '/public?x=/private');
  });

  it('A002 a raw # is refused, an escaped one stays data', async () => {
    await refused('GET /foo/secret#/bar', 400);
    await refused('GET /foo?a#b', 400);
    await forwardedAs('/foo/secret%23/bar', '/foo/secret%23/bar');
  });

  it('A003 X-Forwarded-Uri and its kin decide nothing and go no further', async () => {
    const more = 'X-Forwarded-Uri: /public\r\nX-Original-URL: /public\r\nX-Rewrite-URL: /public\r\n';
    await needsLogin('/private', more);
    await forwardedAs('/public', '/public', more);
    expect(upstream.bytes.join('')).not.toMatch(/forwarded-uri|original-url|rewrite-url/i);
  });

  it.each([
    '/public/../admin',
    '/public/%2e%2e/admin',
    '/public/.%2e/admin',
    '/public/%2E./admin',
    '/./admin',
    '/admin/..',
  ])('A004 dot segments are refused: %s', (target) => refused(`GET ${target}`, 400));

  it('A005 a prefix covers whole segments only, and `..` glued to a name is a name', async () => {
    await forwardedAs('/admin../x', '/admin../x');
    await forwardedAs('/adminx', '/adminx');
    await forwardedAs('/admin%2e%2e/x', '/admin../x');
  });

  it.each(['/public%2f..%2fadmin', '/public%2Fadmin', '/a%5Cadmin', '/a%5c..%5cadmin'])(
    'A007 an escaped slash or backslash is refused: %s',
    (target) => refused(`GET ${target}`, 400),
  );

  it('A007 a Route that keeps escaped slashes gets them as data', async () => {
    await forwardedAs('/keep/a%2fb', '/keep/a%2Fb');
    await refused('GET /keep/a%5cb', 400);
  });

  it('A008 empty segments are merged once, for decision and forward alike', async () => {
    await needsLogin('//admin');
    await needsLogin('///admin');
    await needsLogin('//private//x');
    await forwardedAs('/public//x', '/public/x');
  });

  it('A009 a raw backslash is refused', async () => {
    await refused('GET /a\\..\\admin', 400);
    await refused('GET /x?a=\\', 400);
  });

  it('A011 paths are compared with their case', async () => {
    await forwardedAs('/ADMIN', '/ADMIN');
    await needsLogin('/admin');
  });

  it.each(['/admin%00', '/%00', '/admin%0a', '/admin%0d%0aX:%20y', '/x%7f', '/%1B'])(
    'A012 escaped control characters are refused: %s',
    (target) => refused(`GET ${target}`, 400),
  );

  it.each(['/%zz', '/%', '/%4', '/%c0%ae%c0%ae/', '/%ff'])('A013 bad escapes and bad UTF-8 are refused: %s', (target) =>
    refused(`GET ${target}`, 400),
  );

  it('A013 what is escaped twice stays data', () => forwardedAs('/%252e%252e/admin', '/%252e%252e/admin'));

  it('A014 absolute-form: its authority is the Host, and origin-form goes on', async () => {
    await refused('GET http://evil.example/x', 400);
    await refused('GET http://app.example@evil.example/x', 400);
    await refused('GET ftp://app.example/x', 400);
    // Over HTTP/2 there is no such form at all.
    if (front.http2) return;
    await needsLogin('http://app.example/admin');
    await forwardedAs('http://app.example/public?q=1', '/public?q=1');
  });

  it('A015 *, CONNECT and TRACE are never forwarded', async () => {
    await refused('GET *', 400);
    await refused('OPTIONS *', 400);
    await refused('TRACE /', 405);
    // A CONNECT of HTTP/2 has no path: its tests are with the other heads.
    if (front.http2) return;
    await refused('CONNECT a:443', 405);
    await refused('CONNECT app.example:443', 405);
  });

  it('A016 a path that looks like an authority stays on its upstream', async () => {
    await forwardedAs('//evil.example/x', '/evil.example/x');
    await forwardedAs('/based//evil.example/', '/v1/based/evil.example/');
    await forwardedAs('/x@evil.example', '/x@evil.example');
    expect(upstream.seen.at(-1)?.header('host')).toBe(`127.0.0.1:${upstream.port}`);
  });

  it('A017 long targets and heads are refused and the connection ends', async () => {
    await refused(`GET /${'a'.repeat(16_384)}`, 414);
    await refused(`GET /?${'a'.repeat(16_384)}`, 414);
    await refused(`GET /${'a'.repeat(80_000)}`, 431);
    expect(gateway.records.at(-1)?.path).toBe('');
  });

  it('A018 reserved paths match exactly and never reach an upstream', async () => {
    const there = await get('/_oidc/door/callback?code=1');
    expect(there.status).toBe(200);
    expect(JSON.parse(there.body)).toMatchObject({ error: 'reserved' });
    for (const target of ['/_oidc/door/callback/x', '/_oidc/door/callback/', '/_oidc/door', '/_oidc/', '/_oidc']) {
      expect((await get(target)).status, target).toBe(404);
    }
    await refused('GET /_oidc/door/callback/..%2fadmin', 400);
    expect(upstream.seen.length).toBe(before);
  });

  it('A019 no User-Agent opens anything', () =>
    needsLogin('/private', 'User-Agent: kube-probe/1.31 GoogleHC/1.0 ELB-HealthChecker/2.0\r\n'));

  it('A020 a preflight on a Protected Route opens nothing', async () => {
    const answer = await front.ask(gateway, {
      method: 'OPTIONS',
      target: '/private',
      lines: 'Origin: https://evil.example\r\nAccess-Control-Request-Method: GET\r\n',
    });
    expect(answer.status).toBe(401);
    expect(answer.header('access-control-allow-origin')).toBeUndefined();
    expect(upstream.seen.length).toBe(before);
  });

  it('A021 HEAD is held to what holds for GET, other methods never fall to the wider Public Route', async () => {
    const head = await front.ask(gateway, { method: 'HEAD', target: '/getonly' });
    expect(head.status).toBe(401);
    const post = await front.ask(gateway, { method: 'POST', target: '/getonly' });
    expect(post.status).toBe(405);
    expect(post.header('allow')).toBe('GET, HEAD');
    await refused('FOO /getonly', 400);
    await refused('get /getonly', 400);
  });

  it('A030 one trailing dot of the host is no other host', async () => {
    expect((await get('/private', '', 'app.example.')).status).toBe(401);
    expect((await get('/', '', 'app.example..')).status).toBe(400);
  });

  it('A031 case and port of the host decide nothing', async () => {
    for (const host of ['APP.EXAMPLE', 'app.example:443', 'app.example:8443', 'app.example:']) {
      expect((await get('/private', '', host)).status, host).toBe(401);
      expect((await get('/public', '', host)).status, host).toBe(200);
      expect(upstream.seen.at(-1)?.header('x-forwarded-host')).toBe('app.example');
    }
    expect((await get('/', '', 'app.example:65536')).status).toBe(400);
  });

  // Over HTTP/2: with the other heads.
  if (!front.http2)
    it('A032 two Host lines are refused', async () => {
      for (const second of ['app.example', 'other.example', '']) {
        const answer = await get('/', `Host: ${second}\r\n`);
        expect(answer.status).toBe(400);
        expect(answer.header('connection')).toBe('close');
      }
      expect(upstream.seen.length).toBe(before);
    });

  it('A033 odd hosts are refused, as is none', async () => {
    for (const host of ['a@b', 'a b', 'a/b', 'a,b', '', 'app.example#', 'app.example\\', '[::1', 'app.example:80:80']) {
      expect((await get('/', '', host)).status, host).toEqual(refusal(400));
    }
    if (!front.http2) expect((await askOnce(gateway.port, 'GET / HTTP/1.0\r\n\r\n')).status).toBe(400);
    if (!front.http2) expect((await askOnce(gateway.port, 'GET / HTTP/1.1\r\n\r\n')).status).toBe(400);
    expect(upstream.seen.length).toBe(before);
  });

  it('A036 a host that no Route names is 404, with neither login nor upstream', async () => {
    for (const host of ['127.0.0.1', 'localhost', '[::1]:80', 'other.example', 'example', 'sub.app.example']) {
      const answer = await get('/private', '', host);
      expect(answer.status, host).toBe(404);
      expect(answer.header('location'), host).toBeUndefined();
    }
    expect(upstream.seen.length).toBe(before);
  });

  it('A037 X-Forwarded-Host is not believed', async () => {
    let origin = '';
    const own = await startGateway({
      ...front.options(),
      port: upstream.port,
      plugin: {
        decide: (_request, context) => {
          origin = context.origin;
          return { kind: 'respond', status: 302, headers: [], cookies: [], notice: undefined, outcome: 'login' };
        },
      },
    });
    await front.ask(own, {
      target: '/private',
      host: 'app.example:8443',
      lines: 'X-Forwarded-Host: evil.example\r\nX-Forwarded-Proto: http\r\nForwarded: host=evil.example\r\n',
    });
    expect(origin).toBe('https://app.example');
    await own.close();
  });

  it('A038 a path that the exact host does not have is 404, never the wildcard’s', async () => {
    expect((await get('/x', '', 'any.wild.example')).status).toBe(200);
    expect((await get('/only', '', 'exact.wild.example')).status).toBe(200);
    const seen = upstream.seen.length;
    expect((await get('/x', '', 'exact.wild.example')).status).toBe(404);
    expect(upstream.seen.length).toBe(seen);
  });

  it('a Denied place answers 503 with Retry-After and is not forwarded', async () => {
    const answer = await get('/closed/x');
    expect(answer.status).toBe(503);
    expect(answer.header('retry-after')).toBe('10');
    expect(upstream.seen.length).toBe(before);
  });
});
