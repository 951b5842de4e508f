import { afterEach, describe, expect, it } from 'vitest';
import { CertificateStore } from '../../src/proxy/tls/certificate-store.ts';
import { askOnce } from '../support/raw-client.ts';
import { type Gateway, type GatewayOptions, pathOf, startGateway } from './support/gateway.ts';
import { ok, startUpstream, type Upstream } from './support/upstream.ts';

const ask = (method: string, path: string, host = 'app.example', more = ''): string =>
  `${method} ${path} HTTP/1.1\r\nHost: ${host}\r\n${more}\r\n`;
const noCertificates = (): CertificateStore =>
  new CertificateStore({ now: () => performance.now(), onBroken: () => {} });

let upstream: Upstream;
let gateway: Gateway;
const start = async (options: Partial<GatewayOptions>): Promise<void> => {
  upstream = await startUpstream((request) => ok(request.target));
  gateway = await startGateway({ port: upstream.port, ...options });
};
afterEach(async () => {
  await gateway.close();
  await upstream.close();
});

describe('the health path', () => {
  const state = { ready: true };
  const health = { path: pathOf('/healthz'), ready: (): boolean => state.ready };

  it('answers whatever the host, by GET and HEAD, as the process is ready or not', async () => {
    await start({ health, routes: [{ path: '/', exposure: 'Protected' }] });
    for (const host of ['app.example', 'unknown.example', '192.0.2.1:8080', '[::1]']) {
      const answer = await askOnce(gateway.port, ask('GET', '/healthz', host));
      expect([answer.status, answer.body, answer.header('cache-control')], host).toEqual([200, 'ok\n', 'no-store']);
    }
    expect((await askOnce(gateway.port, ask('HEAD', '/healthz?x=1'), 'HEAD')).status).toBe(200);
    for (const path of ['//healthz', '/%68ealthz']) {
      expect((await askOnce(gateway.port, ask('GET', path))).body, 'the same canonical path').toBe('ok\n');
    }
    state.ready = false;
    const ending = await askOnce(gateway.port, ask('GET', '/healthz'));
    expect([ending.status, ending.body]).toEqual([503, 'not ready\n']);
    state.ready = true;
    const post = await askOnce(gateway.port, ask('POST', '/healthz', 'app.example', 'Content-Length: 0\r\n'));
    expect([post.status, post.header('allow')]).toEqual([405, 'GET, HEAD']);
    expect(upstream.connections).toBe(0);
    expect(gateway.records.map(({ outcome }) => outcome)).toEqual(Array.from({ length: 9 }, () => 'health'));
  });

  it('A018 is compared exactly: no suffix, no other spelling answers or opens anything', async () => {
    await start({ health, routes: [{ path: '/', exposure: 'Protected' }] });
    for (const path of [
      '/healthz/',
      '/healthz/x',
      '/healthzx',
      '/HEALTHZ',
      '/healthz;a',
      '/healthz/..%2fadmin',
      '/healthz/../admin',
      '/healthz%00',
      '/x/../healthz/y',
    ]) {
      const answer = await askOnce(gateway.port, ask('GET', path));
      expect([400, 401, 404], path).toContain(answer.status);
      expect(answer.body).not.toBe('ok\n');
    }
    expect(upstream.connections).toBe(0);
  });

  it('A018 the Routes of all other paths serve as before', async () => {
    await start({ health });
    expect((await askOnce(gateway.port, ask('GET', '/healthz/x'))).body).toBe('/healthz/x');
    expect((await askOnce(gateway.port, ask('GET', '/'))).body).toBe('/');
  });

  it('A019 who says to be a health checker is nobody special', async () => {
    await start({ health, routes: [{ path: '/', exposure: 'Protected' }] });
    for (const agent of ['GoogleHC/1.0', 'kube-probe/1.35', 'ELB-HealthChecker/2.0', '/healthz']) {
      const answer = await askOnce(gateway.port, ask('GET', '/private', 'app.example', `User-Agent: ${agent}\r\n`));
      expect(answer.status, agent).toBe(401);
    }
    expect(upstream.connections).toBe(0);
  });

  it('a request that can be read in two ways gets no health either', async () => {
    await start({ health });
    const answer = await askOnce(
      gateway.port,
      ask('GET', '/healthz', 'a', 'Content-Length: 1\r\nTransfer-Encoding: chunked\r\n'),
    );
    expect(answer.status).toBe(400);
  });

  it('nothing is healthy before there is a table', async () => {
    await start({ health, noSnapshot: true });
    expect((await askOnce(gateway.port, ask('GET', '/healthz'))).status).toBe(503);
  });
});

describe('plain http where HTTPS is on', () => {
  const redirecting = (more: Partial<GatewayOptions> = {}): Promise<void> =>
    start({ https: { certificates: noCertificates(), plain: 'Redirect' }, ...more });

  it('redirects what a Route names, method and target kept, and forwards nothing', async () => {
    await redirecting();
    for (const method of ['GET', 'HEAD', 'POST']) {
      const answer = await askOnce(
        gateway.port,
        ask(method, '/private/a%20b?x=%2F&y=//z', 'APP.example.:8080'),
        method,
      );
      expect([answer.status, answer.header('location'), answer.header('cache-control')]).toEqual([
        308,
        'https://app.example/private/a%20b?x=%2F&y=//z',
        'no-store',
      ]);
    }
    expect(upstream.connections).toBe(0);
    expect(gateway.records[0]).toMatchObject({ outcome: 'redirected', status: 308 });
  });

  it('to the port that the outside sees', async () => {
    await redirecting({ externalPort: 8443 });
    const answer = await askOnce(gateway.port, ask('GET', '/'));
    expect(answer.header('location')).toBe('https://app.example:8443/');
  });

  it('A036 A037 leads nowhere else: unknown hosts are 404, no header moves it, a path of slashes stays a path', async () => {
    await redirecting();
    expect((await askOnce(gateway.port, ask('GET', '/', 'evil.example'))).status).toBe(404);
    expect((await askOnce(gateway.port, ask('GET', '/', '192.0.2.1'))).status).toBe(404);
    const moved = await askOnce(
      gateway.port,
      ask(
        'GET',
        '/a',
        'app.example',
        'X-Forwarded-Host: evil.example\r\nX-Forwarded-Proto: https\r\nForwarded: host=evil.example\r\n',
      ),
    );
    expect(moved.header('location')).toBe('https://app.example/a');
    for (const path of ['//evil.example/', '/\\evil.example', '/@evil.example', '/%0d%0aSet-Cookie:a=1']) {
      const location = (await askOnce(gateway.port, ask('GET', path))).header('location');
      if (location !== undefined) expect(new URL(location).origin, path).toBe('https://app.example');
    }
  });

  it('the health path is answered there too', async () => {
    await redirecting({ health: { path: pathOf('/healthz'), ready: () => true } });
    expect((await askOnce(gateway.port, ask('GET', '/healthz', '192.0.2.1'))).body).toBe('ok\n');
    expect((await askOnce(gateway.port, ask('GET', '/healthz/x'))).status).toBe(308);
  });

  it('where TLS ends in front, it serves', async () => {
    await start({ https: { certificates: noCertificates(), plain: 'Serve' } });
    expect((await askOnce(gateway.port, ask('GET', '/open'))).body).toBe('/open');
  });
});
