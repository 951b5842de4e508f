import { describe, expect, it } from 'vitest';
import { CompileMemory, compileSteps } from '../../src/routing/compile.ts';
import { Memo, Recorder, Watched } from '../../src/routing/memo.ts';
import { finish } from '../../src/routing/steps.ts';
import { gate, gateRef, OPTIONS, parseAll, route, service } from './support.ts';

describe('Memo', () => {
  const recorder = new Recorder();

  it('makes anew what has another input or read something that is another now, and nothing else', () => {
    const memo = new Memo<string, string>(recorder);
    const world = new Watched<string, number>(recorder);
    const made: string[] = [];
    const ask = (key: string, input: unknown): string =>
      memo.get(key, [input], () => {
        made.push(key);
        return `${key} ${world.get(key)}`;
      });
    finish(world.become({ get: () => 1 }));
    expect([ask('a', 1), ask('b', 1)]).toEqual(['a 1', 'b 1']);
    finish(memo.turn());
    finish(world.become({ get: (key) => (key === 'a' ? 2 : 1) }));
    expect([ask('a', 1), ask('b', 1)]).toEqual(['a 2', 'b 1']);
    finish(memo.turn());
    finish(world.become({ get: (key) => (key === 'a' ? 2 : 1) }));
    expect([ask('a', 1), ask('b', 2)]).toEqual(['a 2', 'b 1']);
    expect(made).toEqual(['a', 'b', 'a', 'b']);
  });

  it('forgets what a run does not ask for, so that no change is missed meanwhile', () => {
    const memo = new Memo<string, number>(recorder);
    const world = new Watched<string, number>(recorder);
    for (const now of [1, 2, 2]) {
      finish(world.become({ get: () => now }));
      if (now === 1) memo.get('a', [], () => world.get('x'));
      finish(memo.turn());
    }
    expect(memo.size).toBe(0);
    expect(memo.get('a', [], () => world.get('x'))).toBe(2);
  });

  it('refuses a lookup that is not of this run', () => {
    const world = new Watched<string, number>(recorder);
    expect(() => world.get('x')).toThrow();
    finish(world.become({ get: () => 1 }));
    world.end();
    expect(() => world.get('x')).toThrow();
  });
});

describe('a memory', () => {
  const p = gate('n/p');
  const guarded = { serviceRef: { name: 's' }, plugins: [gateRef('p')] };
  const worlds = [service('n/s', 'http://one'), service('n/s', 'http://two')].map((s) =>
    parseAll([s, p, route('n/r', ['a.x'], ['/'], guarded), route('n/q', ['b.x'], ['/'], guarded)]),
  );

  it('keeps what does not change the very same value', () => {
    const memory = new CompileMemory();
    const [one = [], two = []] = worlds;
    const first = finish(compileSteps(one, OPTIONS, memory));
    const again = finish(compileSteps([...one], OPTIONS, memory));
    expect(again.table.exact.get('a.x')).toBe(first.table.exact.get('a.x'));
    expect(again.verdicts.size).toBe(4);
    for (const [key, verdict] of again.verdicts) expect(verdict).toBe(first.verdicts.get(key));
    const other = finish(compileSteps(two, OPTIONS, memory));
    expect(other.table.exact.get('a.x')).not.toBe(first.table.exact.get('a.x'));
  });

  it('of a run that was given up is of no use, and not used', () => {
    const memory = new CompileMemory();
    const [one = [], two = []] = worlds;
    finish(compileSteps(one, OPTIONS, memory));
    for (let steps = 0; steps < 60; steps++) {
      const given = compileSteps(two, OPTIONS, memory);
      for (let step = 0; step < steps; step++) given.next();
      const after = finish(compileSteps(one, OPTIONS, memory));
      const action = after.table.exact.get('a.x')?.paths.prefix?.[0]?.entry.action;
      expect(action?.kind === 'Forward' && action.backend.kind === 'Url' && action.backend.host).toBe('one');
    }
  });
});
