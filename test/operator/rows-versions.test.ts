import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { own } from '../../src/resources/plain.ts';
import { type ApiServer, type Beside, startApiServer } from '../support/apiserver.ts';
import { cacheOf } from '../support/assets.ts';
import { type FaultyApi, startFaultyApi } from '../support/faulty-api.ts';
import { until } from '../support/gateway.ts';
import { apiserver } from '../support/parts.ts';
import { type Echo, route, service, startEcho, yaml } from '../support/shop.ts';
import { Visitor } from '../support/visitor.ts';
import { createNamespaces, installCrds, metric, type Operator, startOperator } from './operator.ts';
import { becomes, meanwhile, pathOf } from './rows.ts';

/** Of the second API server: one that `npm run test:assets` built, else the same as the first. */
const VERSION = process.env['POSTERN_TEST_KUBERNETES_BESIDE'];
const FOLDER = VERSION === undefined ? undefined : cacheOf(VERSION);
const MERGE = 'application/merge-patch+json';
const ROUNDS = 24;
const NAMES = Array.from({ length: 8 }, (_, at) => `turn-${at}`);

/** A control plane that is upgraded: two API servers over one etcd, each restarted in its turn, reached through one address. */
describe.skipIf(apiserver.missing)(`API servers in turn ${apiserver.why}`, { timeout: 240_000 }, () => {
  let first: ApiServer;
  let second: Beside;
  let faulty: FaultyApi;
  let echo: Echo;
  let operator: Operator;

  const status = async (path: string): Promise<number> => (await new Visitor().ask(operator.site + path)).status;

  beforeAll(async () => {
    first = await startApiServer();
    second = await first.beside(FOLDER);
    faulty = await startFaultyApi(first);
    echo = await startEcho();
    await createNamespaces(first, 'edge', 'shop');
    await installCrds(first);
    await first.apply(yaml(service(echo.url), route('open')));
    operator = await startOperator({ kubeconfig: faulty.kubeconfig, args: ['--status-writes=200'] });
    await operator.ready();
  }, 180_000);
  afterAll(async () => {
    await operator?.stop();
    await faulty?.stop();
    echo?.close();
    await first?.stop();
  });

  it('are of the versions that were asked for', async () => {
    const versionOf = async ({ call }: Pick<ApiServer, 'call'>) =>
      own((await call('GET', '/version')).body, 'gitVersion');
    const [of, beside] = [await versionOf(first), await versionOf(second)];
    expect(beside).toBe(VERSION === undefined ? of : `v${VERSION}`);
  });

  it('F57 whichever answers, in whatever order they are restarted: served throughout, and every change within seconds', async () => {
    const wrong: number[] = [];
    const looking = meanwhile(async () => {
      const answer = await status('/open');
      if (answer !== 200) wrong.push(answer);
    });
    const there = new Set<string>();
    let worst = 0;
    for (let round = 0; round < ROUNDS; round += 1) {
      const [to, by] = round % 2 === 0 ? [second, first] : [first, second];
      // Now and then the one that was asked until now ends first, as in an upgrade, and the watches with it.
      const restarts = round % 8 === 4;
      faulty.turnTo(to);
      if (restarts) await second.restart();
      else if (round % 3 !== 2) faulty.cut();
      const name = NAMES[round % NAMES.length] ?? '';
      const moved = NAMES[(round + 3) % NAMES.length] ?? '';
      if (there.delete(name)) expect((await by.call('DELETE', pathOf('routes', 'shop', name))).status).toBe(200);
      else {
        expect((await by.call('POST', pathOf('routes', 'shop'), route(name))).status).toBe(201);
        there.add(name);
      }
      if (there.has(moved)) {
        const spec = {
          paths: [
            { type: 'Prefix', value: `/${moved}` },
            { type: 'Exact', value: `/round-${round}` },
          ],
        };
        expect((await by.call('PATCH', pathOf('routes', 'shop', moved), { spec }, MERGE)).status).toBe(200);
      }
      const began = Date.now();
      let seen: unknown;
      const expected = [...NAMES.map((each) => (there.has(each) ? 200 : 404)), there.has(moved) ? 200 : 404];
      await until(
        async () => {
          const answers = await Promise.all([...NAMES.map((each) => status(`/${each}`)), status(`/round-${round}`)]);
          seen = answers;
          return answers.join() === expected.join();
        },
        `round ${round}: ${expected.join()}`,
        () => `${String(seen)}\n${operator.log()}`,
      );
      worst = Math.max(worst, Date.now() - began);
    }
    // 5 s, and what two noisy cores need.
    expect(worst).toBeLessThan(5000 + 5000);
    expect(await looking.stop()).toBeGreaterThan(20);
    expect(wrong).toEqual([]);
    for (const name of there) await becomes(first, ['routes', 'shop', name], 'Ready', 'True/Ready', operator);
    expect(await metric(operator, 'postern_leader')).toBe(1);
    expect(operator.log()).not.toMatch(/"level":"error"|"level":50/);
  });
});
