import { expect, it } from 'vitest';
import { FairQueue } from '../../../../src/sources/kubernetes/status/fair-queue.ts';

const drained = (queue: FairQueue, most = 100): readonly string[] => {
  const order: string[] = [];
  for (const key of queue) {
    queue.take(key);
    order.push(key);
    if (order.length === most) break;
  }
  return order;
};

it('invariant 8: thousands of objects of one namespace hold up no other', () => {
  const queue = new FairQueue();
  for (let i = 0; i < 5000; i++) queue.add(`Route/evil/r${i}`);
  expect(drained(queue, 10)).toHaveLength(10);
  queue.add('Route/shop/a');
  queue.add('OidcPlugin/web/b');
  queue.add('Route/shop/a');
  expect(drained(queue, 5)).toEqual([
    'Route/evil/r10',
    'Route/shop/a',
    'OidcPlugin/web/b',
    'Route/evil/r11',
    'Route/evil/r12',
  ]);
  queue.addFirst('Route/shop/c');
  expect(drained(queue, 2)).toEqual(['Route/shop/c', 'Route/evil/r13']);
});

it('offers what is left where it is once, and what comes meanwhile', () => {
  const queue = new FairQueue();
  for (const key of ['Route/a/1', 'Route/a/2', 'Route/b/1']) queue.add(key);
  const offered: string[] = [];
  for (const key of queue) {
    offered.push(key);
    if (key === 'Route/b/1') queue.take(key);
    if (offered.length === 2) queue.add('Route/c/1');
  }
  expect(offered).toEqual(['Route/a/1', 'Route/b/1', 'Route/c/1', 'Route/a/2']);
  expect(queue.has('Route/a/1')).toBe(true);
  expect(queue.has('Route/b/1')).toBe(false);
});
