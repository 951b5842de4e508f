import { describe, expect, it } from 'vitest';
import { bytesAt, isAt } from './pattern.ts';
import { secondHalf, slopePerHour } from './slope.ts';

describe('the slope', () => {
  it('is what is added in an hour', () => {
    const points = [0, 1, 2, 3].map((minute) => ({ at: minute * 60_000, value: 100 + minute * 2 }));
    expect(slopePerHour(points)).toBeCloseTo(120);
  });

  it('is none of two points, nor of one moment', () => {
    expect(slopePerHour([{ at: 0, value: 1 }])).toBeUndefined();
    expect(slopePerHour([1, 2, 3].map((value) => ({ at: 5, value })))).toBeUndefined();
  });

  it('leaves out the first half', () => {
    expect(secondHalf([0, 1, 2, 3, 4].map((at) => ({ at, value: at }))).map(({ at }) => at)).toEqual([2, 3, 4]);
  });
});

describe('known bytes', () => {
  it('are known in any pieces, over the end of the ring too', () => {
    const seed = (1 << 20) - 10;
    const whole = Buffer.concat([bytesAt(seed, 0, 65_536), bytesAt(seed, 65_536, 1000)]);
    expect(isAt(seed, 0, whole)).toBe(true);
    expect(isAt(seed, 7, whole.subarray(7, 40_000))).toBe(true);
  });

  it('are those of no other seed and place', () => {
    expect(isAt(1, 0, bytesAt(2, 0, 100))).toBe(false);
    expect(isAt(1, 1, bytesAt(1, 0, 100))).toBe(false);
    const changed = Buffer.from(bytesAt(1, 0, 100));
    changed[99] = (changed[99] ?? 0) ^ 1;
    expect(isAt(1, 0, changed)).toBe(false);
  });
});
