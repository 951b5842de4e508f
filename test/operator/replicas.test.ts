import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect, createServer, type Server } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { formatKeyList, generateKey } from '../../src/keys/key-list.ts';
import { own } from '../../src/resources/plain.ts';
import { type ApiServer, startApiServer } from '../support/apiserver.ts';
import { freePort, until } from '../support/gateway.ts';
import { type HonestProvider, startHonestProvider } from '../support/honest-provider.ts';
import { apiserver } from '../support/parts.ts';
import { type Echo, plugin, route, secret, service, startEcho, yaml } from '../support/shop.ts';
import { Visitor } from '../support/visitor.ts';
import { createNamespaces, installCrds, labelled, metric, type Operator, startOperator } from './operator.ts';

const KEYS = '/api/v1/namespaces/edge/secrets/postern-keys';

/** Three processes, as replicas of one installation: behind one address, with different ports here. */
describe.skipIf(apiserver.missing)(`replicas ${apiserver.why}`, { timeout: 120_000 }, () => {
  let server: ApiServer;
  let echo: Echo;
  let provider: HonestProvider;
  /** What stands in front: each connection goes to `chosen`. */
  let balancer: Server;
  let outside: number;
  let chosen: Operator | undefined;
  let replicas: readonly Operator[] = [];

  const start = async (pod: string, port?: number): Promise<Operator> =>
    await startOperator({
      kubeconfig: server.kubeconfig,
      args: ['--external-port', String(outside), '--pod-name', pod],
      ...(port === undefined ? {} : { port }),
    });
  /** Answered by that replica. */
  const ask = async (visitor: Visitor, replica: Operator | undefined, page: string | URL): Promise<number> => {
    chosen = replica;
    return (await visitor.ask(new URL(page, `http://localhost:${outside}`))).status;
  };
  /** A login as far as its callback, begun at that replica. */
  const begin = async (visitor: Visitor, replica: Operator | undefined): Promise<URL> => {
    chosen = replica;
    const site = `http://localhost:${outside}`;
    return await visitor.openUntil(`${site}/orders/1`, `${site}/_oidc/okta/callback`);
  };
  const leaders = async (): Promise<readonly string[]> => {
    const found = await Promise.all(
      replicas.map(async (replica) => ((await metric(replica, 'postern_leader')) === 1 ? [replica.site] : [])),
    );
    return found.flat();
  };
  const logs = (): string => replicas.map((replica) => replica.log()).join('\n---\n');

  beforeAll(async () => {
    server = await startApiServer();
    await createNamespaces(server, 'edge', 'shop');
    await installCrds(server);
    echo = await startEcho();
    outside = await freePort();
    balancer = createServer((client) => {
      const upstream = connect(Number(new URL(chosen?.site ?? '').port), '127.0.0.1');
      client.pipe(upstream).pipe(client);
      client.on('error', () => upstream.destroy());
      upstream.on('error', () => client.destroy());
    }).listen(outside, '127.0.0.1');
    await once(balancer, 'listening');
    provider = await startHonestProvider({ redirectUris: [`http://localhost:${outside}/_oidc/okta/callback`] });
    await server.apply(
      yaml(
        service(echo.url),
        route('orders', { plugins: ['okta'] }),
        plugin('okta', provider),
        labelled(secret('okta', { 'client-secret': provider.clientSecret })),
      ),
    );
    replicas = await Promise.all([start('one'), start('two'), start('three')]);
    await Promise.all(replicas.map((replica) => replica.ready()));
    for (const replica of replicas)
      await until(
        async () => (await new Visitor().ask(`${replica.site}/orders`)).status === 302,
        'logins',
        () => replica.log(),
      );
  }, 240_000);
  afterAll(async () => {
    await Promise.all(replicas.map((replica) => replica.stop()));
    balancer?.close();
    await provider?.close();
    echo?.close();
    await server?.stop();
  });

  it('that start together agree on the keys: what one begins another ends, and all know the session', async () => {
    const made = replicas.filter((replica) => replica.log().includes('was missing and was made'));
    expect(made).toHaveLength(1);
    const [one, two] = replicas;
    const visitor = new Visitor();
    const back = await begin(visitor, one);
    expect(await ask(visitor, two, back)).toBe(303);
    for (const replica of replicas) expect(await ask(visitor, replica, '/orders/1')).toBe(200);
  });

  it('show the same table', async () => {
    const hashes = await Promise.all(
      replicas.map(async (replica) => {
        const text = await (await fetch(`${replica.adminUrl}/metrics`)).text();
        return /postern_routing_table_hash_info\{hash="([0-9a-f]+)"\} 1/.exec(text)?.[1];
      }),
    );
    expect(new Set(hashes).size).toBe(1);
    expect(hashes[0]).toBeDefined();
  });

  it('A149 a rotation during open logins loses none, and no session', async () => {
    const [one, two, three] = replicas;
    const logged = new Visitor();
    expect(await ask(logged, two, await begin(logged, two))).toBe(303);
    const opening = new Visitor();
    const back = await begin(opening, one);

    const stored = await server.call('GET', KEYS);
    const before = Buffer.from(String(own(own(stored.body, 'data'), 'keys')), 'base64').toString();
    const fresh = generateKey(Date.now(), randomBytes);
    const keys = Buffer.from(before + formatKeyList([fresh])).toString('base64');
    await server.call('PATCH', KEYS, { data: { keys } }, 'application/merge-patch+json');
    for (const replica of replicas)
      await until(
        () => new RegExp(`${fresh.id}.*session keys read`).test(replica.log()),
        'the new key',
        () => replica.log(),
      );
    expect(await ask(opening, three, back)).toBe(303);
    for (const replica of replicas) {
      expect(await ask(opening, replica, '/orders/3')).toBe(200);
      expect(await ask(logged, replica, '/orders/2')).toBe(200);
    }
  });

  it('F41 a keys Secret that is deleted is made again from what they hold: nobody is logged out', async () => {
    const [one, two] = replicas;
    const visitor = new Visitor();
    expect(await ask(visitor, one, await begin(visitor, one))).toBe(303);
    const before = own(own((await server.call('GET', KEYS)).body, 'data'), 'keys');
    await server.call('DELETE', KEYS);
    await until(async () => (await server.call('GET', KEYS)).status === 200, 'the Secret', logs);
    expect(own(own((await server.call('GET', KEYS)).body, 'data'), 'keys')).toBe(before);
    expect(await ask(visitor, two, '/orders/4')).toBe(200);
  });

  it('have one leader; when it ends, another leads at once and keeps writing', async () => {
    await until(async () => (await leaders()).length === 1, 'one leader', logs);
    const [site] = await leaders();
    const leader = replicas.find((replica) => replica.site === site);
    expect(await leader?.stop()).toBe(0);
    replicas = replicas.filter((replica) => replica !== leader);
    await until(async () => (await leaders()).length === 1, 'another leader', logs);
    await server.apply(yaml(route('later')));
    await until(
      async () => {
        const answer = await server.call('GET', '/apis/postern.dev/v1alpha1/namespaces/shop/routes/later');
        return own(own(answer.body, 'status'), 'exposure') === 'Public';
      },
      'its status',
      logs,
    );
  });
});
