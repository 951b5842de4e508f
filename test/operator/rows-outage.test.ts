import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ApiServer, startApiServer } from '../support/apiserver.ts';
import { type FaultyApi, startFaultyApi, statusAnswer } from '../support/faulty-api.ts';
import { freePort } from '../support/gateway.ts';
import { type HonestProvider, startHonestProvider } from '../support/honest-provider.ts';
import { apiserver } from '../support/parts.ts';
import { type Echo, plugin, route, secret, service, startEcho, yaml } from '../support/shop.ts';
import { Visitor } from '../support/visitor.ts';
import { createNamespaces, installCrds, labelled, metric, type Operator, startOperator } from './operator.ts';
import { becomes, meanwhile, pathOf } from './rows.ts';

/** Where a 24 hours' outage differs from one of seconds: pauses are as long as they get, versions too old, the token another. */
describe.skipIf(apiserver.missing)(`a long outage of the API server ${apiserver.why}`, { timeout: 180_000 }, () => {
  let directory: string;
  let server: ApiServer;
  let faulty: FaultyApi;
  let echo: Echo;
  let provider: HonestProvider;
  let operator: Operator;
  let tokens: readonly string[] = [];

  const UNREACHABLE = 'postern_watch_restarts_total{kind="Route",reason="unreachable"}';
  const FRESH = 'postern_watch_last_event_timestamp_seconds{kind="Route"}';
  const status = async (path: string): Promise<number> => (await new Visitor().ask(operator.site + path)).status;
  const waitFor = async (what: string, isSo: () => Promise<boolean>): Promise<void> => {
    for (const end = Date.now() + 90_000; !(await isSo()); await sleep(50))
      if (Date.now() > end) throw new Error(`waited in vain for ${what}\n${operator.log()}`);
  };
  const newToken = async (): Promise<string> => {
    const { code, stdout, stderr } = await server.kubectl(['create', 'token', 'postern', '-n', 'edge']);
    if (code !== 0) throw new Error(stderr);
    return stdout.trim();
  };

  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), 'postern-outage-'));
    server = await startApiServer();
    await createNamespaces(server, 'edge', 'shop');
    await installCrds(server);
    await server.kubectl(['create', 'serviceaccount', 'postern', '-n', 'edge']);
    const binding = ['clusterrolebinding', 'postern', '--clusterrole=cluster-admin', '--serviceaccount=edge:postern'];
    await server.kubectl(['create', ...binding]);
    tokens = [await newToken(), await newToken()];
    faulty = await startFaultyApi(server);
    echo = await startEcho();
    const port = await freePort();
    provider = await startHonestProvider({ redirectUris: [`http://localhost:${port}/_oidc/okta/callback`] });
    await server.apply(
      yaml(
        service(echo.url),
        route('open'),
        route('gone'),
        route('orders', { plugins: ['okta'] }),
        plugin('okta', provider),
        labelled(secret('okta', { 'client-secret': provider.clientSecret })),
      ),
    );
    const file = join(directory, 'token');
    writeFileSync(file, tokens[0] ?? '');
    operator = await startOperator({ kubeconfig: faulty.kubeconfigWith(file), port });
    await operator.ready();
    await waitFor(
      'the provider',
      async () => (await metric(operator, 'postern_plugin_ready{kind="OidcPlugin",plugin="shop/okta"}')) === 1,
    );
    await becomes(server, ['routes', 'shop', 'orders'], 'Ready', 'True/Ready', operator);
  }, 120_000);
  afterAll(async () => {
    await operator?.stop();
    await faulty?.stop();
    await provider?.close();
    echo?.close();
    await server?.stop();
    rmSync(directory, { recursive: true, force: true });
  });

  it('F01 F02 F08 serves and logs in for as long as it lasts, then one list of each kind, with the token of the day', async () => {
    const visitor = new Visitor();
    expect((await visitor.open(`${operator.site}/orders`)).status).toBe(200);
    const wrong = new Set<string>();
    const looking = meanwhile(async () => {
      const [open, orders] = [await status('/open'), await status('/orders')];
      const [ready, live] = await Promise.all(['readyz', 'livez'].map((page) => fetch(`${operator.adminUrl}/${page}`)));
      const seen = `${open} ${orders} ready ${ready?.status} live ${live?.status}`;
      if (seen !== '200 302 ready 200 live 200') wrong.add(seen);
      await sleep(20);
    });

    faulty.set({ refuse: true });
    await waitFor('it to notice', async () => (await metric(operator, UNREACHABLE)) > 0);
    const [began, freshAt] = [Date.now(), await metric(operator, FRESH)];
    await server.call('DELETE', pathOf('routes', 'shop', 'gone'));
    await server.apply(yaml(route('fresh'), route('open', { path: '/open' }), route('late', { plugins: ['okta'] })));
    await server.restartWithoutHistory();
    rmSync(join(directory, 'token'));
    await sleep(2000);
    writeFileSync(join(directory, 'token'), tokens[1] ?? '');

    // The pauses have been as long as they get for a while: 4 s at most, half of it at least.
    await waitFor('many attempts', async () => (await metric(operator, UNREACHABLE)) >= 9);
    const before = await metric(operator, UNREACHABLE);
    await sleep(12_000);
    expect((await metric(operator, UNREACHABLE)) - before).toBeLessThanOrEqual(7);
    expect((await metric(operator, UNREACHABLE)) - before).toBeGreaterThanOrEqual(1);
    expect(Date.now() - began).toBeGreaterThan(20_000);
    expect(Math.abs((await metric(operator, FRESH)) - freshAt)).toBeLessThan(1);
    expect((await new Visitor().open(`${operator.site}/orders`)).status).toBe(200);
    expect((await visitor.ask(`${operator.site}/orders/1`)).status).toBe(200);
    expect([await status('/gone'), await status('/fresh'), await status('/late')]).toEqual([200, 404, 404]);
    expect(await metric(operator, 'postern_leader')).toBe(0);

    faulty.forget();
    faulty.set({
      // As an API server answers to a token that has expired.
      answer: ({ authorization }) => (authorization === `Bearer ${tokens[0]}` ? statusAnswer(401) : undefined),
    });
    const healed = Date.now();
    await waitFor('what is new', async () => (await status('/fresh')) === 200);
    await waitFor('what is gone', async () => (await status('/gone')) === 404);
    await waitFor('what is new and guarded', async () => (await status('/late')) === 302);
    // 5 s, and what two noisy cores need.
    expect(Date.now() - healed).toBeLessThan(5000 + 5000);
    expect(await looking.stop()).toBeGreaterThan(20);
    expect([...wrong]).toEqual([]);

    const gone = (kind: string): string => `postern_watch_restarts_total{kind="${kind}",reason="gone"}`;
    for (const kind of ['Route', 'Service', 'OidcPlugin', 'Secret'])
      await waitFor(`a list of ${kind}`, async () => (await metric(operator, gone(kind))) > 0);
    await waitFor('it to lead again', async () => (await metric(operator, 'postern_leader')) === 1);
    await becomes(server, ['routes', 'shop', 'late'], 'Ready', 'True/Ready', operator);
    const lists = (): readonly string[] =>
      faulty
        .calls()
        .filter(
          ({ verb, path, status: answered }) => verb === 'list' && path.includes('postern.dev') && answered === 200,
        )
        .map(({ path }) => path.replace(/.*\//, ''));
    await waitFor('the lists', async () => lists().length >= 3);
    expect(lists().toSorted()).toEqual(['oidcplugins', 'routes', 'services']);
    expect(faulty.calls().filter(({ authorization }) => authorization !== `Bearer ${tokens[1]}`)).toEqual([]);
    expect(operator.child.exitCode).toBeNull();
  });
});
