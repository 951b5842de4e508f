import { describe, expect, it } from 'vitest';
import type { Publication } from '../../src/control/control.ts';
import { objectNames } from '../../src/observe/metrics/object-names.ts';
import { verdictCounts } from '../../src/observe/metrics/verdict-counts.ts';
import { publication } from './publications.ts';

const routes = (...names: readonly string[]): Readonly<Record<string, readonly string[]>> =>
  Object.fromEntries(names.map((name) => [name, []]));

describe('counts of verdicts', () => {
  it('are those of all, though only what changed is looked at', () => {
    const counts = verdictCounts();
    const of = (now: ReturnType<typeof publication>, changed = now.changed): unknown =>
      counts({ ...now, changed }).kinds.map(({ kind, number }) => `${number} ${kind}`);
    const first = publication({ routes: routes('n/a', 'n/b') });
    expect(of(first)).toEqual(['2 Route']);
    expect(of(first, [])).toEqual(['2 Route']);
    const more = publication({ routes: routes('n/a', 'n/b', 'n/c') });
    expect(
      of(
        more,
        more.changed.filter(({ key }) => key.endsWith('/c')),
      ),
    ).toEqual(['3 Route']);
    // One that is gone and wasn't told, as after a publication that was missed.
    expect(of(first, [])).toEqual(['2 Route']);
  });
});

describe('names of objects', () => {
  it('are told where they are others, and only there', () => {
    const names = objectNames();
    let before: Publication | undefined;
    const told = (given: Parameters<typeof publication>[0]): unknown => {
      before = publication(given, 1, before);
      return names(before)?.routes.size;
    };
    expect(told({ routes: routes('n/a') })).toBe(1);
    expect(told({ routes: routes('n/a') })).toBeUndefined();
    expect(told({ routes: { 'n/a': ['admins'] } })).toBe(1);
    expect(told({ routes: { 'n/a': ['admins'] } })).toBeUndefined();
    expect(told({ routes: { 'n/a': ['users'] } })).toBe(1);
    expect(told({ routes: routes('n/b') })).toBe(1);
    expect(told({ routes: routes('n/b'), services: ['n/s'] })).toBe(1);
    expect(told({ routes: routes('n/b') })).toBe(1);
    expect(told({})).toBe(0);
  });
});
