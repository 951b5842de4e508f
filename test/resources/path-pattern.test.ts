import fc from 'fast-check';
import { RE2JS } from 're2js';
import { describe, expect, it } from 'vitest';
import { checkPathPattern } from '../../src/resources/path-pattern.ts';
import { literalPrefix, patternSize } from '../../src/resources/pattern-scan.ts';

const messageOf = (text: string): string => {
  const checked = checkPathPattern(text);
  return checked.ok ? `${checked.match.steps} steps` : checked.message;
};

describe('a regular expression of a Route', () => {
  it.each([
    ['/foo/.*', /steps$/],
    ['^/foo/.*/bar$', /steps$/],
    ['/api/v[0-9]+/users/[^/]+', /steps$/],
    ['/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}', /steps$/],
    ['/(?i:orders)/\\d{1,9}\\.json', /steps$/],
    ['', /^must begin with \/ or \^\//],
    ['orders', /^must begin with \/ or \^\//],
    ['.*\\.css$', /^must begin with \/ or \^\//],
    ['/a b', /^has a character that no path holds/],
    ['/ä', /^has a character that no path holds/],
    ['/a\\?x=1', /write queryParams for a query$/],
    ['/a#b', /^is for the path alone/],
    ['/a%2fb', /write %2F$/],
    ['/%41dmin', /write A$/],
    ['/a\\pLb', /^has a \\ before what has no meaning/],
    ['/\\Qa\\E', /^has a \\ before what has no meaning/],
    ['/(a)\\1', /^has a \\ before what has no meaning/],
    ['/(?=a)b', /^can’t be read/],
    ['/(?<!a)b', /^can’t be read/],
    ['/(a', /^can’t be read: missing closing \)/],
    ['/[a', /^can’t be read/],
    ['/a**', /^can’t be read/],
    ['/a\\', /^(can’t be read|has a \\)/],
    [`/${'a'.repeat(512)}`, /^must have at most 512 characters/],
    ['/_oidc/okta/.*', /^\/_oidc is Postern’s own/],
  ])('%s: %s', (text, message) => {
    expect(messageOf(text)).toMatch(message);
  });

  it.each([
    '/((a{10}){10}){10}',
    '/(((a{100}){100}){100})',
    `/(?:${'x'.repeat(200)}){1000}`,
    `/${'[^/]{1000}'.repeat(20)}`,
    `/${'((.{10}){10}){10}'.repeat(20)}`,
    '/(a{0,1000}){0,1000}',
    `/${'(?:a?){50}'.repeat(5)}`,
    '/a{1000}',
  ])('T25 one that costs too much says so, and is not compiled: %s', (text) => {
    const before = performance.now();
    expect(messageOf(text)).toMatch(/^costs more than 250 steps/);
    // Compiling the worst of them takes a tenth of a second.
    expect(performance.now() - before).toBeLessThan(50);
  });
});

const pieceArb = fc.constantFrom(
  ...['a', 'b', '/', '.', '[^/]', '[a-c]', '[]a]', '\\.', '\\d', '(', '(?:', '(?i:', ')', '|', '*', '+', '?', '{2}'],
  ...['{1,3}', '{0,2}', '{2,}', '^', '$', '-', '[[:alpha:]|]', '[\\]|]', '%2F'],
);
const patternArb = fc.array(pieceArb, { maxLength: 14 }).map((pieces) => `/${pieces.join('')}`);

describe('the size of a regular expression', () => {
  it('T25 is never told too small', () => {
    let meant = 0;
    fc.assert(
      fc.property(patternArb, (text) => {
        let size: number;
        try {
          size = RE2JS.compile(text).programSize();
        } catch {
          return;
        }
        meant += 1;
        expect(patternSize(text)).toBeGreaterThanOrEqual(size);
      }),
      { numRuns: 5000 },
    );
    expect(meant).toBeGreaterThan(500);
  });
});

describe('what every path begins with that a regular expression matches', () => {
  it.each([
    ['/api/v[0-9]+', '/api/v'],
    ['^/foo/.*/bar$', '/foo/'],
    ['/a\\.b/c*', '/a.b/'],
    ['/ab?', '/a'],
    ['/ab{2}', '/a'],
    ['/a|/b', '/'],
    ['/a/(b|c)', '/a/'],
    ['/[|]/a', '/'],
    ['/a[\\]|]', '/a'],
  ])('%s: %s', (text, prefix) => {
    expect(literalPrefix(text)).toBe(prefix);
  });

  it('is really there', () => {
    const pathArb = fc
      .array(fc.constantFrom('a', 'b', '/', '.', 'A', '1'), { maxLength: 8 })
      .map((p) => `/${p.join('')}`);
    let matched = 0;
    fc.assert(
      fc.property(patternArb, fc.array(pathArb, { minLength: 20, maxLength: 20 }), (text, paths) => {
        let expression: RE2JS;
        try {
          expression = RE2JS.compile(text);
        } catch {
          return;
        }
        for (const path of paths) {
          if (!expression.testExact(path)) continue;
          matched += 1;
          expect(path.startsWith(literalPrefix(text))).toBe(true);
        }
      }),
      { numRuns: 3000 },
    );
    expect(matched).toBeGreaterThan(300);
  });
});
