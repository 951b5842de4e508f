import { describe, expect, it } from 'vitest';
import { rememberNames } from '../../src/proxy/name-memo.ts';

function counting(): { readonly ask: (name: string) => string; readonly asked: () => number } {
  let asked = 0;
  const ask = rememberNames((name) => {
    asked += 1;
    return name.toUpperCase();
  });
  return { ask, asked: () => asked };
}

describe('names that are remembered', () => {
  it('asks once for each spelling', () => {
    const { ask, asked } = counting();
    expect([ask('a'), ask('A'), ask('a'), ask('A')]).toEqual(['A', 'A', 'A', 'A']);
    expect(asked()).toBe(2);
  });

  it('A165 neither a long name nor more than some thousands stay', () => {
    const { ask, asked } = counting();
    const long = 'x'.repeat(65);
    ask(long);
    ask(long);
    expect(asked()).toBe(2);
    for (let i = 0; i < 5000; i++) ask(`x-${i}`);
    ask('x-0');
    expect(asked()).toBe(5003);
  });
});
