import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { counterFamily, histogramFamily } from '../../src/observe/families.ts';

describe('counter family', () => {
  it('renders each series once, with its labels', () => {
    const family = counterFamily({ name: 'x_total', help: 'X.', labels: ['a', 'b'] });
    family.at('1', '2').value += 3;
    family.at('1', '2').value += 1;
    family.at('1', '3');
    expect([...family.render()].join('')).toBe(
      '# HELP x_total X.\n# TYPE x_total counter\nx_total{a="1",b="2"} 4\nx_total{a="1",b="3"} 0\n',
    );
  });

  it('A179 escapes what could end a label or a line', () => {
    const family = counterFamily({ name: 'x_total', help: 'X.', labels: ['a'] });
    family.at('q"\\\nx_total{a="1"} 9');
    expect([...family.render()].join('').split('\n').slice(2)).toEqual([
      'x_total{a="q\\"\\\\\\nx_total{a=\\"1\\"} 9"} 0',
      '',
    ]);
  });

  it('A165 holds a bounded number of series, whatever comes', () => {
    const family = counterFamily({ name: 'x_total', help: 'X.', labels: ['a', 'b'], limit: 100 });
    for (let i = 0; i < 10_000; i += 1) family.at(`a${i}`, `b${i % 7}`).value += 1;
    const lines = [...family.render()]
      .join('')
      .split('\n')
      .filter((line) => line.startsWith('x_total'));
    expect(lines).toHaveLength(101);
    expect(lines.at(-1)).toBe('x_total{a="other",b="other"} 9900');
  });

  it('forgets the series that are not kept, and finds the others again', () => {
    const family = counterFamily({ name: 'x_total', help: 'X.', labels: ['a', 'b'] });
    for (const a of ['1', '2']) for (const b of ['x', 'y']) family.at(a, b).value = 5;
    family.retain(([a]) => a === '2');
    family.at('2', 'x').value += 1;
    family.at('1', 'x').value += 1;
    const text = [...family.render()].join('');
    expect(text).toContain('x_total{a="2",b="x"} 6\n');
    expect(text).toContain('x_total{a="2",b="y"} 5\n');
    expect(text).toContain('x_total{a="1",b="x"} 1\n');
    expect(text).not.toContain('a="1",b="y"');
  });

  it('F52 renders in pieces of bounded size', () => {
    const family = counterFamily({ name: 'x_total', help: 'X.', labels: ['a'] });
    for (let i = 0; i < 5000; i += 1) family.at(`shop/orders-${i}`);
    const pieces = [...family.render()];
    expect(Math.max(...pieces.map(({ length }) => length))).toBeLessThan(16_384);
    expect(pieces.join('').split('\n')).toHaveLength(5003);
  });
});

describe('histogram family', () => {
  it('counts cumulatively, as sorting the values would', () => {
    const buckets = [0.1, 1, 10];
    fc.assert(
      fc.property(fc.array(fc.double({ min: 0, max: 20, noNaN: true })), (values) => {
        const family = histogramFamily({ name: 'x_seconds', help: 'X.', labels: ['a'], buckets });
        for (const value of values) family.at('s').observe(value);
        const text = [...family.render()].join('');
        if (values.length === 0) return;
        for (const bound of buckets) {
          expect(text).toContain(`x_seconds_bucket{a="s",le="${bound}"} ${values.filter((v) => v <= bound).length}\n`);
        }
        expect(text).toContain(`x_seconds_bucket{a="s",le="+Inf"} ${values.length}\n`);
        expect(text).toContain(`x_seconds_count{a="s"} ${values.length}\n`);
      }),
    );
  });

  it('drops what is no number', () => {
    const family = histogramFamily({ name: 'x_seconds', help: 'X.', labels: [], buckets: [1] });
    for (const value of [Number.NaN, Number.POSITIVE_INFINITY, 0.5]) family.at().observe(value);
    expect([...family.render()].join('')).toBe(
      '# HELP x_seconds X.\n# TYPE x_seconds histogram\nx_seconds_bucket{le="1"} 1\nx_seconds_bucket{le="+Inf"} 1\nx_seconds_sum 0.5\nx_seconds_count 1\n',
    );
  });
});
