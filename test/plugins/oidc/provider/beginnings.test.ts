import { describe, expect, it } from 'vitest';
import { createBeginnings } from '../../../../src/plugins/oidc/provider/beginnings.ts';

function stage(cost: number) {
  let time = 0;
  const turns: (() => void)[] = [];
  const timers = new Set<() => void>();
  const ran: number[] = [];
  const ends: (() => void)[] = [];
  const begin = createBeginnings({
    nextTurn: (run) => void turns.push(run),
    now: () => time,
    after(_ms, run) {
      timers.add(run);
      return () => void timers.delete(run);
    },
  });
  return {
    ran,
    turns,
    ends,
    timers,
    add: (n: number) =>
      begin(() => {
        ran.push(n);
        time += cost;
        const { promise, resolve } = Promise.withResolvers<void>();
        ends.push(resolve);
        return promise;
      }),
    turn: () => turns.shift()?.(),
    allTurns() {
      while (turns.length > 0) turns.shift()?.();
    },
  };
}

describe('beginnings', () => {
  it('holds no turn up for longer than a millisecond and one beginning', () => {
    const { add, turn, ran, turns } = stage(0.4);
    for (let n = 0; n < 7; n++) add(n);
    expect(ran).toEqual([]);
    const after: number[] = [];
    while (turns.length > 0) {
      expect(turns.length).toBe(1);
      turn();
      after.push(ran.length);
    }
    expect(after).toEqual([3, 6, 7]);
    expect(ran).toEqual([0, 1, 2, 3, 4, 5, 6]);
  });

  it('begins what comes later too, and not what was cancelled meanwhile', () => {
    const { add, turn, ran, turns } = stage(1);
    add(1);
    const cancel = add(2);
    turn();
    cancel();
    turn();
    expect([ran, turns.length]).toEqual([[1], 0]);
    add(3);
    turn();
    expect([ran, turns.length]).toEqual([[1, 3], 0]);
  });

  it('has 64 under way at a time; what ended or takes long makes room', async () => {
    const { add, allTurns, ran, ends, timers } = stage(0);
    for (let n = 0; n < 72; n++) add(n);
    allTurns();
    expect(ran.length).toBe(64);
    ends[5]?.();
    await new Promise((resolve) => setImmediate(resolve));
    allTurns();
    expect([ran.length, timers.size]).toEqual([65, 64]);
    // The same twice: one that was long, and then ended.
    const [long] = timers;
    long?.();
    ends[0]?.();
    await new Promise((resolve) => setImmediate(resolve));
    allTurns();
    expect(ran.length).toBe(66);
    for (const each of [...timers]) each();
    allTurns();
    expect(ran.length).toBe(72);
  });
});
