import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { contentHash } from '../../src/control/content-hash.ts';
import { Redacted } from '../../src/resources/redacted.ts';

describe('content hash', () => {
  it('is the same for the same content in another order', () => {
    const a = {
      x: 1,
      y: new Map([
        ['a', 1],
        ['b', 2],
      ]),
      z: new Set([1, 2]),
    };
    const b = {
      z: new Set([2, 1]),
      y: new Map([
        ['b', 2],
        ['a', 1],
      ]),
      x: 1,
    };
    expect(contentHash(a)).toEqual(contentHash(b));
  });

  it('takes a member that is undefined as absent', () => {
    expect(contentHash({ a: 1, b: undefined })).toEqual(contentHash({ a: 1 }));
  });

  it.each<[unknown, unknown]>([
    [1, '1'],
    [null, undefined],
    [[], {}],
    [{}, new Map()],
    [
      [1, 2],
      [2, 1],
    ],
    [['a', 'b'], ['a,b']],
    [{ a: { b: 1 } }, { a: 1, b: 1 }],
    [{ 'a:1': 1 }, { a: '1:1' }],
    [new Map([['a', 1]]), { a: 1 }],
    ['[redacted]', new Redacted('x')],
    [true, 'true'],
    [{ a: [] }, { a: [undefined] }],
  ])('tells %o from %o', (a, b) => {
    expect(contentHash(a).whole).not.toBe(contentHash(b).whole);
  });

  it('tells any two different JSON values apart, and no equal ones', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.jsonValue(), (a, b) => {
        // JSON has no negative zero.
        const same = canonicalJson(a) === canonicalJson(b);
        expect(contentHash(a).whole === contentHash(b).whole).toBe(same);
        expect(contentHash(structuredClone(a)).whole).toBe(contentHash(a).whole);
      }),
    );
  });

  it('A180 shows nothing that a guessed secret could be tried against, and still sees that one changed', () => {
    const one = contentHash({ client: 'a', secret: new Redacted('hunter2') });
    const other = contentHash({ client: 'a', secret: new Redacted('hunter3') });
    expect(one.shown).toBe(other.shown);
    expect(one.whole).not.toBe(other.whole);
    expect(contentHash([new Redacted('ab'), new Redacted('c')]).whole).not.toBe(
      contentHash([new Redacted('a'), new Redacted('bc')]).whole,
    );
  });

  it('keeps two secrets that changed places apart', () => {
    const secrets = (a: string, b: string) =>
      new Map([
        ['a', new Redacted(a)],
        ['b', new Redacted(b)],
      ]);
    expect(contentHash(secrets('x', 'y')).whole).not.toBe(contentHash(secrets('y', 'x')).whole);
    const reordered = new Map([
      ['b', new Redacted('y')],
      ['a', new Redacted('x')],
    ]);
    expect(contentHash(secrets('x', 'y'))).toEqual(contentHash(reordered));
  });

  it.each([() => 1, Symbol('x'), 1n, new Date(0), new URL('http://x/'), { a: [() => 1] }])(
    'refuses %o, whose content could not be compared',
    (value) => {
      expect(() => contentHash(value)).toThrow(TypeError);
    },
  );
});

const canonicalJson = (value: unknown): string =>
  JSON.stringify(value, (_, member: unknown) =>
    typeof member === 'object' && member !== null && !Array.isArray(member)
      ? Object.fromEntries(Object.entries(member).sort(([a], [b]) => (a < b ? -1 : 1)))
      : member,
  );
