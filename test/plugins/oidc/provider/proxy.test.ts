import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { PluginNetwork } from '../../../../src/plugins/contract.ts';
import { milliseconds } from '../../../../src/resources/duration.ts';
import { type EgressProxy, readEgressProxy, readProxyRules } from '../../../../src/resources/egress-proxy.ts';
import { type Authority, privateAuthority } from '../../../support/certificates.ts';
import { startEgressProxy, type TestProxy } from '../../../support/egress-proxy.ts';
import { type FakeProvider, startFakeProvider } from '../../../support/fake-provider.ts';
import { openssl } from '../../../support/parts.ts';
import { config, login, ready, settled, stopAll, subject } from './support.ts';

function address(text: string): EgressProxy {
  const read = readEgressProxy(text);
  if (!read.ok) throw new Error(read.fault);
  return read.proxy;
}
function variables(httpsProxy: string, noProxy = ''): Pick<PluginNetwork, 'proxies'> {
  const read = readProxyRules({ httpsProxy, httpProxy: httpsProxy, noProxy });
  if (!read.ok) throw new Error(read.faults.join());
  return { proxies: read.rules };
}

let proxy: TestProxy;
beforeEach(async () => {
  proxy = await startEgressProxy();
});
afterEach(async () => {
  stopAll();
  await proxy.close();
});

describe.skipIf(openssl.missing)(`a provider over TLS, behind an egress proxy ${openssl.why}`, () => {
  const NAME = 'idp.example';
  const insecure = { httpCookies: false, httpProvider: false };
  let authority: Authority;
  let other: Authority;
  let fake: FakeProvider;
  /** Answers as the issuer `https://idp.example`, at a port that only the proxy knows. */
  const issuer = `https://${NAME}`;

  beforeAll(async () => {
    authority = privateAuthority('the right CA');
    other = privateAuthority('another CA');
    fake = await startFakeProvider({ tls: authority.issue([`DNS:${NAME}`]) });
    fake.metadata = {
      issuer,
      authorization_endpoint: `${issuer}/authorize`,
      token_endpoint: `${issuer}/token`,
      jwks_uri: `${issuer}/jwks`,
      end_session_endpoint: undefined,
    };
    fake.claims = { iss: issuer };
  });
  afterAll(async () => {
    await fake.close();
    authority.remove();
    other.remove();
  });
  beforeEach(() => {
    fake.requests.length = 0;
    proxy.names.set(NAME, { host: '127.0.0.1', port: Number(new URL(fake.origin).port) });
  });
  const plugin = (changes: Parameters<typeof config>[1] = {}) =>
    config(issuer, { insecure, ca: authority.ca, ...changes });

  it('is reached by CONNECT, from discovery to the token; the proxy resolves the name', async () => {
    const made = await ready(plugin({ proxy: address(proxy.url) }));
    expect(await login(fake, made)).toMatchObject({ ok: true });
    expect(proxy.asked).toEqual([`CONNECT ${NAME}:443`, `CONNECT ${NAME}:443`, `CONNECT ${NAME}:443`]);
    expect(fake.requests).toEqual(['/.well-known/openid-configuration', '/jwks', '/token']);
    expect(proxy.credentials).toEqual([undefined, undefined, undefined]);
  });

  it('is reached through the proxy of the process, with its credentials, which stand in no log and status', async () => {
    const withPassword = proxy.url.replace('http://', 'http://us%40er:hunter2@');
    const made = await ready(plugin(), variables(withPassword));
    expect(proxy.credentials[0]).toBe(`Basic ${Buffer.from('us@er:hunter2').toString('base64')}`);
    proxy.status = 407;
    made.world.fire();
    await settled(made, 2);
    made.world.fire();
    const status = await settled(made, 3);
    expect(status).toMatchObject({ reason: 'ProxyFailed', message: expect.stringContaining('407') });
    expect(JSON.stringify(status) + made.world.lines.join()).not.toMatch(/hunter2|us@er|dXNAZX/);
  });

  it('the proxy of the plugin goes before that of the process', async () => {
    const process = await startEgressProxy();
    await ready(plugin({ proxy: address(proxy.url) }), variables(process.url));
    expect(process.asked).toEqual([]);
    expect(proxy.asked.length).toBeGreaterThan(0);
    await process.close();
  });

  it('NO_PROXY leaves the proxy of the process out', async () => {
    expect(await settled(subject(plugin(), variables(proxy.url, '.example')))).toMatchObject({
      reason: 'DiscoveryFailed',
      message: expect.stringContaining('not found'),
    });
    expect(proxy.asked).toEqual([]);
  });

  it('its certificate is verified behind a proxy as well', async () => {
    for (const ca of [other.ca, undefined]) {
      const made = subject(plugin({ ca, proxy: address(proxy.url) }));
      expect(await settled(made)).toMatchObject({ reason: 'TLSVerificationFailed' });
    }
    proxy.names.set('other.example', { host: '127.0.0.1', port: Number(new URL(fake.origin).port) });
    const wrongName = subject(
      config('https://other.example', { insecure, ca: authority.ca, proxy: address(proxy.url) }),
    );
    expect(await settled(wrongName)).toMatchObject({ reason: 'TLSVerificationFailed' });
    expect(fake.requests).toEqual([]);
  });

  it('a proxy over TLS may have its certificate from the same CA, and no other', async () => {
    const secure = await startEgressProxy(authority.issue(['IP:127.0.0.1']));
    secure.names.set(NAME, { host: '127.0.0.1', port: Number(new URL(fake.origin).port) });
    await ready(plugin({ proxy: address(secure.url) }));
    expect(secure.asked.length).toBe(2);
    await secure.close();
    const strange = await startEgressProxy(other.issue(['IP:127.0.0.1']));
    expect(await settled(subject(plugin({ proxy: address(strange.url) })))).toMatchObject({
      reason: 'ProxyFailed',
      message: expect.stringContaining('certificate'),
    });
    expect(strange.asked).toEqual([]);
    await strange.close();
  });

  it.each([
    [403, 'refused (403)'],
    [407, 'wants a user name and password (407)'],
    [502, 'refused (502)'],
  ])('a proxy that answers CONNECT with %i is told as such', async (status, words) => {
    proxy.status = status;
    const message = expect.stringContaining(`the proxy ${proxy.url} ${words}`);
    expect(await settled(subject(plugin({ proxy: address(proxy.url) })))).toMatchObject({
      reason: 'ProxyFailed',
      message,
    });
    expect(fake.requests).toEqual([]);
  });

  it('F32 a proxy that says nothing costs the deadline and no more', async () => {
    proxy.silent = true;
    const made = subject(plugin({ proxy: address(proxy.url), httpTimeout: milliseconds(1000) }));
    expect(await settled(made)).toMatchObject({
      reason: 'DiscoveryFailed',
      message: expect.stringContaining('within 1000 ms'),
    });
  });

  it('a proxy that is not there is told as such', async () => {
    const gone = await startEgressProxy();
    await gone.close();
    expect(await settled(subject(plugin({ proxy: address(gone.url) })))).toMatchObject({
      reason: 'ProxyFailed',
      message: expect.stringContaining('refused the connection'),
    });
  });

  describe('A117 with a policy of addresses', () => {
    const addresses = { kind: 'Public' } as const;

    it('the proxy that a plugin names is held to it', async () => {
      const made = subject(plugin({ proxy: address(proxy.url) }), { addresses });
      expect(await settled(made)).toMatchObject({
        reason: 'AddressNotAllowed',
        message: expect.stringContaining(`the proxy ${proxy.url} is at an address that is not public`),
      });
      expect(proxy.asked).toEqual([]);
    });

    it('the operator’s own is not, for it is usually private', async () => {
      await ready(plugin(), { addresses, ...variables(proxy.url) });
    });

    it.each(['10.0.0.1', '[::1]', '[::ffff:10.0.0.1]', 'a.localhost', '0x7f.1'])(
      'a provider at %s is not asked through a proxy either',
      async (host) => {
        const made = subject(config(`https://${host}`, { insecure }), { addresses, ...variables(proxy.url) });
        expect(await settled(made)).toMatchObject({ reason: 'AddressNotAllowed' });
        expect(proxy.asked).toEqual([]);
      },
    );

    it('no proxy is this process itself', async () => {
      for (const network of [variables(proxy.url), {}]) {
        const named = 'proxies' in network ? {} : { proxy: address(proxy.url) };
        const made = subject(plugin(named), { ...network, isOwn: (_address, port) => port === proxy.port });
        expect(await settled(made)).toMatchObject({ reason: 'AddressNotAllowed' });
      }
      expect(proxy.asked).toEqual([]);
    });
  });
});

describe('a provider over plain http behind a proxy', () => {
  it('is asked for by its whole URL', async () => {
    const fake = await startFakeProvider();
    const made = await ready(config(fake.issuer, { proxy: address(proxy.url) }));
    expect((await login(fake, made)).ok).toBe(true);
    expect(proxy.asked).toEqual([
      `GET ${fake.issuer}/.well-known/openid-configuration`,
      `GET ${fake.issuer}/jwks`,
      `POST ${fake.issuer}/token`,
    ]);
    proxy.status = 407;
    made.world.fire();
    await settled(made, 2);
    made.world.fire();
    expect(await settled(made, 3)).toMatchObject({ reason: 'ProxyFailed' });
    await fake.close();
  });
});
