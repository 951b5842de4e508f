import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { askOnce } from '../support/raw-client.ts';
import { type Gateway, startGateway } from './support/gateway.ts';
import { startUpstream, type Upstream } from './support/upstream.ts';

/** Regular expressions and query parameters over the wire: what the upstream sees is what was decided about. */
describe('paths by expression, and queries', () => {
  let upstream: Upstream;
  let gateway: Gateway;

  beforeAll(async () => {
    upstream = await startUpstream();
    const beta = [{ name: 'beta', value: '1' }];
    gateway = await startGateway({
      port: upstream.port,
      reserved: ['/_oidc/door/callback'],
      routes: [
        { path: '/api/.*/status', expression: true, exposure: 'Public' },
        { path: '^/foo/.*/bar$', expression: true, exposure: 'Public' },
        { path: '/.*', expression: true, exposure: 'Protected' },
        { path: '/(a+)+', expression: true, host: 'redos.example', exposure: 'Public' },
        { path: '/search', host: 'query.example', exposure: 'Protected', queryParams: beta },
        { path: '/search', host: 'query.example', exposure: 'Public' },
      ],
    });
  });
  afterAll(async () => {
    await gateway.close();
    await upstream.close();
  });

  const statusOf = async (target: string, host = 'app.example'): Promise<number> => {
    const answer = await askOnce(gateway.port, `GET ${target} HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
    return answer.status;
  };

  const forwarded = async (target: string, host?: string): Promise<void> => {
    expect(await statusOf(target, host), target).toBe(200);
    expect(upstream.seen.at(-1)?.target).toBe(target);
  };

  const kept = async (target: string, status: number, host?: string): Promise<void> => {
    const seen = upstream.seen.length;
    expect(await statusOf(target, host), target).toBe(status);
    expect(upstream.seen.length, target).toBe(seen);
  };

  it('A001 a query that looks like a public path decides nothing', async () => {
    await forwarded('/api/a/status?x=1');
    for (const query of ['?x=/status', '?/status', '?x=%2Fstatus', '?/api/a/status'])
      await kept(`/api/private${query}`, 401);
    await kept('/api/private%3Fx=/status', 400);
  });

  it('A002 an escaped # is data of the path, a raw one is refused', async () => {
    await forwarded('/foo/x/bar');
    await kept('/foo/secret%23/bar', 400);
    await kept('/foo/secret#/bar', 400);
    await kept('/foo/secret%3F/bar', 400);
    await kept('/foo/secret%23', 401);
  });

  it('A005 A007 dots, parameters and slashes that somebody resolves open nothing', async () => {
    for (const path of ['/foo/../private/bar', '/foo/%2e%2e/private/bar', '/foo/x%2F..%2F..%2Fbar'])
      await kept(path, 400);
    await kept('/foo../private/x', 401);
    await kept('/foo/x%2Fbar', 400);
  });

  it('A018 what is Postern’s own is never an expression’s', async () => {
    await kept('/_oidc/else', 404);
  });

  it('A021 a query that somebody may read otherwise than we do is refused', async () => {
    const host = 'query.example';
    await forwarded('/search?q=a+b&q=2', host);
    await forwarded('/search?beta=0', host);
    await kept('/search?q=1&beta=1', 401, host);
    for (const query of [
      'beta=0&beta=1',
      'beta=1&beta=0',
      'BETA=1',
      'b%65ta=1',
      'x;beta=1',
      'beta%5B%5D=1',
      'beta=%31',
      '%ff=1',
    ]) {
      await kept(`/search?${query}`, 400, host);
    }
  });

  it('T25 an expression that makes others go back for ever answers at once', async () => {
    await kept(`/${'a'.repeat(1000)}!`, 404, 'redos.example');
    await forwarded(`/${'a'.repeat(1000)}`, 'redos.example');
    await kept(`/${'a'.repeat(5000)}`, 404, 'redos.example');
  });
});
