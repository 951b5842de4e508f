import { describe, expect, it } from 'vitest';
import { answer, compileAll, type Raw, route, service } from './support.ts';

const MANY = Array.from({ length: 64 }, (_, at) => at);
const HOSTS = MANY.map((at) => `h${at}.example`);
const pathsOf = (name: string): readonly string[] => MANY.map((at) => `/p${at}/${name}`);

/** As large as a Route can be: 4,096 places, of which there is room for twelve times as many. */
const large = (name: string, spec: Readonly<Record<string, unknown>> = {}, hosts: readonly string[] = HOSTS): Raw =>
  route(`shop/${name}`, hosts, pathsOf(name), { serviceRef: { name: 's' }, access: 'Public', ...spec });

const full = (first: Raw): readonly Raw[] => [
  service('shop/s', 'http://10.0.0.1:80'),
  first,
  ...Array.from({ length: 11 }, (_, at) => large(`b${at}`)),
  large('z', {}, ['z.example', ...HOSTS.slice(1)]),
];
const asked = (first: Raw): string => answer(compileAll(full(first)).table, 'GET z.example /p1/z');

describe('a namespace with more places than there is room for', () => {
  it('closes the Routes that do not fit, the last in their order, and none before them', () => {
    const { table } = compileAll(full(large('a')));
    expect(answer(table, 'GET z.example /p1/z')).toBe('Denied shop/z');
    expect(answer(table, 'GET h0.example /p1/b3')).toBe('Public shop/b3');
  });

  it.each([
    ['a field that says nothing', large('a', { timeouts: { response: 'soon' } })],
    ['a field that is misspelt', large('a', { timeout: {} })],
    ['a host that is none', large('a', {}, ['not a host', ...HOSTS.slice(1)])],
    ['no hosts', large('a', { hosts: undefined })],
    ['no list of paths', large('a', { paths: 'all' })],
    ['methods that are no list', large('a', { methods: 'GET' })],
  ])('A107 a Route that breaks makes no room for another: %s', (_, broken) => {
    expect(asked(broken)).toBe(asked(large('a')));
  });

  it('A107 one that asked for methods takes as much room when these are misspelt', () => {
    const asking = (spec: object): Raw =>
      route('shop/a', HOSTS.slice(0, 4), pathsOf('a'), { serviceRef: { name: 's' }, access: 'Public', ...spec });
    const methods = [
      'GET',
      'POST',
      'PUT',
      'PATCH',
      'DELETE',
      'OPTIONS',
      'HEAD',
      'PROPFIND',
      'MKCOL',
      'COPY',
      'MOVE',
      'LOCK',
      'UNLOCK',
      'REPORT',
      'SEARCH',
      'BIND',
    ];
    expect(asked(asking({ methods }))).toBe('Denied shop/z');
    expect(asked(asking({ mthods: methods }))).toBe('Denied shop/z');
  });

  it('a Route that is deleted makes room', () => {
    const [s, , ...rest] = full(large('a'));
    const { table } = compileAll([s, ...rest]);
    expect(answer(table, 'GET z.example /p1/z')).toBe('Public shop/z');
  });
});
