import { describe, expect, it } from 'vitest';
import { answer, compileAll, gate, gateRef, type object, route, secret, service } from './support.ts';

const PUBLIC = { serviceRef: { name: 's' }, access: 'Public' };
const GUARDED = { serviceRef: { name: 's' }, plugins: [gateRef('p')] };
const BASE = [service('n/s', 'http://s')];
const tableOf = (...objects: readonly unknown[]) => compileAll([...BASE, ...objects]).table;

describe('A018: paths that Postern answers itself', () => {
  const table = tableOf(gate('n/p'), route('n/all', ['h'], ['/'], GUARDED), route('n/open', ['open'], ['/'], PUBLIC));

  it('are compared exactly, on hosts where a Route names the plugin', () => {
    expect(answer(table, 'GET h /_oidc/p/callback')).toBe('Reserved callback GatePlugin/n/p');
    expect(answer(table, 'POST h /_oidc/p/callback')).toBe('Reserved callback GatePlugin/n/p');
    expect(answer(table, 'GET h //_oidc//p/callback')).toBe('Reserved callback GatePlugin/n/p');
    expect(answer(table, 'GET open /_oidc/p/callback')).toBe('ReservedNotFound');
  });

  it('are 404 with anything added, and never forwarded', () => {
    for (const path of [
      '/_oidc',
      '/_oidc/',
      '/_oidc/p/callback/',
      '/_oidc/p/callback/x',
      '/_oidc/q/callback',
      '/_oidc/P/callback',
    ]) {
      expect(answer(table, `GET h ${path}`)).toBe('ReservedNotFound');
      expect(answer(table, `GET open ${path}`)).toBe('ReservedNotFound');
    }
    expect(answer(table, 'GET h /_oidc/p/callback/..%2fadmin')).toMatch(/^(BadTarget|Ambiguous|ReservedNotFound)$/);
    expect(answer(table, 'GET open /_oidc;v=1/p/callback')).toMatch(/^(Ambiguous|ReservedNotFound)$/);
    expect(answer(table, 'GET open /_oidcx')).toBe('Public n/open');
  });

  it('are those of a wildcard host too', () => {
    const wild = tableOf(gate('n/p'), route('n/wild', ['*.x'], ['/'], GUARDED));
    expect(answer(wild, 'GET a.x /_oidc/p/callback')).toBe('Reserved callback GatePlugin/n/p');
  });
});

describe('a path of its own, outside /_oidc', () => {
  const own = gate('n/p', { callback: '/cb' });

  it('is given where it leads to Routes with the plugin, or to none', () => {
    const under = tableOf(own, route('n/all', ['h'], ['/'], GUARDED));
    expect(answer(under, 'GET h /cb')).toBe('Reserved callback GatePlugin/n/p');
    const beside = tableOf(own, route('n/app', ['h'], ['/app'], GUARDED), route('n/open', ['h'], ['/open'], PUBLIC));
    expect(answer(beside, 'GET h /cb')).toBe('Reserved callback GatePlugin/n/p');
    expect(answer(beside, 'GET h /cb/x')).toBe('NotFound');
  });

  it('is refused where a Public Route would inherit it, for any method or header', () => {
    for (const more of [{}, { methods: ['POST'] }, { headers: [{ name: 'x-v', value: '1' }] }]) {
      const open = route('n/open', ['h'], ['=/cb'], { ...PUBLIC, ...more });
      const table = tableOf(own, route('n/all', ['h'], ['/'], GUARDED), open);
      expect(answer(table, 'GET h /app')).toBe('Denied n/all');
      expect(answer(table, 'POST h /cb', { 'x-v': '1' })).toBe('Public n/open');
    }
  });

  it('hides behind a Route with the plugin that takes every request', () => {
    const table = tableOf(own, route('n/cb', ['h'], ['/cb'], GUARDED), route('n/open', ['h'], ['/'], PUBLIC));
    expect(answer(table, 'GET h /cb')).toBe('Reserved callback GatePlugin/n/p');
    const gone = tableOf(route('n/cb', ['h'], ['/cb'], GUARDED), route('n/open', ['h'], ['/'], PUBLIC));
    expect(answer(gone, 'GET h /cb')).toBe('Denied n/cb');
  });

  it('stays given while what stands there is broken: it could only be refused', () => {
    const broken = route('n/cb', ['h'], ['/cb'], { ...GUARDED, methods: 7 });
    const table = tableOf(own, broken, route('n/app', ['h'], ['/app'], GUARDED), route('n/open', ['h'], ['/'], PUBLIC));
    expect(answer(table, 'GET h /cb')).toBe('Reserved callback GatePlugin/n/p');
    expect(answer(table, 'GET h /app')).toBe('Protected n/app');
  });
});

describe('A172: another namespace', () => {
  const home = [service('n/s', 'http://s'), route('n/all', ['h'], ['/'], GUARDED), gate('n/p')];

  it('lends neither its Service, nor its plugin, nor its Secret', () => {
    const { table, verdicts } = compileAll([
      ...home,
      service('m/s', 'http://m'),
      secret('n/k', { v: 'hidden' }),
      gate('m/taker', { secretRef: { name: 'k', key: 'v' } }),
      route('m/service', ['m1'], ['/'], { serviceRef: { name: 's', namespace: 'n' }, access: 'Public' }),
      route('m/plugin', ['m2'], ['/'], { serviceRef: { name: 's' }, plugins: [{ ...gateRef('p'), namespace: 'n' }] }),
      route('m/secret', ['m3'], ['/'], { serviceRef: { name: 's' }, plugins: [gateRef('taker')] }),
    ]);
    const reasons = [...verdicts.values()].flatMap(({ key, problems }) =>
      problems.map(({ reason }) => `${key} ${reason}`),
    );
    expect(reasons).toEqual([
      'GatePlugin/m/taker SecretNotFound',
      'Route/m/plugin RefNotPermitted',
      'Route/m/secret PluginInvalid',
      'Route/m/service RefNotPermitted',
    ]);
    for (const host of ['m1', 'm2', 'm3']) expect(answer(table, `GET ${host} /`)).toMatch(/^Denied m\//);
    expect(answer(table, 'GET m2 /_oidc/p/callback')).toBe('ReservedNotFound');
  });

  it('lends no way round a Service that names a plugin', () => {
    const { table } = compileAll([
      service('n/s', 'http://s', [gateRef('p')]),
      gate('n/p'),
      gate('m/mine'),
      route('m/own', ['m'], ['/'], { serviceRef: { name: 's', namespace: 'n' }, plugins: [gateRef('mine')] }),
    ]);
    expect(answer(table, 'GET m /')).toBe('Denied m/own');
  });
});

describe('who is older', () => {
  it('wins a place where an API server says so, whatever the name', () => {
    const at = (raw: ReturnType<typeof object>, creationTimestamp: string) => ({
      ...raw,
      metadata: { ...raw.metadata, creationTimestamp },
    });
    const objects = [
      ...BASE,
      at(route('n/a-young', ['h'], ['/'], PUBLIC), '2026-02-01T00:00:00Z'),
      at(route('n/z-old', ['h'], ['/'], PUBLIC), '2026-01-01T00:00:00Z'),
    ];
    expect(answer(compileAll(objects).table, 'GET h /')).toBe('Public n/a-young');
    expect(answer(compileAll(objects, true).table, 'GET h /')).toBe('Public n/z-old');
  });
});
