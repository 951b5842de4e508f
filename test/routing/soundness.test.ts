import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { change, isBroken, widened } from './changes.ts';
import { inSuccession } from './moments.ts';
import { probesOf } from './probes.ts';
import { OPTIONS, parseOne } from './support.ts';
import { isRaw, mutationArb, troubledWorldArb } from './worlds.ts';

const runs = Number(process.env['SOUNDNESS_RUNS'] ?? 2500);

describe('A107 A175 A176: what breaks stays closed', () => {
  it('breaking any object widens nothing', () => {
    let meant = 0;
    fc.assert(
      fc.property(troubledWorldArb, fc.nat({ max: 30 }), mutationArb, (world, index, mutation) => {
        const changed = change(world, index, mutation);
        if (changed === undefined || parseOne(changed.target)?.ok !== true) return;
        const { compile } = inSuccession(OPTIONS, false);
        const before = compile(world);
        const after = compile(changed.after);
        if (!isBroken(changed.target, changed.broken, after)) return;
        meant += 1;
        expect(widened(before, after, probesOf(world.filter(isRaw)))).toEqual([]);
      }),
      { numRuns: runs },
    );
    expect(meant).toBeGreaterThan(runs / 5);
  }, 300_000);

  it('deleting anything but a Route widens nothing', () => {
    fc.assert(
      fc.property(troubledWorldArb, fc.nat({ max: 30 }), (world, index) => {
        const changed = change(world, index, undefined);
        if (changed === undefined) return;
        const { compile } = inSuccession(OPTIONS, false);
        const before = compile(world);
        const after = compile(changed.after);
        expect(widened(before, after, probesOf(world.filter(isRaw)))).toEqual([]);
      }),
      { numRuns: runs },
    );
  }, 300_000);
});
