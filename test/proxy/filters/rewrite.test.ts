import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Policy } from '../../../src/authorization/policy.ts';
import { askOnce } from '../../support/raw-client.ts';
import { type Gateway, startGateway } from '../support/gateway.ts';
import { startUpstream, type Upstream } from '../support/upstream.ts';

const STRIP = { stripPath: true };
const rules = (...paths: readonly (readonly [string, string])[]): Policy => ({
  rules: paths.map(([value, group]) => ({
    name: group,
    paths: [{ type: 'Prefix', value }],
    methods: undefined,
    claims: [],
    groups: [group],
    emailDomains: undefined,
  })),
});

/** Alice is of group staff. `/admin` and `/rules` of the same backend ask for somebody, `/other` of another one too. */
describe('paths that are stripped or rewritten', () => {
  let upstream: Upstream;
  let elsewhere: Upstream;
  let gateway: Gateway;
  beforeAll(async () => {
    upstream = await startUpstream();
    elsewhere = await startUpstream();
    const byPath = rules(['/api/x', 'staff'], ['/same/secret', 'admins'], ['/same', 'staff']);
    gateway = await startGateway({
      port: upstream.port,
      reserved: ['/_oidc/door/callback'],
      routes: [
        { path: '/api', exposure: 'Public', filters: STRIP },
        { path: '/keep', exposure: 'Public', filters: STRIP, encodedSlashes: 'Keep' },
        { path: '/based', exposure: 'Public', filters: STRIP, basePath: '/v1' },
        { path: '/prefix', exposure: 'Public', filters: { rewrite: { prefix: '/to/here' } } },
        { path: '/full', exposure: 'Public', filters: { rewrite: { path: '/one' } } },
        { path: '/exactly', exact: true, exposure: 'Public', filters: { rewrite: { path: '/one/' } } },
        { path: '/admin', exposure: 'Protected' },
        { path: '/admin/open', exposure: 'Public' },
        { path: '/getonly', exposure: 'Protected', methods: ['GET'] },
        { path: '/closed', exposure: 'Denied' },
        { path: '/office', exposure: 'Public', filters: { clients: { allow: ['10.0.0.0/8'] } } },
        { path: '/other', exposure: 'Protected', port: elsewhere.port },
        { path: '/mine', exposure: 'Protected', filters: STRIP },
        { path: '/ruled', exposure: 'Protected', authorization: rules(['/ruled', 'staff']), filters: STRIP },
        { path: '/same', exposure: 'Protected', authorization: byPath },
        { path: '/twin', exposure: 'Protected', authorization: byPath, filters: STRIP },
        { path: '/api/x', exposure: 'Protected', authorization: byPath, filters: STRIP },
      ],
    });
  });
  afterAll(async () => {
    await gateway.close();
    await upstream.close();
    await elsewhere.close();
  });

  const ask = (target: string, more = '', method = 'GET') =>
    askOnce(gateway.port, `${method} ${target} HTTP/1.1\r\nHost: app.example\r\n${more}\r\n`, method);
  const forwarded = async (target: string, seen: string, more = '', method = 'GET'): Promise<void> => {
    const answer = await ask(target, more, method);
    expect(answer.status, target).toBe(200);
    expect(upstream.seen.at(-1)?.target, target).toBe(seen);
  };
  const stopped = async (target: string, status: number, more = '', method = 'GET'): Promise<void> => {
    const before = upstream.seen.length + elsewhere.seen.length;
    const answer = await ask(target, more, method);
    expect(answer.status, target).toBe(status);
    expect(upstream.seen.length + elsewhere.seen.length, target).toBe(before);
  };
  const ALICE = 'Cookie: user=1\r\n';

  it('stripPath takes the Prefix off, whole segments of it, and keeps the query', async () => {
    await forwarded('/api/orders/7?a=/api', '/orders/7?a=/api');
    await forwarded('/api', '/');
    await forwarded('/api/', '/');
    await forwarded('/api?x', '/?x');
    await forwarded('/based/a/', '/v1/a/');
    expect(upstream.seen.at(-1)?.header('x-forwarded-prefix')).toBe('/based');
    await stopped('/apix', 404);
  });

  it('rewrite.prefix stands in its place, rewrite.path for all of it', async () => {
    await forwarded('/prefix/a', '/to/here/a');
    await forwarded('/prefix', '/to/here');
    await forwarded('/prefix/', '/to/here/');
    await forwarded('/full/a/b?c=d', '/one?c=d');
    await forwarded('/exactly', '/one/');
    expect(upstream.seen.at(-1)?.all('x-forwarded-prefix')).toEqual([]);
  });

  it('A005 A004 nothing steps out of the prefix that is stripped', async () => {
    for (const target of ['/api../admin', '/api%2e%2e/admin', '/apix/../admin', '/api;/admin', '/api%2F..%2Fadmin'])
      await stopped(target, target === '/api../admin' || target === '/api%2e%2e/admin' ? 404 : 400);
    for (const target of ['/api/../admin', '/api/%2e%2e/admin', '/api/..;/admin', '/api/.%2e/admin', '/api/..'])
      await stopped(target, 400);
  });

  it('A008 A016 what is left is never read as the name of a host', async () => {
    await forwarded('/api//evil.example/x', '/evil.example/x');
    await forwarded('//api///evil.example/x', '/evil.example/x');
    await stopped('/api/%2Fevil.example/x', 400);
    await stopped('/keep/%2Fevil.example/x', 400);
    await stopped('/keep/;a/evil.example', 400);
    await stopped('/keep/%3B/evil.example', 400);
    await stopped('/api/%5Cevil.example', 400);
    await forwarded('/api/http://evil.example/x', '/http:/evil.example/x');
    expect(upstream.seen.at(-1)?.header('host')).toBe(`127.0.0.1:${upstream.port}`);
  });

  it('A007 an escaped slash that may be kept is data, and reads no way out', async () => {
    await forwarded('/keep/a%2Fb', '/a%2Fb');
    await stopped('/keep/a%2F..%2Fadmin', 400);
    await stopped('/api/a%2Fb', 400);
  });

  it('A005 paths of our own are never what is left', async () => {
    for (const target of ['/api/_oidc/door/callback', '/api/_oidc', '/api/_oidc/x', '/keep/_oidc%2Fx', '/api/_oidc;x'])
      await stopped(target, 400);
    await forwarded('/api/_oidcx', '/_oidcx');
  });

  it('A005 where another Route guards the same backend, its guard holds', async () => {
    await stopped('/api/admin', 403);
    await stopped('/api/admin/x', 403, ALICE);
    await forwarded('/api/admin/open/x', '/admin/open/x');
    await forwarded('/api/adminx', '/adminx');
    // However a server reads it.
    await stopped('/api/admin;x', 403);
    await stopped('/keep/admin%2Fx', 403);
    // Whatever the method that it is for.
    await stopped('/api/getonly', 403, 'Content-Length: 0\r\n', 'POST');
    // What is closed may be of any backend.
    await stopped('/api/closed/x', 403);
    await stopped('/api/office', 403);
    // Another backend is not where the request goes.
    await forwarded('/api/other', '/other');
  });

  it('A005 the same plugins, and no rules besides, are met already; rules are asked about the new path', async () => {
    await stopped('/mine/admin', 401);
    await forwarded('/mine/admin', '/admin', ALICE);
    await forwarded('/ruled/admin', '/admin', ALICE);
    await stopped('/mine/same/x', 403, ALICE);
    await forwarded('/api/x/same/x', '/same/x', ALICE);
    await stopped('/api/x/same/secret', 403, ALICE);
    expect(gateway.records.at(-1)).toMatchObject({ outcome: 'refused', reason: 'rewritten_path' });
  });

  it('A051 no header moves the upstream or the path', async () => {
    await forwarded(
      '/api/a',
      '/a',
      'X-Forwarded-Prefix: //evil\r\nX-Original-URL: /admin\r\nX-Rewrite-URL: /admin\r\n',
    );
    const seen = upstream.seen.at(-1);
    expect(seen?.all('x-forwarded-prefix')).toEqual(['/api']);
    expect([...(seen?.all('x-original-url') ?? []), ...(seen?.all('x-rewrite-url') ?? [])]).toEqual([]);
  });
});

describe('the host that the Service is asked for', () => {
  it.each([
    ['its own with a URL', {}, undefined],
    ['preserveHost: true', { preserveHost: true }, 'app.example'],
    ['preserveHost: false', { preserveHost: false }, undefined],
    ['rewrite.host', { rewrite: { host: 'inner.example' } }, 'inner.example'],
  ])('%s', async (_, filters, host) => {
    const upstream = await startUpstream();
    const gateway = await startGateway({ port: upstream.port, routes: [{ path: '/', exposure: 'Public', filters }] });
    await askOnce(gateway.port, 'GET / HTTP/1.1\r\nHost: APP.example:80\r\nX-Forwarded-Host: evil.example\r\n\r\n');
    expect(upstream.seen[0]?.all('host')).toEqual([host ?? `127.0.0.1:${upstream.port}`]);
    expect(upstream.seen[0]?.all('x-forwarded-host')).toEqual(['app.example']);
    await gateway.close();
    await upstream.close();
  });
});
