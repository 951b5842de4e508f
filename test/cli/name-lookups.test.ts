import type { LookupAddress } from 'node:dns';
import { expect, it } from 'vitest';
import { type LookUp, lookUpsByNamespace } from '../../src/cli/name-lookups.ts';

it('invariant 8: names that nobody answers for hold up no other namespace; two are asked at a time', () => {
  const asked: string[] = [];
  const answers = new Map<string, () => void>();
  const addresses: readonly LookupAddress[] = [{ address: '192.0.2.1', family: 4 }];
  const resolver: LookUp = (name, found) => {
    asked.push(name);
    answers.set(name, () => found(null, addresses));
  };
  const lookUps = lookUpsByNamespace(resolver);
  const found: string[] = [];
  const ask = (namespace: string, name: string): void => {
    lookUps(namespace)(name, () => {
      found.push(name);
      if (name === 'a') throw new Error('whoever asked');
    });
  };
  for (const name of ['never', 'nor', 'a', 'b']) ask('evil', name);
  ask('shop', 'idp');
  expect(asked).toEqual(['never', 'nor', 'idp']);
  answers.get('idp')?.();
  expect(found).toEqual(['idp']);
  ask('shop', 'idp2');
  expect(asked).toEqual(['never', 'nor', 'idp', 'idp2']);
  answers.get('never')?.();
  expect(asked).toEqual(['never', 'nor', 'idp', 'idp2', 'a']);
  expect(() => answers.get('a')?.()).toThrow('whoever asked');
  expect(asked.at(-1)).toBe('b');
  answers.get('b')?.();
  ask('evil', 'c');
  expect(asked.at(-1)).toBe('c');
});
