import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createQuiet } from '../../src/control/quiet.ts';
import { handTime } from '../support/hand-time.ts';

const QUIET = 50;
const CEILING = 250;

function setUp() {
  const time = handTime();
  const runs: number[] = [];
  const quiet = createQuiet({
    timers: time.timers,
    now: time.now,
    quietMs: QUIET,
    ceilingMs: CEILING,
    run: () => runs.push(time.now()),
  });
  return { time, runs, quiet };
}

describe('quiet time', () => {
  it('waits until nothing has come for a while', () => {
    const { time, runs, quiet } = setUp();
    quiet.mark();
    time.move(40);
    quiet.mark();
    time.move(49);
    expect(runs).toEqual([]);
    time.move(1);
    expect(runs).toEqual([90]);
    time.move(1000);
    expect(runs).toEqual([90]);
  });

  it('does not wait longer than the ceiling', () => {
    const { time, runs, quiet } = setUp();
    for (let i = 0; i < 100; i += 1) {
      quiet.mark();
      time.move(10);
    }
    // Every mark comes within the quiet time of the one before, for a whole second.
    expect(runs).toEqual([250, 500, 750, 1000]);
  });

  it('F12 A163 a storm of marks causes bounded runs, none is lost, and one timer is set at most', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 400 }), { minLength: 1, maxLength: 200 }), (gaps) => {
        const { time, runs, quiet } = setUp();
        const marks: number[] = [];
        for (const gap of gaps) {
          time.move(gap);
          quiet.mark();
          marks.push(time.now());
          expect(time.pending()).toBe(1);
        }
        time.move(CEILING);
        expect(time.pending()).toBe(0);
        for (const mark of marks) {
          const run = runs.find((at) => at >= mark);
          expect(run === undefined ? Number.POSITIVE_INFINITY : run - mark).toBeLessThanOrEqual(CEILING);
        }
        for (const [i, at] of runs.entries()) expect(at - (runs[i - 1] ?? -QUIET)).toBeGreaterThanOrEqual(QUIET);
      }),
    );
  });

  it('runs nothing after its end', () => {
    const { time, runs, quiet } = setUp();
    quiet.mark();
    quiet.stop();
    time.move(1000);
    expect(runs).toEqual([]);
  });
});
