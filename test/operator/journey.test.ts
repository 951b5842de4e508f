import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { own } from '../../src/resources/plain.ts';
import { type ApiServer, startApiServer } from '../support/apiserver.ts';
import { freePort, until } from '../support/gateway.ts';
import { type HonestProvider, startHonestProvider } from '../support/honest-provider.ts';
import { apiserver } from '../support/parts.ts';
import { type Echo, plugin, route, secret, service, startEcho, yaml } from '../support/shop.ts';
import { Visitor } from '../support/visitor.ts';
import { createNamespaces, installCrds, labelled, metric, type Operator, startOperator } from './operator.ts';
import { becomes as conditionBecomes } from './rows.ts';

const WAIT = ['--for=condition=Ready', '--timeout=20s'];

/** One story, in the order in which it is told: each chapter begins where the one before ended. */
describe.skipIf(apiserver.missing)(`the operator ${apiserver.why}`, { timeout: 60_000 }, () => {
  let server: ApiServer;
  let echo: Echo;
  let provider: HonestProvider;
  let operator: Operator;
  let port: number;

  const start = async (...args: readonly string[]): Promise<Operator> => {
    const started = await startOperator({ kubeconfig: server.kubeconfig, port, args });
    await started.ready();
    return started;
  };
  const status = async (path: string): Promise<number> => (await new Visitor().ask(operator.site + path)).status;
  const becomes = async (path: string, expected: number): Promise<void> =>
    await until(
      async () => (await status(path)) === expected,
      `${path} to answer ${expected}`,
      () => operator.log(),
    );
  const kubectl = async (...args: readonly string[]): Promise<string> => {
    const ran = await server.kubectl(['--namespace=shop', ...args]);
    if (ran.code !== 0) throw new Error(ran.stderr);
    return ran.stdout;
  };
  /** What the columns of `kubectl get` say, by their heading. */
  const columns = async (...args: readonly string[]): Promise<Readonly<Record<string, string>>> => {
    const [head = '', row = ''] = (await kubectl('get', ...args)).split('\n');
    const starts = [...head.matchAll(/\S+/g)].map(({ 0: name, index }) => ({ name, index }));
    return Object.fromEntries(
      starts.map(({ name, index }, at) => [name, row.slice(index, starts[at + 1]?.index).trim()]),
    );
  };
  const says = async (object: string, column: string, expected: string): Promise<void> =>
    await until(
      async () => (await columns(object, '-o', 'wide'))[column] === expected,
      `${object} to say ${column} ${expected}`,
      () => operator.log(),
    );
  const protect = (): string =>
    yaml(labelled(secret('okta', { 'client-secret': provider.clientSecret })), plugin('okta', provider));

  beforeAll(async () => {
    server = await startApiServer();
    await createNamespaces(server, 'edge', 'shop');
    await installCrds(server);
    echo = await startEcho();
    port = await freePort();
    provider = await startHonestProvider({ redirectUris: [`http://localhost:${port}/_oidc/okta/callback`] });
    operator = await start();
  }, 120_000);
  afterAll(async () => {
    await operator?.stop();
    await provider?.close();
    echo?.close();
    await server?.stop();
  });

  it('serves a Public Route as soon as it is applied, and kubectl says so', async () => {
    expect(await status('/orders')).toBe(404);
    await server.apply(yaml(service(echo.url), route('orders')));
    await becomes('/orders', 200);
    await kubectl('wait', ...WAIT, 'proute/orders', 'psvc/shop');
    expect(await columns('proute', 'orders')).toMatchObject({ EXPOSURE: 'Public', READY: 'True' });
    await operator.logged(/Route shop\/orders is now Public \(new\)/);
  });

  it('protects it once a plugin is named, and its login works', async () => {
    await server.apply(yaml(route('orders', { plugins: ['okta'] })));
    await becomes('/orders', 503);
    await says('proute/orders', 'EXPOSURE', 'Denied');
    expect(await kubectl('get', 'proute', 'orders', '-o', 'yaml')).toContain('PluginNotFound');

    await server.apply(protect());
    await becomes('/orders', 302);
    await kubectl('wait', ...WAIT, 'proute/orders', 'oidc/okta');
    const visitor = new Visitor();
    const seen = await visitor.open(`${operator.site}/orders/7?x=1`);
    expect([seen.status, seen.body]).toEqual([200, 'service saw /orders/7?x=1']);
    expect(echo.seen.at(-1)?.headers.authorization).toMatch(/^Bearer /);
    expect(await columns('proute', 'orders')).toMatchObject({ EXPOSURE: 'Protected', READY: 'True' });
    expect(await kubectl('get', 'proute/orders', '-o', 'jsonpath={.status.redirectURIs}')).toBe(
      `["${operator.site}/_oidc/okta/callback"]`,
    );
    const described = await kubectl('describe', 'oidc', 'okta');
    expect(described).toMatch(/Provider\s?Ready/);
    expect(described).not.toContain(provider.clientSecret);
    expect(await metric(operator, 'postern_oidc_logins_total{plugin="shop/okta",stage="session_created"}')).toBe(1);
    expect(await metric(operator, 'postern_leader')).toBe(1);
  });

  it('says which Secret has to be labelled, with the command that does it', async () => {
    await kubectl('label', 'secret', 'okta', 'postern.dev/secret-');
    await becomes('/orders', 503);
    await says('oidc/okta', 'READY', 'False');
    const condition = async (): Promise<string> =>
      await kubectl('get', 'oidc', 'okta', '-o', 'jsonpath={.status.conditions[?(@.type=="ResolvedRefs")]}');
    await until(
      async () => (await condition()).includes('"SecretNotLabelled"'),
      'the reason',
      () => operator.log(),
    );
    expect(await condition()).toContain('kubectl label secret okta -n shop postern.dev/secret=true');
    await kubectl('label', 'secret', 'okta', 'postern.dev/secret=true');
    await becomes('/orders', 302);
  });

  it('A176 closes nothing but its place when the plugin is deleted, and opens nothing', async () => {
    await server.apply(yaml(route('open')));
    await becomes('/open', 200);
    await kubectl('delete', 'oidc', 'okta');
    await becomes('/orders', 503);
    expect(await status('/open')).toBe(200);
    await says('proute/orders', 'EXPOSURE', 'Denied');
    await server.apply(protect());
    await becomes('/orders', 302);
    await kubectl('wait', ...WAIT, 'proute/orders', 'oidc/okta');
  });

  it('does not see objects of another class', async () => {
    await server.apply(yaml(route('blue', { spec: { class: 'blue' } }), route('after')));
    await becomes('/after', 200);
    expect(await status('/blue')).toBe(404);
    expect(await kubectl('get', 'proute', 'blue', '-o', 'jsonpath={.status}')).toBe('');
  });

  it('writes no status after a restart with nothing changed, and people stay logged in', async () => {
    const visitor = new Visitor();
    expect((await visitor.open(`${operator.site}/orders`)).status).toBe(200);
    const versions = async (): Promise<string> =>
      await kubectl('get', 'psvc,proute,oidc', '-o', 'jsonpath={.items[*].metadata.resourceVersion}');
    await settled(versions);
    const before = await versions();
    expect(await operator.stop()).toBe(0);
    operator = await start();
    await operator.logged(/this replica leads/);
    await until(
      async () => (await metric(operator, 'postern_plugin_ready{kind="OidcPlugin",plugin="shop/okta"}')) === 1,
      'the plugin',
    );
    // Time for whatever might be written wrongly.
    await new Promise((resolve) => setTimeout(resolve, 3000));
    expect(await versions()).toBe(before);
    expect(await metric(operator, 'postern_status_writes_total{result="written"}')).toBe(0);
    expect((await visitor.ask(`${operator.site}/orders`)).status).toBe(200);
  });

  it('keeps its keys in a Secret that no object can use, labelled or not', async () => {
    const keys = await server.call('GET', '/api/v1/namespaces/edge/secrets/postern-keys');
    expect(own(own(keys.body, 'metadata'), 'labels')).toEqual({ 'app.kubernetes.io/managed-by': 'postern' });
    const lease = await server.call('GET', '/apis/coordination.k8s.io/v1/namespaces/edge/leases/postern');
    expect(lease.status).toBe(200);
    await server.apply(
      yaml(plugin('thief', provider, { clientSecretRef: { name: 'postern-keys', key: 'keys' } }, 'edge')),
    );
    const isRefused = async (): Promise<void> =>
      await conditionBecomes(
        server,
        ['oidcplugins', 'edge', 'thief'],
        'ResolvedRefs',
        'False/SecretNotFound',
        operator,
      );
    await isRefused();
    await kubectl('label', 'secret', 'postern-keys', '-n', 'edge', 'postern.dev/secret=true');
    // Another generation, so that the answer is one of after the label.
    await server.apply(
      yaml(
        plugin(
          'thief',
          provider,
          { clientSecretRef: { name: 'postern-keys', key: 'keys' }, scopes: ['openid'] },
          'edge',
        ),
      ),
    );
    await kubectl('wait', '-n', 'edge', '--for=condition=ResolvedRefs=False', '--timeout=20s', 'oidc/thief');
    await isRefused();
    await kubectl('label', 'secret', 'postern-keys', '-n', 'edge', 'postern.dev/secret-');
    await kubectl('delete', 'oidc', 'thief', '-n', 'edge');
  });

  it('shows its watches to this machine, and every check when asked', async () => {
    const verbose = await (await fetch(`${operator.adminUrl}/readyz?verbose`)).text();
    for (const name of ['keys', 'routes.postern.dev', 'oidcplugins.postern.dev', 'secrets', 'table', 'listener'])
      expect(verbose).toContain(`[+]${name} ok`);
    const debug = await (await fetch(`${operator.debugUrl}/debug/kubernetes`)).text();
    expect(debug).toMatch(/"resource": "routes\.postern\.dev"/);
    expect(await metric(operator, 'postern_watch_last_event_timestamp_seconds{kind="Route"}')).toBeGreaterThan(1e9);
  });

  /** Resolves when it gives the same for two seconds. */
  async function settled(read: () => Promise<string>): Promise<void> {
    let last = await read();
    let since = Date.now();
    await until(async () => {
      const now = await read();
      if (now !== last) since = Date.now();
      last = now;
      return Date.now() - since > 2000;
    }, 'nothing to change any more');
  }
});
