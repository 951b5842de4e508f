import { describe, expect, it } from 'vitest';
import { createBeginnings } from '../../../../src/plugins/oidc/provider/beginnings.ts';

function stage(cost: number) {
  let time = 0;
  const turns: (() => void)[] = [];
  const ran: number[] = [];
  const begin = createBeginnings({ nextTurn: (run) => void turns.push(run), now: () => time });
  return {
    ran,
    turns,
    add: (n: number) =>
      begin(() => {
        ran.push(n);
        time += cost;
      }),
    turn: () => turns.shift()?.(),
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
});
