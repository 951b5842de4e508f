import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { CookieJar } from '../../support/cookie-jar.ts';
import { ask, logIn, trust } from './support/ask.ts';
import { apply, jsonPath, kubectl, type Manifest } from './support/kubernetes.ts';
import { underLoad } from './support/load.ts';
import { route } from './support/objects.ts';
import { agreed, helmInstall, metric, metricsOf, posternPods, waitFor } from './support/postern.ts';
import { NAMESPACES, SHOP } from './support/site.ts';
import { open, session } from './support/streams.ts';
import { until } from './support/until.ts';

const { shop, system } = NAMESPACES;
const { image } = inject('prepared');
const MIB = 2 ** 20;
const LIMIT = 256;
const ROUTES = 300;
const LOGINS = 100;
/** Ten times the limit goes through; none of it may be kept. */
const UPLOADS = 60;
const BODY = 'x'.repeat(32 * MIB);

const several = (): readonly Manifest[] =>
  Array.from({ length: ROUTES }, (_, n) => route({ name: `many-${n}`, path: `/many/${n}` }));

/** What a Node in the Pod's container takes for its limits: of the heap, and of all its memory; in MiB. */
async function limitsOf(pod: string): Promise<{ readonly heap: number; readonly all: number }> {
  const script = `console.log(JSON.stringify({ heap: require('v8').getHeapStatistics().heap_size_limit, all: process.constrainedMemory() }))`;
  const said: unknown = JSON.parse(await kubectl('exec', '-n', system, pod, '--', '/nodejs/bin/node', '-e', script));
  const { heap, all } = Object(said);
  return { heap: Number(heap) / MIB, all: Number(all) / MIB };
}

describe(`7. a memory limit of ${LIMIT} MiB`, () => {
  beforeAll(async () => {
    trust(inject('ca'));
    await helmInstall('upgrade', image, {
      'resources.requests.memory': '128Mi',
      'resources.limits.memory': `${LIMIT}Mi`,
    });
    await until('two Pods', async () => (await posternPods()).length === 2);
  });
  afterAll(async () => {
    await kubectl('delete', 'proute', '-n', shop, ...several().map((_, n) => `many-${n}`), '--ignore-not-found');
    await helmInstall('upgrade', image);
  });

  it('is what Node takes for its own, with room beside the heap for everything else', async ({ annotate }) => {
    for (const pod of await posternPods()) {
      const { heap, all } = await limitsOf(pod);
      const text = await metricsOf(pod);
      const beside =
        (metric(text, 'process_resident_memory_bytes') - metric(text, 'nodejs_heap_size_total_bytes')) / MIB;
      await annotate(`${pod}: heap at most ${heap.toFixed(0)} MiB of ${all}; ${beside.toFixed(0)} MiB beside the heap`);
      expect(all).toBe(LIMIT);
      expect(heap).toBeLessThan(0.7 * LIMIT);
    }
  });

  it(`holds ${ROUTES} Routes, logins and large bodies: no request fails, and nobody is ended for his memory`, async ({
    annotate,
  }) => {
    const orders = await until('a session', () => session('/orders'));
    await underLoad([open, orders], async () => {
      await apply(...several());
      await waitFor('proute', `many-${ROUTES - 1}`, 'Ready');
      await agreed();
      for (let n = 0; n < LOGINS; n += 4) {
        const logins = Array.from({ length: 4 }, () => logIn(`${SHOP}/orders`, new CookieJar()));
        const statuses = (await Promise.all(logins)).map(({ answer }) => answer.status);
        expect(statuses).toEqual([200, 200, 200, 200]);
      }
      for (let n = 0; n < UPLOADS; n += 3) {
        const uploads = Array.from({ length: 3 }, () =>
          ask(`${SHOP}/`, { method: 'POST', body: BODY, timeout: 60_000 }),
        );
        for (const { body } of await Promise.all(uploads)) expect(JSON.parse(body).body.bytes).toBe(BODY.length);
      }
    });
    for (const pod of await posternPods()) {
      const resident = metric(await metricsOf(pod), 'process_resident_memory_bytes') / MIB;
      await annotate(`${pod}: ${resident.toFixed(0)} MiB resident`);
    }
    const containers =
      '{range .items[*]}{.status.containerStatuses[*].restartCount} {.status.containerStatuses[*].lastState}{"\\n"}{end}';
    const said = await jsonPath(containers, 'pods', '-n', system, '-l', 'app.kubernetes.io/name=postern');
    expect(
      said
        .trim()
        .split('\n')
        .map((line) => line.trim()),
    ).toEqual(['0 {}', '0 {}']);
  });
});
