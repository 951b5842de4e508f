import { describe, expect, it } from 'vitest';
import { compileCluster, hostOwners, onDay, told, unwell } from './cluster.ts';
import { answer, gate, gateRef, type Raw, route, service } from './support.ts';

const PUBLIC = { serviceRef: { name: 's' }, access: 'Public' };
const GUARDED = { serviceRef: { name: 's' }, plugins: [gateRef('p')] };
const BASE = ['shop', 'web'].flatMap((ns) => [service(`${ns}/s`, 'http://one.example'), gate(`${ns}/p`)]);
const shop = onDay(1, route('shop/orders', ['shop.example'], ['/orders'], GUARDED));
const intruder = (host: string, path: string, day = 2): Raw =>
  onDay(day, route('web/intruder', [host], [path], PUBLIC));

describe('A177 a host without an entry', () => {
  it('belongs to the namespace of the oldest Route that names it, whatever others add', () => {
    const alone = compileCluster([...BASE, shop]).table;
    for (const path of ['/orders', '/orders/7', '/', '/_oidc/p/callback', '/zz']) {
      for (const place of ['/orders', '/orders/7', '/', '=/orders', '/zz']) {
        const both = compileCluster([...BASE, shop, intruder('shop.example', place)]);
        expect(answer(both.table, `GET shop.example ${path}`)).toBe(answer(alone, `GET shop.example ${path}`));
        expect(unwell(both, 'Route/web/intruder')).toEqual(['Accepted=False/HostNotAllowed']);
      }
    }
  });

  it('is named in the answer, with its owner and what to write', () => {
    const both = compileCluster([...BASE, shop, intruder('shop.example', '/')]);
    expect(told(both, 'Route/web/intruder')).toEqual([
      'shop.example belongs to namespace shop, whose Route shop/orders had it first; take it away here, or start Postern with --host-owner shop.example=web (chart: controller.hostOwners)',
    ]);
    expect(unwell(both, 'Route/shop/orders')).toEqual(['HostNotReserved']);
    expect(unwell(compileCluster([...BASE, shop], { manyNamespaces: false }), 'Route/shop/orders')).toEqual([]);
  });

  it('goes to the older one, and of one age to the first by namespace and name', () => {
    const twins = compileCluster([...BASE, shop, intruder('shop.example', '/web', 1)]);
    expect(answer(twins.table, 'GET shop.example /web')).toBe('NotFound');
    const elder = compileCluster([...BASE, onDay(3, shop), intruder('shop.example', '/web')]);
    expect(answer(elder.table, 'GET shop.example /web')).toBe('Public web/intruder');
    expect(answer(elder.table, 'GET shop.example /orders')).toBe('NotFound');
  });

  it('is held by an invalid Route too, and ends with the last that names it', () => {
    const broken = onDay(1, route('shop/orders', ['shop.example'], ['/orders'], { ...GUARDED, methods: 7 }));
    const both = compileCluster([...BASE, broken, intruder('shop.example', '/')]);
    expect(answer(both.table, 'GET shop.example /orders')).toBe('Denied shop/orders');
    expect(answer(both.table, 'GET shop.example /web')).toBe('NotFound');
    const gone = compileCluster([...BASE, intruder('shop.example', '/')]);
    expect(answer(gone.table, 'GET shop.example /web')).toBe('Public web/intruder');
  });

  it('is not closed by an invalid Route of another namespace, whatever of it can be read', () => {
    const alone = compileCluster([...BASE, shop]).table;
    for (const spec of [
      { ...PUBLIC, methods: 7 },
      { ...PUBLIC, paths: 'all' },
      { ...PUBLIC, hosts: ['shop.example', 5] },
      { ...PUBLIC, hosts: 5, paths: 5 },
    ]) {
      const broken = onDay(2, route('web/broken', ['shop.example'], ['/'], spec));
      const { table, verdicts } = compileCluster([...BASE, shop, broken]);
      expect([...verdicts.values()].find(({ key }) => key === 'Route/web/broken')?.exposure).toBe('Denied');
      for (const path of ['/orders', '/zz']) {
        expect(answer(table, `GET shop.example ${path}`)).toBe(answer(alone, `GET shop.example ${path}`));
      }
    }
  });
});

describe('A177 an entry for a host', () => {
  const owned = { hostOwners: hostOwners('shop.example=shop', '*.shop.example=shop', 'web.shop.example=web') };

  it('decides whatever is older, also while its owner deletes and applies', () => {
    const early = intruder('shop.example', '/', 1);
    for (const objects of [[onDay(5, shop)], []]) {
      const compiled = compileCluster([...BASE, ...objects, early], owned);
      expect(answer(compiled.table, 'GET shop.example /')).toMatch(/^(NotFound|NoHost)$/);
      expect(unwell(compiled, 'Route/web/intruder')).toEqual(['Accepted=False/HostNotAllowed']);
      expect(told(compiled, 'Route/web/intruder')[0]).toMatch(/^shop.example belongs to namespace shop; take it away/);
    }
    expect(unwell(compileCluster([...BASE, shop], owned), 'Route/shop/orders')).toEqual([]);
  });

  it('the most specific one that covers the host decides', () => {
    const table = compileCluster(
      [
        ...BASE,
        route('web/w', ['web.shop.example'], ['/'], PUBLIC),
        route('web/x', ['x.shop.example'], ['/'], PUBLIC),
        route('shop/y', ['y.shop.example'], ['/'], PUBLIC),
      ],
      owned,
    ).table;
    expect(answer(table, 'GET web.shop.example /')).toBe('Public web/w');
    expect(answer(table, 'GET x.shop.example /')).toBe('NotFound');
    expect(answer(table, 'GET y.shop.example /')).toBe('Public shop/y');
  });

  it('A038 keeps a name under another namespace’s wildcard its own, even where it serves nothing there', () => {
    const wild = onDay(1, route('shop/wild', ['*.shop.example'], ['/'], PUBLIC));
    const table = compileCluster([...BASE, wild], owned).table;
    expect(answer(table, 'GET a.shop.example /')).toBe('Public shop/wild');
    expect(answer(table, 'GET web.shop.example /')).toBe('NotFound');
    const inside = { hostOwners: hostOwners('*.example=shop', '*.web.example=web', 'a.web.example=shop', '*=shop') };
    const nested = compileCluster(
      [...BASE, route('shop/wild', ['*.example'], ['/'], PUBLIC), route('shop/any', ['*'], ['/'], PUBLIC)],
      inside,
    ).table;
    expect(answer(nested, 'GET b.example /')).toBe('Public shop/wild');
    expect(answer(nested, 'GET b.web.example /')).toBe('NotFound');
    expect(answer(nested, 'GET elsewhere.test /')).toBe('Public shop/any');
  });

  it('A038 of one namespace: exact before wildcard, and a path that the exact host doesn’t have is 404', () => {
    const table = compileCluster(
      [
        ...BASE,
        route('shop/wild', ['*.shop.example'], ['/'], PUBLIC),
        route('shop/exact', ['a.shop.example'], ['/a'], GUARDED),
      ],
      owned,
    ).table;
    expect(answer(table, 'GET a.shop.example /a')).toBe('Protected shop/exact');
    expect(answer(table, 'GET a.shop.example /b')).toBe('NotFound');
  });
});

describe('A177 wildcard hosts and *', () => {
  it.each(['*.shop.example', '*'])('%s needs an entry where several namespaces are watched', (host) => {
    const wild = route('shop/wild', [host], ['/'], PUBLIC);
    const compiled = compileCluster([...BASE, wild]);
    expect(answer(compiled.table, 'GET a.shop.example /')).toBe('NoHost');
    expect(unwell(compiled, 'Route/shop/wild')).toEqual(['Accepted=False/HostNotReserved']);
    expect(told(compiled, 'Route/shop/wild')[0]).toContain(`--host-owner '${host}=shop'`);
    for (const mode of [{ manyNamespaces: false }, { hostOwners: hostOwners(`${host}=shop`) }]) {
      expect(answer(compileCluster([...BASE, wild], mode).table, 'GET a.shop.example /')).toBe('Public shop/wild');
    }
  });

  it('an entry for * owns no name', () => {
    const any = { hostOwners: hostOwners('*=web') };
    const objects = [...BASE, shop, route('web/any', ['*'], ['/'], PUBLIC), intruder('shop.example', '/')];
    const { table } = compileCluster(objects, any);
    expect(answer(table, 'GET shop.example /orders')).toBe('Protected shop/orders');
    expect(answer(table, 'GET shop.example /')).toBe('NotFound');
    expect(answer(table, 'GET nobody.test /')).toBe('Public web/any');
  });
});

describe('a Route with a host that isn’t its namespace’s', () => {
  it('is refused whole, on its own hosts too', () => {
    const mixed = onDay(2, route('web/mixed', ['web.example', 'shop.example'], ['/'], PUBLIC));
    const compiled = compileCluster([...BASE, shop, mixed]);
    expect(answer(compiled.table, 'GET web.example /')).toBe('Denied web/mixed');
    expect(answer(compiled.table, 'GET shop.example /')).toBe('NotFound');
    expect(unwell(compiled, 'Route/web/mixed')).toEqual(['Accepted=False/HostNotAllowed', 'HostNotReserved']);
  });

  it('names no redirect URI there', () => {
    const login = onDay(2, route('web/login', ['web.example', 'shop.example'], ['/'], GUARDED));
    const { verdicts } = compileCluster([...BASE, shop, login]);
    const uris = [...verdicts.values()].find(({ key }) => key === 'Route/web/login')?.redirectURIs;
    expect(uris).toEqual(['https://web.example/_oidc/p/callback']);
  });
});

describe('until every namespace was listed', () => {
  it('only hosts with an entry are served; the others say why not', () => {
    const some = onDay(2, route('web/some', ['web.example', 'other.example'], ['/'], PUBLIC));
    const mode = { incomplete: true, hostOwners: hostOwners('web.example=web') };
    const compiled = compileCluster([...BASE, shop, some], mode);
    expect(answer(compiled.table, 'GET web.example /')).toBe('Public web/some');
    expect(answer(compiled.table, 'GET other.example /')).toBe('Denied web/some');
    expect(answer(compiled.table, 'GET shop.example /orders')).toBe('Denied shop/orders');
    expect(answer(compiled.table, 'GET shop.example /zz')).toBe('Denied shop/orders');
    expect(unwell(compiled, 'Route/shop/orders')).toEqual(['Accepted=False/Pending']);
    expect(unwell(compiled, 'Route/web/some')).toEqual([]);
    const programmed = [...compiled.verdicts.values()].find(({ key }) => key === 'Route/web/some')?.conditions[2];
    expect(programmed).toMatchObject({ type: 'Programmed', status: 'False', reason: 'PartiallyProgrammed' });
    expect(programmed?.message).toContain('other.example');
  });
});
