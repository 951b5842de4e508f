import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CompiledHash } from '../../src/control/compiled-hash.ts';
import { contentHash } from '../../src/control/content-hash.ts';
import type { Compiled } from '../../src/routing/snapshot.ts';
import { finish } from '../../src/routing/steps.ts';
import { clusterSecret, compileCluster } from '../routing/cluster.ts';
import { compileAll, route, service } from '../routing/support.ts';
import { worldArb } from '../routing/worlds.ts';

const hashOf = (compiled: Compiled): string => finish(new CompiledHash().update(compiled)).whole;

describe('the hash of what was compiled', () => {
  it('tells contents apart, and no equal ones', () => {
    fc.assert(
      fc.property(worldArb, worldArb, (one, other) => {
        const [a, b, again] = [compileAll(one), compileAll(other), compileAll(one.toReversed())];
        const content = ({ table, plugins, certificates }: Compiled): string =>
          contentHash({ table, plugins, certificates }).whole;
        expect(hashOf(again)).toBe(hashOf(a));
        expect(hashOf(a) === hashOf(b)).toBe(content(a) === content(b));
      }),
      { numRuns: 500 },
    );
  }, 120_000);

  it('sees how large a body may be', () => {
    const compiled = (maxRequestBody: string) =>
      hashOf(
        compileAll([
          service('n/s', 'http://one'),
          route('n/r', ['a.x'], ['/'], { serviceRef: { name: 's' }, access: 'Public', maxRequestBody }),
        ]),
      );
    expect(compiled('1Ki')).toBe(compiled('1024'));
    expect(compiled('1Ki')).not.toBe(compiled('2Ki'));
  });

  it('freezes all of it', () => {
    const s = service('n/s', 'http://one');
    const { table, ...rest } = compileAll([
      s,
      route('n/r', ['a.x'], ['/a/b', '=/c'], { serviceRef: { name: 's' }, access: 'Public' }),
    ]);
    finish(new CompiledHash().update({ table, ...rest }));
    const host = table.exact.get('a.x');
    const node = host?.paths.children.get('a')?.children.get('b');
    for (const part of [table, host, host?.paths, node, node?.prefix, node?.prefix?.[0]?.entry.action])
      expect(part !== undefined && Object.isFrozen(part)).toBe(true);
  });

  it('F12 takes a host with thousands of Routes in many steps, compiled and hashed', () => {
    const routes = Array.from({ length: 2000 }, (_, i) =>
      route(`n/r${i}`, ['a.x'], [`/p${i}`], { serviceRef: { name: 's' }, access: 'Public' }),
    );
    const compiled = compileAll([service('n/s', 'http://one'), ...routes]);
    expect([...new CompiledHash().update(compiled)].length).toBeGreaterThan(100);
  });

  it('F12 takes thousands of hosts in many steps', () => {
    const routes = Array.from({ length: 2000 }, (_, i) =>
      route(`n/r${i}`, [`h${i}.x`], ['/'], { serviceRef: { name: 's' }, access: 'Public' }),
    );
    const compiled = compileAll([service('n/s', 'http://one'), ...routes]);
    expect([...new CompiledHash().update(compiled)].length).toBeGreaterThan(1000);
  });

  it('is another where a certificate is another, or gone', () => {
    const withSecret = (text: string): Compiled =>
      compileCluster([
        service('n/s', 'http://one'),
        clusterSecret('n/c', { 'tls.crt': text, 'tls.key': 'key' }, { type: 'kubernetes.io/tls' }),
        route('n/r', ['a.x'], ['/'], {
          serviceRef: { name: 's' },
          access: 'Public',
          tls: { secretRef: { name: 'c' } },
        }),
      ]);
    const [one, other] = [withSecret('one'), withSecret('other')];
    const hash = new CompiledHash();
    const first = finish(hash.update(one)).whole;
    const changed = { hosts: new Set<never>(), plugins: new Set<never>(), verdicts: new Set<never>() };
    const certificates = new Set(one.certificates.keys());
    const second = finish(hash.update({ ...other, changed: { ...changed, certificates } })).whole;
    expect(second).not.toBe(first);
    expect(second).toBe(hashOf(other));
    const none = { ...one, certificates: new Map() };
    expect(finish(hash.update({ ...none, changed: { ...changed, certificates } })).whole).toBe(hashOf(none));
  });
});
