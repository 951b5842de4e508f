import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ApiServer, startApiServer } from '../support/apiserver.ts';
import { until } from '../support/gateway.ts';
import { apiserver } from '../support/parts.ts';
import { type Echo, type RouteOptions, route, service, startEcho, yaml } from '../support/shop.ts';
import { Visitor } from '../support/visitor.ts';
import { createNamespaces, installCrds, metric, type Operator, startOperator } from './operator.ts';
import { becomes, meanwhile, pathOf } from './rows.ts';

const GENERATION = 'postern_routing_table_generation';
const MANY = 400;
const CHANGES = 800;
const PER_SECOND = 100;
const DEEP = 300;
const PATHS = 16;
const HEADERS = 5;

/** Hundreds of objects and of changes; what they cost in time and memory is measured by the bench, with thousands. */
describe.skipIf(apiserver.missing)(`many objects ${apiserver.why}`, { timeout: 300_000 }, () => {
  let server: ApiServer;
  let echoes: Readonly<Record<'one' | 'two', Echo>>;
  let operator: Operator;

  const ask = async (host: string, path: string, headers: Readonly<Record<string, string>> = {}): Promise<number> =>
    (await new Visitor().ask(operator.url + path, { headers: { host, ...headers } })).status;
  const create = async (namespace: string, names: readonly string[], options: (at: number) => RouteOptions) => {
    const made = await Promise.all(
      names.map(async (name, at) => {
        const object = route(name, { namespace, ...options(at) });
        return (await server.call('POST', pathOf('routes', namespace), object)).status;
      }),
    );
    expect(new Set(made)).toEqual(new Set([201]));
  };

  beforeAll(async () => {
    server = await startApiServer();
    await createNamespaces(server, 'edge', 'shop', 'many', 'deep');
    await installCrds(server);
    echoes = { one: await startEcho(), two: await startEcho() };
    const services = Object.entries(echoes).map(([name, { url }]) => service(url, name, 'many'));
    await server.apply(
      yaml(...services, service(echoes.one.url), service(echoes.one.url, 'deep', 'deep'), route('open')),
    );
    operator = await startOperator({
      kubeconfig: server.kubeconfig,
      args: ['--leader-election=off', '--status-writes=200'],
    });
    await operator.ready();
  }, 120_000);
  afterAll(async () => {
    await operator?.stop();
    for (const echo of Object.values(echoes ?? {})) echo.close();
    await server?.stop();
  });

  it('F12 with 100 changes a second tables are made by the dozen of changes, none waits for the end, no request sees half of one', async () => {
    const host = 'many.localhost';
    const names = Array.from({ length: MANY }, (_, at) => `many-${at}`);
    await create('many', names, () => ({ host, service: 'one' }));
    await until(
      async () => (await ask(host, `/many-${MANY - 1}`)) === 200,
      'the last of many',
      () => operator.log(),
    );
    const failures = new Set<number>();
    let asked = 0;
    const looking = meanwhile(async () => {
      asked += 1;
      const answer = await ask(host, `/many-${(asked * 7) % MANY}`);
      if (answer !== 200) failures.add(answer);
    });

    const [before, began] = [await metric(operator, GENERATION), Date.now()];
    const wanted = new Map<string, 'one' | 'two'>();
    let storms = true;
    const storm = (async () => {
      const start = performance.now();
      const sent: Promise<unknown>[] = [];
      for (let change = 0; change < CHANGES; await sleep(5)) {
        const due = Math.min(CHANGES, Math.floor(((performance.now() - start) / 1000) * PER_SECOND));
        for (; change < due; change += 1) {
          const name = `many-${(change * 3) % MANY}`;
          const to = change < MANY ? 'two' : 'one';
          wanted.set(name, to);
          const body = { spec: { serviceRef: { name: to } } };
          sent.push(server.call('PATCH', pathOf('routes', 'many', name), body, 'application/merge-patch+json'));
        }
      }
      await Promise.all(sent);
      storms = false;
    })();
    await sleep(1000);
    await server.apply(yaml(route('sentinel')));
    await until(
      async () => (await ask('localhost', '/sentinel')) === 200,
      'the sentinel',
      () => operator.log(),
    );
    // Seen while changes go on: there is a longest time that they can put off a table.
    expect(storms).toBe(true);
    await storm;
    const tables = (await metric(operator, GENERATION)) - before;
    expect(tables).toBeGreaterThan(1);
    // Four a second where changes never pause; a busy machine makes them pause.
    expect(tables).toBeLessThan(((Date.now() - began) / 1000) * 10);
    await looking.stop();
    expect([...failures]).toEqual([]);
    expect(asked).toBeGreaterThan(20);

    await becomes(server, ['routes', 'many', 'many-1'], 'Ready', 'True/Ready', operator);
    await sleep(500);
    for (const echo of Object.values(echoes)) echo.seen.length = 0;
    for (const name of names) expect(await ask(host, `/${name}`)).toBe(200);
    for (const [name, to] of wanted) expect(echoes[to].seen.map(({ url }) => url)).toContain(`/${name}`);
    await server.call('DELETE', pathOf('routes', 'many'));
  });

  it('A163 hundreds of Routes that differ in five headers on the same paths are told apart, and hold up nobody', async () => {
    const host = 'deep.localhost';
    const names = Array.from({ length: DEEP }, (_, at) => `deep-${at}`);
    const values = (at: number): readonly (readonly [string, string])[] =>
      Array.from({ length: HEADERS }, (_, header) => [`x-${header}`, String(at % (header + 2))] as const).with(0, [
        'x-0',
        String(at),
      ]);
    const options = (at: number): RouteOptions => ({
      host,
      service: 'deep',
      spec: {
        paths: Array.from({ length: PATHS }, (_, path) => ({ type: 'Prefix', value: `/deep${'/d'.repeat(path)}` })),
        headers: values(at).map(([name, value]) => ({ name, value })),
      },
    });
    const failures = new Set<number>();
    const looking = meanwhile(async () => {
      const answer = await ask('localhost', '/open');
      if (answer !== 200) failures.add(answer);
    });
    await create('deep', names, options);
    const path = `/deep${'/d'.repeat(PATHS + 3)}`;
    for (const at of [DEEP - 1, 0, 17])
      await until(
        async () => (await ask(host, path, Object.fromEntries(values(at)))) === 200,
        `deep-${at}`,
        () => operator.log(),
      );
    expect(await ask(host, path)).toBe(404);
    expect(await ask(host, path, { ...Object.fromEntries(values(17)), 'x-4': 'another' })).toBe(404);
    const most = await becomesSlowest();
    await server.call(
      'PATCH',
      pathOf('routes', 'deep', 'deep-17'),
      { spec: { headers: [] } },
      'application/merge-patch+json',
    );
    await until(
      async () => (await ask(host, path)) === 200,
      'the one without headers',
      () => operator.log(),
    );
    expect(await ask(host, path, Object.fromEntries(values(3)))).toBe(200);
    await looking.stop();
    expect([...failures]).toEqual([]);
    // Not how fast: that nothing multiplies.
    expect(most).toBe(0);
    await server.call('DELETE', pathOf('routes', 'deep'));
  });

  /** Runs of the control loop that took longer than 5 s. */
  const becomesSlowest = async (): Promise<number> => {
    const name = 'postern_control_reconcile_duration_seconds';
    return (await metric(operator, `${name}_count`)) - (await metric(operator, `${name}_bucket{le="5"}`));
  };
});
