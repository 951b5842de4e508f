import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type HostPattern, hostMatches, parseAuthority, parseHostPattern } from '../../src/resources/hostname.ts';
import { namespacedName, objectKey } from '../../src/resources/keys.ts';
import { canonicalPath, type RoutePath } from '../../src/resources/path.ts';
import type { PathMatch } from '../../src/resources/resource.ts';
import { closedEntry } from '../../src/routing/entries.ts';
import type { RouteEntry } from '../../src/routing/snapshot.ts';
import type { Placement } from '../../src/routing/table.ts';
import { filtersOf } from '../proxy/support/filters.ts';
import { buildTable } from '../support/table.ts';
import { answer, ask, compileAll, gate, gateRef, type Probe, route, service } from './support.ts';

const PUBLIC = { serviceRef: { name: 's' }, access: 'Public' };
const GUARDED = { serviceRef: { name: 's' }, plugins: [gateRef('p')] };
const tableOf = (...objects: readonly unknown[]) =>
  compileAll([service('n/s', 'http://s'), gate('n/p'), ...objects]).table;

describe('hosts', () => {
  const table = tableOf(
    route('n/exact', ['a.x'], ['/only'], PUBLIC),
    route('n/wild', ['*.x'], ['/'], PUBLIC),
    route('n/deep', ['*.b.x'], ['/'], PUBLIC),
    route('n/two', ['two.labels'], ['/'], PUBLIC),
  );

  it('A038: an exact host wins, and what it does not have is 404, never the wildcard', () => {
    expect(answer(table, 'GET a.x /only')).toBe('Public n/exact');
    expect(answer(table, 'GET a.x /other')).toBe('NotFound');
    expect(answer(table, 'GET b.x /other')).toBe('Public n/wild');
  });

  it('wildcards cover any number of labels, the longest first, and never the name itself', () => {
    expect(answer(table, 'GET q.r.x /')).toBe('Public n/wild');
    expect(answer(table, 'GET q.b.x /')).toBe('Public n/deep');
    expect(answer(table, 'GET z.q.b.x /')).toBe('Public n/deep');
    expect(answer(table, 'GET x /')).toBe('NoHost');
  });

  it('A036: a host that no Route names, and an address, meet nobody', () => {
    expect(answer(table, 'GET other /')).toBe('NoHost');
    expect(answer(table, 'GET 10.0.0.1 /')).toBe('NoHost');
    expect(answer(table, 'GET [::1] /')).toBe('NoHost');
  });

  it("'*' is for what no Route names", () => {
    const any = tableOf(route('n/any', ['*'], ['/'], PUBLIC), route('n/exact', ['a.x'], ['/only'], PUBLIC));
    expect(answer(any, 'GET 10.0.0.1 /x')).toBe('Public n/any');
    expect(answer(any, 'GET a.x /x')).toBe('NotFound');
  });
});

describe('paths', () => {
  const table = tableOf(
    route('n/root', ['h'], ['/'], PUBLIC),
    route('n/prefix', ['h'], ['/orders/'], PUBLIC),
    route('n/exact', ['h'], ['=/orders', '=/deep/end/'], PUBLIC),
    route('n/lower', ['h'], ['/admin'], GUARDED),
  );

  it('A005: a prefix matches whole segments, with and without its final slash', () => {
    expect(answer(table, 'GET h /orders/')).toBe('Public n/prefix');
    expect(answer(table, 'GET h /orders/x')).toBe('Public n/prefix');
    expect(answer(table, 'GET h /ordersx')).toBe('Public n/root');
    expect(answer(table, 'GET h /orders../admin')).toBe('Public n/root');
    expect(answer(table, 'GET h /orders%2e%2e/admin')).toBe('Public n/root');
    expect(answer(table, 'GET h /orders/../admin')).toBe('BadTarget');
  });

  it('an exact path comes before a prefix and is exact to its final slash', () => {
    expect(answer(table, 'GET h /orders')).toBe('Public n/exact');
    expect(answer(table, 'GET h /deep/end/')).toBe('Public n/exact');
    expect(answer(table, 'GET h /deep/end')).toBe('Public n/root');
  });

  it('A011: case matters', () => {
    expect(answer(table, 'GET h /admin')).toBe('Protected n/lower');
    expect(answer(table, 'GET h /ADMIN')).toBe('Public n/root');
  });

  it('A005 A007: a path that a server behind us could read as a guarded one is refused', () => {
    for (const path of [
      '/x/..;/admin',
      '/admin;v=1',
      '/;/admin',
      '/x%2F..%2Fadmin',
      '/%2Fadmin',
      '/admin%3B',
      '/admin%3Fx',
    ]) {
      expect(answer(table, `GET h ${path}`)).toMatch(/^(Ambiguous|BadTarget|Protected n\/lower)$/);
    }
    expect(answer(table, 'GET h /x;v=1')).toBe('Public n/root');
    expect(answer(table, 'GET h /admin/x;v=1')).toBe('Protected n/lower');
  });
});

describe('methods and headers', () => {
  const table = tableOf(
    route('n/get', ['h'], ['/a'], { ...PUBLIC, methods: ['GET'] }),
    route('n/post', ['h'], ['/a'], { ...GUARDED, methods: ['POST'] }),
    route('n/canary', ['h'], ['/b'], { ...PUBLIC, headers: [{ name: 'X-V', value: '2' }] }),
    route('n/stable', ['h'], ['/b'], { ...GUARDED }),
    route('n/put', ['h'], ['/b'], { ...PUBLIC, methods: ['PUT'] }),
  );

  it('A021: methods are compared exactly, HEAD is answered as GET, unknown ones are not allowed', () => {
    expect(answer(table, 'GET h /a')).toBe('Public n/get');
    expect(answer(table, 'HEAD h /a')).toBe('Public n/get');
    expect(answer(table, 'POST h /a')).toBe('Protected n/post');
    expect(answer(table, 'get h /a')).toBe('MethodNotAllowed GET,HEAD,POST');
    expect(answer(table, 'FOO h /a')).toBe('MethodNotAllowed GET,HEAD,POST');
  });

  it('a Route with methods comes first, then the one with more headers', () => {
    expect(answer(table, 'PUT h /b', { 'x-v': '2' })).toBe('Public n/put');
    expect(answer(table, 'GET h /b', { 'x-v': '2' })).toBe('Public n/canary');
    expect(answer(table, 'GET h /b', { 'x-v': '2, 2' })).toBe('Protected n/stable');
    expect(answer(table, 'GET h /b')).toBe('Protected n/stable');
  });
});

describe('A107: falling through never widens', () => {
  const rules = { authorization: { rules: [{ name: 'admins', groups: ['admins'] }] } };
  const root = route('n/root', ['h'], ['/'], PUBLIC);

  it('Protected /admin for GET beside Public /', () => {
    const table = tableOf(root, route('n/admin', ['h'], ['/admin'], { ...GUARDED, methods: ['GET'] }));
    expect(answer(table, 'POST h /admin')).toBe('MethodNotAllowed GET,HEAD');
    expect(answer(table, 'POST h /admin/x')).toBe('MethodNotAllowed GET,HEAD');
    expect(answer(table, 'POST h /')).toBe('Public n/root');
  });

  it('the same plugins without the rule are not the same', () => {
    const admin = route('n/admin', ['h'], ['/admin'], { ...GUARDED, ...rules, methods: ['GET'] });
    const bare = tableOf(admin, route('n/all', ['h'], ['/'], GUARDED));
    expect(answer(bare, 'POST h /admin')).toBe('MethodNotAllowed GET,HEAD');
    const ruled = tableOf(admin, route('n/all', ['h'], ['/'], { ...GUARDED, ...rules }));
    expect(answer(ruled, 'POST h /admin')).toBe('Protected n/all');
  });

  it('a list of addresses guards a Public Route too, and one of pages that may act for people a Protected one', () => {
    const office = { clients: { allow: ['10.0.0.0/8'] } };
    const admin = route('n/admin', ['h'], ['/admin'], { ...PUBLIC, ...office, methods: ['GET'] });
    const open = tableOf(root, admin);
    expect(answer(open, 'POST h /admin')).toBe('MethodNotAllowed GET,HEAD');
    expect(answer(open, 'GET h /admin;x')).toBe('Ambiguous');
    const listed = tableOf(route('n/root', ['h'], ['/'], { ...PUBLIC, ...office }), admin);
    expect(answer(listed, 'POST h /admin')).toBe('Public n/root');
    const cors = { cors: { allowOrigins: ['https://partner.example'], allowCredentials: true } };
    const own = route('n/own', ['h'], ['/own'], { ...GUARDED, methods: ['GET'] });
    const shared = tableOf(own, route('n/shared', ['h'], ['/'], { ...GUARDED, ...cors }));
    expect(answer(shared, 'POST h /own')).toBe('MethodNotAllowed GET,HEAD');
  });

  it('a header match that does not fit', () => {
    const headers = [{ name: 'x-v', value: '1' }];
    const table = tableOf(root, route('n/admin', ['h'], ['/admin'], { ...GUARDED, headers }));
    expect(answer(table, 'GET h /admin')).toBe('NotFound');
    expect(answer(table, 'GET h /admin', { 'x-v': '1' })).toBe('Protected n/admin');
  });

  it('a Denied Route between, and one that is Public', () => {
    const missing = { serviceRef: { name: 's' }, plugins: [gateRef('none')] };
    const denied = tableOf(root, route('n/admin', ['h'], ['/admin'], { ...missing, methods: ['GET'] }));
    expect(answer(denied, 'GET h /admin')).toBe('Denied n/admin');
    expect(answer(denied, 'POST h /admin')).toBe('MethodNotAllowed ');
    const some = tableOf(
      route('n/closed', ['h'], ['/some'], { ...missing, methods: ['GET'] }),
      route('n/put', ['h'], ['/some'], { ...GUARDED, methods: ['PUT'] }),
    );
    expect(answer(some, 'POST h /some')).toBe('MethodNotAllowed PUT');
    const open = tableOf(root, route('n/open', ['h'], ['/open'], { ...PUBLIC, methods: ['GET'] }));
    expect(answer(open, 'POST h /open')).toBe('Public n/root');
  });

  it('an invalid Route of wrong type, with a path that cannot be read', () => {
    const wrong = tableOf(root, route('n/admin', ['h'], ['/admin'], { ...GUARDED, methods: 7 }));
    expect(answer(wrong, 'POST h /admin/x')).toBe('Denied n/admin');
    expect(answer(wrong, 'GET h /other')).toBe('Public n/root');
    const unreadable = tableOf(root, route('n/admin', ['h'], ['/%zz'], GUARDED));
    expect(answer(unreadable, 'GET h /other')).toBe('Denied n/admin');
  });
});

// What follows is the same decision, written down as slowly and plainly as possible.

const PATHS = ['/', '/a', '/a/', '/a/b', '/b', '/a/b/c'];
const PATTERNS = ['/.*', '/a/.*', '^/a(/b)?$', '/[ab]', '/(a|b)/[^/]+'];
const HOSTS = ['a.x', 'b.a.x', '*.x', '*.a.x', '*', 'c'];

const entryArb = fc
  .record({
    host: fc.constantFrom(...HOSTS),
    type: fc.constantFrom<PathMatch['type']>('Exact', 'Prefix', 'Prefix', 'RegularExpression'),
    path: fc.constantFrom(...PATHS),
    pattern: fc.constantFrom(...PATTERNS),
    methods: fc.option(fc.uniqueArray(fc.constantFrom('GET', 'POST', 'PUT'), { minLength: 1, maxLength: 2 }), {
      nil: undefined,
    }),
    headers: fc.uniqueArray(fc.constantFrom('x-v', 'x-w'), { maxLength: 2 }),
    queryParams: fc.uniqueArray(fc.constantFrom('v', 'w'), { maxLength: 2 }),
    guard: fc.constantFrom('Public', 'Public', 'p', 'q', 'Denied', 'closes', '10.0.0.0/8', '192.0.2.0/24'),
  })
  .map(({ host, type, path, pattern, methods, headers, queryParams, guard }): Named => {
    const name = namespacedName('n', 'r');
    const at: PathMatch =
      type === 'RegularExpression' ? { type, value: pattern, steps: 10 } : { type, value: pathOf(path) };
    const closed = closedEntry({ route: name, reason: 'Invalid' }, patternOf(host), at);
    if (guard === 'closes') return { entry: closed, closes: true, guard };
    const entry: RouteEntry = {
      ...closed,
      methods,
      headers: headers.map((header) => ({ name: header, value: '1' })),
      queryParams: queryParams.length === 0 ? undefined : queryParams.map((name) => ({ name, value: '1' })),
      exposure: guard === 'Denied' ? 'Denied' : guard === 'Public' || isList(guard) ? 'Public' : 'Protected',
      filters: isList(guard) ? filtersOf({ clients: { allow: [guard] } }, 'Prefix') : undefined,
    };
    return { entry, closes: false, guard };
  });

/** A Public Route for these addresses only. */
const isList = (guard: string): boolean => guard.includes('/');

function pathOf(text: string): RoutePath {
  const path = canonicalPath(text);
  if (!path.ok) throw new Error(text);
  return path.path;
}
function patternOf(text: string): HostPattern {
  const pattern = parseHostPattern(text);
  if (pattern === undefined) throw new Error(text);
  return pattern;
}

type Named = Placement & { readonly guard: string };

/** Index of the placement that serves, or why nobody does. */
function reference(placements: readonly Named[], probe: Probe): number | 'NoHost' | 'Nobody' {
  const host = parseAuthority(probe.host);
  if (host === undefined) return 'NoHost';
  const patterns = placements.map(({ entry }) => entry.host).filter((pattern) => hostMatches(pattern, host));
  const specific = (pattern: HostPattern): number => (pattern.startsWith('*') ? pattern.length : 1000);
  const [best] = patterns.sort((a, b) => specific(b) - specific(a));
  if (best === undefined) return 'NoHost';
  const segments = (path: string): readonly string[] => path.split('/').filter((part) => part !== '');
  const isFor = ({ entry: { path } }: Named): boolean =>
    path.type === 'RegularExpression'
      ? new RegExp(`^(?:${path.value})$`).test(probe.path)
      : path.type === 'Exact'
        ? path.value === probe.path
        : segments(path.value).every((part, index) => segments(probe.path)[index] === part);
  const longestFirst = [...PATTERNS].sort((a, b) => b.length - a.length || (a < b ? -1 : 1));
  const depth = ({ entry: { path } }: Named): number => {
    if (path.type === 'RegularExpression') return -1 - longestFirst.indexOf(path.value);
    return path.type === 'Exact' ? 1000 : segments(path.value).length;
  };
  const covering = placements.filter((one) => one.entry.host === best && isFor(one));
  const depths = [...new Set(covering.map(depth))].sort((a, b) => b - a);
  const passed: Named[] = [];
  for (const at of depths) {
    const node = covering.filter((one) => depth(one) === at);
    const weight = ({ closes, entry }: Named): number =>
      (closes ? 1000 : 0) +
      (entry.methods === undefined ? 0 : 100) +
      entry.headers.length * 10 +
      (entry.queryParams?.length ?? 0);
    const ordered = [...node].sort((a, b) => weight(b) - weight(a) || placements.indexOf(a) - placements.indexOf(b));
    const fits = ({ entry }: Named): boolean =>
      (entry.methods?.includes(probe.method === 'HEAD' ? 'GET' : probe.method) ?? true) &&
      entry.headers.every(({ name, value }) => probe.headers[name] === value) &&
      (entry.queryParams ?? []).every(({ name, value }) => new URLSearchParams(probe.query).get(name) === value);
    const winner = ordered.find(fits);
    if (winner === undefined) {
      passed.push(...node);
      continue;
    }
    const closed = (one: Named): boolean => one.guard === 'Denied' || one.guard === 'closes';
    const may =
      closed(winner) ||
      passed.every(({ guard }) => guard === 'Public') ||
      passed.every((one) => !closed(one) && one.guard === winner.guard);
    return may ? placements.indexOf(winner) : 'Nobody';
  }
  return 'Nobody';
}

describe('match', () => {
  it('agrees with a slow and plain matcher, and forwards nothing that no Route names', () => {
    const worldArb = fc.array(entryArb, { minLength: 1, maxLength: 10 }).map((all) =>
      all.map((one, index): Named => {
        const plugins =
          one.entry.exposure === 'Protected' ? [objectKey('GatePlugin', namespacedName('n', one.guard))] : [];
        return { ...one, entry: { ...one.entry, route: namespacedName('n', `r${index}`), plugins } };
      }),
    );
    const probeArb = fc.record({
      host: fc.constantFrom('a.x', 'b.a.x', 'z.x', 'z.a.x', 'c', 'd'),
      path: fc.constantFrom('/', '/a', '/a/', '/a/b', '/a/b/c', '/a/b/c/d', '/ab', '/b', '/c'),
      method: fc.constantFrom('GET', 'HEAD', 'POST', 'PUT', 'FOO'),
      query: fc.constantFrom('', '?v=1', '?w=1&v=1', '?v=2'),
      headers: fc.constantFrom<Record<string, string>[]>(
        {},
        { 'x-v': '1' },
        { 'x-v': '1', 'x-w': '1' },
        { 'x-w': '2' },
      ),
    });
    let served = 0;
    fc.assert(
      fc.property(worldArb, fc.array(probeArb, { minLength: 20, maxLength: 20 }), (placements, probes) => {
        const table = buildTable(placements);
        for (const probe of probes) {
          const found = ask(table, probe);
          const expected = reference(placements, probe);
          if (typeof expected === 'number') {
            served += 1;
            expect(found?.kind === 'Route' ? found.entry.route : found?.kind).toBe(`n/r${expected}`);
          } else if (expected === 'NoHost') expect(found?.kind).toBe('NoHost');
          else expect(found?.kind).toMatch(/^(NotFound|MethodNotAllowed)$/);
        }
      }),
      { numRuns: 3000 },
    );
    expect(served).toBeGreaterThan(3000);
  });
});
