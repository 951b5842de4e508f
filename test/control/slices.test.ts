import { describe, expect, it } from 'vitest';
import { runInSlices } from '../../src/control/slices.ts';
import type { Steps } from '../../src/routing/steps.ts';
import { harness } from './harness.ts';
import { route, service } from './objects.ts';

function* count(to: number, done: number[]): Steps<number> {
  for (let i = 0; i < to; i++) {
    done.push(i);
    yield;
  }
  return to;
}

describe('work in slices', () => {
  it('F12 holds the loop up no longer than a slice: the rest waits for later turns', () => {
    let clock = 0;
    const turns: (() => void)[] = [];
    const done: number[] = [];
    const outcomes: unknown[] = [];
    const options = { nextTurn: (run: () => void) => turns.push(run), now: () => clock++, sliceMs: 3 };
    runInSlices(count(8, done), options, (outcome) => outcomes.push(outcome));
    expect(done).toEqual([0, 1, 2]);
    turns.shift()?.();
    expect(done).toEqual([0, 1, 2, 3, 4, 5]);
    expect(outcomes).toEqual([]);
    turns.shift()?.();
    expect(outcomes).toEqual([{ kind: 'Done', value: 8 }]);
    expect(turns).toEqual([]);
  });

  it('a step that throws ends the work, and stopping it leaves the rest undone', () => {
    const turns: (() => void)[] = [];
    const options = { nextTurn: (run: () => void) => turns.push(run), now: () => 0, sliceMs: 0 };
    const outcomes: unknown[] = [];
    const fault = new Error('x');
    // biome-ignore lint/correctness/useYield: it throws before.
    function* broken(): Steps<void> {
      throw fault;
    }
    runInSlices(broken(), options, (outcome) => outcomes.push(outcome));
    expect(outcomes).toEqual([{ kind: 'Failed', error: fault }]);

    const done: number[] = [];
    const stop = runInSlices(count(3, done), options, (outcome) => outcomes.push(outcome));
    stop();
    turns.shift()?.();
    expect(done).toEqual([0]);
    expect(outcomes).toHaveLength(1);
  });
});

describe('a change in slices', () => {
  const run = (turns: (() => void)[]): void => {
    for (let turn = turns.shift(); turn !== undefined; turn = turns.shift()) turn();
  };

  it('F12 F16 the old snapshot serves until the new one is whole, and a change meanwhile is not lost', async () => {
    const turns: (() => void)[] = [];
    const { control, source, time, publications } = harness({ nextTurn: (next) => turns.push(next), sliceMs: 0 });
    source.set('s', service('web'));
    source.set('r', route('first', 'web'));
    const started = control.start();
    await Promise.resolve();
    await Promise.resolve();
    expect(control.current()).toBeUndefined();
    run(turns);
    await started;
    const first = control.current();
    expect(publications).toHaveLength(1);

    source.set('r2', route('second', 'web'));
    time.move(250);
    turns.shift()?.();
    expect(control.current()).toBe(first);
    source.set('r3', route('third', 'web'));
    time.move(250);
    expect(control.current()).toBe(first);
    run(turns);
    expect([...control.verdicts().keys()]).toContain('Route/shop/second');
    time.move(250);
    run(turns);
    expect([...control.verdicts().keys()].filter((key) => key.startsWith('Route/'))).toHaveLength(3);
    await control.stop();
  });

  it('ends with the control loop: nothing is published after stop', async () => {
    const turns: (() => void)[] = [];
    const { control, source, time, publications } = harness({ nextTurn: (next) => turns.push(next), sliceMs: 0 });
    const started = control.start();
    await Promise.resolve();
    await Promise.resolve();
    run(turns);
    await started;
    source.set('s', service('web'));
    time.move(250);
    turns.shift()?.();
    await control.stop();
    run(turns);
    expect(publications).toHaveLength(1);
    expect(control.current()).toBeUndefined();
  });
});
