import { describe, expect, it } from 'vitest';
import { urgencyOf } from '../../../../src/sources/kubernetes/status/urgency.ts';
import { DOWN, HEALTHY, harness, report, reports, STARTING, UNRESOLVED, UP } from './harness.ts';

const routes = (namespace: string, count: number): readonly string[] =>
  Array.from({ length: count }, (_, index) => `Route/${namespace}/r${index}`);

/** In the words of another version. */
const REWORDED = HEALTHY.map((condition) => ({ ...condition, message: 'It is well.' }));
const STILL_UNRESOLVED = UNRESOLVED.map((condition) => ({ ...condition, message: 'It is not well.' }));

/** How many were written before it was. */
const writtenBefore = (writes: readonly string[], key: string): number => {
  const at = writes.indexOf(key);
  return at === -1 ? Number.POSITIVE_INFINITY : at;
};

describe('what a person waits for is written first', () => {
  it('an invalid Route in the middle of 2,000 first statuses, of its namespace or of 500 others', async () => {
    const h = harness();
    const crowd = [
      ...routes('shop', 1000),
      ...Array.from({ length: 500 }, (_, index) => routes(`n${index}`, 2)).flat(),
    ];
    for (const key of crowd) h.cluster.put(key);
    h.reporter.publish(reports(...crowd.map((key) => report(key))));
    await h.go(5000);
    const soFar = h.cluster.writes.length;
    expect(soFar).toBeGreaterThan(50);
    const wrong = ['Route/shop/wrong', 'Route/n7/wrong', 'Route/new/wrong'];
    for (const key of wrong) h.cluster.put(key);
    const all = [...crowd.map((key) => report(key)), ...wrong.map((key) => report(key, { conditions: UNRESOLVED }))];
    h.reporter.publish(reports(...all));
    await h.go(1000);
    expect(wrong.map((key) => writtenBefore(h.cluster.writes, key) - soFar).filter((after) => after >= 10)).toEqual([]);
    await h.go(120_000);
    expect(new Set(h.cluster.writes)).toEqual(new Set([...crowd, ...wrong]));
  });

  it('an edited Route while an upgrade rewords what is said of all', async () => {
    const h = harness({ perSecond: 1000 });
    const [well, ill] = [routes('shop', 300), routes('ill', 300)];
    const say = (
      healthy: typeof HEALTHY,
      unresolved: typeof UNRESOLVED,
      generations: Readonly<Record<string, number>>,
    ) =>
      reports(
        ...well.map((key) => report(key, { conditions: healthy, observedGeneration: generations[key] ?? 1 })),
        ...ill.map((key) => report(key, { conditions: unresolved, observedGeneration: generations[key] ?? 1 })),
      );
    for (const key of [...well, ...ill]) h.cluster.put(key);
    h.reporter.publish(say(HEALTHY, UNRESOLVED, {}));
    await h.go(5000);
    await h.reporter.stop();
    expect(h.cluster.writes.splice(0)).toHaveLength(600);

    const next = harness({ cluster: h.cluster, time: h.time });
    next.reporter.publish(say(REWORDED, STILL_UNRESOLVED, {}));
    await next.go(3000);
    const soFar = h.cluster.writes.length;
    const edited = { 'Route/shop/r250': 2, 'Route/ill/r250': 2 };
    for (const key of Object.keys(edited)) h.cluster.put(key);
    next.reporter.publish(say(REWORDED, STILL_UNRESOLVED, edited));
    await next.go(1000);
    expect(
      Object.keys(edited)
        .map((key) => writtenBefore(h.cluster.writes, key) - soFar)
        .filter((after) => after >= 6),
    ).toEqual([]);
  });

  it('an edited Route while the first answers about everything are that it is wrong', async () => {
    const h = harness();
    const crowd = routes('shop', 500);
    for (const key of crowd) h.cluster.put(key);
    const wrong = (key: string) => report(key, { conditions: UNRESOLVED });
    h.reporter.publish(reports(...crowd.map(wrong)));
    await h.go(2000);
    const soFar = h.cluster.writes.length;
    const told = h.cluster.writes[0] ?? '';
    h.cluster.put(told);
    h.reporter.publish(reports(...crowd.map(wrong), report(told, { observedGeneration: 2 })));
    await h.go(1000);
    expect(h.cluster.writes.indexOf(told, soFar) - soFar).toBeLessThan(5);
  });

  it('invariant 8: a namespace that makes thousands of broken Routes holds up nobody’s healthy ones', async () => {
    const h = harness();
    const evil = routes('evil', 3000);
    const healthy = [...routes('shop', 20), ...routes('web', 20)];
    for (const key of [...evil, ...healthy]) h.cluster.put(key);
    const broken = evil.map((key) => report(key, { conditions: UNRESOLVED, exposure: 'Denied' }));
    h.reporter.publish(reports(...broken));
    await h.go(1000);
    const soFar = h.cluster.writes.length;
    h.reporter.publish(reports(...broken, ...healthy.map((key) => report(key))));
    await h.go(3500);
    // A third of the turns each, but for the few that evil had before.
    expect(healthy.filter((key) => writtenBefore(h.cluster.writes, key) - soFar > 70)).toEqual([]);
    // Nor where it edits them over and over.
    let generation = 1;
    for (const key of healthy) h.cluster.put(key);
    for (let round = 0; round < 10; round += 1) {
      generation += 1;
      for (const key of evil) h.cluster.put(key);
      h.reporter.publish(
        reports(
          ...broken.map((one) => ({ ...one, observedGeneration: generation })),
          ...healthy.map((key) => report(key, { observedGeneration: 2 })),
        ),
      );
      await h.go(400);
    }
    expect(healthy.filter((key) => h.cluster.writes.lastIndexOf(key) === h.cluster.writes.indexOf(key))).toEqual([]);
  });
});

describe('urgency', () => {
  const stored = (generation: number, status?: 'True' | 'False' | 'Unknown', told = generation) => ({
    uid: 'u',
    resourceVersion: '1',
    generation,
    status:
      status === undefined
        ? undefined
        : { conditions: [{ type: 'Accepted' }, { type: 'Ready', status, observedGeneration: told }] },
  });
  const wrong = report('Route/shop/a', { conditions: UNRESOLVED });
  const well = report('Route/shop/a');
  const plugin = report('OidcPlugin/shop/a');

  it.each([
    ['new and well', well, undefined, stored(1), 3],
    ['new and wrong', wrong, undefined, stored(1), 2],
    ['new and denied', { ...well, exposure: 'Denied' }, undefined, stored(1), 2],
    ['new, its provider does not answer', plugin, DOWN, stored(1), 2],
    ['new, its provider was not asked yet', plugin, STARTING, stored(1), 3],
    ['edited and well', well, undefined, stored(2, 'True', 1), 1],
    ['edited and well again', well, undefined, stored(2, 'False', 1), 1],
    ['edited and wrong', wrong, undefined, stored(2, 'True', 1), 0],
    ['edited and still wrong', wrong, undefined, stored(2, 'False', 1), 0],
    ['said to be well and wrong now', wrong, undefined, stored(2, 'True'), 2],
    ['said to be wrong already', wrong, undefined, stored(2, 'False'), 3],
    ['said to be wrong and well now', well, undefined, stored(2, 'False'), 2],
    ['its provider answers at last', plugin, UP, stored(1, 'Unknown'), 2],
    ['said to be well, and its provider is not asked yet', plugin, STARTING, stored(1, 'True'), 3],
    ['said to be wrong, and its provider is not asked yet', plugin, STARTING, stored(1, 'False'), 3],
    ['gone', wrong, undefined, undefined, 3],
    ['of another class now', undefined, undefined, stored(2, 'False', 1), 3],
    ['somebody else’s nonsense', well, undefined, { ...stored(1), status: { conditions: 'none' } }, 3],
  ])('%s', (_, reported, said, object, expected) => {
    expect(urgencyOf(reported, said, object)).toBe(expected);
  });
});
