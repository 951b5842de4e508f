import { describe, expect, it } from 'vitest';
import { parseHostPattern } from '../../src/resources/hostname.ts';
import { Tracker } from '../../src/routing/cells.ts';
import { closures } from '../../src/routing/closures.ts';
import { HostOwners } from '../../src/routing/host-owners.ts';
import { Objects } from '../../src/routing/objects.ts';
import { finish } from '../../src/routing/steps.ts';
import { CLUSTER, compileCluster, unwell } from './cluster.ts';
import { answer, compileAll, gate, gateRef, parseAll, route, service } from './support.ts';

it('A163 many Routes with an unreadable host close many hosts whole, in bounded work', () => {
  const hosts = Array.from({ length: 400 }, (_, i) => `h${i}.example.com`);
  const open = hosts.map((host, i) =>
    route(`n/open${i}`, [host], ['/open'], { serviceRef: { name: 's' }, access: 'Public' }),
  );
  const broken = hosts.map((_, i) =>
    route(`n/broken${i}`, ['no host'], [`/closed${i}`], { serviceRef: { name: 's' }, access: 'Public' }),
  );
  const few = compileAll([service('n/s', 'http://one'), ...open, ...broken.slice(0, 10)]).table;
  expect(answer(few, 'GET h7.example.com /open')).toBe('Public n/open7');
  expect(answer(few, 'GET h7.example.com /closed3')).toMatch(/^Denied /);
  const many = compileAll([service('n/s', 'http://one'), ...open, ...broken]).table;
  for (const host of hosts) expect(answer(many, `GET ${host} /open`)).toMatch(/^Denied /);
  let nodes = 0;
  for (const { paths } of many.exact.values()) nodes += paths.children.size;
  expect(nodes).toBeLessThan(30_000);
});

it('A163 reads the hosts of a namespace once, however many of its Routes have an unreadable host', () => {
  const hosts = Array.from({ length: 500 }, (_, i) => `h${i}.x`);
  const broken = Array.from({ length: 1000 }, (_, i) =>
    route(`n/broken${i}`, ['no host'], [`/closed${i}`], { serviceRef: { name: 's' }, access: 'Public' }),
  );
  const open = route('n/open', ['h0.x', 'h1.x'], ['/open'], { serviceRef: { name: 's' }, access: 'Public' });
  const tracker = new Tracker();
  const objects = new Objects(tracker);
  const { routes } = finish(
    objects.take(parseAll([open, ...broken], true).map((after) => ({ before: undefined, after }))),
  );
  const owners = new HostOwners(tracker, CLUSTER);
  finish(owners.take(routes));
  let read = 0;
  const named = {
    *of() {
      for (const text of hosts) {
        const host = parseHostPattern(text);
        read += 1;
        if (host !== undefined) yield host;
      }
    },
  };
  const found = [...objects.broken.entries()].map(([, one]) => one);
  const work = closures(found, owners, named);
  let steps = 0;
  let step = work.next();
  for (; step.done !== true; step = work.next()) steps += 1;
  expect(step.value.hosts.size).toBe(hosts.length);
  expect(step.value.places.length).toBe(20_000);
  expect(read).toBe(hosts.length);
  // Of 500,000 hosts times Routes: it doesn't go on when all is closed.
  expect(steps).toBeLessThan(2000);
});

describe('A163 invariant 8: one namespace with very many places', () => {
  const PUBLIC = { serviceRef: { name: 's' }, access: 'Public' };
  const names = (count: number, name: (i: number) => string) => Array.from({ length: count }, (_, i) => name(i));
  const paths = names(64, (k) => `/p${k}`);
  const wide = (i: number, spec: object = PUBLIC) =>
    route(
      `evil/r${String(i).padStart(2, '0')}`,
      names(64, (k) => `h${k}.r${i}.evil`),
      paths,
      { ...spec },
    );
  const others = [
    service('n/s', 'http://one'),
    service('evil/s', 'http://two'),
    route('n/open', ['n.example'], ['/'], PUBLIC),
    route('n/closed', ['no host'], ['/closed'], PUBLIC),
  ];

  it('keeps what fits, and closes the hosts of the younger Routes', () => {
    const world = compileCluster([...others, ...names(14, String).map((_, i) => wide(i))]);
    expect(answer(world.table, 'GET h1.r0.evil /p3')).toBe('Public evil/r00');
    expect(answer(world.table, 'GET h1.r11.evil /p3')).toBe('Public evil/r11');
    expect(answer(world.table, 'GET h1.r12.evil /p3')).toBe('Denied evil/r12');
    expect(answer(world.table, 'GET h1.r12.evil /elsewhere')).toBe('Denied evil/r12');
    expect(unwell(world, 'Route/evil/r12')).toContain('Accepted=False/Invalid');
    expect(answer(world.table, 'GET n.example /')).toBe('Public n/open');
  });

  it('counts methods and headers', () => {
    const methods = ['GET', 'PUT', 'POST', 'DELETE'];
    const world = compileCluster([...others, ...names(4, String).map((_, i) => wide(i, { ...PUBLIC, methods }))]);
    expect(answer(world.table, 'GET h1.r2.evil /p3')).toBe('Public evil/r02');
    expect(answer(world.table, 'GET h1.r3.evil /p3')).toBe('Denied evil/r03');
  });

  it('opens nothing that a Route without room protected', () => {
    const guarded = route('evil/z', ['h1.r0.evil'], ['/p3/admin'], {
      serviceRef: { name: 's' },
      plugins: [gateRef('p')],
    });
    const world = compileCluster([...others, gate('evil/p'), ...names(12, String).map((_, i) => wide(i)), guarded]);
    expect(answer(world.table, 'GET h1.r0.evil /p3/admin')).toBe('Protected evil/z');
    const full = compileCluster([...others, gate('evil/p'), ...names(14, String).map((_, i) => wide(i)), guarded]);
    expect(answer(full.table, 'GET h1.r0.evil /p3/admin')).toBe('Protected evil/z');
    const most = { ...PUBLIC, methods: ['GET', 'PUT', 'POST'] };
    const none = compileCluster([...others, gate('evil/p'), ...names(5, String).map((_, i) => wide(i, most)), guarded]);
    expect(answer(none.table, 'GET h1.r0.evil /p3/admin')).not.toMatch(/^Public/);
  });

  it('keeps few places of invalid Routes, and closes none of another namespace’s more widely', () => {
    const broken = names(10, String).map((_, i) => wide(i, { ...PUBLIC, nonsense: true }));
    const { table } = compileCluster([...others, ...broken]);
    let nodes = 0;
    for (const { paths: root } of table.exact.values()) nodes += root.children.size;
    expect(nodes).toBeLessThan(21_000);
    expect(answer(table, 'GET h1.r9.evil /p3')).toMatch(/^Denied/);
    expect(answer(table, 'GET h1.r9.evil /elsewhere')).toMatch(/^Denied/);
    expect(answer(table, 'GET n.example /closed')).toBe('Denied n/closed');
    expect(answer(table, 'GET n.example /')).toBe('Public n/open');
  });
});
