import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ApiServer, startApiServer } from '../support/apiserver.ts';
import { type FakeProvider, startFakeProvider } from '../support/fake-provider.ts';
import { freePort, until } from '../support/gateway.ts';
import { apiserver } from '../support/parts.ts';
import { type Echo, plugin, route, secret, service, startEcho, yaml } from '../support/shop.ts';
import { Visitor } from '../support/visitor.ts';
import { createNamespaces, installCrds, labelled, metric, type Operator, startOperator } from './operator.ts';
import { PRELOAD } from './planted-bugs.ts';
import { becomes, meanwhile, pathOf } from './rows.ts';

const FAILED = 'postern_control_reconcile_total{result="failed"}';
const BUGS = 'postern_http_outcomes_total{outcome="internal_error"}';

/** The whole process, with bugs planted in it. */
describe.skipIf(apiserver.missing)(`bugs ${apiserver.why}`, { timeout: 90_000 }, () => {
  let server: ApiServer;
  let echo: Echo;
  let fake: FakeProvider;
  let operator: Operator;

  const start = async (args: readonly string[] = []): Promise<Operator> =>
    await startOperator({
      kubeconfig: server.kubeconfig,
      port: await freePort(),
      env: { NODE_OPTIONS: PRELOAD },
      args: ['--log-format=json', ...args],
    });
  const status = async (path: string): Promise<number> => (await new Visitor().ask(operator.site + path)).status;
  const answers = async (path: string, expected: number): Promise<void> =>
    await until(
      async () => (await status(path)) === expected,
      `${path} to answer ${expected}`,
      () => operator.log(),
    );
  const remove = async (name: string): Promise<void> => {
    expect((await server.call('DELETE', pathOf('routes', 'shop', name))).status).toBe(200);
  };
  /** What nothing that goes wrong elsewhere may change. */
  const others = (): { stop(): Promise<void> } => {
    const wrong = new Set<string>();
    let looks = 0;
    const looking = meanwhile(async () => {
      looks += 1;
      const seen = `${await status('/open')} ${await status('/orders')}`;
      if (seen !== '200 302') wrong.add(seen);
    });
    return {
      async stop() {
        await until(() => looks > 10, 'some looks');
        await looking.stop();
        expect([...wrong]).toEqual([]);
        expect(operator.child.exitCode).toBeNull();
        expect((await fetch(`${operator.adminUrl}/readyz`)).status).toBe(200);
      },
    };
  };

  beforeAll(async () => {
    server = await startApiServer();
    await createNamespaces(server, 'edge', 'shop');
    await installCrds(server);
    echo = await startEcho();
    fake = await startFakeProvider();
    const rules = {
      authorization: {
        rules: [{ name: 'known', claims: [{ path: 'preferred_username', anyOf: ['thrower', 'ann'] }] }],
      },
    };
    await server.apply(
      yaml(
        service(echo.url),
        route('open'),
        route('orders', { plugins: ['okta'] }),
        route('ruled', { plugins: ['okta'], spec: rules }),
        plugin('okta', fake, { claims: { username: 'preferred_username' } }),
        labelled(secret('okta', { 'client-secret': 'secret' })),
      ),
    );
    operator = await start();
    await operator.ready();
    await answers('/orders', 302);
  }, 120_000);
  afterAll(async () => {
    await operator?.stop();
    await fake?.close();
    echo?.close();
    await server?.stop();
  });

  it.each(['throws-late', 'throws-halfway'])(
    'F14 where no table can be made (%s) the last one stays, it is counted and said, and each change tries again',
    async (name) => {
      await server.apply(yaml(route('gone')));
      await answers('/gone', 200);
      const failed = await metric(operator, FAILED);
      const looking = others();
      await server.apply(yaml(route(name)));
      await until(
        async () => (await metric(operator, FAILED)) > failed,
        'a run to fail',
        () => operator.log(),
      );
      await operator.logged(/compiling failed, which is a bug; the last table stays/);
      await remove('gone');
      await server.apply(yaml(route('fresh', { plugins: ['okta'] })));
      const before = await metric(operator, FAILED);
      await server.apply(yaml(route('second')));
      await until(
        async () => (await metric(operator, FAILED)) > before,
        'another try',
        () => operator.log(),
      );
      await sleep(1000);
      // By changes, and not again and again by itself.
      expect((await metric(operator, FAILED)) - failed).toBeLessThan(10);
      const now = await Promise.all(['/gone', '/fresh', '/second', `/${name}`].map(status));
      expect(now).toEqual([200, 404, 404, 404]);
      await remove(name);
      await answers('/fresh', 302);
      expect([await status('/gone'), await status('/second')]).toEqual([404, 200]);
      await becomes(server, ['routes', 'shop', 'second'], 'Ready', 'True/Ready', operator);
      await becomes(server, ['routes', 'shop', 'fresh'], 'Ready', 'True/Ready', operator);
      await looking.stop();
      await remove('fresh');
      await remove('second');
      await answers('/second', 404);
    },
  );

  it('F14 F28 where the first table can not be made it is alive and not ready, serves nothing, and goes on by itself', async () => {
    await server.apply(yaml(route('throws-late')));
    const late = await start(['--pod-name=late']);
    try {
      await late.logged(/compiling failed, which is a bug/);
      await sleep(500);
      expect((await fetch(`${late.adminUrl}/readyz`)).status).toBe(503);
      expect((await fetch(`${late.adminUrl}/livez`)).status).toBe(200);
      await expect(fetch(`${late.url}/open`)).rejects.toThrow();
      await remove('throws-late');
      await late.ready();
      expect((await new Visitor().ask(`${late.site}/orders`)).status).toBe(302);
    } finally {
      await late.stop();
    }
  });

  it('F55 an object that can not be taken in is said, and no other is lost or late', async () => {
    const looking = others();
    const throwing = Array.from({ length: 20 }, (_, at) => route(`throws-intake-${at}`));
    await server.apply(yaml(...throwing, route('after')));
    await answers('/after', 200);
    await operator.logged(/an object of the API server could not be taken in, which is a bug/);
    expect(await status('/throws-intake-0')).toBe(404);
    expect(await metric(operator, 'postern_watch_events_total{kind="Route",type="Failed"}')).toBeGreaterThanOrEqual(20);
    expect(await metric(operator, 'postern_watch_restarts_total{kind="Route",reason="failed"}')).toBe(0);
    await remove('after');
    await answers('/after', 404);
    // One that is there at the start holds up no first table.
    const late = await start(['--pod-name=late']);
    await late.ready();
    expect((await new Visitor().ask(`${late.site}/orders`)).status).toBe(302);
    await late.stop();
    await looking.stop();
    for (const at of throwing.keys()) await remove(`throws-intake-${at}`);
  });

  it('F55 what throws while a Route is looked for, or an error is written down, is 500 of that request, and counted', async () => {
    const looking = others();
    const sent = echo.seen.length;
    const paths = ['/throws-match', '/throws-match/unprintable'];
    for (const path of paths) expect([path, await status(path)]).toEqual([path, 500]);
    expect(await metric(operator, BUGS)).toBe(2);
    expect(echo.seen.slice(sent).filter(({ url }) => url.startsWith('/throws'))).toEqual([]);
    await operator.logged(/planted: match \/throws-match"/);
    await operator.logged(/a log line could not be made/);
    await looking.stop();
  });

  it('F55 a line of the log or a metric that throws costs its request nothing, and the other is there', async () => {
    const looking = others();
    const count = `postern_http_requests_total{route="shop/open",service="shop/shop",code="2xx",method="POST"}`;
    const post = async (path: string): Promise<number> =>
      (await new Visitor().ask(operator.site + path, { method: 'POST', body: 'x' })).status;
    expect(await post('/open/throws-log')).toBe(200);
    expect(await post('/open/throws-metric')).toBe(200);
    await operator.logged(/planted: metric/);
    await operator.logged(/planted: log/);
    await operator.logged(/"path":"\/open\/throws-metric"/);
    expect(operator.log()).not.toContain('"path":"/open/throws-log"');
    expect(await metric(operator, count)).toBe(1);
    await looking.stop();
  });

  it('F55 claims on which the rules throw are 500, and nothing reaches the service', async () => {
    const looking = others();
    const before = await metric(operator, BUGS);
    fake.claims = { preferred_username: 'thrower' };
    const sent = echo.seen.length;
    expect((await new Visitor().open(`${operator.site}/ruled/secret`)).status).toBe(500);
    expect(await metric(operator, BUGS)).toBe(before + 1);
    expect(echo.seen.slice(sent).filter(({ url }) => url.startsWith('/ruled'))).toEqual([]);
    fake.claims = { preferred_username: 'ann' };
    expect((await new Visitor().open(`${operator.site}/ruled/secret`)).status).toBe(200);
    fake.claims = { preferred_username: 'bob' };
    expect((await new Visitor().open(`${operator.site}/ruled/secret`)).status).toBe(403);
    await looking.stop();
  });
});
