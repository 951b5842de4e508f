import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { own } from '../../src/resources/plain.ts';
import { leaks, type Planted, plant } from '../observe/planted.ts';
import { type ApiServer, startApiServer } from '../support/apiserver.ts';
import { type FakeProvider, startFakeProvider } from '../support/fake-provider.ts';
import { freePort, until } from '../support/gateway.ts';
import { apiserver } from '../support/parts.ts';
import { type Echo, plugin, route, secret, service, startEcho, yaml } from '../support/shop.ts';
import { Visitor } from '../support/visitor.ts';
import { createNamespaces, installCrds, labelled, type Operator, startOperator } from './operator.ts';

/** Everything that an operator writes anywhere, after good and bad days with every secret marked. */
describe.skipIf(apiserver.missing)(`A180 planted secrets of a cluster ${apiserver.why}`, { timeout: 90_000 }, () => {
  const planted: Planted[] = [];
  const mark = (what: string): string => {
    const made = plant(what);
    planted.push(made);
    return made.value;
  };
  const hide = (what: string, value: string): void => {
    expect(value.length).toBeGreaterThan(15);
    planted.push({ what, value });
  };
  let server: ApiServer;
  let echo: Echo;
  let fake: FakeProvider;
  let operator: Operator;

  const tls = (name: string, data: Readonly<Record<string, string>>): unknown => ({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name, namespace: 'shop' },
    type: 'kubernetes.io/tls',
    stringData: data,
  });
  const kubectl = async (...args: readonly string[]): Promise<string> => (await server.kubectl(args)).stdout;
  const keysNow = async (): Promise<string> => {
    const answer = await server.call('GET', '/api/v1/namespaces/edge/secrets/postern-keys');
    return Buffer.from(String(own(own(answer.body, 'data'), 'keys')), 'base64').toString();
  };

  beforeAll(async () => {
    server = await startApiServer();
    hide('token of the API server', server.token);
    await createNamespaces(server, 'edge', 'shop');
    await installCrds(server);
    echo = await startEcho();
    fake = await startFakeProvider();
    fake.secrets = [mark('client secret')];
    fake.response = { access_token: mark('access token'), refresh_token: mark('refresh token') };
    await server.apply(
      yaml(
        service(echo.url),
        route('orders', { plugins: ['okta'] }),
        route('wrong', { plugins: ['wrong'] }),
        route('bare', { plugins: ['bare'] }),
        route('certified', { spec: { tls: { secretRef: { name: 'certificate' } } } }),
        plugin('okta', fake),
        labelled(secret('okta', { 'client-secret': fake.secrets[0] ?? '' })),
        plugin('wrong', fake),
        labelled(secret('wrong', { 'client-secret': `${mark('a client secret that is none')}\u0001` })),
        plugin('bare', fake),
        secret('bare', { 'client-secret': mark('a client secret that nobody may use') }),
        tls('certificate', { 'tls.crt': mark('no certificate'), 'tls.key': mark('no private key') }),
      ),
    );
    const port = await freePort();
    operator = await startOperator({ kubeconfig: server.kubeconfig, port, args: ['--log-level', 'debug'] });
    await operator.ready();
    hide('session key', (await keysNow()).split(' ')[1] ?? '');
    await until(
      async () => (await new Visitor().ask(`${operator.site}/orders`)).status === 302,
      'logins',
      () => operator.log(),
    );
    const visitor = new Visitor();
    expect((await visitor.open(`${operator.site}/orders/1`)).status).toBe(200);
    hide('session cookie', (visitor.cookie(operator.site, 'postern-s-') ?? '').slice(40, 80));
    fake.secrets = ['another'];
    expect((await new Visitor().open(`${operator.site}/orders/2`)).status).toBe(502);
    for (const path of ['/wrong', '/bare', '/certified']) await new Visitor().ask(operator.site + path);

    const broken = Buffer.from(`broken ${mark('a broken session key')}\n`).toString('base64');
    const keys = '/api/v1/namespaces/edge/secrets/postern-keys';
    await server.call('PATCH', keys, { data: { keys: broken } }, 'application/merge-patch+json');
    await operator.logged(/The keys from before stay in use/);
    await until(
      async () => (await kubectl('get', 'proute,oidc', '-n', 'shop', '-o', 'yaml')).includes('CertificateReady'),
      'statuses',
      () => operator.log(),
    );
    await until(async () => (await kubectl('get', 'events', '-n', 'shop')).includes('oidcplugin'), 'Events');
  }, 180_000);
  afterAll(async () => {
    await operator?.stop();
    await fake?.close();
    echo?.close();
    await server?.stop();
  });

  it('are in no line of the log', () => {
    const log = operator.log();
    expect(log).toMatch(/login failed|client_rejected/);
    expect(leaks(log, planted)).toEqual([]);
  });

  it('are in no metric, health or debug page', async () => {
    const { adminUrl, debugUrl } = operator;
    for (const url of [
      `${adminUrl}/metrics`,
      `${adminUrl}/readyz?verbose`,
      `${debugUrl}/debug/snapshot`,
      `${debugUrl}/debug/kubernetes`,
      `${debugUrl}/debug/routes/match?host=localhost&path=/wrong`,
    ]) {
      const text = await (await fetch(url)).text();
      expect(text.length).toBeGreaterThan(50);
      expect(leaks(text, planted), url).toEqual([]);
    }
  });

  it('are in no status, Event or Lease', async () => {
    const statuses = await kubectl('get', 'psvc,proute,oidc', '-A', '-o', 'json');
    expect(statuses).toContain('SecretNotLabelled');
    expect(statuses).toContain('CertificateInvalid');
    for (const text of [
      statuses,
      await kubectl('get', 'events', '-A', '-o', 'json'),
      await kubectl('get', 'leases', '-A', '-o', 'json'),
      await kubectl('describe', 'oidc,proute', '-A'),
    ]) {
      expect(text.length).toBeGreaterThan(50);
      expect(leaks(text, planted)).toEqual([]);
    }
  });

  it('and the test would see them', () => {
    for (const { what, value } of planted)
      expect(leaks(`x${value}y`, planted).map((leak) => leak.what)).toContain(what);
  });
});
