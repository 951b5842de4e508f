import { describe, expect, it } from 'vitest';
import { own } from '../../../../src/resources/plain.ts';
import { type ApiResponse, ApiUnreachable } from '../../../../src/sources/kubernetes/api.ts';
import { HEALTHY, harness, report, reports, UNRESOLVED } from './harness.ts';

const ROUTE = 'Route/shop/orders';
const many = (count: number) =>
  Array.from({ length: count }, (_, index) => `Route/shop/r${String(index).padStart(4, '0')}`);

const refusal = (status: number, more: Partial<ApiResponse> = {}): Promise<ApiResponse> =>
  Promise.resolve({ status, retryAfter: undefined, body: { message: `answer ${status}` }, ...more });

describe('the status writer', () => {
  it('A163 looks at thousands of objects in turns of the event loop when it begins to lead, and at each of them', async () => {
    const h = harness({ perSecond: 1000 });
    h.leading = false;
    const keys = many(1500);
    for (const key of keys) h.cluster.put(key);
    h.reporter.publish(reports(...keys.map((key) => report(key))));
    h.leading = true;
    h.reporter.lead(true);
    await h.go(20_000);
    expect(new Set(h.cluster.writes).size).toBe(1500);
  });

  it('F18 writes what is said, with the generation, and moves lastTransitionTime on a real change only', async () => {
    const h = harness();
    h.cluster.put(ROUTE);
    h.reporter.publish(reports(report(ROUTE, { exposure: 'Protected', redirectURIs: ['https://a.example/cb'] })));
    await h.go(100);
    expect(h.cluster.status(ROUTE)).toEqual({
      conditions: HEALTHY.map((condition) => ({
        ...condition,
        observedGeneration: 1,
        lastTransitionTime: '2027-01-15T08:00:00Z',
      })),
      exposure: 'Protected',
      redirectURIs: ['https://a.example/cb'],
    });
    await h.go(10_000);
    h.cluster.put(ROUTE);
    h.reporter.publish(reports(report(ROUTE, { observedGeneration: 2 })));
    await h.go(100);
    expect(h.cluster.status(ROUTE)).toMatchObject({
      conditions: HEALTHY.map(() => ({ observedGeneration: 2, lastTransitionTime: '2027-01-15T08:00:00Z' })),
      exposure: 'Public',
    });
    h.reporter.publish(reports(report(ROUTE, { observedGeneration: 2, conditions: UNRESOLVED })));
    await h.go(100);
    expect(h.cluster.condition(ROUTE, 'Accepted')).toMatchObject({ lastTransitionTime: '2027-01-15T08:00:00Z' });
    expect(h.cluster.condition(ROUTE, 'Ready')).toMatchObject({
      status: 'False',
      reason: 'PluginNotFound',
      lastTransitionTime: '2027-01-15T08:00:10Z',
    });
    expect(h.cluster.writes).toHaveLength(3);
  });

  it('writes the hosts of a Route when they are others, and only then', async () => {
    const h = harness();
    h.cluster.put(ROUTE);
    for (const hosts of [['a.example'], ['a.example'], ['a.example', 'b.example'], undefined]) {
      h.reporter.publish(reports(report(ROUTE, { hosts })));
      await h.go(100);
    }
    expect(h.cluster.writes).toHaveLength(2);
    expect(h.cluster.status(ROUTE)).toMatchObject({ hosts: ['a.example', 'b.example'] });
    h.reporter.publish(reports(report(ROUTE, { hosts: [] })));
    await h.go(100);
    expect(own(h.cluster.status(ROUTE), 'hosts')).toBeUndefined();
  });

  it('writes nothing after a restart with nothing changed', async () => {
    const h = harness();
    const keys = many(100);
    for (const key of keys) h.cluster.put(key);
    h.reporter.publish(reports(...keys.map((key) => report(key))));
    await h.go(10_000);
    expect(h.cluster.writes).toHaveLength(100);
    const again = harness({ cluster: h.cluster, time: h.time });
    again.reporter.start();
    again.reporter.publish(reports(...keys.map((key) => report(key))));
    again.reporter.lead(true);
    await again.go(60_000, 500);
    expect(h.cluster.writes).toHaveLength(100);
    expect(h.cluster.events).toEqual([]);
  });

  it('puts right a status that somebody else changed, and leaves conditions of others alone', async () => {
    const h = harness();
    h.cluster.put(ROUTE);
    h.reporter.start();
    h.reporter.publish(reports(report(ROUTE)));
    await h.go(100);
    const ours = own(h.cluster.status(ROUTE), 'conditions');
    const theirs = { ...HEALTHY[0], type: 'example.com/Audited', lastTransitionTime: '2026-01-01T00:00:00Z' };
    h.cluster.setStatus(ROUTE, { conditions: [theirs, ...(Array.isArray(ours) ? ours : [])], exposure: 'Public' });
    await h.go(11 * 60_000, 1000);
    expect(h.cluster.writes).toHaveLength(1);
    h.cluster.setStatus(ROUTE, { conditions: ours, exposure: 'Protected' });
    await h.go(11 * 60_000, 1000);
    expect(h.cluster.writes).toHaveLength(2);
    expect(h.cluster.status(ROUTE)).toMatchObject({ exposure: 'Public' });
  });

  it('removes an unusual condition that is over', async () => {
    const h = harness();
    h.cluster.put(ROUTE);
    const opens = { type: 'OpensProtectedPath', status: 'True', reason: 'OpensProtectedPath', message: '' } as const;
    h.reporter.publish(reports(report(ROUTE, { conditions: [...HEALTHY, opens] })));
    await h.go(100);
    expect(h.cluster.condition(ROUTE, 'OpensProtectedPath')).toBeDefined();
    h.reporter.publish(reports(report(ROUTE)));
    await h.go(100);
    expect(h.cluster.condition(ROUTE, 'OpensProtectedPath')).toBeUndefined();
  });

  it('writes no more than it may in any second, oldest first, and only the newest of each', async () => {
    const h = harness({ perSecond: 10 });
    const keys = many(50);
    for (const key of keys) h.cluster.put(key);
    h.reporter.publish(reports(...keys.map((key) => report(key))));
    await h.go(5, 5);
    const counts: number[] = [];
    for (let second = 0; second < 3; second += 1) {
      const before = h.cluster.writes.length;
      await h.go(1000, 10);
      counts.push(h.cluster.writes.length - before);
    }
    for (const count of counts) expect(count).toBeLessThanOrEqual(10);
    expect(h.cluster.writes.length).toBeGreaterThanOrEqual(28);
    // What waits still is written once, as it is now.
    const exposure = 'Denied';
    h.reporter.publish(reports(...keys.map((key) => report(key, { conditions: UNRESOLVED, exposure }))));
    await h.go(10_000, 10);
    const counted = keys.map((key) => h.cluster.writes.filter((write) => write === key).length);
    expect(counted.slice(35)).toEqual(Array.from({ length: 15 }, () => 1));
    expect(counted.slice(0, 25)).toEqual(Array.from({ length: 25 }, () => 2));
    expect(h.cluster.writes.slice(0, 28)).toEqual(keys.slice(0, 28));
    for (const key of keys) expect(h.cluster.status(key)).toMatchObject({ exposure });
  });

  it('waits for a publication about what is stored now', async () => {
    const h = harness();
    h.cluster.put(ROUTE);
    h.cluster.put(ROUTE);
    h.reporter.publish(reports(report(ROUTE)));
    await h.go(1000);
    expect(h.cluster.writes).toEqual([]);
    h.reporter.publish(reports(report(ROUTE, { observedGeneration: 2 })));
    await h.go(1000);
    expect(h.cluster.writes).toEqual([ROUTE]);
  });

  it('does not write twice while the watch is late', async () => {
    const h = harness();
    h.cluster.put(ROUTE);
    h.cluster.lag(true);
    h.reporter.publish(reports(report(ROUTE)));
    await h.go(5000);
    h.reporter.lead(true);
    h.reporter.publish(reports(report(ROUTE, { routes: 1 })));
    await h.go(1000);
    h.reporter.publish(reports(report(ROUTE)));
    await h.go(1000);
    h.cluster.lag(false);
    await h.go(20_000);
    expect(h.cluster.condition(ROUTE, 'Ready')).toMatchObject({ lastTransitionTime: '2027-01-15T08:00:00Z' });
  });

  it('F17 a conflict is tried again with what is there now, slower each time', async () => {
    const h = harness();
    h.cluster.put(ROUTE);
    h.cluster.lag(true);
    h.cluster.renew(ROUTE);
    h.reporter.publish(reports(report(ROUTE)));
    await h.go(60_000);
    expect(h.results.every((result) => result === 'conflict')).toBe(true);
    expect(h.results.length).toBeGreaterThan(3);
    expect(h.results.length).toBeLessThan(20);
    h.cluster.lag(false);
    await h.go(11_000);
    expect(h.results.at(-1)).toBe('written');
    expect(h.cluster.condition(ROUTE, 'Ready')).toMatchObject({ status: 'True' });
  });

  it('F17 what is forbidden is said once a minute and holds nothing else up', async () => {
    const h = harness();
    const keys = many(200);
    const other = 'Route/elsewhere/r';
    for (const key of [...keys, other]) h.cluster.put(key);
    h.cluster.interfere = ({ path }) => (path.includes('/shop/') ? refusal(403) : undefined);
    h.reporter.publish(reports(...[...keys, other].map((key) => report(key))));
    await h.go(10_000);
    expect(h.results.filter((result) => result === 'forbidden').length).toBeLessThanOrEqual(2);
    expect(h.cluster.condition(other, 'Ready')).toMatchObject({ status: 'True' });
    await h.go(110_000);
    expect(h.results.filter((result) => result === 'forbidden').length).toBeLessThanOrEqual(5);
    const said = h.said.filter((line) => line.includes('may not be written'));
    expect(said).toHaveLength(2);
    expect(said[0]).toMatch(/needs patch on the status of its kind.*answer 403/);
    h.cluster.interfere = () => undefined;
    await h.go(80_000);
    expect(h.cluster.writes).toHaveLength(201);
  });

  it('F17 an object that is gone is dropped, and one that is refused waits for a change', async () => {
    const h = harness();
    h.cluster.put(ROUTE);
    h.cluster.lag(true);
    h.cluster.remove(ROUTE);
    h.reporter.publish(reports(report(ROUTE)));
    await h.go(60_000);
    expect(h.results).toEqual(['gone']);
    h.cluster.lag(false);
    h.cluster.put(ROUTE);
    h.cluster.interfere = () => refusal(422);
    h.reporter.publish(reports(report(ROUTE, { exposure: 'Denied' })));
    await h.go(60_000);
    expect(h.results).toEqual(['gone', 'refused']);
    expect(h.said.join()).toMatch(/kubectl apply --server-side -f crds/);
  });

  it('F17 an object whose write always fails holds no other up', async () => {
    const h = harness();
    const keys = many(20);
    for (const key of keys) h.cluster.put(key);
    let failed = 0;
    h.cluster.interfere = ({ path }) => {
      if (!path.includes('r0003')) return undefined;
      failed += 1;
      return refusal(500);
    };
    h.reporter.publish(reports(...keys.map((key) => report(key))));
    await h.go(20_000);
    expect(h.cluster.writes).toEqual(keys.filter((key) => !key.endsWith('r0003')));
    expect(failed).toBeLessThan(10);
    h.cluster.interfere = () => undefined;
    await h.go(31_000);
    expect(h.cluster.writes.at(-1)).toBe('Route/shop/r0003');
  });

  it('F17 backs off where the server is overloaded or gone, and goes on with the oldest', async () => {
    const h = harness();
    const keys = many(10);
    for (const key of keys) h.cluster.put(key);
    let calls = 0;
    h.cluster.interfere = () => {
      calls += 1;
      return calls % 2 === 0 ? refusal(429, { retryAfter: 20_000 }) : Promise.reject(new ApiUnreachable('cut'));
    };
    h.reporter.publish(reports(...keys.map((key) => report(key))));
    await h.go(120_000);
    expect(calls).toBeGreaterThan(3);
    expect(calls).toBeLessThan(20);
    h.cluster.interfere = () => undefined;
    await h.go(60_000);
    // Two were under way when it began.
    expect(h.cluster.writes.slice(2)).toEqual(keys.slice(2));
    expect(h.cluster.writes.slice(0, 2).sort()).toEqual(keys.slice(0, 2));
  });

  it('F20 sends nothing after leading ended: not what waits, not what was asked for since', async () => {
    const h = harness({ perSecond: 5 });
    const keys = many(50);
    for (const key of keys) h.cluster.put(key);
    const aborted: boolean[] = [];
    h.cluster.interfere = ({ signal, path }) => {
      if (!path.includes('r0005')) return undefined;
      const { promise, reject } = Promise.withResolvers<ApiResponse>();
      signal?.addEventListener('abort', () => {
        aborted.push(true);
        reject(new ApiUnreachable('aborted'));
      });
      return promise;
    };
    h.reporter.publish(reports(...keys.map((key) => report(key))));
    await h.go(2000);
    const before = h.cluster.writes.length;
    expect(before).toBeGreaterThan(5);
    h.leading = false;
    h.reporter.lead(false);
    h.reporter.publish(reports(...keys.map((key) => report(key, { conditions: UNRESOLVED }))));
    await h.go(60_000);
    expect(h.cluster.writes).toHaveLength(before);
    expect(h.cluster.events).toEqual([]);
    expect(aborted).toEqual([true]);
    // Nor where the elector's word comes late.
    h.leading = true;
    h.reporter.lead(true);
    await h.go(1000);
    const later = h.cluster.writes.length;
    expect(later).toBeGreaterThan(before);
    h.leading = false;
    await h.go(60_000);
    expect(h.cluster.writes).toHaveLength(later);
  });

  it('stops when nothing is under way any more', async () => {
    const h = harness();
    h.reporter.start();
    h.cluster.put(ROUTE);
    h.cluster.interfere = ({ signal }) =>
      new Promise((_, reject) => signal?.addEventListener('abort', () => reject(new ApiUnreachable('aborted'))));
    h.reporter.publish(reports(report(ROUTE)));
    await h.go(100);
    await h.reporter.stop();
    h.reporter.publish(reports(report(ROUTE, { exposure: 'Denied' })));
    await h.go(60_000);
    expect(h.cluster.writes).toEqual([]);
    expect(h.time.pending()).toBe(0);
  });

  it('gives its fields up where an object left the class, and says nothing of one that was deleted', async () => {
    const h = harness({ class: 'blue' });
    const gone = 'Route/shop/gone';
    h.cluster.put(ROUTE);
    h.cluster.put(gone);
    const managers: unknown[] = [];
    h.cluster.interfere = ({ query }) => {
      managers.push(query?.['fieldManager']);
      return undefined;
    };
    h.reporter.publish(reports(report(ROUTE), report(gone)));
    await h.go(1000);
    h.cluster.put(ROUTE);
    h.cluster.remove(gone);
    h.reporter.publish(reports());
    await h.go(1000);
    expect(h.cluster.writes.slice(2)).toEqual([ROUTE]);
    expect(h.cluster.status(ROUTE)).toEqual({});
    expect(new Set(managers)).toEqual(new Set(['postern-blue']));
    await h.go(60_000);
    expect(h.cluster.writes).toHaveLength(3);
  });

  it('reports nothing of other kinds', async () => {
    const h = harness();
    const secret = 'Secret/shop/okta-client';
    h.cluster.put(secret);
    h.reporter.publish(reports(report(secret)));
    await h.go(1000);
    expect(h.cluster.writes).toEqual([]);
  });

  it('tells of what went wrong and of what is well again, once it was written', async () => {
    const h = harness();
    h.cluster.put(ROUTE);
    h.reporter.publish(reports(report(ROUTE)));
    await h.go(1000);
    expect(h.cluster.events).toEqual([]);
    h.reporter.publish(reports(report(ROUTE, { conditions: UNRESOLVED })));
    await h.go(1000);
    h.reporter.publish(reports(report(ROUTE)));
    await h.go(1000);
    expect(h.cluster.events.map(({ body }) => body)).toMatchObject([
      {
        type: 'Warning',
        reason: 'PluginNotFound',
        note: 'spec.plugins[0]: there is no OidcPlugin okta in shop.',
        reportingController: 'postern.dev/postern',
        reportingInstance: 'postern-0',
        regarding: { kind: 'Route', namespace: 'shop', name: 'orders', uid: `uid of ${ROUTE}` },
      },
      { type: 'Normal', reason: 'ResolvedRefs' },
    ]);
  });
});
