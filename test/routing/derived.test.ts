import { describe, expect, it } from 'vitest';
import { Cells, Tracker } from '../../src/routing/cells.ts';
import { CompileMemory, compileSteps } from '../../src/routing/compile.ts';
import { Derived } from '../../src/routing/derived.ts';
import { finish } from '../../src/routing/steps.ts';
import { moments } from './moments.ts';
import { gate, gateRef, OPTIONS, parseAll, route, service } from './support.ts';

/** A step that reads one cell by its own name, and counts what it makes. */
function doubled() {
  const tracker = new Tracker();
  const numbers = new Cells<string, number>(tracker);
  const made: string[] = [];
  const step = new Derived<string, { readonly twice: number }>({
    tracker,
    stride: 8,
    same: (a, b) => a.twice === b.twice,
    make(key) {
      made.push(key);
      const number = numbers.get(key);
      return number === undefined ? undefined : { twice: number * 2 };
    },
  });
  const run = () => finish(step.run());
  return { numbers, step, made, run };
}

describe('Derived', () => {
  it('makes anew what was marked or read what is another now, and nothing else', () => {
    const { numbers, step, made, run } = doubled();
    for (const key of ['a', 'b']) {
      numbers.set(key, 1);
      step.mark(key);
    }
    expect(run().map(({ key, after }) => [key, after?.twice])).toEqual([
      ['a', 2],
      ['b', 2],
    ]);
    expect(run()).toEqual([]);
    numbers.set('a', 2);
    numbers.set('b', 1);
    expect(run()).toEqual([{ key: 'a', before: { twice: 2 }, after: { twice: 4 } }]);
    expect(made).toEqual(['a', 'b', 'a']);
  });

  it('keeps the value that says the same', () => {
    const { numbers, step, run } = doubled();
    numbers.set('a', 1);
    step.mark('a');
    run();
    const before = step.get('a');
    step.mark('a');
    expect(run()).toEqual([]);
    expect(step.get('a')).toBe(before);
  });

  it('is told of a value that was not there when it was read', () => {
    const tracker = new Tracker();
    const names = new Cells<string, string>(tracker);
    const step = new Derived<string, { readonly text: string }>({
      tracker,
      stride: 8,
      make: (key) => ({ text: names.get(`${key} of`) ?? 'nobody' }),
    });
    step.mark('a');
    finish(step.run());
    names.set('a of', 'n');
    expect(finish(step.run()).map(({ after }) => after)).toEqual([{ text: 'n' }]);
    names.set('a of', undefined);
    expect(finish(step.run()).map(({ after }) => after)).toEqual([{ text: 'nobody' }]);
  });

  it('remembers nothing of what is gone', () => {
    const { numbers, step, run } = doubled();
    for (let n = 0; n < 1000; n++) {
      numbers.set(`k${n}`, n);
      step.mark(`k${n}`);
      run();
      numbers.set(`k${n}`, undefined);
      run();
    }
    expect([...step.entries()]).toEqual([]);
    expect(numbers.size).toBe(0);
  });

  it('refuses to be part of another step', () => {
    const { numbers, step } = doubled();
    const tracker = new Tracker();
    tracker.begin({ stale: () => {} });
    expect(() => tracker.begin({ stale: () => {} })).toThrow();
    expect(numbers.peek('a')).toBe(undefined);
    expect(step.pending).toBe(false);
  });
});

describe('a memory', () => {
  const p = gate('n/p');
  const guarded = { serviceRef: { name: 's' }, plugins: [gateRef('p')] };
  const [one, two] = ['http://one', 'http://two'].map(
    (url) =>
      new Map(
        parseAll([
          service('n/s', url),
          p,
          route('n/r', ['a.x'], ['/'], guarded),
          route('n/q', ['b.x'], ['/'], guarded),
        ]).map((parsed, at) => [String(at), parsed]),
      ),
  );
  if (one === undefined || two === undefined) throw new Error('two worlds');

  it('keeps what does not change the very same value', () => {
    const memory = new CompileMemory();
    const next = moments();
    const first = finish(compileSteps(next(one), OPTIONS, memory));
    const verdicts = new Map(first.verdicts);
    const again = finish(compileSteps(next(new Map(one)), OPTIONS, memory));
    expect(again.table.exact.get('a.x')).toBe(first.table.exact.get('a.x'));
    expect(again.verdicts.size).toBe(4);
    for (const [key, verdict] of again.verdicts) expect(verdict).toBe(verdicts.get(key));
    expect(again.changed).toEqual({
      hosts: new Set(),
      plugins: new Set(),
      certificates: new Set(),
      verdicts: new Set(),
    });
    const other = finish(compileSteps(next(two), OPTIONS, memory));
    expect(other.table.exact.get('a.x')).not.toBe(first.table.exact.get('a.x'));
  });

  it('of a run that was given up is of no use, and not used', () => {
    const memory = new CompileMemory();
    const next = moments();
    finish(compileSteps(next(one), OPTIONS, memory));
    for (let steps = 0; steps < 60; steps++) {
      const given = compileSteps(next(two), OPTIONS, memory);
      for (let step = 0; step < steps; step++) given.next();
      const after = finish(compileSteps(next(one), OPTIONS, memory));
      const action = after.table.exact.get('a.x')?.paths.prefix?.[0]?.entry.action;
      expect(action?.kind === 'Forward' && action.backend.kind === 'Url' && action.backend.host).toBe('one');
    }
  });

  it('of another moment than the one before is not used', () => {
    const memory = new CompileMemory();
    const next = moments();
    finish(compileSteps(next(one), OPTIONS, memory));
    next(new Map());
    expect(finish(compileSteps(next(two), OPTIONS, memory)).changed).toBe(undefined);
  });
});
