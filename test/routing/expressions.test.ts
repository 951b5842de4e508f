import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { explain } from '../../src/control/explain.ts';
import { namespacedName, objectKey } from '../../src/resources/keys.ts';
import { checkPathPattern } from '../../src/resources/path-pattern.ts';
import { LONGEST_MATCHED, matching } from '../../src/routing/patterns.ts';
import type { Compiled } from '../../src/routing/snapshot.ts';
import { parseTarget } from '../../src/routing/target.ts';
import { answer, compileAll, gate, gateRef, type Raw, route, service } from './support.ts';

const PUBLIC = { serviceRef: { name: 's' }, access: 'Public' };
const GUARDED = { serviceRef: { name: 's' }, plugins: [gateRef('p')] };
const BASE = [service('n/s', 'http://s'), gate('n/p')];
const compiled = (...objects: readonly unknown[]) => compileAll([...BASE, ...objects]);
const tableOf = (...objects: readonly unknown[]) => compiled(...objects).table;
const verdictOf = ({ verdicts }: Compiled, name: string) => verdicts.get(objectKey('Route', namespacedName('n', name)));
const warnings = (name: string, ...objects: readonly Raw[]): readonly string[] =>
  (verdictOf(compiled(...objects), name)?.warnings ?? []).map(({ reason, message }) => `${reason}: ${message}`);

describe('regular expressions', () => {
  const table = tableOf(
    route('n/users', ['h'], ['~/api/v[0-9]+/users/[^/]+'], PUBLIC),
    route('n/api', ['h'], ['~/api/.*'], GUARDED),
    route('n/exact', ['h'], ['=/api/v1/users/me'], GUARDED),
    route('n/prefix', ['h'], ['/api/v2'], GUARDED),
  );

  it('match whole paths, after exact paths and prefixes, the longer one first', () => {
    expect(answer(table, 'GET h /api/v1/users/7')).toBe('Public n/users');
    expect(answer(table, 'GET h /api/v1/users/me')).toBe('Protected n/exact');
    expect(answer(table, 'GET h /api/v2/users/7')).toBe('Protected n/prefix');
    expect(answer(table, 'GET h /api/v1/users/7/8')).toBe('Protected n/api');
    expect(answer(table, 'GET h /other/api/v1/users/7')).toBe('NotFound');
    expect(answer(table, 'GET h /api')).toBe('NotFound');
  });

  it('mean the same with ^ and $, and both ends of each alternative count', () => {
    const anchored = tableOf(route('n/r', ['h'], ['~^/a(/.*)?$'], PUBLIC), route('n/s', ['g'], ['~/a|/b'], PUBLIC));
    expect(answer(anchored, 'GET h /a')).toBe('Public n/r');
    expect(answer(anchored, 'GET h /a/x')).toBe('Public n/r');
    expect(answer(anchored, 'GET h /ab')).toBe('NotFound');
    expect(answer(anchored, 'GET g /b')).toBe('Public n/s');
    expect(answer(anchored, 'GET g /ax')).toBe('NotFound');
    expect(answer(anchored, 'GET g /x/b')).toBe('NotFound');
  });

  it('are asked in an order that depends on nothing but their text', () => {
    const old = { creationTimestamp: '2020-01-01T00:00:00Z' };
    const routes = [route('n/a', ['h'], ['~/a/.*'], PUBLIC), route('n/b', ['h'], ['~/.*/b'], GUARDED)];
    for (const [first, second] of [routes, routes.toReversed()]) {
      for (const older of [first, second]) {
        const objects = [first, second].map((one) =>
          one === older ? { ...one, metadata: { ...one?.metadata, ...old } } : one,
        );
        expect(answer(compileAll([...BASE, ...objects], true).table, 'GET h /a/b')).toBe('Protected n/b');
      }
    }
  });

  it('two Routes with the same one conflict, and one beside it with a method does not', () => {
    const same = tableOf(route('n/a', ['h'], ['~/a/.*'], GUARDED), route('n/b', ['h'], ['~/a/.*'], PUBLIC));
    expect(answer(same, 'GET h /a/b')).toBe('Protected n/a');
    const beside = tableOf(
      route('n/a', ['h'], ['~/a/.*'], GUARDED),
      route('n/b', ['h'], ['~/a/.*'], { ...PUBLIC, methods: ['GET'] }),
    );
    expect(answer(beside, 'GET h /a/b')).toBe('Public n/b');
    expect(answer(beside, 'POST h /a/b')).toBe('Protected n/a');
  });

  it('never come before what is Postern’s own', () => {
    const all = tableOf(route('n/all', ['h'], ['~/.*'], GUARDED));
    expect(answer(all, 'GET h /_oidc/p/callback')).toBe('Reserved callback GatePlugin/n/p');
    expect(answer(all, 'GET h /_oidc/x')).toBe('ReservedNotFound');
    expect(answer(all, 'GET h /_oidcx')).toBe('Protected n/all');
  });

  it('a path of a plugin’s own stands where every expression that could meet it names the plugin', () => {
    const own = gate('n/own', { callback: '/a/cb' });
    const guarded = { ...GUARDED, plugins: [gateRef('own')] };
    const alone = tableOf(own, route('n/r', ['h'], ['~/a/.*'], guarded), route('n/o', ['h'], ['~/.*'], PUBLIC));
    expect(answer(alone, 'GET h /a/cb')).toBe('Reserved callback GatePlugin/n/own');
    const later = tableOf(own, route('n/r', ['h'], ['~/a/.*'], guarded), route('n/o', ['h'], ['~/(a/)?cb.*'], PUBLIC));
    expect(answer(later, 'GET h /a/cb')).toBe('Public n/o');
    const broken = route('n/b', ['h'], ['~/x/[^/]*'], { ...GUARDED, methods: 7 });
    const closed = tableOf(own, route('n/r', ['h'], ['/r'], guarded), broken, route('n/o', ['h'], ['~/a/.*'], PUBLIC));
    expect(answer(closed, 'GET h /a/cb')).toBe('Public n/o');
  });
});

describe('attacks on regular expressions', () => {
  it('A001: the query is no part of what is matched', () => {
    const table = tableOf(
      route('n/status', ['h'], ['~/api/.*/status'], PUBLIC),
      route('n/api', ['h'], ['~/api/.*'], GUARDED),
    );
    expect(answer(table, 'GET h /api/a/status')).toBe('Public n/status');
    for (const query of ['?x=/status', '?/status', '?a=/api/a/status', '?%2Fstatus', '/?/status']) {
      expect(answer(table, `GET h /api/private${query}`)).toBe('Protected n/api');
    }
    expect(answer(table, 'GET h /api/private%3Fx=/status')).toBe('Ambiguous');
  });

  it('A002: an escaped # is data, a raw one is refused', () => {
    const table = tableOf(
      route('n/bar', ['h'], ['~^/foo/.*/bar$'], PUBLIC),
      route('n/foo', ['h'], ['~/foo/.*'], GUARDED),
    );
    expect(answer(table, 'GET h /foo/x/bar')).toBe('Public n/bar');
    // A server that cuts at a decoded # or ? reads /foo/secret, which is guarded.
    for (const path of ['/foo/secret%23/bar', '/foo/secret%3F/bar', '/foo/secret%3f/bar']) {
      expect(answer(table, `GET h ${path}`)).toBe('Ambiguous');
    }
    expect(parseTarget('GET', 'h', '/foo/secret#/bar')).toEqual({ ok: false, fault: 'ForbiddenCharacter' });
    for (const raw of ['/foo/secret#/bar', '/foo/secret%23/bar']) {
      const { answer: told } = explain(table, { method: 'GET', host: 'h', path: raw, headers: new Map() });
      expect(told).toMatch(/^(BadTarget|Ambiguous)$/);
    }
  });

  it('A005 A007: every reading of a path has to be decided in the same way', () => {
    const table = tableOf(
      route('n/open', ['h'], ['~/open/.*'], PUBLIC),
      route('n/closed', ['h'], ['~/open/(admin|x/secret)(/.*)?'], GUARDED),
    );
    for (const path of ['/open/admin;v=1', '/open/%61dmin;', '/open/x%2Fsecret', '/open/;/admin', '/open/x;a/secret']) {
      expect(answer(table, `GET h ${path}`)).toMatch(/^(Ambiguous|Protected n\/closed)$/);
    }
    expect(answer(table, 'GET h /open/a;v=1')).toBe('Public n/open');
    expect(answer(table, 'GET h /open../admin')).toBe('NotFound');
    expect(answer(table, 'GET h /open%2e%2e/admin')).toBe('NotFound');
    expect(answer(table, 'GET h /open/../open/admin')).toBe('BadTarget');
    expect(answer(table, 'GET h /open/%2e%2e/admin')).toBe('BadTarget');
  });

  it('A107: falling through to one, or from one to the next, never widens', () => {
    const all = route('n/all', ['h'], ['~/.*'], PUBLIC);
    const get = { ...GUARDED, methods: ['GET'] };
    expect(answer(tableOf(all, route('n/a', ['h'], ['/a'], get)), 'POST h /a/b')).toBe('MethodNotAllowed GET,HEAD');
    expect(answer(tableOf(all, route('n/a', ['h'], ['~/a/.*'], get)), 'POST h /a/b')).toBe('MethodNotAllowed GET,HEAD');
    expect(answer(tableOf(all, route('n/a', ['h'], ['~/a/.*'], { ...PUBLIC, methods: ['GET'] })), 'POST h /a/b')).toBe(
      'Public n/all',
    );
    const missing = { serviceRef: { name: 's' }, plugins: [gateRef('none')], methods: ['GET'] };
    expect(answer(tableOf(all, route('n/a', ['h'], ['~/a/.*'], missing)), 'POST h /a/b')).toBe('MethodNotAllowed ');
  });

  it('A107: a broken Route closes what its expression matches, or its host where that can’t be read', () => {
    const all = route('n/all', ['h'], ['~/.*', '/p'], PUBLIC);
    const broken = tableOf(all, route('n/a', ['h'], ['~/a/.*'], { ...GUARDED, methods: 7 }));
    expect(answer(broken, 'GET h /a/b')).toBe('Denied n/a');
    expect(answer(broken, 'GET h /b')).toBe('Public n/all');
    expect(answer(broken, 'GET h /p')).toBe('Public n/all');
    for (const expression of ['~/a/(.*', '~a', '~/a/((.{10}){10}){10}']) {
      const unreadable = tableOf(all, route('n/a', ['h'], [expression], GUARDED));
      for (const path of ['/a/b', '/b', '/p']) expect(answer(unreadable, `GET h ${path}`)).toBe('Denied n/a');
    }
    const same = tableOf(all, route('n/z', ['h'], ['~/.*'], { ...GUARDED, methods: 7 }));
    expect(answer(same, 'GET h /b')).toBe('Denied n/z');
  });
});

describe('T25 A163: what regular expressions cost', () => {
  const nasty = [
    '/(a+)+',
    '/(a|a)*',
    '/(a|aa)*b',
    '/(.*)*x',
    '/(.*a){10}',
    '/([a-z]+)*[A-Z]',
    '/(a?){60}a{60}',
    '/.*a.{60}',
  ];

  /** The least of some runs, for others use the processors too. */
  const least = (work: () => void): number =>
    Math.min(
      ...Array.from({ length: 5 }, () => {
        const before = performance.now();
        work();
        return performance.now() - before;
      }),
    );

  it.each(nasty)('%s takes time linear in the path', (expression) => {
    const paths = (length: number) => ['a', 'ab', 'aA', 'ba'].map((text) => `/${text.repeat(length)}`.slice(0, length));
    const work = (length: number) => least(() => paths(length).map((path) => matching(expression, path)));
    work(64);
    // Sixteen times as long: a backtracking engine would not come back, one that is quadratic takes 256 times as long.
    expect(work(1024)).toBeLessThan(100 + 64 * work(64));
  });

  it('all of them together on one host, whatever the path, cost some milliseconds', () => {
    const all = nasty.filter((_, at) => at !== 6).join('\n');
    const random = fc.sample(
      fc.array(fc.constantFrom('a', 'b', 'A', '/'), { minLength: 1023, maxLength: 1023 }).map((p) => `/${p.join('')}`),
      20,
    );
    const each = random.map((path) => least(() => matching(all, path)));
    expect(Math.min(...each)).toBeLessThan(200);
  });

  it('a path that is longer than any real one matches none', () => {
    const path = `/${'a'.repeat(LONGEST_MATCHED - 1)}`;
    expect(matching('/a*', path)).toEqual([0]);
    expect(matching('/a*', `${path}a`)).toEqual([]);
    const table = tableOf(route('n/r', ['h'], ['~/a*'], PUBLIC));
    expect(answer(table, `GET h ${path}`)).toBe('Public n/r');
    expect(answer(table, `GET h ${path}a`)).toBe('NotFound');
  });

  it('a long path that can be read in several ways is refused', () => {
    const table = tableOf(route('n/r', ['h'], ['~/.*'], PUBLIC));
    expect(answer(table, 'GET h /a;b/c%3Bd')).toBe('Public n/r');
    expect(answer(table, `GET h /a;b/c%3Bd%28/${'a'.repeat(900)}`)).toBe('Ambiguous');
  });

  const heavy = (n: number, spec: object, name = `r${n}`) =>
    route(`n/${name}`, ['h'], [`~/x${n}(?:a?){75}`], { ...spec });

  it('more than a host may have are all closed, and the Routes say so', () => {
    const prefix = route('n/prefix', ['h'], ['/p'], PUBLIC);
    const few = [prefix, heavy(1, PUBLIC), heavy(2, GUARDED), heavy(3, PUBLIC), heavy(4, PUBLIC)];
    expect(answer(tableOf(...few), 'GET h /x1a')).toBe('Public n/r1');
    const many = [...few, heavy(5, PUBLIC), heavy(6, PUBLIC), heavy(7, PUBLIC)];
    for (const path of ['/x1a', '/x2a', '/x7a', '/nothing']) {
      expect(answer(tableOf(...many), `GET h ${path}`)).toBe('Denied n/r7');
    }
    expect(answer(tableOf(...many), 'GET h /p')).toBe('Public n/prefix');
    expect(warnings('r2', ...many)).toEqual([
      'Closed: /x2(?:a?){75} on h is closed, for the regular expressions of h, those of Route n/r7 among them, cost more than 1000 steps for each character of a path; write Prefix or Exact paths instead of some',
    ]);
    expect(verdictOf(compiled(...many), 'r2')?.exposure).toBe('Denied');
  });

  it('A107: breaking one of them makes no room for others', () => {
    const many = [1, 2, 3, 4, 5, 6, 7].map((n) => heavy(n, PUBLIC));
    for (const n of [1, 4, 7]) {
      const broken = many.with(n - 1, heavy(n, { ...PUBLIC, methods: 7 }));
      for (const path of ['/x1a', '/x4a', '/x7a'])
        expect(answer(tableOf(...broken), `GET h ${path}`)).toMatch(/^Denied/);
    }
    expect(answer(tableOf(...many.slice(3)), 'GET h /x5a')).toBe('Public n/r5');
  });
});

describe('what matches', () => {
  it('is what JavaScript matches from end to end, where both know the syntax', () => {
    const pieces = [
      'a',
      'b',
      '/',
      '.',
      '[^/]',
      '[a-c]',
      '\\.',
      '\\d',
      '(',
      '(?:',
      ')',
      '|',
      '*',
      '+',
      '?',
      '{2}',
      '{1,3}',
      '{0,2}',
    ];
    const expressionArb = fc.array(fc.constantFrom(...pieces), { maxLength: 12 }).map((p) => `/${p.join('')}`);
    const pathArb = fc
      .array(fc.constantFrom('a', 'b', '/', '.', 'c', '1'), { maxLength: 7 })
      .map((p) => `/${p.join('')}`);
    let [matched, meant] = [0, 0];
    fc.assert(
      fc.property(
        fc.array(expressionArb, { minLength: 3, maxLength: 3 }),
        fc.array(pathArb, { minLength: 20, maxLength: 20 }),
        (texts, paths) => {
          const valid = texts.filter((text) => checkPathPattern(text).ok && isJavaScript(text));
          if (valid.length === 0) return;
          meant += 1;
          for (const path of paths) {
            const expected = [...valid.keys()].filter((at) => new RegExp(`^(?:${valid[at]})$`).test(path));
            matched += expected.length;
            expect(matching(valid.join('\n'), path)).toEqual(expected);
          }
        },
      ),
      { numRuns: 2000 },
    );
    expect(Math.min(meant, matched)).toBeGreaterThan(300);
  });
});

function isJavaScript(text: string): boolean {
  try {
    return new RegExp(text) instanceof RegExp;
  } catch {
    return false;
  }
}

describe('warnings of regular expressions', () => {
  it('a Public Route that is asked before a guarded one which may match the same', () => {
    const guarded = route('n/g', ['h'], ['~/admin/[a-z]+'], GUARDED);
    const opened = (path: string) =>
      warnings('o', guarded, route('n/o', ['h'], [path], PUBLIC)).map((w) => w.slice(0, 18));
    expect(opened('/')).toEqual(['OpensProtectedPath']);
    expect(opened('/admin')).toEqual(['OpensProtectedPath']);
    expect(opened('/admin/x')).toEqual(['OpensProtectedPath']);
    expect(opened('=/admin/x')).toEqual(['OpensProtectedPath']);
    expect(opened('~/admin/[a-z]+.*')).toEqual(['OpensProtectedPath']);
    expect(opened('=/admin/7')).toEqual([]);
    expect(opened('/admins')).toEqual([]);
    expect(opened('/other')).toEqual([]);
    expect(opened('~/.*')).toEqual([]);
    expect(opened('~/other/[a-z]+.*')).toEqual([]);
  });

  it('one that is never asked', () => {
    const never = (path: string, expression: string, spec = {}) =>
      warnings('e', route('n/p', ['h'], [path], { ...GUARDED, ...spec }), route('n/e', ['h'], [expression], GUARDED));
    expect(never('/', '~/api/.*')).toEqual([
      'NeverAsked: /api/.* on h is never asked, for the Prefix / of Route n/p takes all that it matches; write a Prefix or Exact paths here, or narrower ones there',
    ]);
    expect(never('/api', '~/api/v[0-9]/.*')).toHaveLength(1);
    expect(never('/api', '~/api.*')).toEqual([]);
    expect(never('/api', '~/api/.*', { methods: ['GET'] })).toEqual([]);
    expect(never('/other', '~/api/.*')).toEqual([]);
  });
});

describe('query parameters', () => {
  const beta = { queryParams: [{ name: 'beta', value: '1' }] };
  const table = tableOf(
    route('n/beta', ['h'], ['/a'], { ...GUARDED, ...beta }),
    route('n/both', ['h'], ['/a'], { ...GUARDED, queryParams: [...beta.queryParams, { name: 'v', value: '2' }] }),
    route('n/header', ['h'], ['/a'], { ...GUARDED, headers: [{ name: 'x-v', value: '1' }] }),
    route('n/plain', ['h'], ['/a'], PUBLIC),
    route('n/only', ['h'], ['/only'], { ...PUBLIC, ...beta }),
    route('n/root', ['h'], ['/'], GUARDED),
  );

  it('choose among Routes of one path: method, then most headers, then most parameters', () => {
    expect(answer(table, 'GET h /a')).toBe('Public n/plain');
    expect(answer(table, 'GET h /a?x=1')).toBe('Public n/plain');
    expect(answer(table, 'GET h /a?beta=1')).toBe('Protected n/beta');
    expect(answer(table, 'GET h /a?v=2&beta=1')).toBe('Protected n/both');
    expect(answer(table, 'GET h /a?v=2&beta=1', { 'x-v': '1' })).toBe('Protected n/header');
    expect(answer(table, 'GET h /only?beta=1')).toBe('Public n/only');
    expect(answer(table, 'GET h /only?beta=2')).toBe('Protected n/root');
  });

  it('A021: a query that somebody behind us may read otherwise is refused where that matters, and only there', () => {
    for (const query of [
      'beta=0&beta=1',
      'beta=1&beta=0',
      'BETA=1',
      'b%65ta=1',
      'x=1;beta=1',
      'beta[]=1',
      'beta=%31',
      'beta=1%00',
    ]) {
      expect(answer(table, `GET h /a?${query}`)).toBe('Ambiguous');
      expect(answer(table, `GET h /only?${query}`)).toBe('Ambiguous');
      expect(answer(table, `GET h /other?${query}`)).toBe('Protected n/root');
    }
    expect(answer(table, 'GET h /a?x=1&x=2;y')).toBe('Public n/plain');
    expect(answer(table, 'GET h /a?beta=2&beta=3')).toBe('Public n/plain');
  });

  it('A107: never widen by what doesn’t fit', () => {
    const guarded = tableOf(
      route('n/q', ['h'], ['/q'], { ...GUARDED, ...beta }),
      route('n/root', ['h'], ['/'], PUBLIC),
    );
    expect(answer(guarded, 'GET h /q')).toBe('NotFound');
    expect(answer(guarded, 'GET h /q?beta=1')).toBe('Protected n/q');
    const broken = tableOf(
      route('n/q', ['h'], ['/q'], { ...GUARDED, queryParams: [{ name: 'beta', value: '' }] }),
      route('n/root', ['h'], ['/'], PUBLIC),
    );
    for (const query of ['', '?beta=1', '?beta']) expect(answer(broken, `GET h /q${query}`)).toBe('Denied n/q');
  });

  it('two Routes with the same ones conflict, in any order', () => {
    const [a, b] = [
      { name: 'a', value: '1' },
      { name: 'b', value: '2' },
    ];
    const same = compiled(
      route('n/one', ['h'], ['/q'], { ...GUARDED, queryParams: [a, b] }),
      route('n/two', ['h'], ['/q'], { ...PUBLIC, queryParams: [b, a] }),
    );
    expect(answer(same.table, 'GET h /q?a=1&b=2')).toBe('Protected n/one');
    expect(verdictOf(same, 'two')?.problems[0]?.reason).toBe('Conflicted');
  });

  it('count as HEAD counts: with the method', () => {
    const get = tableOf(route('n/q', ['h'], ['/q'], { ...GUARDED, ...beta, methods: ['GET'] }));
    expect(answer(get, 'HEAD h /q?beta=1')).toBe('Protected n/q');
    expect(answer(get, 'POST h /q?beta=1')).toBe('MethodNotAllowed GET,HEAD');
    expect(answer(get, 'POST h /q')).toBe('NotFound');
  });
});
