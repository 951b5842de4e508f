import { describe, expect, it } from 'vitest';
import { withInstanceStatuses, withProviderReady } from '../../src/control/status.ts';
import { namespacedName, objectKey } from '../../src/resources/keys.ts';
import { problem } from '../../src/resources/problem.ts';
import { conditionsOf, unusual } from '../../src/routing/conditions.ts';
import type { InstanceStatus } from '../../src/routing/decision.ts';
import type { Condition } from '../../src/routing/snapshot.ts';

const WHOLE = { kind: 'Whole' } as const;
const well = conditionsOf([], true, WHOLE, [unusual('Insecure', 'In use: httpCookies.')]);
const unresolved = conditionsOf([problem('SecretNotFound', ['spec'], 'is not there')], true, WHOLE, []);
const invalid = conditionsOf([problem('Invalid', ['spec'], 'is not so')], false, WHOLE, []);

const up: InstanceStatus = { status: 'True', reason: 'ProviderReady', message: '' };
const down: InstanceStatus = { status: 'False', reason: 'DiscoveryFailed', message: 'It does not answer.' };
const starting: InstanceStatus = { status: 'Unknown', reason: 'Starting', message: 'Discovery has begun.' };

const texts = (conditions: readonly Condition[]) =>
  conditions.map(({ type, status, reason }) => `${type} ${status} ${reason}`);

describe('ProviderReady, joined to what compiling says', () => {
  it('stands after ResolvedRefs, and Ready is as good as the worse of the two', () => {
    const rest = ['Accepted True Accepted', 'ResolvedRefs True ResolvedRefs'];
    const programmed = 'Programmed True Programmed';
    const last = 'Insecure True Insecure';
    expect(texts(withProviderReady(well, up))).toEqual([
      ...rest,
      'ProviderReady True ProviderReady',
      programmed,
      'Ready True Ready',
      last,
    ]);
    for (const said of [down, starting]) {
      const told = `${said.status} ${said.reason}`;
      const expected = [...rest, `ProviderReady ${told}`, programmed, `Ready ${told}`, last];
      expect(texts(withProviderReady(well, said))).toEqual(expected);
    }
  });

  it('leaves Ready with the first reason that there is', () => {
    expect(texts(withProviderReady(unresolved, down))).toContain('Ready False SecretNotFound');
  });

  it('says why nothing runs, and holds Ready up for no plugin that nobody uses', () => {
    expect(texts(withProviderReady(well, undefined))).toEqual(
      expect.arrayContaining(['ProviderReady Unknown NotUsed', 'Ready True Ready']),
    );
    expect(texts(withProviderReady(unresolved, undefined))).toContain('ProviderReady Unknown Invalid');
    expect(texts(withProviderReady(invalid, undefined))).toContain('ProviderReady Unknown Invalid');
  });

  it('puts nothing else into a condition', () => {
    const checks = [{ name: 'Discovery', result: 'Passed', message: 'It answers.' }] as const;
    const said: InstanceStatus = { ...up, checks };
    const [, , ready] = withProviderReady(well, said);
    expect(ready).toEqual({ type: 'ProviderReady', status: 'True', reason: 'ProviderReady', message: '' });
  });

  it('is of plugins only', () => {
    const [route, plugin] = ['Route', 'OidcPlugin'].map((kind) => objectKey(kind, namespacedName('shop', 'a')));
    if (route === undefined || plugin === undefined) throw new Error('two');
    const verdict = {
      observedGeneration: 1,
      conditions: well,
      problems: [],
      warnings: [],
      exposure: undefined,
      authorization: undefined,
      redirectURIs: [],
      routes: undefined,
    };
    const verdicts = new Map([route, plugin].map((key) => [key, { ...verdict, key }]));
    const joined = withInstanceStatuses(
      verdicts,
      (key) => key === plugin,
      () => down,
    );
    expect(joined.get(route)?.conditions).toEqual(well);
    expect(texts(joined.get(plugin)?.conditions ?? [])).toContain('Ready False DiscoveryFailed');
  });
});
