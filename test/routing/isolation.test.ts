import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ClusterMode } from '../../src/routing/options.ts';
import type { Compiled, RouteEntry } from '../../src/routing/snapshot.ts';
import { clusterOptions, grant, hostOwners, written } from './cluster.ts';
import { ANY_HABITS, grantArb, namespaceArb, troubled } from './cluster-worlds.ts';
import { inSuccession } from './moments.ts';
import { probesOf } from './probes.ts';
import { ask, type Probe, type Raw } from './support.ts';

const runs = Number(process.env['SOUNDNESS_RUNS'] ?? 800);
const PATHS = ['/', '/a', '/a/b', '/b', '/cb'];

/** Requests at and around everything that may stand on these hosts. */
const probesAt = (hosts: readonly string[]): readonly Probe[] => {
  const spec = { hosts, paths: PATHS.map((value) => ({ type: 'Prefix', value })) };
  const raw = { apiVersion: '', kind: 'Route', metadata: { name: '', namespace: '' }, spec };
  return probesOf([raw]).filter(({ host }) => hosts.includes(host));
};

/** One world after the other, with one memory. */
function worlds(mode: Partial<ClusterMode>): (...parts: readonly (readonly unknown[])[]) => Compiled {
  const { compile } = inSuccession(clusterOptions(mode), true);
  return (...parts) => compile(parts.flat());
}

/** All of an answer that a visitor or a backend could tell apart. */
function met(compiled: Compiled, probe: Probe, of: (entry: RouteEntry) => unknown): string {
  const found = ask(compiled.table, probe);
  return JSON.stringify(found?.kind === 'Route' ? of(found.entry) : (found ?? null));
}

const whole =
  (compiled: Compiled) =>
  ({ plugins, ...entry }: RouteEntry): unknown => [
    entry,
    plugins.map((key) => [key, compiled.plugins.get(key) ?? null]),
  ];

/** Without what a Route that was granted a Service may add: its guard, and claims that a shared session keeps. */
const unshared = ({ exposure, action, plugins, authorization, route }: RouteEntry): unknown => [
  exposure,
  action,
  plugins,
  authorization,
  route,
];

const served = (compiled: Compiled, probe: Probe): boolean => {
  const found = ask(compiled.table, probe);
  return found?.kind === 'Route' && found.entry.exposure !== 'Denied';
};

function expectSame(one: Compiled, other: Compiled, probes: readonly Probe[]): void {
  const changed = probes.filter((probe) => met(one, probe, whole(one)) !== met(other, probe, whole(other)));
  expect(changed.map((probe) => [probe, met(one, probe, whole(one)), met(other, probe, whole(other))])).toEqual([]);
}

/** Whatever `theirs` is beside `mine`, the same is met; enough of it is something that is served. */
function expectIsolated<T>(
  mode: Partial<ClusterMode>,
  mine: fc.Arbitrary<readonly T[]>,
  theirs: fc.Arbitrary<readonly unknown[]>,
  probesFor: (own: readonly T[]) => readonly Probe[],
): void {
  let meant = 0;
  fc.assert(
    fc.property(mine, theirs, theirs, (own, some, others) => {
      const probes = probesFor(own);
      const worldOf = worlds(mode);
      const one = worldOf(own, some);
      expectSame(one, worldOf(own, others), probes);
      if (probes.some((probe) => served(one, probe))) meant += 1;
    }),
    { numRuns: runs },
  );
  expect(meant).toBeGreaterThan(runs / 10);
}

describe('A177 invariant 8: whatever another namespace applies', () => {
  it('changes nothing on hosts that entries give to Routes of this one', () => {
    const mode = { hostOwners: hostOwners('a.x=n', '*.a.x=n', 'c.y=n', '*.x=m', '*=m') };
    const mine = troubled(namespaceArb('n', { ...ANY_HABITS, hosts: ['a.x', '*.a.x', 'c.y'] }));
    const probes = probesAt(['a.x', 'z.a.x', 'c.y']);
    expectIsolated(mode, mine, troubled(namespaceArb('m')), () => probes);
  }, 300_000);

  it('changes nothing on hosts that older Routes of this one name', () => {
    const mine = namespaceArb('n', { hosts: ['a.x', 'b.x', 'c.y'], days: [1, 3] });
    const younger = troubled(namespaceArb('m', { ...ANY_HABITS, days: [4, 9] }));
    expectIsolated({}, mine, younger, (own) => probesAt([...new Set(own.flatMap(hostsOf))]));
  }, 300_000);

  it('changes nothing on hosts that this one was told it has, however old the Routes are that are edited there', () => {
    const mine = namespaceArb('n', { hosts: ['a.x', 'b.x', 'c.y'], days: [5, 9] });
    const older = troubled(namespaceArb('m', { ...ANY_HABITS, days: [1, 3] }));
    let meant = 0;
    fc.assert(
      fc.property(mine, older, older, (own, theirs, others) => {
        const probes = probesAt([...new Set(own.flatMap(hostsOf))]);
        const worldOf = worlds({});
        const holding = written(own, worldOf(own));
        const one = worldOf(holding, theirs);
        // What they hold otherwise is in the statuses of those of them that they edit.
        expectSame(one, worldOf(written(holding, one), written(others, one)), probes);
        if (probes.some((probe) => served(one, probe))) meant += 1;
      }),
      { numRuns: runs },
    );
    expect(meant).toBeGreaterThan(runs / 10);
  }, 300_000);

  it('and is granted here: it can only take Authorization away, from what it was granted', () => {
    const mode = { hostOwners: hostOwners('a.x=n', '*.x=m', '*=m') };
    const mine = namespaceArb('n', { ...ANY_HABITS, hosts: ['a.x'] });
    const probes = probesAt(['a.x']);
    const granted = grantArb('n').map((one) => [grant('n', 'Route m', 'Service'), one]);
    fc.assert(
      fc.property(mine, granted, troubled(namespaceArb('m')), (own, given, theirs) => {
        const worldOf = worlds(mode);
        const alone = worldOf(own, given);
        const both = worldOf(own, given, theirs);
        for (const probe of probes) {
          expect(met(both, probe, unshared)).toBe(met(alone, probe, unshared));
          const [before, after] = [alone, both].map((world) => met(world, probe, (entry) => entry.removeAuthorization));
          if (before === after) continue;
          expect([before, after]).toEqual(['false', 'true']);
        }
      }),
      { numRuns: runs },
    );
  }, 300_000);
});

const hostsOf = ({ kind, spec }: Raw): readonly string[] => {
  const hosts: unknown =
    kind === 'Route' && typeof spec === 'object' && spec !== null ? Reflect.get(spec, 'hosts') : [];
  return Array.isArray(hosts) ? hosts.filter((host) => typeof host === 'string') : [];
};
