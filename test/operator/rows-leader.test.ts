import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { own } from '../../src/resources/plain.ts';
import { type ApiServer, startApiServer } from '../support/apiserver.ts';
import { type FaultyApi, startFaultyApi } from '../support/faulty-api.ts';
import { apiserver } from '../support/parts.ts';
import { type Echo, route, service, startEcho, yaml } from '../support/shop.ts';
import { Visitor } from '../support/visitor.ts';
import { createNamespaces, installCrds, metric, type Operator, startOperator } from './operator.ts';
import { conditions, meanwhile } from './rows.ts';

/** A replica with a way to the API server of its own. */
interface Replica {
  readonly operator: Operator;
  readonly way: FaultyApi;
  alive: boolean;
}

/** The life of a Lease, the longest until somebody looks at it, and what a busy machine adds. */
const TAKEN_OVER = 45_000;

describe.skipIf(apiserver.missing)(`the leader of three processes ${apiserver.why}`, { timeout: 150_000 }, () => {
  let server: ApiServer;
  let echo: Echo;
  let replicas: readonly Replica[] = [];
  let failures: string[] = [];

  const leads = async ({ operator, alive }: Replica): Promise<boolean> =>
    alive && (await metric(operator, 'postern_leader')) === 1;
  /** One after another, so that two are found only where they led at one time or within a few milliseconds. */
  const leaders = async (): Promise<readonly Replica[]> => {
    const found: Replica[] = [];
    for (const replica of replicas) if (await leads(replica)) found.push(replica);
    return found;
  };
  const logs = (): string => replicas.map(({ operator }) => operator.log()).join('\n---\n');
  const waitFor = async (what: string, isSo: () => Promise<boolean>, most = TAKEN_OVER): Promise<void> => {
    for (const end = Date.now() + most; !(await isSo()); await sleep(100))
      if (Date.now() > end) throw new Error(`waited in vain for ${what}\n${logs()}`);
  };
  const someLeader = async (): Promise<Replica> => {
    let found: readonly Replica[] = [];
    await waitFor('one leader', async () => {
      found = await leaders();
      return found.length === 1;
    });
    const [leader] = found;
    if (leader === undefined) throw new Error('none');
    return leader;
  };
  const isWritten = async (name: string): Promise<boolean> =>
    (await conditions(server, 'routes', 'shop', name))['Ready'] === 'True/Ready';
  const serves = async ({ operator }: Replica, path: string): Promise<number> =>
    (await new Visitor().ask(operator.site + path)).status;
  const traffic = (): { stop(): Promise<number> } => {
    failures = [];
    return meanwhile(async () => {
      for (const replica of replicas.filter(({ alive }) => alive)) {
        const answer = await serves(replica, '/open').catch(() => 0);
        if (answer !== 200 && replica.alive) failures.push(`${replica.operator.site} ${answer}`);
      }
      await sleep(20);
    });
  };

  beforeAll(async () => {
    server = await startApiServer();
    await createNamespaces(server, 'edge', 'shop');
    await installCrds(server);
    echo = await startEcho();
    await server.apply(yaml(service(echo.url), route('open')));
    replicas = await Promise.all(
      ['one', 'two', 'three'].map(async (pod) => {
        const way = await startFaultyApi(server);
        const operator = await startOperator({ kubeconfig: way.kubeconfig, args: ['--pod-name', pod] });
        return { operator, way, alive: true };
      }),
    );
    await Promise.all(replicas.map(({ operator }) => operator.ready()));
    await waitFor('every replica to serve', async () => {
      const all = await Promise.all(replicas.map((replica) => serves(replica, '/open')));
      return all.every((each) => each === 200);
    });
  }, 120_000);
  afterAll(async () => {
    for (const { way } of replicas) way.set({});
    await Promise.all(replicas.map(({ operator }) => operator.stop()));
    await Promise.all(replicas.map(({ way }) => way.stop()));
    echo?.close();
    await server?.stop();
  });

  it('F20 F56 one that hears nothing of the API server stops writing before another leads, and all serve', async () => {
    const before = await someLeader();
    const load = traffic();
    before.way.set({ blackHole: true });
    before.way.forget();
    const order: string[] = [];
    let most = 0;
    await waitFor('another leader', async () => {
      const now = await leaders();
      most = Math.max(most, now.length);
      const names = now.map(({ operator }) => operator.site).join();
      if (order.at(-1) !== names) order.push(names);
      return now.some((replica) => replica !== before);
    });
    expect(most).toBe(1);
    expect(order[0]).toBe(before.operator.site);
    // There was a time in which nobody led.
    expect(order).toContain('');
    await server.apply(yaml(route('parted')));
    await waitFor('its status', () => isWritten('parted'));
    expect(await serves(before, '/parted')).toBe(404);

    // What it couldn't send while it led isn't sent now.
    before.way.forget();
    before.way.set({});
    before.way.cut();
    await waitFor('it to see what changed', async () => (await serves(before, '/parted')) === 200);
    await sleep(2000);
    expect(before.way.calls().filter(({ path }) => path.endsWith('/status'))).toEqual([]);
    expect((await leaders()).length).toBe(1);
    expect((await leaders())[0]).not.toBe(before);
    await load.stop();
    expect(failures).toEqual([]);
  });

  it('F19 a leader that is killed is followed within the life of the Lease, and the others serve all the time', async () => {
    const killed = await someLeader();
    const load = traffic();
    killed.alive = false;
    killed.operator.child.kill('SIGKILL');
    await once(killed.operator.child, 'exit');
    const at = Date.now();
    await server.apply(yaml(route('orphaned')));
    for (const replica of replicas.filter(({ alive }) => alive))
      await waitFor('the Route', async () => (await serves(replica, '/orphaned')) === 200, 20_000);
    await waitFor('its status', () => isWritten('orphaned'));
    // Fifteen seconds of the Lease, five until the next look; the rest is the machine's.
    expect(Date.now() - at).toBeLessThan(30_000);
    const lease = await server.call('GET', '/apis/coordination.k8s.io/v1/namespaces/edge/leases/postern');
    expect(own(own(lease.body, 'spec'), 'leaseTransitions')).toBeGreaterThanOrEqual(2);
    await load.stop();
    expect(failures).toEqual([]);
  });
});
