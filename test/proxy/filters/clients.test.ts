import { afterEach, describe, expect, it } from 'vitest';
import { parseCidr } from '../../../src/resources/address-policy.ts';
import { askOnce, RawClient } from '../../support/raw-client.ts';
import { eventually, type Gateway, type GatewayOptions, startGateway } from '../support/gateway.ts';
import { ok, startUpstream, type Upstream } from '../support/upstream.ts';

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
const get = (path: string, more = '', method = 'GET') =>
  askOnce(gateway.port, `${method} ${path} HTTP/1.1\r\nHost: app.example\r\n${more}\r\n`, method);
const loopback = (): NonNullable<GatewayOptions['trustedProxies']> => {
  const cidr = parseCidr('127.0.0.0/8');
  if (cidr === undefined) throw new Error('no CIDR');
  return [cidr];
};
const from = (...allow: readonly string[]) => ({ clients: { allow } });

describe('clients.allow', () => {
  it('A019 A003 A050 the address of the connection decides, before any login, and no header changes that', async () => {
    await start({
      routes: [
        { path: '/far', exposure: 'Protected', filters: from('10.0.0.0/8', '2001:db8::/32') },
        { path: '/near', exposure: 'Public', filters: from('10.0.0.0/8', '127.0.0.1') },
      ],
    });
    for (const more of [
      '',
      'Cookie: user=1\r\n',
      'X-Forwarded-For: 10.1.2.3\r\n',
      'Forwarded: for=10.1.2.3\r\nX-Real-IP: 10.1.2.3\r\nTrue-Client-IP: 10.1.2.3\r\n',
      'User-Agent: kube-probe/1.30\r\n',
      'User-Agent: GoogleHC/1.0\r\n',
    ]) {
      const answer = await get('/far', more);
      expect([answer.status, answer.header('www-authenticate')], more).toEqual([403, undefined]);
      expect(answer.body).not.toMatch(/10\.0|2001/);
    }
    expect(upstream.connections).toBe(0);
    expect(gateway.records.at(-1)).toMatchObject({ outcome: 'refused', reason: 'client_address', plugin: undefined });
    expect((await get('/near')).status).toBe(200);
  });

  it('A082 an upgrade is held to the same list, and its 101 gets the Route’s headers', async () => {
    upstream = await startUpstream(
      () => 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: echo\r\nConnection: Upgrade\r\n\r\n',
    );
    const responseHeaders = { set: [{ name: 'X-From', value: 'route' }] };
    gateway = await startGateway({
      port: upstream.port,
      routes: [
        { path: '/far', exposure: 'Public', filters: from('10.0.0.0/8') },
        { path: '/near', exposure: 'Public', filters: { ...from('127.0.0.1'), responseHeaders, stripPath: true } },
      ],
    });
    const upgrade = (path: string): string =>
      `GET ${path} HTTP/1.1\r\nHost: app.example\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n`;
    expect((await askOnce(gateway.port, upgrade('/far'))).status).toBe(403);
    expect(upstream.connections).toBe(0);
    const client = await RawClient.connect(gateway.port);
    await client.send(upgrade('/near/a'));
    await eventually(() => client.rest.includes('\r\n\r\n'), 'the head of the 101');
    expect(client.rest).toMatch(/^HTTP\/1\.1 101 .*\r\nX-From: route\r\n/s);
    expect(upstream.seen[0]?.target).toBe('/a');
    client.destroy();
  });

  it('behind a trusted proxy it is the address that this one names, the rightmost', async () => {
    await start({
      trustedProxies: loopback(),
      routes: [{ path: '/', exposure: 'Public', filters: from('10.0.0.0/8', '2001:db8::/32') }],
    });
    const status = async (forwardedFor: string): Promise<number> =>
      (await get('/', `X-Forwarded-For: ${forwardedFor}\r\n`)).status;
    expect(await status('10.1.2.3')).toBe(200);
    expect(await status('::ffff:10.1.2.3')).toBe(200);
    expect(await status('2001:DB8:0::1')).toBe(200);
    // What stands left of an address that isn't a proxy's is what the client wrote.
    expect(await status('10.1.2.3, 203.0.113.9')).toBe(403);
    expect(await status('203.0.113.9')).toBe(403);
    expect(await status('unknown')).toBe(403);
    expect(await status('11.0.0.1')).toBe(403);
    expect((await get('/')).status).toBe(403);
  });
});

describe('httpsRedirect', () => {
  const routes = [
    { path: '/', exposure: 'Public', filters: { httpsRedirect: true } },
    { path: '/plain', exposure: 'Public' },
    { path: '/login', exposure: 'Protected', filters: { httpsRedirect: true } },
  ] as const;

  it('A036 plain http goes to https of the same host, before any login, with the method kept', async () => {
    await start({ routes, externalPort: 8443 });
    const answer = await get('//a/b?c=//d', 'X-Forwarded-Proto: https\r\nX-Forwarded-Host: evil.example\r\n', 'POST');
    expect([answer.status, answer.header('location'), answer.header('cache-control')]).toEqual([
      308,
      'https://app.example:8443/a/b?c=//d',
      'no-store',
    ]);
    expect((await get('/login')).status).toBe(308);
    expect(upstream.connections).toBe(0);
    expect((await get('/plain')).status).toBe(200);
    expect(gateway.records[0]).toMatchObject({ outcome: 'redirected', reason: 'https' });
  });

  it('A050 only a trusted proxy says which it was, and one that does not say is not sent round in a circle', async () => {
    await start({ routes, trustedProxies: loopback() });
    const status = async (more: string): Promise<number> => (await get('/', more)).status;
    expect(await status('X-Forwarded-Proto: http\r\n')).toBe(308);
    expect(await status('X-Forwarded-Proto: HTTP , http\r\n')).toBe(308);
    expect(await status('X-Forwarded-Proto: https\r\n')).toBe(200);
    expect(await status('X-Forwarded-Proto: https, http\r\n')).toBe(200);
    expect(await status('')).toBe(200);
  });
});
