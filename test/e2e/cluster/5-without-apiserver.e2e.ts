import { setTimeout as sleep } from 'node:timers/promises';
import { beforeAll, describe, expect, inject, it } from 'vitest';
import { CookieJar } from '../../support/cookie-jar.ts';
import { ask, logIn, trust } from './support/ask.ts';
import { apply, jsonPath, kubectl, tryKubectl } from './support/kubernetes.ts';
import { underLoad } from './support/load.ts';
import { apiServerAnswers, stopApiServer } from './support/node.ts';
import { route } from './support/objects.ts';
import { metric, metricsOf, posternPods, waitFor } from './support/postern.ts';
import { NAMESPACES, SHOP } from './support/site.ts';
import { closed, open, session } from './support/streams.ts';
import { until } from './support/until.ts';

const { shop, system } = NAMESPACES;
const OUTAGE = 120_000;

/** kube-proxy, which leads Pods there, has to find it again itself, and takes up to a minute. */
async function apiServerReached(): Promise<boolean> {
  const [pod = ''] = await posternPods();
  const ask = `require('https').get('https://kubernetes.default.svc/readyz', { rejectUnauthorized: false, timeout: 2000 }, (r) =>
    process.exit(r.statusCode < 500 ? 0 : 1)).on('error', () => process.exit(1)).on('timeout', () => process.exit(1))`;
  return (await tryKubectl('exec', '-n', system, pod, '--', '/nodejs/bin/node', '-e', ask)).code === 0;
}

describe('5. the API server is gone for two minutes', () => {
  beforeAll(() => {
    trust(inject('ca'));
  });

  it('no request fails, people log in, no Pod is restarted, and afterwards changes are live again', async () => {
    const orders = await until('a session', () => session('/orders'));
    const restarts = (): Promise<string> =>
      jsonPath('{.items[*].status.containerStatuses[*].restartCount}', 'pods', '-n', system);
    const before = await restarts();
    await underLoad([open, closed, orders], async () => {
      const restore = await stopApiServer();
      try {
        await until('the API server to be gone', async () => !(await apiServerAnswers()));
        const end = Date.now() + OUTAGE;
        while (Date.now() < end) {
          expect((await logIn(`${SHOP}/orders`, new CookieJar())).answer.status).toBe(200);
          await sleep(5000);
        }
      } finally {
        await restore();
      }
      await until('the API server to be back', apiServerAnswers, 120);
      await until('it to be reached from Pods', apiServerReached, 120);
      await apply(route({ name: 'later', path: '/later', access: 'Public' }));
      await waitFor('proute', 'later', 'Ready');
      expect((await ask(`${SHOP}/later`)).status).toBe(200);
    });
    await kubectl('delete', 'proute', 'later', '-n', shop);
    expect(await restarts()).toBe(before);
  });

  it('the outage shows in the metrics', async () => {
    for (const pod of await posternPods()) {
      const text = await metricsOf(pod);
      const restarts = [...text.matchAll(/^postern_watch_restarts_total\{[^}]*reason="([^"]*)"[^}]*\} (\d+)/gm)];
      expect(restarts.filter(([, reason, count]) => reason !== 'ended' && Number(count) > 0).length).toBeGreaterThan(0);
      expect(metric(text, 'postern_routes{exposure="protected"}')).toBeGreaterThan(0);
    }
  });
});
