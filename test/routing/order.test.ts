import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { contentHash } from '../../src/control/content-hash.ts';
import { compile } from '../../src/routing/compile.ts';
import { describeTable } from '../../src/routing/describe.ts';
import type { Compiled } from '../../src/routing/snapshot.ts';
import { OPTIONS, parseAll } from './support.ts';
import { troubledWorldArb } from './worlds.ts';

const content = ({ table, plugins, certificates }: Compiled): unknown => contentHash({ table, plugins, certificates });

describe('order of arrival', () => {
  it('changes nothing of what is compiled', () => {
    const shuffledArb = troubledWorldArb.chain((world) =>
      fc.tuple(fc.constant(world), fc.shuffledSubarray([...world], { minLength: world.length })),
    );
    fc.assert(
      fc.property(shuffledArb, ([world, shuffled]) => {
        const one = compile(parseAll(world), OPTIONS);
        const other = compile(parseAll(shuffled), OPTIONS);
        expect(content(other)).toEqual(content(one));
        // The hash takes Maps as sets; people and golden files see their order.
        expect([...other.verdicts]).toEqual([...one.verdicts]);
        expect(JSON.stringify(describeTable(other.table))).toBe(JSON.stringify(describeTable(one.table)));
      }),
      { numRuns: 1500 },
    );
  }, 120_000);
});
