import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { objectsOf } from '../chart/render.ts';
import { type ApiServer, startApiServer } from '../support/apiserver.ts';
import { until } from '../support/gateway.ts';
import { apiserver } from '../support/parts.ts';
import { type Echo, route, service, startEcho, yaml } from '../support/shop.ts';
import { Visitor } from '../support/visitor.ts';
import { createNamespaces, installCrds, type Operator, startOperator } from './operator.ts';
import { becomes } from './rows.ts';

const SYSTEM = 'postern-system';

describe.skipIf(apiserver.missing)(
  `a list of namespaces, with Roles only ${apiserver.why}`,
  { timeout: 120_000 },
  () => {
    let server: ApiServer;
    let echo: Echo;
    let operator: Operator;

    const status = async (host: string): Promise<number> =>
      (await new Visitor().ask(`${operator.url}/`, { headers: { host } })).status;
    /** The ServiceAccount, and the Roles of the chart for these namespaces. */
    const allow = async (...watchNamespaces: readonly string[]): Promise<void> => {
      const objects = await objectsOf({ rbac: { namespaced: true }, controller: { watchNamespaces } });
      const items = objects.filter(({ kind }) => /Role|ServiceAccount/.test(kind)).map(({ object }) => object);
      await server.apply(JSON.stringify({ apiVersion: 'v1', kind: 'List', items }));
    };

    beforeAll(async () => {
      server = await startApiServer();
      await createNamespaces(server, SYSTEM, 'shop', 'other', 'third');
      await installCrds(server);
      echo = await startEcho();
      await allow('shop');
      await server.apply(
        yaml(
          ...['shop', 'other', 'third'].map((namespace) => service(echo.url, 'shop', namespace)),
          route('owned', { host: 'owned.test', path: '/' }),
          route('free', { host: 'free.test', path: '/' }),
          route('hidden', { namespace: 'other', host: 'hidden.test', path: '/' }),
          route('unwatched', { namespace: 'third', host: 'unwatched.test', path: '/' }),
        ),
      );
      operator = await startOperator({
        kubeconfig: await server.kubeconfigOf(SYSTEM, 'postern'),
        namespace: SYSTEM,
        args: ['--namespaces=shop,other', '--host-owner=owned.test=shop'],
      });
    }, 120_000);
    afterAll(async () => {
      await operator?.stop();
      echo?.close();
      await server?.stop();
    });

    it('one that may not be read is said after 30 s, and holds up the hosts without an owner entry, and no others', async () => {
      const began = Date.now();
      await operator.ready();
      expect(Date.now() - began).toBeGreaterThan(20_000);
      await operator.logged(/may not list and watch routes\.postern\.dev in namespace other/);
      // The hidden namespace may have the older Route for it.
      expect([await status('owned.test'), await status('free.test')]).toEqual([200, 503]);
      await becomes(server, ['routes', 'shop', 'owned'], 'Ready', 'True/Ready', operator);
      await becomes(server, ['routes', 'shop', 'free'], 'Accepted', 'False/Pending', operator);
    });

    it('it is taken in when it may be read, and then all are served', async () => {
      await allow('shop', 'other');
      for (const host of ['free.test', 'hidden.test'])
        await until(
          async () => (await status(host)) === 200,
          `${host} to be served`,
          () => operator.log(),
          60_000,
        );
      await becomes(server, ['routes', 'shop', 'free'], 'Accepted', 'True/Accepted', operator);
      expect([await status('owned.test'), await status('unwatched.test')]).toEqual([200, 404]);
    });
  },
);
