import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createParseMemo, type Origins } from '../../src/control/parse-memo.ts';
import type { Origin, SourceObject } from '../../src/control/source.ts';
import type { Parsed } from '../../src/resources/resource.ts';
import { finish } from '../../src/routing/steps.ts';
import { parseOne, service } from '../routing/support.ts';
import { handSource } from '../support/hand-source.ts';

const urlsOf = (all: { values(): Iterable<Parsed> }): unknown =>
  Array.from(all.values(), (parsed) => parsed.ok && parsed.value.kind === 'Service' && parsed.value.backend).sort(
    (a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1),
  );

describe('what a source holds, parsed', () => {
  it.each([true, false])('follows any changes, and tells exactly them (the source says which: %s)', (told) => {
    const stepArb = fc.array(
      fc.tuple(fc.constantFrom('a', 'b', 'c'), fc.option(fc.constantFrom('http://one', 'http://two'))),
    );
    fc.assert(
      fc.property(fc.array(stepArb), (steps) => {
        const { source, put, remove } = handSource(told);
        const look = createParseMemo(parseOne);
        const mine = new Map<Parsed, number>();
        for (const [at, changes] of steps.entries()) {
          for (const [id, url] of changes) url === null ? remove(id) : put(id, service(`n/${id}`, url));
          const { objects } = finish(look(source));
          expect(objects.moment).toBe(at + 1);
          for (const { before, after } of objects.changes.values()) {
            expect(before).not.toBe(after);
            if (before !== undefined) expect(mine.delete(before)).toBe(true);
            if (after !== undefined) mine.set(after, at);
          }
          expect(new Set(objects.all.values())).toEqual(new Set(mine.keys()));
          expect(urlsOf(objects.all)).toEqual(urlsOf(finish(createParseMemo(parseOne)(source)).objects.all));
        }
      }),
      { numRuns: 300 },
    );
  });

  it('knows where each object is, through any changes of what it is called, what it says and where it is', () => {
    // One document of one file is one object, and its place a value of its own.
    const places = new Map<string, Origin>();
    const placeOf = (id: string, file: string): Origin => {
      const known = places.get(`${id} ${file}`) ?? { file, line: () => 1 };
      places.set(`${id} ${file}`, known);
      return known;
    };
    const whereArb = fc.record({
      name: fc.constantFrom('x', 'y'),
      version: fc.nat(2),
      at: fc.constantFrom('a.yaml', 'b.yaml'),
    });
    const changesArb = fc.array(fc.tuple(fc.constantFrom('1', '2', '3'), fc.option(whereArb)));
    const filesOf = (origins: Origins): unknown =>
      [...origins].map(([key, all]) => `${key}: ${all.map(({ file }) => file).toSorted()}`).toSorted();
    fc.assert(
      fc.property(fc.array(changesArb), (steps) => {
        const objects = new Map<string, SourceObject>();
        const source = { objects: () => objects, changes: () => undefined };
        const look = createParseMemo(parseOne);
        for (const changes of steps) {
          for (const [id, where] of changes) {
            if (where === null) objects.delete(id);
            else {
              const { name, version, at } = where;
              const value = service(`n/${name}`, `http://v${version}`);
              objects.set(id, { value, version: `${name} ${version}`, origin: placeOf(id, at) });
            }
          }
          expect(filesOf(finish(look(source)).origins)).toEqual(
            filesOf(finish(createParseMemo(parseOne)(source)).origins),
          );
        }
      }),
      { numRuns: 300 },
    );
  });

  it('F14 looks at everything again after a run that failed, which counts as a moment of its own', () => {
    const { source, put } = handSource();
    let failing = false;
    const look = createParseMemo((value) => {
      if (failing) throw new Error('planted');
      return parseOne(value);
    });
    put('a', service('n/a', 'http://one'));
    finish(look(source));
    failing = true;
    put('b', service('n/b', 'http://one'));
    expect(() => finish(look(source))).toThrow('planted');
    failing = false;
    const { objects } = finish(look(source));
    expect([...objects.changes.keys()]).toEqual(['b']);
    expect(objects.moment).toBe(3);
  });

  it('F14 tells what a run that failed had parsed already', () => {
    const { source, put, remove } = handSource();
    const look = createParseMemo((value) => {
      if (JSON.stringify(value).includes('http://planted')) throw new Error('planted');
      return parseOne(value);
    });
    for (const id of ['a', 'c']) put(id, service(`n/${id}`, 'http://one'));
    const [before] = finish(look(source)).objects.all.values();
    put('a', service('n/a', 'http://two'));
    put('b', service('n/b', 'http://planted'));
    remove('c');
    expect(() => finish(look(source))).toThrow('planted');
    put('b', service('n/b', 'http://one'));
    const { objects } = finish(look(source));
    expect([...objects.changes.keys()].sort()).toEqual(['a', 'b', 'c']);
    expect(objects.changes.get('a')?.before).toBe(before);
    expect(objects.changes.get('c')?.after).toBeUndefined();
  });
});
