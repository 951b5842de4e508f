import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type Server, type ServerResponse } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ApiServer, startApiServer } from '../support/apiserver.ts';
import { type FakeProvider, startFakeProvider } from '../support/fake-provider.ts';
import { until } from '../support/gateway.ts';
import { apiserver } from '../support/parts.ts';
import { RawClient } from '../support/raw-client.ts';
import { plugin, route, secret, service, yaml } from '../support/shop.ts';
import { Visitor } from '../support/visitor.ts';
import { createNamespaces, installCrds, labelled, metric, type Operator, startOperator } from './operator.ts';
import { pathOf } from './rows.ts';

const MERGE = 'application/merge-patch+json';
/** A gateway has 10,000 connections at most, of which some are for looking on. */
const MOST = 9900;
/** Each request is two connections, for the gateway as for this process; beside them there are some hundred other files. */
const COUNT = Math.min(MOST, Math.floor((openFiles() - 500) / 2));
const AT_ONCE = 100;
const PATIENCE = 120_000;
/** All of it comes from one address, and to a machine that may have other things to do. */
const LIMITS = '--limits=connectionsPerAddress=off,loopDelay=off,memory=off';

function openFiles(): number {
  const said = execFileSync('sh', ['-c', 'ulimit -Hn'], { encoding: 'utf8' }).trim();
  return said === 'unlimited' ? Number.POSITIVE_INFINITY : Number(said);
}

describe.skipIf(apiserver.missing)(`requests under way ${apiserver.why}`, { timeout: 300_000 }, () => {
  let server: ApiServer;
  let upstream: Server;
  let provider: FakeProvider;
  let operator: Operator;
  const held: ServerResponse[] = [];
  const clients: RawClient[] = [];

  const ask = async (): Promise<string> => {
    const { status, body } = await new Visitor().ask(`${operator.site}/held`);
    return status === 200 ? `200 ${body}` : String(status);
  };
  const answers = async (expected: string): Promise<void> =>
    await until(
      async () => (await ask()) === expected,
      `/held to answer ${expected}`,
      () => operator.log().slice(-4000),
      PATIENCE,
    );

  beforeAll(async () => {
    server = await startApiServer();
    await createNamespaces(server, 'edge', 'shop');
    await installCrds(server);
    provider = await startFakeProvider();
    provider.secrets = ['sesame'];
    upstream = createServer((request, response) => {
      if (request.headers['x-hold'] === 'yes') held.push(response);
      response.writeHead(200, { 'content-type': 'text/plain' });
      if (request.headers['x-hold'] !== 'yes') response.end(`saw ${request.url}`);
      else response.write(`saw ${request.url}, `);
    });
    upstream.listen(0, '127.0.0.1');
    await once(upstream, 'listening');
    const address = upstream.address();
    const url = `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`;
    const moving = (at: string): unknown => ({
      ...Object(service(`${url}/${at}`, 'moving')),
      spec: { url: `${url}/${at}`, limits: { connectionsPerEndpoint: MOST } },
    });
    await server.apply(
      yaml(
        moving('one'),
        service(`${url}/two`, 'other'),
        route('held', { service: 'moving' }),
        labelled(secret('okta', { 'client-secret': 'sesame' })),
        plugin('okta', provider),
      ),
    );
    operator = await startOperator({ kubeconfig: server.kubeconfig, args: ['--leader-election=off', LIMITS] });
    await operator.ready();
    await answers('200 saw /one/held');
  }, 120_000);
  afterAll(async () => {
    for (const client of clients) client.destroy();
    await operator?.stop();
    upstream?.closeAllConnections();
    upstream?.close();
    await provider?.close();
    await server?.stop();
  });

  it(`F15 ${COUNT} requests under way end as they began, whatever is swapped, guarded or deleted`, async () => {
    const head = 'GET /held HTTP/1.1\r\nHost: localhost\r\nX-Hold: yes\r\n\r\n';
    const port = Number(new URL(operator.url).port);
    while (clients.length < COUNT) {
      const more = Math.min(AT_ONCE, COUNT - clients.length);
      const made = await Promise.all(Array.from({ length: more }, () => RawClient.connect(port)));
      await Promise.all(made.map((client) => client.send(head)));
      // The upstream begins its answer at once. A machine that is busy beyond time-outs gives another one, and it is asked again.
      const come = (client: RawClient): boolean => client.ended || client.received.includes('\r\n\r\n');
      await until(() => made.every(come), 'all to be answered', operator.log, PATIENCE);
      const under = made.filter((client) => client.received.startsWith('HTTP/1.1 200') && !client.ended);
      for (const client of made) if (!under.includes(client)) client.destroy();
      clients.push(...under);
    }
    const generation = await metric(operator, 'postern_routing_table_generation');
    const patch = async (spec: unknown): Promise<void> => {
      const answer = await server.call('PATCH', pathOf('routes', 'shop', 'held'), { spec }, MERGE);
      expect([answer.status, answer.status === 200 ? '' : answer.body]).toEqual([200, '']);
    };
    await patch({ serviceRef: { name: 'other' } });
    await answers('200 saw /two/held');
    await patch({ access: null, plugins: [{ kind: 'OidcPlugin', name: 'okta' }] });
    await answers('302');
    await server.call('DELETE', pathOf('services', 'shop', 'moving'));
    await server.call('DELETE', pathOf('routes', 'shop', 'held'));
    await answers('404');
    expect(await metric(operator, 'postern_routing_table_generation')).toBeGreaterThanOrEqual(generation + 3);

    expect(clients.filter(({ ended }) => ended)).toHaveLength(0);
    for (const response of held) response.end('to the end');
    const all = await Promise.all(clients.map((client) => client.answer()));
    const told = all.map((answer) => `${answer?.status} ${answer?.complete} ${answer?.body}`);
    expect([...new Set(told)]).toEqual(['200 true saw /one/held, to the end']);
    expect(told).toHaveLength(COUNT);
    expect(operator.child.exitCode).toBeNull();
  });
});
