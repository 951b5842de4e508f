import { describe, expect, it } from 'vitest';
import { OverloadMarks, type Pressure } from '../../../src/proxy/overload/marks.ts';
import { MemoryGauge, oldGenerationLimit } from '../../../src/proxy/overload/memory.ts';
import { watchOverload } from '../../../src/proxy/overload/watch.ts';

const CALM: Pressure = { memory: 0.3, delay: 1 };
const marks = () => new OverloadMarks({ memory: 0.9, loopDelay: 500 });

describe('F48 memory', () => {
  it('sheds at its mark, and until it is well below', () => {
    const overload = marks();
    const seen = [0.89, 0.9, 0.88, 0.851, 0.849, 0.89].map((memory) => {
      overload.sample({ ...CALM, memory });
      return overload.shedding;
    });
    expect(seen).toEqual([undefined, 'memory', 'memory', 'memory', undefined, undefined]);
  });

  it('refuses connections beyond half of what is left', () => {
    const overload = marks();
    const seen = [0.94, 0.951, 0.94].map((memory) => {
      overload.sample({ ...CALM, memory });
      return overload.refusing;
    });
    expect(seen).toEqual([false, true, false]);
  });

  it('tells of the beginning and the end of an episode, once each', () => {
    const overload = marks();
    const turns = [0.5, 0.92, 0.93, 0.5, 0.5].flatMap((memory) => overload.sample({ ...CALM, memory }));
    expect(turns.map(({ cause, over }) => [cause, over])).toEqual([
      ['memory', true],
      ['memory', false],
    ]);
  });

  it('off is off', () => {
    const overload = new OverloadMarks({ memory: Number.POSITIVE_INFINITY, loopDelay: Number.POSITIVE_INFINITY });
    for (let i = 0; i < 5; i++) overload.sample({ memory: 1, delay: 60_000 });
    expect([overload.shedding, overload.refusing]).toEqual([undefined, false]);
  });
});

describe('F48 the event loop', () => {
  it('has to be late twice in a row: one long pause is no overload (F29)', () => {
    const overload = marks();
    for (const delay of [5000, 10, 5000, 10]) {
      overload.sample({ ...CALM, delay });
      expect(overload.shedding).toBeUndefined();
    }
    overload.sample({ ...CALM, delay: 501 });
    overload.sample({ ...CALM, delay: 501 });
    expect(overload.shedding).toBe('loop_delay');
  });

  it('has to be on time for a second before it counts as that', () => {
    const overload = marks();
    for (const delay of [600, 600]) overload.sample({ ...CALM, delay });
    for (const delay of [...Array<number>(9).fill(10), 260, ...Array<number>(9).fill(10)])
      overload.sample({ ...CALM, delay });
    expect(overload.shedding).toBe('loop_delay');
    overload.sample(CALM);
    expect(overload.shedding).toBeUndefined();
  });
});

describe('the memory that there is', () => {
  const MIB = 1024 * 1024;

  it('is what V8 leaves to the old generation', () => {
    expect(oldGenerationLimit('--max-semi-space-size=8 --max-old-space-size-percentage=50', 280 * MIB)).toBe(256 * MIB);
    expect(oldGenerationLimit('', 4288 * MIB)).toBe(4096 * MIB);
    expect(oldGenerationLimit('--max_semi_space_size 4', 76 * MIB)).toBe(64 * MIB);
    expect(oldGenerationLimit('', 100 * MIB)).toBe(50 * MIB);
  });

  it('is that of the container where it is less; what an allocator keeps counts only until it has settled', () => {
    let resident = 50;
    let limit = 100;
    const source = { oldGeneration: () => 10, resident: () => resident, containerLimit: () => limit };
    const gauge = new MemoryGauge(source, 100);
    expect(gauge.read()).toBe(0.5);
    resident = 95;
    for (let i = 0; i < 300; i++) expect(gauge.read()).toBe(0.95);
    gauge.read();
    expect(gauge.read()).toBe(0.1);
    resident = 98;
    expect(gauge.read()).toBe(0.98);
    limit = 0;
    for (let i = 0; i < 100; i++) gauge.read();
    expect(gauge.read()).toBe(0.1);
  });
});

it('garbage is collected before anything is refused, and not again and again', () => {
  let time = 0;
  let collections = 0;
  let used = 95;
  const source = { oldGeneration: () => used, resident: () => 0, containerLimit: () => 0 };
  const watch = watchOverload({
    marks: { memory: 0.9, loopDelay: Number.POSITIVE_INFINITY },
    memory: new MemoryGauge(source, 100),
    collect() {
      collections += 1;
      used = 40;
      time += 100;
    },
    onTurn: () => {},
    now: () => time,
  });
  watch.start();
  expect([collections, watch.overload.shedding]).toEqual([1, undefined]);
  watch.stop();
  used = 95;
  watch.start();
  expect([collections, watch.overload.shedding]).toEqual([1, 'memory']);
  watch.stop();
  time += 2100;
  watch.start();
  expect([collections, watch.overload.shedding]).toEqual([2, undefined]);
  watch.stop();
});
