import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Order, sorted } from '../../src/routing/sorted.ts';
import { finish } from '../../src/routing/steps.ts';

const compare = (a: string, b: string): number => (a < b ? -1 : 1);
const membersArb = fc.uniqueArray(fc.string({ maxLength: 3 }), { maxLength: 700 });

describe('sorting in steps', () => {
  it('sorts as Array.sort does, and compares no more than a few thousand in one step', () => {
    fc.assert(
      fc.property(membersArb, (members) => {
        expect(finish(sorted(members, compare))).toEqual([...members].sort(compare));
      }),
    );
    let compared = 0;
    let most = 0;
    const counting = (a: string, b: string): number => {
      compared += 1;
      return compare(a, b);
    };
    const shuffled = Array.from({ length: 10_000 }, (_, i) => String((i * 7919) % 10_007));
    for (const _ of sorted(shuffled, counting)) {
      most = Math.max(most, compared);
      compared = 0;
    }
    expect(most).toBeLessThan(3000);
  });

  it('gives the same order whatever was sorted before', () => {
    fc.assert(
      fc.property(fc.array(membersArb, { minLength: 2, maxLength: 5 }), (rounds) => {
        const order = new Order(compare);
        for (const members of [...rounds, rounds.at(-1) ?? []])
          expect(finish(order.of(new Set(members)))).toEqual([...members].sort(compare));
      }),
    );
  });

  it('compares little where little is new', () => {
    let compared = 0;
    const order = new Order<number>((a, b) => {
      compared += 1;
      return a - b;
    });
    const members = new Set(Array.from({ length: 10_000 }, (_, i) => (i * 7919) % 10_007));
    finish(order.of(members));
    compared = 0;
    finish(order.of(members));
    expect(compared).toBe(0);
    members.add(5000.5);
    members.delete(7);
    finish(order.of(members));
    expect(compared).toBeLessThanOrEqual(10_000);
  });
});
