import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { own } from '../../src/resources/plain.ts';
import { type ApiServer, startApiServer } from '../support/apiserver.ts';
import { until } from '../support/gateway.ts';
import { apiserver } from '../support/parts.ts';
import { type Echo, route, service, startEcho, yaml } from '../support/shop.ts';
import { Visitor } from '../support/visitor.ts';
import { createNamespaces, installCrds, metric, type Operator, startOperator } from './operator.ts';
import { becomes, conditions, pathOf } from './rows.ts';

const MERGE = 'application/merge-patch+json';
const HOST = 'shop.test';
const WRITTEN = 'postern_status_writes_total{result="written"}';
/** Between two objects, so that one of them is the older. */
const A_SECOND = 1100;

/** Hosts without an entry, and a namespace that wants that of another. */
describe.skipIf(apiserver.missing)(`hosts that a status says who has ${apiserver.why}`, { timeout: 90_000 }, () => {
  let server: ApiServer;
  let mine: Echo;
  let theirs: Echo;
  let operator: Operator;

  const start = async (): Promise<void> => {
    operator = await startOperator({
      kubeconfig: server.kubeconfig,
      args: ['--leader-election=off', '--status-writes=200'],
    });
    await operator.ready();
  };
  /** `200 evil`: the service of whose namespace answered. */
  const ask = async (path: string): Promise<string> => {
    const { length } = theirs.seen;
    const { status } = await new Visitor().ask(operator.url + path, { headers: { host: HOST } });
    return theirs.seen.length > length ? `${status} evil` : `${status}`;
  };
  const answers = async (path: string, expected: string): Promise<void> =>
    await until(
      async () => (await ask(path)) === expected,
      `${path} to answer ${expected}`,
      () => operator.log(),
    );
  const held = async (namespace: string, name: string): Promise<unknown> =>
    own(own((await server.call('GET', pathOf('routes', namespace, name))).body, 'status'), 'hosts');
  const holds = async (namespace: string, name: string, hosts: readonly string[] | undefined): Promise<void> =>
    await until(
      async () => JSON.stringify(await held(namespace, name)) === JSON.stringify(hosts),
      `the status of ${namespace}/${name} to list ${hosts?.join()}`,
      () => operator.log(),
    );

  beforeAll(async () => {
    server = await startApiServer();
    await createNamespaces(server, 'edge', 'shop', 'evil');
    await installCrds(server);
    mine = await startEcho();
    theirs = await startEcho();
    await server.apply(yaml(service(mine.url), service(theirs.url, 'evil', 'evil')));
    await server.apply(yaml(route('old', { namespace: 'evil', host: 'evil.test', path: '/', service: 'evil' })));
    await new Promise((resolve) => setTimeout(resolve, A_SECOND));
    await server.apply(yaml(route('orders', { host: HOST })));
    await start();
  }, 120_000);
  afterAll(async () => {
    await operator?.stop();
    mine?.close();
    theirs?.close();
    await server?.stop();
  });

  it('A177 an older Route that is edited to name the host gets nothing of it', async () => {
    await answers('/orders', '200');
    await holds('shop', 'orders', [HOST]);
    await holds('evil', 'old', ['evil.test']);
    const change = { spec: { hosts: ['evil.test', HOST] }, status: { hosts: [HOST] } };
    const { status } = await server.call('PATCH', pathOf('routes', 'evil', 'old'), change, MERGE);
    expect(status).toBe(200);
    await becomes(server, ['routes', 'evil', 'old'], 'Accepted', 'False/HostNotAllowed', operator);
    expect([await ask('/orders'), await ask('/zz')]).toEqual(['200', '404']);
    expect(await held('evil', 'old')).toEqual(['evil.test']);
    expect(await held('shop', 'orders')).toEqual([HOST]);
    expect(await metric(operator, WRITTEN)).toBeGreaterThan(2);
    expect(await conditions(server, 'routes', 'shop', 'orders')).toMatchObject({
      Ready: 'True/Ready',
      HostNotReserved: 'True/HostNotReserved',
    });
  });

  it('A177 a restart changes nothing, and writes nothing', async () => {
    await operator.stop();
    await start();
    expect([await ask('/orders'), await ask('/zz')]).toEqual(['200', '404']);
    // A status that is to be written would be by now.
    await new Promise((resolve) => setTimeout(resolve, A_SECOND));
    expect([await ask('/orders'), await ask('/zz')]).toEqual(['200', '404']);
    expect(await metric(operator, WRITTEN)).toBe(0);
    expect(await held('shop', 'orders')).toEqual([HOST]);
    expect((await conditions(server, 'routes', 'evil', 'old'))['Accepted']).toBe('False/HostNotAllowed');
  });

  it('A177 goes to the other namespace when no Route of the first names it any more, and stays there then', async () => {
    await server.call('DELETE', pathOf('routes', 'shop', 'orders'));
    await answers('/zz', '200 evil');
    await becomes(server, ['routes', 'evil', 'old'], 'HostNotReserved', 'True/HostNotReserved', operator);
    await holds('evil', 'old', ['evil.test', HOST]);
    await server.apply(yaml(route('orders', { host: HOST })));
    await becomes(server, ['routes', 'shop', 'orders'], 'Accepted', 'False/HostNotAllowed', operator);
    await server.call('PATCH', pathOf('routes', 'evil', 'old'), { spec: { hosts: ['evil.test'] } }, MERGE);
    await answers('/orders', '200');
    await holds('evil', 'old', ['evil.test']);
    await holds('shop', 'orders', [HOST]);
  });
});
