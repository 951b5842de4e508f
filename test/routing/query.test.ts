import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { queryFit } from '../../src/routing/query.ts';

const fitOf = (query: string, ...params: readonly (readonly [string, string])[]) =>
  queryFit(
    params.map(([name, value]) => ({ name, value })),
    { query },
  );

describe('A021 a query that a Route asks for', () => {
  it.each([
    ['?v=2'],
    ['?a=1&v=2&b'],
    ['?v=2&'],
    ['?&&v=2'],
    ['?w=2&v=2&vv=3'],
    ['?x=%ff&v=2'],
    ['?redirect=https%3A%2F%2Fa.x%2F%3Fv%3D9&v=2'],
  ])('fits: %s', (query) => {
    expect(fitOf(query, ['v', '2'])).toBe('Fits');
  });

  it.each([
    [''],
    ['?'],
    ['?v'],
    ['?v='],
    ['?v=3'],
    ['?V=3'],
    ['?v=3&v=4'],
    ['?v=22'],
    ['?vv=2'],
    ['?a=v=2'],
    ['?a=1%26v=2'],
    ['?v=+2'],
    ['?v=%202'],
  ])('differs to everybody: %s', (query) => {
    expect(fitOf(query, ['v', '2'])).toBe('Differs');
  });

  it.each([
    ['twice', '?v=2&v=3'],
    ['twice, the other first', '?v=3&v=2'],
    ['twice the same', '?v=2&v=2'],
    ['in other case', '?V=2'],
    ['in other case beside it', '?v=1&V=2'],
    ['a name that is escaped', '?%76=2'],
    ['a value that is escaped without need', '?v=%32'],
    ['an array', '?v[]=2'],
    ['an object', '?v[x]=2'],
    ['an escaped array', '?v%5B%5D=2'],
    ['a semicolon before', '?a=1;v=2'],
    ['a semicolon after', '?v=2;a=1'],
    ['blanks around the name', '?+v=2'],
    ['an escaped blank around the name', '?v%20=2'],
    ['a second question mark', '??v=2'],
    ['a name with a broken escape', '?%zz=2'],
    ['a name with an escape of IIS', '?%u0076=2'],
    ['a name that ends at a NUL', '?v%00x=2'],
    ['a name that is not UTF-8', '?%ff=2'],
    ['a value with a broken escape', '?v=2%'],
    ['a value that ends at a NUL', '?v=2%00'],
    ['a value that is not UTF-8', '?v=%ff'],
  ])('is ambiguous: %s', (_, query) => {
    expect(fitOf(query, ['v', '2'])).toBe('Ambiguous');
  });

  it('compares values as they are meant', () => {
    expect(fitOf('?q=caf%C3%A9%20au%20lait', ['q', 'café au lait'])).toBe('Fits');
    expect(fitOf('?m=a@b.c', ['m', 'a@b.c'])).toBe('Fits');
    expect(fitOf('?m=a%40b.c', ['m', 'a@b.c'])).toBe('Fits');
    expect(fitOf('?q=a%2Bb', ['q', 'a+b'])).toBe('Fits');
    // A form means a blank, everything else a plus.
    expect(fitOf('?q=a+b', ['q', 'a b'])).toBe('Ambiguous');
    expect(fitOf('?q=a+b', ['q', 'a+b'])).toBe('Ambiguous');
    expect(fitOf('?q=1&q=3', ['q', '1,3'])).toBe('Ambiguous');
    expect(fitOf('?a_b=1', ['a.b', '1'])).toBe('Ambiguous');
    expect(fitOf('?a[b=1', ['a_b', '1'])).toBe('Ambiguous');
  });

  it('asks for all of them', () => {
    expect(fitOf('?a=1&b=2', ['a', '1'], ['b', '2'])).toBe('Fits');
    expect(fitOf('?a=1&b=3', ['a', '1'], ['b', '2'])).toBe('Differs');
    expect(fitOf('?a=1&b=3&a=1', ['a', '1'], ['b', '2'])).toBe('Differs');
    expect(fitOf('?a=1&b=2&a=1', ['a', '1'], ['b', '2'])).toBe('Ambiguous');
  });

  it('of more parameters than servers read is ambiguous', () => {
    const many = (count: number) => `?${Array.from({ length: count }, (_, i) => `p${i}=1`).join('&')}`;
    expect(fitOf(`${many(500)}&v=2`, ['v', '2'])).toBe('Fits');
    expect(fitOf(`${many(600)}&v=2`, ['v', '2'])).toBe('Ambiguous');
    expect(fitOf(many(600), ['v', '2'])).toBe('Ambiguous');
    expect(fitOf(`?${'%ff&'.repeat(400)}v=3`, ['v', '2'])).toBe('Ambiguous');
  });

  it('T25 takes time linear in the query', () => {
    const query = `?${'v=%&'.repeat(3000)}v=2`.slice(0, 16_000);
    const before = performance.now();
    for (let i = 0; i < 100; i++) fitOf(query, ['v', '2'], ['w', '2']);
    expect(performance.now() - before).toBeLessThan(2000);
  });

  // Parsers that really exist, or did.
  const readers: readonly ((query: string) => string | undefined)[] = [
    (query) => new URLSearchParams(query).get('v') ?? undefined,
    (query) => new URLSearchParams(query).getAll('v').at(-1),
    (query) => new URLSearchParams(query.replaceAll(';', '&')).get('v') ?? undefined,
    (query) => new Map([...new URLSearchParams(query)].map(([name, value]) => [name.toLowerCase(), value])).get('v'),
    (query) => /[?&]v=([^&]*)/.exec(query)?.[1],
    (query) => /[?&]v=([^&]*)/i.exec(query)?.[1],
    (query) => [...new URLSearchParams(query)].find(([name]) => name.trim().replace(/\[.*/, '') === 'v')?.[1],
    (query) => new URLSearchParams(query).getAll('v').join(',') || undefined,
  ];

  it('fits, or differs, only where every reader agrees', () => {
    const pieceArb = fc.constantFrom(
      ...[
        'v=2',
        '&v=2',
        'v=3',
        'w=2&',
        'v',
        'V',
        'w',
        '=',
        '=',
        '&',
        ';',
        '2',
        '2',
        '3',
        '+',
        '%20',
        '%32',
        '%76',
        '%',
        '%ff',
        '[]',
        '[x]',
        '?',
        ',',
      ],
    );
    const seen = { Fits: 0, Differs: 0, Ambiguous: 0 };
    fc.assert(
      fc.property(fc.array(pieceArb, { maxLength: 8 }), fc.constantFrom('2', '2,2', '3'), (pieces, value) => {
        const query = `?${pieces.join('')}`;
        const found = fitOf(query, ['v', value]);
        seen[found] += 1;
        const read = readers.map((reader) => reader(query) === value);
        if (found === 'Fits') expect(read).not.toContain(false);
        if (found === 'Differs') expect(read).not.toContain(true);
      }),
      { numRuns: 6000 },
    );
    expect(Math.min(...Object.values(seen))).toBeGreaterThan(20);
  });
});
