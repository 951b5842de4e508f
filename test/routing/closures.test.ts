import { describe, expect, it } from 'vitest';
import { compileCluster, unwell } from './cluster.ts';
import { answer, compileAll, gate, gateRef, route, service } from './support.ts';

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
