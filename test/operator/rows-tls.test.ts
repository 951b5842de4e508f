import { once } from 'node:events';
import type { ClientRequest, IncomingMessage } from 'node:http';
import { Agent, request } from 'node:https';
import { connect } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ApiServer, startApiServer } from '../support/apiserver.ts';
import { type Authority, privateAuthority } from '../support/certificates.ts';
import { type FakeProvider, startFakeProvider } from '../support/fake-provider.ts';
import { freePort, until } from '../support/gateway.ts';
import { apiserver, openssl } from '../support/parts.ts';
import { type Echo, plugin, route, secret, service, startEcho, yaml } from '../support/shop.ts';
import { createNamespaces, installCrds, labelled, type Operator, startOperator } from './operator.ts';
import { becomes, pathOf } from './rows.ts';

const SHOP = 'shop.example.test';
const SISTER = 'sister.example.test';
const WEB = 'web.example.test';
const PLAIN = 'plain.example.test';
const why = apiserver.why + openssl.why;
const VERSIONS = ['TLSv1.2', 'TLSv1.3'] as const;

/** Certificates from Secrets of two namespaces, and who may be asked for over whose. */
describe.skipIf(apiserver.missing || openssl.missing)(`TLS of two namespaces ${why}`, { timeout: 90_000 }, () => {
  let server: ApiServer;
  let authority: Authority;
  let shop: Echo;
  let web: Echo;
  let provider: FakeProvider;
  let operator: Operator;
  let https: number;

  const certificate = (name: string, namespace: string, ...names: readonly string[]): unknown => {
    const { key, cert } = authority.issue(names.map((each) => `DNS:${each}`));
    const stringData = { 'tls.crt': cert, 'tls.key': key };
    return { apiVersion: 'v1', kind: 'Secret', metadata: { name, namespace }, type: 'kubernetes.io/tls', stringData };
  };
  const tls = (name: string): Readonly<Record<string, unknown>> => ({ tls: { secretRef: { name } } });

  /** A browser's connection for one name (undefined: it says none); asks for whatever host. */
  const connection = (servername: string | undefined, maxVersion: (typeof VERSIONS)[number] = 'TLSv1.3') => {
    const agent = new Agent({
      keepAlive: true,
      maxSockets: 1,
      maxVersion,
      rejectUnauthorized: false,
      maxCachedSessions: 0,
    });
    return {
      async ask(host: string, path = '/open'): Promise<{ readonly status: number; readonly reused: boolean }> {
        // An empty name is none.
        const headers = { host, accept: 'text/html' };
        const options = { agent, host: '127.0.0.1', port: https, path, headers, servername: servername ?? '' };
        const outgoing: ClientRequest = request(options).end();
        const [answer]: IncomingMessage[] = await once(outgoing, 'response');
        answer?.resume();
        if (answer !== undefined) await once(answer, 'end');
        return { status: answer?.statusCode ?? 0, reused: outgoing.reusedSocket };
      },
      end: () => agent.destroy(),
    };
  };
  const asked = async (servername: string | undefined, host: string, path?: string): Promise<readonly number[]> => {
    const answers: number[] = [];
    for (const version of VERSIONS) {
      const one = connection(servername, version);
      answers.push((await one.ask(host, path)).status);
      one.end();
    }
    return answers;
  };
  /** Names in the certificate that is shown for a name. */
  const shown = async (servername: string): Promise<string | undefined> => {
    const socket = connect({ host: '127.0.0.1', port: https, servername, rejectUnauthorized: false });
    await once(socket, 'secureConnect');
    const names = socket.getPeerCertificate().subjectaltname;
    socket.destroy();
    return names;
  };

  beforeAll(async () => {
    server = await startApiServer();
    await createNamespaces(server, 'edge', 'shop', 'web');
    await installCrds(server);
    authority = privateAuthority('postern rows tls');
    [shop, web] = [await startEcho(), await startEcho()];
    https = await freePort();
    provider = await startFakeProvider();
    await server.apply(
      yaml(
        service(shop.url),
        service(web.url, 'web', 'web'),
        // A wildcard in a certificate gives its Route no host.
        certificate('shop-tls', 'shop', SHOP, SISTER, '*.example.test'),
        certificate('web-tls', 'web', WEB, SHOP),
        certificate('fallback', 'edge', 'fallback.example.test'),
        route('open', { host: SHOP, spec: tls('shop-tls') }),
        route('sister', { host: SISTER, path: '/open', spec: tls('shop-tls') }),
        route('plain', { host: PLAIN, path: '/open' }),
        route('guarded', { host: SHOP, plugins: ['okta'], spec: tls('shop-tls') }),
        plugin('okta', provider, { insecure: { httpProvider: true } }),
        labelled(secret('okta', { 'client-secret': 'sesame' })),
        route('web', { namespace: 'web', service: 'web', host: WEB, path: '/open', spec: tls('web-tls') }),
      ),
    );
    operator = await startOperator({
      kubeconfig: server.kubeconfig,
      https,
      args: ['--default-certificate=edge/fallback', `--host-owner=${SHOP}=shop`],
    });
    await operator.ready();
    for (const host of [SHOP, SISTER, WEB, PLAIN])
      await until(
        async () => (await asked(host, host)).every((status) => status === 200),
        `${host} over its own certificate`,
        () => operator.log(),
      );
    await until(
      async () => (await asked(SHOP, SHOP, '/guarded')).every((status) => status === 302),
      'logins',
      () => operator.log(),
    );
  }, 120_000);
  afterAll(async () => {
    await operator?.stop();
    authority?.remove();
    await provider?.close();
    shop?.close();
    web?.close();
    await server?.stop();
  });

  it('A035 a connection for a host of one namespace asks for no host with another certificate: 421, nothing is sent', async () => {
    const sent = shop.seen.length + web.seen.length;
    for (const [name, host, path] of [
      [SHOP, WEB],
      [WEB, SHOP],
      [WEB, SHOP, '/guarded'],
      [SHOP, PLAIN],
      [PLAIN, SHOP],
      [undefined, SHOP],
      [undefined, SHOP, '/guarded'],
      ['unknown.example.test', WEB],
      ['fallback.example.test', WEB],
    ] as const)
      expect([name, host, ...(await asked(name, host, path))]).toEqual([name, host, 421, 421]);
    expect(shop.seen.length + web.seen.length).toBe(sent);
    // Where the certificate is the same, it is no other's.
    expect(await asked(SHOP, SISTER)).toEqual([200, 200]);
    expect(await asked(undefined, PLAIN)).toEqual([200, 200]);
    expect(await asked(SHOP, SHOP, '/guarded')).toEqual([302, 302]);
  });

  it('A035 the second request of a connection is held to it like the first, and is the last', async () => {
    const one = connection(SHOP);
    expect(await one.ask(SHOP)).toEqual({ status: 200, reused: false });
    expect(await one.ask(SISTER)).toEqual({ status: 200, reused: true });
    expect(await one.ask(WEB)).toEqual({ status: 421, reused: true });
    expect(await one.ask(SHOP)).toEqual({ status: 200, reused: false });
    one.end();
  });

  it('A035 A177 a certificate is shown for the hosts of its own accepted Routes only, whatever it names', async () => {
    const names = `DNS:${SHOP}, DNS:${SISTER}, DNS:*.example.test`;
    const spec = tls('web-tls');
    await server.apply(yaml(route('thief', { namespace: 'web', service: 'web', host: SHOP, path: '/stolen', spec })));
    await becomes(server, ['routes', 'web', 'thief'], 'Accepted', 'False/HostNotAllowed', operator);
    expect(await shown(SHOP)).toBe(names);
    expect(await shown(WEB)).toBe(`DNS:${WEB}, DNS:${SHOP}`);
    expect(await shown(PLAIN)).toBe('DNS:fallback.example.test');
    expect(await shown('other.example.test')).toBe('DNS:fallback.example.test');
    expect(await asked(WEB, SHOP)).toEqual([421, 421]);
  });

  it('A035 where a host takes another certificate, connections that were opened with the one before ask for it no more', async () => {
    const before = connection(SHOP);
    expect(await before.ask(SISTER)).toEqual({ status: 200, reused: false });
    await server.apply(yaml(certificate('sister-tls', 'shop', SISTER)));
    const patch = { spec: tls('sister-tls') };
    await server.call('PATCH', pathOf('routes', 'shop', 'sister'), patch, 'application/merge-patch+json');
    await until(
      async () => (await shown(SISTER)) === `DNS:${SISTER}`,
      'the new certificate',
      () => operator.log(),
    );
    expect(await before.ask(SISTER)).toEqual({ status: 421, reused: true });
    expect(await asked(SISTER, SISTER)).toEqual([200, 200]);
    expect(await asked(SISTER, SHOP)).toEqual([421, 421]);
    before.end();
  });
});
