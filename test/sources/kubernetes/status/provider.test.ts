import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { InstanceReport } from '../../../../src/sources/kubernetes/status/report.ts';
import { DOWN, harness, report, reports, STARTING, UP } from './harness.ts';

const KEY = 'OidcPlugin/shop/okta';
const MINUTE = 60_000;

/** A plugin whose status was written once, with what its instance said then. */
async function settled(first: InstanceReport) {
  const h = harness();
  h.cluster.put(KEY);
  h.instances.set(KEY, first);
  h.reporter.start();
  h.reporter.publish(reports(report(KEY)));
  await h.go(100);
  expect(h.cluster.condition(KEY, 'ProviderReady')).toMatchObject({ status: first.status, observedGeneration: 1 });
  h.cluster.writes.length = 0;
  return h;
}

type Settled = Awaited<ReturnType<typeof settled>>;

const say = async (h: Settled, said: InstanceReport, ms: number) => {
  h.instances.set(KEY, said);
  await h.go(ms, 1000);
};

describe('ProviderReady', () => {
  it('turns False only after a minute of failing, and Ready with it; True again at once', async () => {
    const h = await settled(UP);
    await say(h, DOWN, 59_000);
    expect(h.cluster.writes).toEqual([]);
    await say(h, DOWN, 12_000);
    expect(h.cluster.writes).toEqual([KEY]);
    expect(h.cluster.condition(KEY, 'ProviderReady')).toMatchObject({ status: 'False', reason: 'DiscoveryFailed' });
    expect(h.cluster.condition(KEY, 'Ready')).toMatchObject({ status: 'False', reason: 'DiscoveryFailed' });
    expect(h.cluster.condition(KEY, 'Accepted')).toMatchObject({
      status: 'True',
      lastTransitionTime: '2027-01-15T08:00:00Z',
    });
    await say(h, UP, 6000);
    expect(h.cluster.writes).toEqual([KEY, KEY]);
    expect(h.cluster.condition(KEY, 'Ready')).toMatchObject({
      status: 'True',
      lastTransitionTime: '2027-01-15T08:01:15Z',
    });
  });

  it.each([UP, DOWN])('writes the first answer about a changed spec at once: $status', async (answer) => {
    const h = await settled(answer === UP ? DOWN : UP);
    h.cluster.put(KEY);
    h.instances.set(KEY, STARTING);
    h.reporter.publish(reports(report(KEY, { observedGeneration: 2 })));
    await h.go(1000);
    expect(h.cluster.writes).toEqual([]);
    await say(h, answer, 1000);
    expect(h.cluster.condition(KEY, 'ProviderReady')).toMatchObject({ status: answer.status, observedGeneration: 2 });
    expect(h.cluster.writes).toEqual([KEY]);
  });

  it('says Unknown about a changed spec where no answer comes, and the answer when it comes', async () => {
    const h = await settled(UP);
    h.cluster.put(KEY);
    h.instances.set(KEY, STARTING);
    h.reporter.publish(reports(report(KEY, { observedGeneration: 2 })));
    await h.go(5000);
    expect(h.cluster.condition(KEY, 'ProviderReady')).toMatchObject({ status: 'Unknown', observedGeneration: 2 });
    await say(h, DOWN, 1000);
    expect(h.cluster.condition(KEY, 'ProviderReady')).toMatchObject({ status: 'False', observedGeneration: 2 });
    expect(h.cluster.writes).toEqual([KEY, KEY]);
  });

  it.each([UP, DOWN])('F19 a new leader keeps what it has not decided yet: $status', async (before) => {
    const h = await settled(before);
    const next = harness({ cluster: h.cluster, time: h.time });
    h.leading = false;
    next.instances.set(KEY, STARTING);
    next.reporter.start();
    next.reporter.publish(reports(report(KEY)));
    next.reporter.lead(true);
    await next.go(4 * MINUTE, 1000);
    expect(h.cluster.writes).toEqual([]);
    next.instances.set(KEY, before);
    await next.go(4 * MINUTE, 1000);
    expect(h.cluster.writes).toEqual([]);
  });

  it('writes nothing for an hour of 5 s up and 5 s down', async () => {
    const h = await settled(UP);
    for (let turn = 0; turn < 360; turn += 1) {
      await say(h, DOWN, 5000);
      await say(h, UP, 5000);
    }
    expect(h.cluster.writes).toEqual([]);
  });

  it('writes a couple of statuses for an hour of any slower flapping', async () => {
    for (const [down, up] of [
      [61, 5],
      [70, 70],
      [120, 60],
      [65, 280],
    ] as const) {
      const h = await settled(UP);
      for (let gone = 0; gone < 3600; gone += down + up) {
        await say(h, DOWN, down * 1000);
        await say(h, UP, up * 1000);
      }
      expect(h.cluster.writes.length, `${down} s down, ${up} s up`).toBeLessThanOrEqual(3);
    }
  });

  it('says that an unstable provider is ready after five minutes without failure', async () => {
    const h = await settled(UP);
    await say(h, DOWN, 70_000);
    await say(h, UP, 10_000);
    await say(h, DOWN, 70_000);
    await say(h, UP, 4 * MINUTE);
    expect(h.cluster.condition(KEY, 'ProviderReady')).toMatchObject({ status: 'False' });
    await say(h, UP, 70_000);
    expect(h.cluster.condition(KEY, 'ProviderReady')).toMatchObject({ status: 'True' });
  });

  it('shows another text after it stood for a minute, and none that keeps changing', async () => {
    const h = await settled(DOWN);
    for (let turn = 0; turn < 100; turn += 1) await say(h, { ...DOWN, message: `tried ${turn} times` }, 10_000);
    expect(h.cluster.writes).toEqual([]);
    await say(h, { ...DOWN, reason: 'IssuerMismatch' }, 70_000);
    expect(h.cluster.writes).toEqual([KEY]);
    expect(h.cluster.condition(KEY, 'ProviderReady')).toMatchObject({
      reason: 'IssuerMismatch',
      lastTransitionTime: '2027-01-15T08:00:00Z',
    });
  });

  it('shows another text once in ten minutes at most', async () => {
    const h = await settled(DOWN);
    for (let turn = 0; turn < 50; turn += 1) await say(h, { ...DOWN, message: `tried ${turn} times` }, 70_000);
    expect(h.cluster.writes.length).toBeGreaterThan(2);
    expect(h.cluster.writes.length).toBeLessThanOrEqual(6);
  });

  it('shows what was found out, and finds it again when nothing changed', async () => {
    const checks = [{ name: 'Discovery', result: 'Passed', message: 'It answers.' }];
    const h = await settled({ ...UP, checks });
    expect(h.cluster.status(KEY)).toMatchObject({ checks, routes: 1 });
    await say(h, { ...UP, checks: [...checks] }, 30 * MINUTE);
    expect(h.cluster.writes).toEqual([]);
  });

  it('says NotUsed where nothing runs, without holding Ready up', async () => {
    const h = await settled(UP);
    h.instances.clear();
    h.reporter.publish(reports(report(KEY, { routes: 0 })));
    await h.go(100);
    expect(h.cluster.condition(KEY, 'ProviderReady')).toMatchObject({ status: 'Unknown', reason: 'NotUsed' });
    expect(h.cluster.condition(KEY, 'Ready')).toMatchObject({ status: 'True' });
  });

  it('writes a bounded number of statuses, whatever the instance says', async () => {
    const other = { ...DOWN, reason: 'IssuerMismatch' };
    const said = fc.tuple(fc.constantFrom(UP, DOWN, other, STARTING), fc.integer({ min: 1, max: 90 }));
    await fc.assert(
      fc.asyncProperty(fc.array(said, { minLength: 20, maxLength: 60 }), async (turns) => {
        const h = await settled(UP);
        let seconds = 0;
        for (const [one, length] of turns) {
          seconds += length;
          h.instances.set(KEY, one);
          await h.go(length * 1000, 2500);
        }
        // A pair of turns takes a minute of failing, and five of success from the second on; a text ten minutes.
        const bound = 3 + 2 * Math.ceil(seconds / 360) + Math.ceil(seconds / 600);
        expect(h.cluster.writes.length).toBeLessThanOrEqual(bound);
      }),
      { numRuns: 30 },
    );
  }, 60_000);
});
