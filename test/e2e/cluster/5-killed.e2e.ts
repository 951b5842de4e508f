import { beforeAll, describe, expect, inject, it } from 'vitest';
import { CookieJar } from '../../support/cookie-jar.ts';
import { logIn, trust } from './support/ask.ts';
import { forward } from './support/forward.ts';
import { apply, jsonPath, kubectl } from './support/kubernetes.ts';
import { underLoad } from './support/load.ts';
import { killContainer } from './support/node.ts';
import { route } from './support/objects.ts';
import { leader, posternPods, waitFor } from './support/postern.ts';
import { NAMESPACES, SHOP } from './support/site.ts';
import { at, closed, open, orDropped, session } from './support/streams.ts';
import { until } from './support/until.ts';

const { shop, system } = NAMESPACES;
/** A Lease is good for 15 seconds from when another sees it renewed, and that one looks every 2 to 4.4. */
const PASSES_ON = 19_600;
/** Of shared cores. */
const NOISE = 3000;
/** The kubelet sees that a container has ended, and kube-proxy hears of it. */
const NOTICED = 15_000;

/** Who holds the Lease, since when and until when, as the holders wrote it. */
async function lease(): Promise<{ readonly holder: string; readonly acquired: number; readonly renewed: number }> {
  const path = '{.spec.holderIdentity} {.spec.acquireTime} {.spec.renewTime}';
  const said = await jsonPath(path, 'lease', 'postern', '-n', system);
  const [holder = '', acquired = '', renewed = ''] = said.split(' ');
  return { holder, acquired: Date.parse(acquired), renewed: Date.parse(renewed) };
}
const restarts = async (pod: string): Promise<number> =>
  Number(await jsonPath('{.status.containerStatuses[0].restartCount}', 'pod', pod, '-n', system));

describe("5. the leader's process is killed by SIGKILL: it can release nothing and end no connection in order", () => {
  beforeAll(() => trust(inject('ca')));

  it('another leads, the other replica loses no request, nothing is let through, and it starts anew', async ({
    annotate,
  }) => {
    const orders = await until('a session', () => session('/orders'));
    const killed = await leader();
    const before = { restarts: await restarts(killed) };
    const other = (await posternPods()).find((pod) => pod !== killed) ?? '';
    const port = await forward(system, other, 8443);
    try {
      const began = Date.now();
      const dropped: number[] = [];
      const through = [open, closed, orders].map((stream) => orDropped(stream, () => dropped.push(Date.now())));
      const straight = [open, closed, orders].map((stream) => at(stream, port.number));
      await underLoad([...through, ...straight], async () => {
        const killedAt = Date.now();
        await killContainer(system, killed);
        let last = await lease();
        const now = await until('another holder of the Lease', async () => {
          const seen = await lease();
          if (seen.holder !== last.holder) return seen;
          last = seen;
          return false;
        });
        const passed = now.acquired - last.renewed;
        await annotate(`the Lease was acquired ${(passed / 1000).toFixed(1)} s after it was last renewed`);
        expect(passed).toBeLessThan(PASSES_ON + NOISE);
        await until('a restart', async () => (await restarts(killed)) === before.restarts + 1);
        await kubectl('wait', '--for=condition=Ready', `pod/${killed}`, '-n', system, '--timeout=60s');
        await apply(route({ name: 'later', path: '/later' }));
        await waitFor('proute', 'later', 'Ready');
        await kubectl('delete', 'proute', 'later', '-n', shop);
        const late = dropped.filter((time) => time > killedAt + NOTICED);
        await annotate(`connections to the one that was killed: ${dropped.length} ended, in ${span(dropped)} s`);
        expect(late).toEqual([]);
        expect(dropped.filter((time) => time < killedAt && time > began)).toEqual([]);
      });
      expect((await logIn(`${SHOP}/orders`, new CookieJar())).answer.status).toBe(200);
    } finally {
      await port.stop();
    }
  });
});

const span = (times: readonly number[]): string =>
  ((Math.max(...times, 0) - Math.min(...times, Math.max(...times, 0))) / 1000).toFixed(1);
