import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FairQueue } from '../../../src/sources/kubernetes/fair-queue.ts';

const namespaceOf = (key: string): string => key.split('/', 1)[0] ?? '';
const queueOf = (ranks = 1): FairQueue<string> => new FairQueue(namespaceOf, ranks);

function drained(queue: FairQueue<string>, most = 100): readonly string[] {
  const order: string[] = [];
  for (let key = queue.next(); key !== undefined && order.length < most; key = queue.next()) {
    queue.take(key);
    order.push(key);
  }
  return order;
}
const many = (namespace: string, count: number): readonly string[] =>
  Array.from({ length: count }, (_, index) => `${namespace}/${index}`);

describe('a fair queue', () => {
  it('invariant 8: thousands of objects of one namespace hold up no other', () => {
    const queue = queueOf();
    for (const key of many('evil', 5000)) queue.add(key);
    expect(drained(queue, 10)).toHaveLength(10);
    for (const key of ['shop/a', 'web/b', 'shop/a', 'shop/c']) queue.add(key);
    expect(drained(queue, 6)).toEqual(['shop/a', 'web/b', 'evil/10', 'shop/c', 'evil/11', 'evil/12']);
    expect(queue.size).toBe(4987);
  });

  it('passes over what may not go now, which keeps its place', () => {
    const queue = queueOf();
    for (const key of ['a/1', 'a/2', 'b/1']) queue.add(key);
    expect(queue.next((key) => key !== 'a/1')).toBe('a/2');
    expect(queue.next((key) => key.startsWith('b'))).toBe('b/1');
    expect(queue.next(() => false)).toBeUndefined();
    expect(queue.has('a/1')).toBe(true);
    expect(drained(queue)).toEqual(['a/1', 'b/1', 'a/2']);
    expect(queue.has('a/1')).toBe(false);
  });

  it('gives a turn back that came to nothing', () => {
    const queue = queueOf();
    for (const key of ['a/1', 'a/2', 'b/1', 'b/2']) queue.add(key);
    expect(drained(queue, 2)).toEqual(['a/1', 'b/1']);
    queue.giveBack('b/1');
    queue.giveBack('a/1');
    expect(drained(queue)).toEqual(['b/1', 'a/1', 'b/2', 'a/2']);
    queue.giveBack('a/1');
    expect(drained(queue)).toEqual(['a/1']);
  });

  it('of the oldest of the namespace that has most can be spared first', () => {
    const queue = queueOf();
    for (const key of ['a/1', 'b/1', 'b/2', 'b/3', 'c/1']) queue.add(key);
    const spared: (string | undefined)[] = [];
    for (let count = 0; count < 3; count += 1) {
      const key = queue.surplus();
      spared.push(key);
      if (key !== undefined) queue.delete(key);
    }
    expect(spared).toEqual(['b/1', 'b/2', 'a/1']);
    expect(drained(queue)).toEqual(['b/3', 'c/1']);
    expect(queue.surplus()).toBeUndefined();
  });
});

describe('ranks of a fair queue', () => {
  it('take turns: what is alone in its rank waits for a few only', () => {
    const queue = queueOf(3);
    for (const key of many('a', 1000)) queue.add(key, 1);
    drained(queue, 3);
    queue.add('a/urgent', 0);
    queue.add('a/ordinary', 2);
    const next = drained(queue, 4);
    expect(next).toContain('a/urgent');
    expect(next).toContain('a/ordinary');
  });

  it('let what is urgent go at once, though thousands of namespaces wait', () => {
    const queue = queueOf(2);
    for (let index = 0; index < 2000; index += 1) for (const key of many(`n${index}`, 2)) queue.add(key);
    // The namespace had its turn in this round, the other one didn't.
    expect(drained(queue, 1)).toEqual(['n0/0']);
    queue.add('n0/urgent', 0);
    queue.add('n1999/urgent', 0);
    queue.add('new/urgent', 0);
    expect([...drained(queue, 3)].sort()).toEqual(['n0/urgent', 'n1999/urgent', 'new/urgent']);
    // What waited and is urgent now moves; what is urgent stays so.
    queue.add('n5/1', 0);
    queue.add('n5/1', 1);
    expect(drained(queue, 1)).toEqual(['n5/1']);
  });

  it('invariant 8: thousands of urgent ones of one namespace hold up what is ordinary in no other', () => {
    const queue = queueOf(2);
    for (const key of many('evil', 5000)) queue.add(key, 0);
    for (const key of [...many('shop', 20), ...many('web', 20)]) queue.add(key);
    const order = drained(queue, 64);
    expect(order.filter((key) => !key.startsWith('evil'))).toHaveLength(40);
  });

  it('invariant 8: nor do those that come one by one, each when the one before had its turn', () => {
    const queue = queueOf(2);
    for (const key of many('shop', 20)) queue.add(key);
    let evil = 0;
    for (let turn = 0; turn < 1000 && queue.has('shop/19'); turn += 1) {
      queue.add(`evil/${turn}`, 0);
      const key = queue.next() ?? '';
      queue.take(key);
      if (key.startsWith('evil')) evil += 1;
    }
    expect(evil).toBeGreaterThan(10);
    expect(evil).toBeLessThan(30);
  });

  const step = fc.record({
    namespace: fc.constantFrom('a', 'b', 'c', 'd'),
    rank: fc.nat(2),
    add: fc.nat(3),
    take: fc.nat(3),
  });
  it('whatever comes, each has its turn once, and whoever waits all the time has as many as any other, but for a few', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const queue = queueOf(3);
        const waiting = new Set<string>(many('steady', 1000));
        for (const key of waiting) queue.add(key, 2);
        const turns = new Map<string, number>();
        let serial = 0;
        for (const { namespace, rank, add, take } of steps) {
          for (let count = 0; count < add; count += 1) {
            serial += 1;
            queue.add(`${namespace}/${serial}`, rank);
            waiting.add(`${namespace}/${serial}`);
          }
          for (let count = 0; count < take; count += 1) {
            const key = queue.next() ?? '';
            expect(waiting.delete(key)).toBe(true);
            queue.take(key);
            turns.set(namespaceOf(key), (turns.get(namespaceOf(key)) ?? 0) + 1);
          }
          expect(queue.size).toBe(waiting.size);
          for (const [, count] of turns) expect(count).toBeLessThanOrEqual((turns.get('steady') ?? 0) + 6);
        }
        expect(new Set(drained(queue, 2000))).toEqual(waiting);
      }),
    );
  });
});
