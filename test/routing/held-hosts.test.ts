import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { describeTable } from '../../src/routing/describe.ts';
import type { Compiled } from '../../src/routing/snapshot.ts';
import { compileCluster, holding, hostOwners, onDay, told, unwell, written } from './cluster.ts';
import { ANY_HABITS, namespaceArb, troubled } from './cluster-worlds.ts';
import { answer, compileAll, gate, gateRef, route, service } from './support.ts';
import { isRaw } from './worlds.ts';

const PUBLIC = { serviceRef: { name: 's' }, access: 'Public' };
const GUARDED = { serviceRef: { name: 's' }, plugins: [gateRef('p')] };
const HOST = 'shop.example';
const BASE = ['shop', 'evil'].flatMap((ns) => [service(`${ns}/s`, 'http://one.example'), gate(`${ns}/p`)]);
const shop = onDay(5, route('shop/orders', [HOST], ['/orders'], GUARDED));
const held = holding(shop, [HOST]);
/** Older than all, and edited to name the host. */
const evil = onDay(1, route('evil/old', ['evil.example', HOST], ['/'], PUBLIC));

const hostsOf = (compiled: Compiled, key: string): readonly string[] | undefined =>
  [...compiled.verdicts.values()].find((verdict) => verdict.key === key)?.hosts;

describe('A177 a host that a status says its namespace has', () => {
  it('stays there, however old another Route is that is edited to name it', () => {
    const alone = compileCluster([...BASE, shop]);
    expect(hostsOf(alone, 'Route/shop/orders')).toEqual([HOST]);
    const both = compileCluster([...BASE, held, evil]);
    for (const path of ['/orders', '/orders/7', '/', '/_oidc/p/callback', '/zz']) {
      expect(answer(both.table, `GET ${HOST} ${path}`)).toBe(answer(alone.table, `GET ${HOST} ${path}`));
    }
    expect(unwell(both, 'Route/evil/old')).toEqual(['Accepted=False/HostNotAllowed', 'HostNotReserved']);
    expect(told(both, 'Route/evil/old')[0]).toContain('whose Route shop/orders had it first');
    expect(hostsOf(both, 'Route/evil/old')).toEqual(['evil.example']);
    expect(hostsOf(both, 'Route/shop/orders')).toEqual([HOST]);
  });

  it('is held by an invalid Route too, as far as its hosts can be read', () => {
    const broken = { ...held, spec: { ...Object(held.spec), methods: 7 } };
    const both = compileCluster([...BASE, broken, evil]);
    expect(answer(both.table, `GET ${HOST} /orders`)).toBe('Denied shop/orders');
    expect(answer(both.table, `GET ${HOST} /`)).toBe('NotFound');
    expect(hostsOf(both, 'Route/shop/orders')).toEqual([HOST]);
    const intruder = { ...evil, spec: { ...Object(evil.spec), methods: 7 } };
    const other = compileCluster([...BASE, held, intruder]);
    expect(answer(other.table, `GET ${HOST} /orders`)).toBe('Protected shop/orders');
    expect(hostsOf(other, 'Route/evil/old')).toEqual(['evil.example']);
  });

  it('goes to the oldest that names it once no Route of the namespace does', () => {
    const elsewhere = holding(onDay(5, route('shop/orders', ['other.example'], ['/orders'], GUARDED)), [HOST]);
    for (const left of [[], [elsewhere]]) {
      const { table } = compileCluster([...BASE, ...left, evil]);
      expect(answer(table, `GET ${HOST} /`)).toBe('Public evil/old');
    }
    const moved = compileCluster([...BASE, elsewhere, evil]);
    expect(hostsOf(moved, 'Route/shop/orders')).toEqual(['other.example']);
    expect(hostsOf(moved, 'Route/evil/old')).toEqual(['evil.example', HOST]);
  });

  it('is the namespace’s: among its own Routes age decides as ever', () => {
    const younger = holding(onDay(7, route('shop/late', [HOST], ['/orders'], PUBLIC)), [HOST]);
    const { table, verdicts } = compileCluster([...BASE, shop, younger, evil]);
    expect(answer(table, `GET ${HOST} /orders`)).toBe('Protected shop/orders');
    expect([...verdicts.values()].find(({ key }) => key === 'Route/shop/orders')?.hosts).toEqual([HOST]);
  });

  it('is an entry’s first', () => {
    const compiled = compileCluster([...BASE, held, evil], { hostOwners: hostOwners(`${HOST}=evil`) });
    expect(answer(compiled.table, `GET ${HOST} /`)).toBe('Public evil/old');
    expect(hostsOf(compiled, 'Route/shop/orders')).toEqual([]);
  });

  it('between two that were told so is the older one’s', () => {
    const compiled = compileCluster([...BASE, held, holding(evil, [HOST])]);
    expect(answer(compiled.table, `GET ${HOST} /`)).toBe('Public evil/old');
    expect(hostsOf(compiled, 'Route/shop/orders')).toEqual([]);
  });

  it('stays as it is stored while nobody can tell whose it is', () => {
    for (const raw of [shop, { ...shop, spec: { ...Object(shop.spec), methods: 7 } }]) {
      const pending = compileCluster([...BASE, raw], { incomplete: true });
      expect(hostsOf(pending, 'Route/shop/orders')).toBeUndefined();
    }
  });

  it.each<[string, unknown]>([
    ['no list', 'shop.example'],
    ['no texts', [5, null, { host: HOST }, ['shop.example']]],
    ['no hosts', ['SHOP.example', 'shop.example.', '', 'x'.repeat(300)]],
    ['nothing', null],
  ])('garbage (%s) says nothing and is no problem', (_, garbage) => {
    const compiled = compileCluster([...BASE, holding(shop, garbage), evil]);
    expect(answer(compiled.table, `GET ${HOST} /`)).toBe('Public evil/old');
    const alone = compileCluster([...BASE, holding(shop, garbage)]);
    expect(unwell(alone, 'Route/shop/orders')).toEqual(['HostNotReserved']);
  });

  it('means nothing in files', () => {
    const files = [held, evil].map((raw) => ({ ...raw, metadata: { ...raw.metadata, creationTimestamp: undefined } }));
    const with_ = compileAll([...BASE, ...files]);
    const without = compileAll([...BASE, ...files.map((raw) => ({ ...raw, status: undefined }))]);
    expect(describeTable(with_.table)).toEqual(describeTable(without.table));
    expect(hostsOf(with_, 'Route/shop/orders')).toBeUndefined();
  });
});

describe('A177 what is written to statuses', () => {
  const statusArb = fc.array(fc.subarray(['a.x', 'b.x', 'c.y', '*.x', '*']), { minLength: 8, maxLength: 8 });
  const table = (compiled: Compiled): string => JSON.stringify(describeTable(compiled.table));
  const hosts = (compiled: Compiled): unknown => [...compiled.verdicts.values()].map((one) => [one.key, one.hosts]);

  it('changes nothing when it comes back, whatever the statuses said before', () => {
    const world = fc.tuple(troubled(namespaceArb('n', ANY_HABITS)), troubled(namespaceArb('m', ANY_HABITS)), statusArb);
    let meant = 0;
    fc.assert(
      fc.property(world, fc.boolean(), ([n, m, statuses], manyNamespaces) => {
        const start = [...n, ...m].map((value, at): unknown =>
          isRaw(value) && value.kind === 'Route' ? holding(value, statuses[at % statuses.length]) : value,
        );
        const mode = { manyNamespaces };
        const first = compileCluster(start, mode);
        const second = compileCluster(written(start, first), mode);
        expect(table(second)).toBe(table(first));
        expect(hosts(second)).toEqual(hosts(first));
        const byAge = compileCluster([...n, ...m], mode);
        if (table(byAge) !== table(first)) meant += 1;
      }),
      { numRuns: 800 },
    );
    expect(meant).toBeGreaterThan(80);
  }, 300_000);

  it('gives each host to one namespace', () => {
    fc.assert(
      fc.property(namespaceArb('n', ANY_HABITS), namespaceArb('m', ANY_HABITS), (n, m) => {
        const owners = new Map<string, string>();
        for (const { key, hosts: named = [] } of compileCluster([...n, ...m]).verdicts.values()) {
          const namespace = key.split('/')[1] ?? '';
          for (const host of named) {
            expect(owners.get(host) ?? namespace).toBe(namespace);
            owners.set(host, namespace);
          }
        }
      }),
      { numRuns: 300 },
    );
  });
});
