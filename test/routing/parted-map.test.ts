import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PartedMap } from '../../src/routing/parted-map.ts';
import { finish } from '../../src/routing/steps.ts';

const textArb = fc.oneof(fc.constantFrom('', 'a', 'b.example', 'x'.repeat(40), `x${'y'.repeat(39)}`), fc.string());
const changesArb = fc.array(fc.array(fc.tuple(textArb, fc.option(fc.nat(), { nil: undefined })), { maxLength: 20 }));

describe('a map in parts', () => {
  it('is as a Map after any changes, and the ones before stay as they were', () => {
    fc.assert(
      fc.property(changesArb, (all) => {
        let map = PartedMap.empty<number>();
        const mine = new Map<string, number>();
        const kept: (readonly [PartedMap<number>, readonly (readonly [string, number])[]])[] = [];
        for (const changes of all) {
          const changed = new Map(changes);
          for (const [key, value] of changed) value === undefined ? mine.delete(key) : mine.set(key, value);
          map = finish(map.with(changed));
          kept.push([map, [...mine].sort()]);
        }
        for (const [one, members] of kept) {
          expect([...one].sort()).toEqual(members);
          expect(one.size).toBe(members.length);
          expect([...one.keys()].sort()).toEqual(members.map(([key]) => key).sort());
          expect([...one.values()].sort()).toEqual(members.map(([, value]) => value).sort());
          for (const [key, value] of members) expect([one.get(key), one.has(key)]).toEqual([value, true]);
          expect([one.get('nowhere at all'), one.has('nowhere at all')]).toEqual([undefined, false]);
        }
      }),
      { numRuns: 300 },
    );
  });

  it('is the same where nothing changes, and shares what does not', () => {
    const names = Array.from({ length: 5000 }, (_, n) => `host-${n}.example.com`);
    const whole = finish(PartedMap.empty<object>().with(new Map(names.map((name) => [name, {}]))));
    expect(finish(whole.with(new Map()))).toBe(whole);
    const steps = [...whole.with(new Map([['host-1.example.com', {}]]))].length;
    expect(steps).toBe(1);
  });
});
