import { describe, expect, it } from 'vitest';
import { clusterSecret, compileCluster, grant, onDay, told, unwell } from './cluster.ts';
import { answer, ask, gate, gateRef, type Raw, route, secret, service } from './support.ts';

const PUBLIC = { serviceRef: { name: 's' }, access: 'Public' };
const shopService = { serviceRef: { name: 's', namespace: 'shop' } };
const BASE = [service('shop/s', 'http://shop.example'), gate('shop/p'), service('web/s', 'http://web.example')];
const viaService = route('web/r', ['web'], ['/'], { ...shopService, access: 'Public' });
const viaPlugin = route('web/r', ['web'], ['/'], {
  serviceRef: { name: 's' },
  plugins: [{ ...gateRef('p'), namespace: 'shop' }],
});

/** Whether the client's Authorization is removed on the Public Route of shop. */
function removed(...objects: readonly Raw[]): boolean | undefined {
  const open = onDay(1, route('shop/open', ['open'], ['/'], PUBLIC));
  const { table } = compileCluster([...BASE, open, ...objects]);
  const found = ask(table, { method: 'GET', host: 'open', path: '/', headers: {} });
  return found?.kind === 'Route' && found.entry.exposure === 'Public' ? found.entry.removeAuthorization : undefined;
}

describe('A172 a reference to another namespace', () => {
  it.each<[string, Raw, string]>([
    ['Service', viaService, 'Service s'],
    ['GatePlugin', viaPlugin, 'GatePlugin p'],
  ])('to a %s needs a grant there', (kind, raw, to) => {
    const refused = compileCluster([...BASE, raw]);
    expect(answer(refused.table, 'GET web /')).toBe('Denied web/r');
    expect(unwell(refused, 'Route/web/r')).toContain('ResolvedRefs=False/RefNotPermitted');
    expect(told(refused, 'Route/web/r')[0]).toContain(
      `{apiVersion: gateway.networking.k8s.io/v1beta1, kind: ReferenceGrant, metadata: {name: from-web, namespace: shop}, spec: {from: [{group: postern.dev, kind: Route, namespace: web}], to: [{group: postern.dev, kind: ${to.replace(' ', ', name: ')}}]}}`,
    );
    for (const allowed of [kind, to]) {
      const granted = compileCluster([...BASE, raw, grant('shop', 'Route web', allowed)]);
      expect(answer(granted.table, 'GET web /')).toMatch(/^(Public|Protected) web\/r$/);
      expect(unwell(granted, 'Route/web/r')).toEqual(['HostNotReserved']);
    }
  });

  it.each<[string, Raw]>([
    ['of the wrong namespace', grant('web', 'Route web', 'Service')],
    ['from another namespace', grant('shop', 'Route other', 'Service')],
    ['from another kind', grant('shop', 'Service web', 'Service')],
    ['to another kind', grant('shop', 'Route web', 'GatePlugin')],
    ['to another name', grant('shop', 'Route web', 'Service t')],
    ['from another group', inGroup(grant('shop', 'Route web', 'Service'), 'from', 'gateway.networking.k8s.io')],
    ['to the core group', inGroup(grant('shop', 'Route web', 'Service'), 'to', '')],
    ['that can’t be read', { ...grant('shop', 'Route web', 'Service'), spec: { from: 'all', to: 'all' } }],
  ])('isn’t permitted by a grant %s', (_, given) => {
    expect(answer(compileCluster([...BASE, viaService, given]).table, 'GET web /')).toBe('Denied web/r');
  });

  it('tells the same whether or not there is such an object', () => {
    const there = compileCluster([...BASE, viaService]);
    const nowhere = compileCluster([...BASE.filter(({ metadata }) => metadata.namespace === 'web'), viaService]);
    expect(told(nowhere, 'Route/web/r')).toEqual(told(there, 'Route/web/r'));
  });

  it('of a Service to a plugin needs a grant to Services', () => {
    const floor = service('web/s', 'http://web.example', [{ ...gateRef('p'), namespace: 'shop' }]);
    const plain = route('web/r', ['web'], ['/'], { serviceRef: { name: 's' } });
    const world = [...BASE.slice(0, 2), floor, plain];
    const byRoute = compileCluster([...world, grant('shop', 'Route web', 'GatePlugin')]);
    expect(answer(byRoute.table, 'GET web /')).toBe('Denied web/r');
    expect(unwell(byRoute, 'Service/web/s')).toEqual(['ResolvedRefs=False/RefNotPermitted']);
    const byService = compileCluster([...world, grant('shop', 'Service web', 'GatePlugin')]);
    expect(answer(byService.table, 'GET web /')).toBe('Protected web/r');
  });

  it('that is granted still replaces no plugin of the Service', () => {
    const objects = [
      service('shop/s', 'http://shop.example', [gateRef('p')]),
      gate('shop/p'),
      gate('web/mine'),
      grant('shop', 'Route web', 'Service'),
    ];
    const own = route('web/r', ['web'], ['/'], { ...shopService, plugins: [gateRef('mine')] });
    expect(answer(compileCluster([...objects, own]).table, 'GET web /')).toBe('Denied web/r');
    const floor = compileCluster([...objects, route('web/r', ['web'], ['/'], shopService)]);
    expect(answer(floor.table, 'GET web /')).toBe('Protected web/r');
    expect(answer(floor.table, 'GET web /_oidc/p/callback')).toBe('Reserved callback GatePlugin/shop/p');
  });
});

describe('A172 a reference that isn’t granted changes nothing where it leads to', () => {
  const floor = [service('shop/s', 'http://shop.example', [gateRef('p')]), gate('shop/p')];
  const uses = (objects: readonly Raw[]) =>
    [...compileCluster(objects).verdicts.values()].find(({ key }) => key === 'GatePlugin/shop/p')?.routes;

  it('it is no use of a plugin, named or by the Service', () => {
    expect(uses([...BASE, viaPlugin])).toBe(0);
    expect(uses([...floor, route('web/r', ['web'], ['/'], shopService)])).toBe(0);
    const { table, plugins, verdicts } = compileCluster([...floor, route('web/r', ['web'], ['/'], shopService)]);
    expect(plugins.size).toBe(0);
    expect(answer(table, 'GET web /_oidc/p/callback')).toBe('ReservedNotFound');
    expect([...verdicts.values()].find(({ key }) => key === 'Route/web/r')?.redirectURIs).toEqual([]);
    expect(uses([...BASE, viaPlugin, grant('shop', 'Route web', 'GatePlugin')])).toBe(1);
  });

  it.each<[string, object]>([
    ['valid', { plugins: [gateRef('p')] }],
    ['without access', {}],
    ['invalid', { plugins: [gateRef('p')], methods: 7 }],
  ])('A041 it takes no Authorization from a Public Route there: %s', (_, spec) => {
    const stranger = onDay(2, route('web/r', ['web'], ['/'], { ...shopService, ...spec }));
    expect(removed(stranger)).toBe(false);
    expect(removed(stranger, grant('shop', 'Route web', 'Service'))).toBe(true);
  });

  it.each<[string, readonly Raw[]]>([
    ['the same URL', [service('web/t', 'http://shop.example')]],
    ['a Service that isn’t there', []],
    ['a Service that can’t be read', [service('web/t', 'nowhere')]],
  ])('A041 nor does a guard of another namespace with %s', (_, more) => {
    const guard = (spec: object) => onDay(2, route('web/r', ['web'], ['/'], { plugins: [gateRef('p')], ...spec }));
    expect(removed(...more, guard({ serviceRef: { name: 't' } }))).toBe(false);
    expect(removed(...more, guard({ serviceRef: 5 }))).toBe(false);
    const own = onDay(2, route('shop/r', ['own'], ['/'], { plugins: [gateRef('p')], serviceRef: { name: 's' } }));
    expect(removed(...more, own)).toBe(true);
  });

  it('A041 a guard that can’t be read guards what it may have been granted', () => {
    const vague = onDay(2, route('web/r', ['web'], ['/'], { plugins: [gateRef('p')], serviceRef: 5 }));
    expect(removed(vague, grant('shop', 'Route web', 'Service'))).toBe(true);
    expect(removed(vague, grant('shop', 'Route other', 'Service'))).toBe(false);
  });

  it('A041 and nothing beside what it was granted by name', () => {
    const vague = onDay(2, route('web/r', ['web'], ['/'], { plugins: [gateRef('p')], serviceRef: 5 }));
    const other = service('shop/other', 'http://other.example');
    expect(removed(vague, other, grant('shop', 'Route web', 'Service other'))).toBe(false);
    expect(removed(vague, other, grant('shop', 'Route web', 'Service s'))).toBe(true);
    const same = service('shop/other', 'https://shop.example:80');
    expect(removed(vague, same, grant('shop', 'Route web', 'Service other'))).toBe(true);
  });
});

describe('a Secret that a plugin names', () => {
  const user = gate('shop/user', { secretRef: { name: 'k', key: 'v' } });
  const guarded = route('shop/r', ['shop'], ['/'], { serviceRef: { name: 's' }, plugins: [gateRef('user')] });
  const plugin = (...objects: readonly Raw[]) => {
    const compiled = compileCluster([...BASE, user, guarded, ...objects]);
    return {
      served: answer(compiled.table, 'GET shop /'),
      unwell: unwell(compiled, 'GatePlugin/shop/user'),
      told: told(compiled, 'GatePlugin/shop/user').join(),
    };
  };

  it('has to be labelled, whatever its type is', () => {
    const labelled = plugin(clusterSecret('shop/k', { v: 'a' }, { labelled: true }));
    expect(labelled).toMatchObject({ served: 'Protected shop/r', unwell: [] });
    for (const type of ['kubernetes.io/tls', 'Opaque', 'kubernetes.io/service-account-token']) {
      const {
        served,
        unwell: conditions,
        told: message,
      } = plugin(clusterSecret('shop/k', { v: 'hidden', w: 'b' }, { type }));
      expect(served).toBe('Denied shop/r');
      expect(conditions).toEqual(['ResolvedRefs=False/SecretNotLabelled']);
      expect(message).toContain('kubectl label secret k -n shop postern.dev/secret=true');
    }
  });

  it('A175 that is missing closes the Route, and says how to make one that is seen', () => {
    const missing = plugin();
    expect(missing).toMatchObject({ served: 'Denied shop/r', unwell: ['ResolvedRefs=False/SecretNotFound'] });
    expect(missing.told).toContain('kubectl label secret k -n shop postern.dev/secret=true');
  });

  it('A172 is of its own namespace', () => {
    expect(plugin(clusterSecret('web/k', { v: 'a' }, { labelled: true })).served).toBe('Denied shop/r');
  });

  it('is never that of the cookie keys, labelled or not', () => {
    const keys = clusterSecret('postern/postern-keys', { v: 'MARKED', keys: 'b' }, { labelled: true });
    const thief = gate('postern/thief', { secretRef: { name: 'postern-keys', key: 'v' } });
    const compiled = compileCluster([keys, thief]);
    expect(unwell(compiled, 'GatePlugin/postern/thief')).toEqual(['ResolvedRefs=False/SecretNotFound']);
    expect(told(compiled, 'GatePlugin/postern/thief')[0]).toMatch(/^Secret postern\/postern-keys is Postern's own/);
    expect(told(compiled, 'GatePlugin/postern/thief').join()).not.toContain('keys, v');
  });

  it('A173 has a name that can be one', () => {
    for (const name of ['../web/k', 'a/b', 'K', '']) {
      const odd = gate('shop/user', { secretRef: { name, key: 'v' } });
      expect(answer(compileCluster([...BASE, odd, guarded, secret('web/k', { v: 'a' })]).table, 'GET shop /')).toBe(
        'Denied shop/r',
      );
    }
  });
});

describe('A175 A176 what a Route refers to', () => {
  const guarded = route('shop/r', ['shop'], ['/'], { serviceRef: { name: 's' }, plugins: [gateRef('p')] });

  it('closes it while it is missing or invalid, and no order of events opens it between', () => {
    const whole = [...BASE, guarded];
    for (const gone of BASE.filter(({ metadata }) => metadata.namespace === 'shop')) {
      const rest = whole.filter((one) => one !== gone);
      expect(answer(compileCluster(rest).table, 'GET shop /')).toBe('Denied shop/r');
      const broken = { ...gone, spec: { unknown: 1 } };
      expect(answer(compileCluster([...rest, broken]).table, 'GET shop /')).toBe('Denied shop/r');
    }
    expect(answer(compileCluster(whole).table, 'GET shop /')).toBe('Protected shop/r');
  });

  it('F16 plugin, Route and Secret that change together are open at no step between', () => {
    const before = [guarded, gate('shop/p'), clusterSecret('shop/k', { v: 'a' }, { labelled: true })];
    const after = [
      route('shop/r', ['shop'], ['/new'], { serviceRef: { name: 's' }, plugins: [gateRef('q')] }),
      gate('shop/q', { secretRef: { name: 'k', key: 'w' } }),
      clusterSecret('shop/k', { w: 'b' }, { labelled: true }),
    ];
    for (let step = 0; step < 8; step++) {
      const now = before.map((one, at) => ((step >> at) & 1 ? (after[at] ?? one) : one));
      const { table } = compileCluster([...BASE.filter(({ kind }) => kind === 'Service'), ...now]);
      for (const path of ['/', '/new', '/zz']) expect(answer(table, `GET shop ${path}`)).not.toMatch(/^Public/);
    }
  });
});

function inGroup(raw: Raw, list: 'from' | 'to', group: string): Raw {
  const given: unknown = structuredClone(raw.spec);
  const members: unknown = typeof given === 'object' && given !== null ? Reflect.get(given, list) : undefined;
  for (const member of Array.isArray(members) ? members : []) Reflect.set(member, 'group', group);
  return { ...raw, spec: given };
}
