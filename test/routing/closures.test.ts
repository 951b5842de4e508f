import { expect, it } from 'vitest';
import { answer, compileAll, route, service } from './support.ts';

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
