import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { canonicalPath, hasOneReading, laxPaths, prefixCovers, type RoutePath } from '../../src/resources/path.ts';

const canonical = (raw: string): string | undefined => {
  const result = canonicalPath(raw);
  return result.ok ? result.path : undefined;
};
const fault = (raw: string): string | undefined => {
  const result = canonicalPath(raw);
  return result.ok ? undefined : result.fault;
};
const path = (raw: string): RoutePath => {
  const result = canonicalPath(raw);
  if (!result.ok) throw new Error(`${raw}: ${result.fault}`);
  return result.path;
};
const readings = (raw: string): readonly string[] => [...(laxPaths(path(raw)) ?? ['too many'])].sort();

/** Pieces that paths are attacked with, and ordinary ones. */
const piece = fc.constantFrom(
  '/',
  '//',
  '.',
  '..',
  '...',
  '%2e',
  '%2E',
  '%2f',
  '%2F',
  '%5c',
  '\\',
  ';',
  ';x=1',
  '%3b',
  '%3B',
  '%3f',
  '%23',
  '#',
  '?',
  '%20',
  ' ',
  '%00',
  '%7f',
  '%25',
  '%252e',
  '%zz',
  '%',
  '%c0%ae',
  '%C3%A9',
  'é',
  'a',
  'B',
  '%41',
  '%28',
  '(',
  '~',
  '%7E',
  'admin',
  '%61dmin',
  '*',
  '@',
  ':',
  '|',
  '%7C',
  '[',
  '"',
  '{',
  '\t',
  '\u0000',
  '%ed%a0%80',
  '%EF%BC%8F',
  '+',
  '%2B',
);
const rawPath = fc.oneof(
  fc.array(piece, { maxLength: 12 }).map((pieces) => `/${pieces.join('')}`),
  fc.string({ maxLength: 30 }),
  fc.webPath(),
);

/** Paths that are canonical already, full of what servers read differently. */
const oddPath = fc
  .array(
    fc.constantFrom(
      '/',
      ';',
      '%3B',
      '%2F',
      '%3F',
      '%23',
      '%28',
      '(',
      '%40',
      'a',
      'b',
      '..a',
      '%20',
      '%25',
      '%C3%A9',
      '=',
    ),
    { maxLength: 10 },
  )
  .map((pieces) => `/${pieces.join('')}`);

describe('canonicalPath', () => {
  it.each([
    ['/', '/'],
    ['/orders', '/orders'],
    ['/orders/', '/orders/'],
    ['/%41%7e%2D', '/A~-'],
    ['/caf%c3%a9', '/caf%C3%A9'],
    ['/a|b^c[d]', '/a|b^c[d]'],
    ['/.well-known/x', '/.well-known/x'],
    ['/...', '/...'],
    ['/a..b/..c', '/a..b/..c'],
  ])('%s is %s', (raw, expected) => {
    expect(canonical(raw)).toBe(expected);
  });

  it('A002 a raw # is refused, an escaped one stays data', () => {
    expect(fault('/foo/secret#/bar')).toBe('ForbiddenCharacter');
    expect(canonical('/foo/secret%23/bar')).toBe('/foo/secret%23/bar');
  });

  it.each([
    '/public/../admin',
    '/public/%2e%2e/admin',
    '/public/.%2e/admin',
    '/public/%2E./admin',
    '/./a',
    '/a/..',
    '/.',
  ])('A004 dot segments are refused: %s', (raw) => {
    expect(fault(raw)).toBe('DotSegment');
  });

  it.each([
    '/a/..;/admin',
    '/a/..;x=1/admin',
    '/a/.;/admin',
    '/a/..%3B/admin',
    '/a/..%3fx',
    '/a/..%23',
    '/a/..%20/admin',
  ])('A004 dot segments to a server that drops parameters, cuts or trims: %s', (raw) => {
    expect(fault(raw)).toBe('DotSegment');
  });

  it('A005 /api.. is a segment of its own, escaped or not', () => {
    expect(canonical('/api%2e%2e/admin')).toBe('/api../admin');
    expect(prefixCovers('/api', '/api../admin')).toBe(false);
  });

  it.each(['/public%2f..%2fadmin', '/public%2F..', '/..%2Fadmin', '/x/%2e%2e%2Fadmin'])(
    'A007 an escaped slash beside dots is refused even where %%2F is kept: %s',
    (raw) => {
      expect(fault(raw)).toBe('DotSegment');
    },
  );

  it('A007 an escaped slash is told, in either case', () => {
    expect(canonicalPath('/a%2fb')).toEqual({ ok: true, path: '/a%2Fb', encodedSlash: true });
    expect(canonicalPath('/a%2Fb')).toEqual({ ok: true, path: '/a%2Fb', encodedSlash: true });
    expect(canonicalPath('/a%252Fb')).toEqual({ ok: true, path: '/a%252Fb', encodedSlash: false });
  });

  it.each(['/%5C', '/%5c..%5c', '/a%5cb'])('A007 an escaped backslash is refused: %s', (raw) => {
    expect(fault(raw)).toBe('EncodedBackslash');
  });

  it.each([
    ['//admin', '/admin'],
    ['/public//admin', '/public/admin'],
    ['///admin', '/admin'],
    ['//evil.example/x', '/evil.example/x'],
  ])('A008 empty segments are merged: %s', (raw, expected) => {
    expect(canonical(raw)).toBe(expected);
  });

  it('A009 a raw backslash is refused', () => {
    expect(fault('/a\\..\\admin')).toBe('ForbiddenCharacter');
  });

  it('A011 case is kept', () => {
    expect(canonical('/ADMIN')).toBe('/ADMIN');
  });

  it.each(['/admin%00', '/%00', '/admin%0a', '/a%0d%0aX:%20y', '/%7f', '/%1F'])('A012 escaped controls: %s', (raw) => {
    expect(fault(raw)).toBe('EncodedControl');
  });

  it.each(['/%zz', '/%', '/a%2', '/%%41', '/%2%35'])('A013 bad escapes are refused: %s', (raw) => {
    expect(fault(raw)).toBe('BadEscape');
  });

  it.each(['/%c0%ae%c0%ae/', '/%ff', '/%C3', '/%ed%a0%80', '/%C3a%A9'])('A013 invalid UTF-8 is refused: %s', (raw) => {
    expect(fault(raw)).toBe('InvalidUtf8');
  });

  it('A013 nothing is decoded twice', () => {
    expect(canonical('/%25%32%65%25%32%65/x')).toBe('/%252e%252e/x');
  });

  it.each(['', 'a', '*', 'http://a/', '/é', '/a b', '/a\tb', '/"', '/{x}', '/a?b', '/<'])('refuses %j', (raw) => {
    expect(canonical(raw)).toBeUndefined();
  });

  it('A013 stops at the first fault: a request of nothing but bad escapes costs no exception for each', () => {
    const decode = vi.spyOn(TextDecoder.prototype, 'decode');
    expect(fault(`/${'%FFa'.repeat(4000)}`)).toBe('InvalidUtf8');
    expect(decode).toHaveBeenCalledTimes(1);
    decode.mockRestore();
  });

  it('is idempotent, and nothing dangerous survives it', () => {
    fc.assert(
      fc.property(rawPath, (raw) => {
        const result = canonicalPath(raw);
        if (!result.ok) return;
        expect(canonicalPath(result.path)).toEqual(result);
        expect(result.path).toMatch(/^(\/([A-Za-z0-9\-._~!$&'()*+,;=:@[\]|^]|%[0-9A-F]{2})*)+$/);
        expect(result.path).not.toMatch(/\/\/|%[01]|%7F|%5C|(^|\/)\.\.?(\/|$)/);
        expect(result.encodedSlash).toBe(result.path.includes('%2F'));
        // Another reader of the same path, by the rules of browsers, sees the same.
        expect(new URL(result.path, 'http://h').pathname.replaceAll('%5E', '^')).toBe(result.path);
      }),
      { numRuns: 2000 },
    );
  });
});

describe('laxPaths', () => {
  it.each(['/', '/orders', '/caf%C3%A9', '/a%20b', '/100%25', '/%252F', '/a(b)'])('%s has one reading', (raw) => {
    expect(readings(raw)).toEqual([]);
    expect(hasOneReading(path(raw))).toBe(true);
  });

  it.each([
    ['/admin;x=1', ['/admin']],
    ['/;x/admin', ['/admin']],
    ['/admin%28', ['/admin(']],
    ['/public%2Fadmin', ['/public/admin']],
    ['/a%2F%2Fb', ['/a/b']],
    ['/admin%3Fx', ['/admin']],
    ['/admin%23', ['/admin']],
    ['/admin%3Bx', ['/admin', '/admin;x']],
  ])('%s may be read as %j', (raw, expected) => {
    expect(readings(raw)).toEqual(expected);
  });

  it('finds what only one of two lax servers sees', () => {
    // Dropping parameters gives /a/c; cutting at the decoded `?` gives /a.
    expect(readings('/a;%3F/c')).toEqual(expect.arrayContaining(['/a/c', '/a']));
    // Parameters dropped before and after the slash is decoded.
    expect(readings('/a;%2Fx/c')).toEqual(expect.arrayContaining(['/a/c', '/a/x/c']));
  });

  it('gives up rather than guess, in bounded time', () => {
    expect(laxPaths(path('/a%28;b%3Bc%2Fd%3Fe/f%2Fg;h%3Bi%23'))).toBeUndefined();
    expect(laxPaths(path(`/${'%28'.repeat(5000)}`))).toBeUndefined();
    expect(laxPaths(path(`/${'%C3%A9'.repeat(2000)}`))).toEqual([]);
  });

  it('readings are canonical, without dot segments, and theirs are among them', () => {
    fc.assert(
      fc.property(fc.oneof(rawPath, oddPath), (raw) => {
        const result = canonicalPath(raw);
        if (!result.ok) return;
        const all = laxPaths(result.path);
        if (all === undefined) return;
        expect(all).not.toContain(result.path);
        expect(new Set(all).size).toBe(all.length);
        for (const reading of all) {
          expect(canonicalPath(reading)).toMatchObject({ ok: true, path: reading });
          for (const further of laxPaths(reading) ?? []) expect([result.path, ...all]).toContain(further);
        }
      }),
      { numRuns: 2000 },
    );
  });

  it('covers servers that decode, drop parameters and re-normalise, in either order', () => {
    const decode = (text: string): string => {
      try {
        return decodeURIComponent(text);
      } catch {
        return text;
      }
    };
    const drop = (text: string): string => text.replace(/;[^/]*/g, '');
    const merge = (text: string): string => text.replace(/\/+/g, '/');
    fc.assert(
      fc.property(fc.oneof(rawPath, oddPath), (raw) => {
        const result = canonicalPath(raw);
        if (!result.ok) return;
        const all = laxPaths(result.path);
        if (all === undefined) return;
        const seen = new Set([result.path, ...all].map((reading) => merge(decode(reading))));
        expect(seen).toContain(merge(decode(drop(result.path))));
        expect(seen).toContain(merge(drop(decode(result.path).replace(/[?#].*$/s, ''))));
      }),
      { numRuns: 2000 },
    );
  });
});

describe('prefixCovers', () => {
  it.each([
    ['/a', '/a', true],
    ['/a', '/a/', true],
    ['/a', '/a/b', true],
    ['/a', '/ab', false],
    ['/a/', '/a', true],
    ['/a/', '/a/b', true],
    ['/', '/', true],
    ['/', '/anything', true],
    ['/a/b', '/a', false],
    ['/A', '/a', false],
  ])('%s covers %s: %s', (prefix, of, expected) => {
    expect(prefixCovers(prefix, of)).toBe(expected);
  });
});
