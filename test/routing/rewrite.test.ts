import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canonicalPath, laxPaths, type RoutePath } from '../../src/resources/path.ts';
import { rewritePath } from '../../src/routing/rewrite.ts';

function pathOf(text: string): RoutePath {
  const path = canonicalPath(text);
  if (!path.ok) throw new Error(`not a path: ${text}`);
  return path.path;
}

const rewritten = (matched: string, prefix: string, path: string): string | undefined =>
  rewritePath({ kind: 'Prefix', prefix }, { type: 'Prefix', value: pathOf(matched) }, pathOf(path));

describe('rewritten paths', () => {
  // Gateway API, HTTPPathModifier.
  it.each([
    ['/foo', '/xyz', '/foo/bar', '/xyz/bar'],
    ['/foo', '/xyz', '/foo', '/xyz'],
    ['/foo', '/xyz', '/foo/', '/xyz/'],
    ['/foo', '', '/foo/bar', '/bar'],
    ['/foo', '', '/foo/', '/'],
    ['/foo', '', '/foo', '/'],
    ['/', '/xyz', '/', '/xyz/'],
    ['/', '/xyz', '/bar', '/xyz/bar'],
    ['/', '', '/', '/'],
  ])('%s to %s: %s becomes %s', (matched, prefix, path, expected) => {
    expect(rewritten(matched, prefix, path)).toBe(expected);
  });

  it('A005 a path that is not below the prefix is not rewritten', () => {
    expect(rewritten('/foo', '', '/foobar')).toBeUndefined();
    expect(rewritten('/foo', '', '/bar/foo')).toBeUndefined();
    expect(
      rewritePath({ kind: 'Prefix', prefix: '' }, { type: 'Exact', value: pathOf('/foo') }, pathOf('/foo')),
    ).toBeUndefined();
  });

  it('A004 A005 A007 A008 A016 whatever is asked for, what is left is canonical, below the prefix, and nobody else’s', () => {
    const piece = fc.constantFrom(
      'a',
      '/',
      '..',
      '.',
      ';',
      ';x',
      '%2F',
      '%3B',
      '%3F',
      '%23',
      '%2e',
      '_oidc',
      '//',
      '%20',
      '%5B',
    );
    let kept = 0;
    fc.assert(
      fc.property(
        fc.constantFrom('/', '/a', '/a/b'),
        fc.constantFrom('', '/to', '/to/b'),
        fc.array(piece, { maxLength: 8 }),
        (matched, prefix, pieces) => {
          const asked = canonicalPath(`${matched === '/' ? '' : matched}/${pieces.join('')}`);
          if (!asked.ok) return;
          const path = rewritePath({ kind: 'Prefix', prefix }, { type: 'Prefix', value: pathOf(matched) }, asked.path);
          if (path === undefined) return;
          kept += 1;
          const again = canonicalPath(path);
          expect(again.ok && again.path).toBe(path);
          for (const reading of [path, ...(laxPaths(path) ?? ['no reading'])]) {
            expect(reading).toMatch(/^\/(?!\/)/);
            expect(reading === prefix || reading.startsWith(`${prefix}/`)).toBe(true);
            expect(reading).not.toMatch(/^\/_oidc(\/|$)/);
            expect(reading).not.toMatch(/(^|\/)\.\.?(\/|$)/);
          }
          // As a browser would resolve it, it stays at its authority.
          expect(new URL(path, 'http://service.example').host).toBe('service.example');
        },
      ),
      { numRuns: 5000 },
    );
    expect(kept).toBeGreaterThan(500);
  });
});
