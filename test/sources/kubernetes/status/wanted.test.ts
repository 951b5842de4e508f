import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { definitions } from '../../../../scripts/crd/definitions.ts';
import { own } from '../../../../src/resources/plain.ts';
import { isOlder } from '../../../../src/sources/kubernetes/status/stored.ts';
import { CONDITION_TYPES, says, wantedStatus } from '../../../../src/sources/kubernetes/status/wanted.ts';
import { HEALTHY, report } from './harness.ts';

const ROUTING = join(import.meta.dirname, '..', '..', '..', '..', 'src', 'routing');

describe('a status', () => {
  it('knows every type of condition that compiling gives, so that each goes when it is over', () => {
    const source = readdirSync(ROUTING)
      .map((name) => readFileSync(join(ROUTING, name), 'utf8'))
      .join('\n');
    const typed = [...source.matchAll(/\btype: '([A-Z][A-Za-z]+)', (?:status|\n)/g)].map(([, type]) => type);
    const named = [...source.matchAll(/unusual = \(type: ([^,]+),/g)].flatMap(([, union]) => union?.split('|') ?? []);
    const types = [...typed, ...named.map((type) => type.trim().slice(1, -1))];
    expect(types).toEqual(expect.arrayContaining(['Accepted', 'Ready', 'CertificateReady', 'OpensProtectedPath']));
    expect(types.filter((type) => type !== undefined && !CONDITION_TYPES.has(type))).toEqual([]);
  });

  it('has no field that the schema would prune', () => {
    const status = wantedStatus(report('Route/shop/a'), HEALTHY, [], undefined, 0);
    const declared = [...definitions().values()].map((crd) => {
      const versions = own(own(crd, 'spec'), 'versions');
      const schema = own(own(Array.isArray(versions) ? versions[0] : undefined, 'schema'), 'openAPIV3Schema');
      return Object.keys(Object(own(own(own(schema, 'properties'), 'status'), 'properties')));
    });
    expect(declared.flat()).toEqual(expect.arrayContaining(Object.keys(status)));
  });

  it('lists the hosts of a Route, and where they can’t be told keeps those that are stored', () => {
    const of = (hosts: readonly string[] | undefined, stored: unknown) =>
      wantedStatus(report('Route/shop/a', { hosts }), HEALTHY, undefined, stored, 0).hosts;
    expect(of(['a.example'], { hosts: ['b.example'] })).toEqual(['a.example']);
    expect(of([], { hosts: ['b.example'] })).toBeUndefined();
    expect(of(undefined, { hosts: ['b.example', 5] })).toEqual(['b.example']);
    for (const stored of [undefined, {}, { hosts: 'b.example' }]) expect(of(undefined, stored)).toBeUndefined();
    const { hosts, ...rest } = wantedStatus(report('Route/shop/a', { hosts: ['a.example'] }), HEALTHY, [], {}, 0);
    expect(says({ ...rest, hosts }, { ...rest, hosts })).toBe(true);
    for (const other of [undefined, [], ['b.example'], ['a.example', 'b.example']])
      expect(says({ ...rest, hosts: other }, { ...rest, hosts })).toBe(false);
  });

  it('is the same in another order of fields and conditions, and not with any other value', () => {
    const status = wantedStatus(
      report('Route/shop/a', { redirectURIs: ['https://a/cb'] }),
      HEALTHY,
      undefined,
      undefined,
      0,
    );
    const stored: unknown = JSON.parse(JSON.stringify({ ...status, conditions: status.conditions.toReversed() }));
    expect(says(stored, status)).toBe(true);
    expect(says(undefined, status)).toBe(false);
    expect(says({ ...Object(stored), exposure: undefined }, status)).toBe(false);
    expect(says({ ...Object(stored), redirectURIs: [] }, status)).toBe(false);
    const [first, ...rest] = status.conditions;
    for (const other of [{ message: 'x' }, { reason: 'x' }, { observedGeneration: 2 }, { lastTransitionTime: '' }])
      expect(
        says({ ...Object(stored), conditions: [{ ...first, ...other }, ...rest] }, status),
        JSON.stringify(other),
      ).toBe(false);
  });

  it.each([
    ['9', '10', true],
    ['10', '9', false],
    ['10', '10', false],
    ['a', '10', false],
    ['', '1', false],
  ])('version %s is older than %s: %s', (a, b, older) => {
    expect(isOlder(a, b)).toBe(older);
  });
});
