import { describe, expect, it } from 'vitest';
import { describeTime, explainClaims } from '../../demo/claims.ts';
import { findTokens } from '../../demo/tokens.ts';

const NOW = Date.UTC(2026, 10, 24, 6, 0, 0);
const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
const jwt = (header: unknown, payload: unknown): string => `${part(header)}.${part(payload)}.c2ln`;

describe('findTokens', () => {
  it('takes apart an access token and an ID token and says which is which', () => {
    const access = jwt({ alg: 'RS256', typ: 'at+jwt' }, { sub: 'ada' });
    const id = jwt({ alg: 'RS256' }, { sub: 'ada', nonce: 'n' });
    const tokens = findTokens([
      ['Authorization', `Bearer ${access}`],
      ['X-Auth-Request-Id-Token', id],
      ['Accept', 'text/html'],
    ]);
    expect(tokens).toMatchObject([
      { from: 'Authorization', kind: 'access token', header: { typ: 'at+jwt' }, payload: { sub: 'ada' } },
      { from: 'X-Auth-Request-Id-Token', kind: 'ID token', payload: { nonce: 'n' } },
    ]);
    expect(tokens[1]?.encoded.join('.')).toBe(id);
  });

  it.each([
    'Bearer opaque',
    'Bearer a.b.c',
    `Bearer ${part('text')}.${part({})}.x`,
    `Bearer ${part({})}.${part([1])}.x`,
    `Basic ${jwt({}, {})}`,
    `Bearer ${'e'.repeat(100_000)}.e.e`,
  ])('lets %.40j be', (value) => {
    expect(findTokens([['Authorization', value]])).toEqual([]);
  });
});

describe('explainClaims', () => {
  it('says times in words, and what a claim is for', () => {
    const [exp, groups, own] = explainClaims({ exp: NOW / 1000 + 3600, groups: ['a', 'b'], constructor: 1 }, NOW);
    expect(exp).toMatchObject({ value: '1795503600', time: '2026-11-24 07:00:00 UTC, in 60 minutes' });
    expect(exp?.meaning).toContain('Expires');
    expect(groups).toMatchObject({ value: '["a","b"]', time: undefined });
    expect(own?.meaning).toBeUndefined();
  });

  it.each([
    [0, 'now'],
    [-1, '1 second ago'],
    [90, 'in 90 seconds'],
    [-7200, '2 hours ago'],
    [86_400 * 3, 'in 3 days'],
  ])('%d seconds from now is %j', (seconds, words) => {
    expect(describeTime(NOW / 1000 + seconds, NOW)).toMatch(new RegExp(`UTC, ${words}$`));
  });

  it('says nothing of a time that no calendar has', () => {
    expect(describeTime(1e300, NOW)).toBeUndefined();
  });
});
