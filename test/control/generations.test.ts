import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Lease } from '../../src/control/lease.ts';
import type { Snapshot } from '../../src/routing/snapshot.ts';
import { type Harness, harness } from './harness.ts';
import { route, secret, service, token } from './objects.ts';

type Step =
  | { readonly kind: 'set'; readonly id: string; readonly value: unknown }
  | { readonly kind: 'move'; readonly ms: number }
  | { readonly kind: 'acquire' }
  | { readonly kind: 'release'; readonly which: number }
  | { readonly kind: 'releaseTwice'; readonly which: number };

const names = fc.constantFrom('a', 'b', 'c');
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ kind: fc.constant('set' as const), id: names.map((n) => `k${n}`), value: fc.constant(undefined) }),
  fc.tuple(names, fc.constantFrom('one', 'two')).map(([n, value]) => set(`k${n}`, secret(n, value))),
  fc.tuple(names, names).map(([n, s]) => set(`p${n}`, token(n, s))),
  names.map((n) => set(`p${n}`, undefined)),
  fc.tuple(names, fc.option(names, { nil: undefined })).map(([n, p]) => set(`r${n}`, route(n, 's', p))),
  names.map((n) => set(`r${n}`, undefined)),
  fc.integer({ min: 0, max: 300 }).map((ms): Step => ({ kind: 'move', ms })),
  fc.constant<Step>({ kind: 'acquire' }),
  fc.nat(20).map((which): Step => ({ kind: 'release', which })),
  fc.nat(20).map((which): Step => ({ kind: 'releaseTwice', which })),
);
const set = (id: string, value: unknown): Step => ({ kind: 'set', id, value });

/** A lease, and what it saw when it was made. */
interface Held {
  readonly lease: Lease;
  readonly snapshot: Snapshot;
  readonly plugins: ReadonlyMap<string, unknown>;
}

const pluginsOf = ({ lease }: { readonly lease: Lease }): ReadonlyMap<string, unknown> =>
  new Map([...lease.snapshot.plugins.keys()].map((key) => [key, lease.plugin(key)]));

/** Instances that have to run now, and have to be stopped: those of the current snapshot and of each lease. */
function checkInstances(h: Harness, held: readonly Held[]): void {
  for (const { lease, snapshot, plugins } of held) {
    expect(lease.snapshot).toBe(snapshot);
    // Every plugin that the snapshot names is there, and is the one that it was.
    expect(pluginsOf({ lease })).toEqual(plugins);
    for (const instance of plugins.values()) expect(instance).toBeDefined();
  }
  for (const { stops } of h.life.instances) expect(stops).toBeLessThanOrEqual(1);
  const current = h.control.acquire();
  const needed = new Set<unknown>();
  for (const { plugins } of held) for (const instance of plugins.values()) needed.add(instance);
  if (current !== undefined) for (const instance of pluginsOf({ lease: current }).values()) needed.add(instance);
  current?.release();
  expect(h.life.instances.filter(({ stops }) => stops === 0)).toHaveLength(needed.size);
}

describe('generations', () => {
  it('F15 every lease sees one snapshot with its instances to the end, each stopped exactly once and never while leased', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
        const h = harness();
        h.source.set('s', service('s'));
        await h.control.start();
        const held: Held[] = [];
        for (const one of steps) {
          switch (one.kind) {
            case 'set':
              h.source.set(one.id, one.value);
              break;
            case 'move':
              h.time.move(one.ms);
              break;
            case 'acquire': {
              const lease = h.control.acquire();
              if (lease !== undefined) held.push({ lease, snapshot: lease.snapshot, plugins: pluginsOf({ lease }) });
              break;
            }
            case 'release':
            case 'releaseTwice': {
              const [gone] = held.splice(one.which, 1);
              gone?.lease.release();
              if (one.kind === 'releaseTwice') gone?.lease.release();
              break;
            }
          }
          checkInstances(h, held);
        }
        await h.control.stop();
        for (const { lease } of held) lease.release();
        expect(h.life.instances.filter(({ stops }) => stops !== 1)).toEqual([]);
        expect(h.reconciles).not.toContain('failed');
        expect(h.logged).toEqual([]);
      }),
      { numRuns: 150 },
    );
  });

  it('an instance is started anew only for another config', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
        const h = harness();
        h.source.set('s', service('s'));
        await h.control.start();
        const stopped = new Set<(typeof h.life.instances)[number]>();
        for (const one of steps) {
          if (one.kind === 'set') h.source.set(one.id, one.value);
          const before = new Set(h.life.instances);
          h.settle();
          const ended = h.life.instances.filter((instance) => instance.stops > 0 && !stopped.has(instance));
          for (const instance of ended) stopped.add(instance);
          // In one change, a plugin that ends and one that begins differ in name or token (their only config here).
          for (const begun of h.life.instances.filter((instance) => !before.has(instance))) {
            for (const { key, token: value } of ended)
              expect({ key, value }).not.toEqual({ key: begun.key, value: begun.token });
          }
        }
      }),
      { numRuns: 60 },
    );
  });

  it('F12 A163 marks in a storm cause a bounded number of compilations', async () => {
    const h = harness();
    h.source.set('s', service('s'));
    await h.control.start();
    for (let i = 0; i < 1000; i += 1) {
      h.source.set(`r${i % 50}`, route(`x${i % 50}`, 's', undefined, { methods: i % 2 === 0 ? ['GET'] : ['PUT'] }));
      h.time.move(10);
    }
    // 100 changes a second for ten seconds: one compilation every 250 ms.
    expect(h.reconciles.length).toBeLessThanOrEqual(1 + 10_000 / 250);
    expect(h.reconciles.length).toBeGreaterThan(30);
  });
});
