import fc from 'fast-check';
import { expect, it } from 'vitest';
import { type Placed, Running } from '../../../src/proxy/upstream/running.ts';

it('holds what a Set would hold, whatever is added and removed', () => {
  const steps = fc.array(fc.record({ add: fc.boolean(), member: fc.nat(9) }), { maxLength: 60 });
  fc.assert(
    fc.property(steps, (all) => {
      const members: Placed[] = Array.from({ length: 10 }, () => ({ place: 0 }));
      const running = new Running<Placed>();
      const model = new Set<Placed>();
      for (const { add, member } of all) {
        const one = members[member];
        if (one === undefined) continue;
        if (!add) {
          running.remove(one);
          model.delete(one);
        } else if (!model.has(one)) {
          running.add(one);
          model.add(one);
        }
        const seen = new Set<Placed>();
        running.each((each) => seen.add(each));
        expect(seen).toEqual(model);
        expect(running.size).toBe(model.size);
      }
    }),
  );
});

it('visits each member once though all are taken out meanwhile', () => {
  const running = new Running<Placed>();
  const members = [{ place: 0 }, { place: 0 }, { place: 0 }];
  for (const member of members) running.add(member);
  let visits = 0;
  running.each((member) => {
    visits += 1;
    running.remove(member);
  });
  expect([visits, running.size]).toEqual([3, 0]);
});
