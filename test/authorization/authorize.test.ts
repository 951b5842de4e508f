import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { authorize } from '../../src/authorization/authorize.ts';
import { compilePolicy } from '../../src/authorization/compile-policy.ts';
import type { ProvenIdentity } from '../../src/authorization/identity.ts';
import type { Authorization, Policy } from '../../src/authorization/policy.ts';
import { canonicalPath, type RoutePath } from '../../src/resources/path.ts';
import type { AuthorizationSpec } from '../../src/resources/route.ts';

type RuleSpec = AuthorizationSpec['rules'][number];
type ClaimSpec = NonNullable<RuleSpec['claims']>[number];

const path = (raw: string): RoutePath => {
  const result = canonicalPath(raw);
  if (!result.ok) throw new Error(result.fault);
  return result.path;
};
const policyOf = (rules: readonly RuleSpec[]): Policy | undefined => {
  const compiled = compilePolicy(rules.length === 0 ? undefined : { rules: [...rules] });
  if (!compiled.ok) throw new Error(JSON.stringify(compiled.problems));
  return compiled.value;
};
const somebody: ProvenIdentity = {
  issuer: 'https://idp.example',
  subject: 'u1',
  username: 'ada',
  groups: ['staff'],
  email: { address: 'ada@corp.com', verified: true },
  claims: {},
};
const decide = (
  rules: readonly RuleSpec[],
  identity: Partial<ProvenIdentity> = {},
  method = 'GET',
  at = '/',
): Authorization => authorize(policyOf(rules), { ...somebody, ...identity }, { method, path: path(at) });
const allows = (...args: Parameters<typeof decide>): boolean => decide(...args).kind === 'Allowed';

describe('rules', () => {
  it('no rules: any proven identity', () => {
    expect(decide([])).toEqual({ kind: 'Allowed', rule: undefined });
  });

  it('a rule without conditions: any proven identity', () => {
    expect(decide([{ name: 'anybody' }])).toEqual({ kind: 'Allowed', rule: 'anybody' });
  });

  it('the first that fits decides alone', () => {
    const rules: RuleSpec[] = [
      { name: 'admin', match: { paths: [{ type: 'Prefix', value: '/admin' }] }, groups: ['admins'] },
      { name: 'rest' },
    ];
    expect(decide(rules, {}, 'GET', '/admin/x')).toEqual({ kind: 'Forbidden', rule: 'admin' });
    expect(decide(rules, { groups: ['admins'] }, 'GET', '/admin')).toEqual({ kind: 'Allowed', rule: 'admin' });
    expect(decide(rules, {}, 'GET', '/administrators')).toEqual({ kind: 'Allowed', rule: 'rest' });
  });

  it('rules exist and none is for the request: Forbidden', () => {
    expect(decide([{ name: 'x', match: { paths: [{ type: 'Exact', value: '/x' }] } }], {}, 'GET', '/x/')).toEqual({
      kind: 'Forbidden',
      rule: undefined,
    });
  });

  it('all conditions of a rule have to hold', () => {
    const rule: RuleSpec = {
      name: 'r',
      groups: ['staff'],
      emailDomains: ['corp.com'],
      claims: [{ path: 'a' }, { path: 'b' }],
    };
    expect(allows([rule], { claims: { a: 1, b: 1 } })).toBe(true);
    expect(allows([rule], { claims: { a: 1 } })).toBe(false);
    expect(allows([rule], { claims: { a: 1, b: 1 }, groups: [] })).toBe(false);
    expect(allows([rule], { claims: { a: 1, b: 1 }, email: undefined })).toBe(false);
  });

  it('A001 rules see the path only', () => {
    const rules: RuleSpec[] = [{ name: 'status', match: { paths: [{ type: 'Exact', value: '/status' }] } }];
    expect(allows(rules, {}, 'GET', '/status')).toBe(true);
    expect(allows(rules, {}, 'GET', '/private%3Fx=/status')).toBe(false);
  });

  it.each(['/admin;x', '/;x/admin', '/x%2F;/admin', '/admin%3Fx', '/%61dmin', '//admin', '/admin%3B/x'])(
    'A007 no spelling of a path gets past its rule: %s',
    (spelling) => {
      const rules: RuleSpec[] = [
        { name: 'x', match: { paths: [{ type: 'Prefix', value: '/x/admin' }] }, groups: ['admins'] },
        { name: 'admin', match: { paths: [{ type: 'Prefix', value: '/admin' }] }, groups: ['admins'] },
        { name: 'rest' },
      ];
      expect(allows(rules, {}, 'GET', spelling)).toBe(false);
      expect(allows(rules, { groups: ['admins'] }, 'GET', spelling)).toBe(true);
    },
  );

  it('A007 a path with too many readings is forbidden where there are rules', () => {
    expect(decide([{ name: 'rest' }], {}, 'GET', '/a%28;b%3Bc%2Fd%3Fe/f%2Fg;h%3Bi%23')).toEqual({
      kind: 'Forbidden',
      rule: undefined,
    });
  });

  it('A021 HEAD is decided as GET, everything else exactly', () => {
    const rules: RuleSpec[] = [{ name: 'read', match: { methods: ['GET'] } }];
    expect(allows(rules, {}, 'HEAD')).toBe(true);
    for (const method of ['POST', 'get', 'FOO', 'OPTIONS']) expect(allows(rules, {}, method)).toBe(false);
    const reading: RuleSpec[] = [{ name: 'read', match: { methods: ['GET'] }, groups: ['admins'] }, { name: 'rest' }];
    expect(allows(reading, {}, 'HEAD')).toBe(false);
  });
});

describe('claims', () => {
  const holds = (test: ClaimSpec, claims: Record<string, unknown>): boolean =>
    allows([{ name: 'r', claims: [test] }], { claims });

  it.each<[string, unknown, boolean]>([
    ['string', 'a', true],
    ['other string', 'A', false],
    ['list', ['x', 'a'], true],
    ['list without', ['x'], false],
    ['empty list', [], false],
    ['blank-separated string', 'x a', false],
    ['nested list', [['a']], false],
    ['object', { a: true }, false],
    ['null', null, false],
    ['comma', 'a,b', false],
  ])('anyOf: %s', (_, value, expected) => {
    expect(holds({ path: 'c', anyOf: ['a', 'b'] }, { c: value })).toBe(expected);
  });

  it('numbers and booleans are compared as JSON writes them', () => {
    expect(holds({ path: 'c', anyOf: ['5'] }, { c: 5 })).toBe(true);
    expect(holds({ path: 'c', anyOf: ['5.0'] }, { c: 5 })).toBe(false);
    expect(holds({ path: 'c', anyOf: ['1e+21'] }, { c: 1e21 })).toBe(true);
    expect(holds({ path: 'c', anyOf: ['true'] }, { c: true })).toBe(true);
    expect(holds({ path: 'c', allOf: ['1', 'true'] }, { c: [1, true] })).toBe(true);
  });

  it('allOf: each of them', () => {
    expect(holds({ path: 'c', allOf: ['a', 'b'] }, { c: ['b', 'x', 'a'] })).toBe(true);
    expect(holds({ path: 'c', allOf: ['a', 'b'] }, { c: ['a'] })).toBe(false);
    expect(holds({ path: 'c', allOf: ['a'] }, { c: 'a' })).toBe(true);
    expect(holds({ path: 'c', allOf: ['a'] }, {})).toBe(false);
  });

  it('noneOf: holds where the claim is absent, not where it can’t be read whole', () => {
    const test: ClaimSpec = { path: 'c', noneOf: ['bad'] };
    for (const claims of [{}, { c: null }, { c: 'good' }, { c: ['good'] }, { c: [] }])
      expect(holds(test, claims)).toBe(true);
    for (const c of ['bad', ['good', 'bad'], { bad: true }, ['good', { x: 1 }], [['bad']], [null]])
      expect(holds(test, { c })).toBe(false);
    expect(holds({ path: 'c.d', noneOf: ['bad'] }, { c: 'text' })).toBe(false);
    expect(holds({ path: 'c.d', noneOf: ['bad'] }, { c: [{ d: 'bad' }] })).toBe(false);
    expect(holds({ path: 'c.d', noneOf: ['bad'] }, { c: {} })).toBe(true);
  });

  it('noneOf doesn’t take a claim that the provider keeps elsewhere for absent', () => {
    const test: ClaimSpec = { path: 'groups', noneOf: ['contractors'] };
    expect(holds(test, { _claim_names: { groups: 'src1' } })).toBe(false);
    expect(holds(test, { _claim_names: { other: 'src1' } })).toBe(true);
    expect(holds(test, { _claim_names: JSON.parse('{"__proto__":"x"}') })).toBe(true);
  });

  it('with anyOf beside noneOf an absent claim fails', () => {
    expect(holds({ path: 'c', anyOf: ['a'], noneOf: ['b'] }, {})).toBe(false);
    expect(holds({ path: 'c', anyOf: ['a'], noneOf: ['b'] }, { c: 'a' })).toBe(true);
    expect(holds({ path: 'c', anyOf: ['a'], noneOf: ['b'] }, { c: ['a', 'b'] })).toBe(false);
  });

  it('none of the three: the claim says something', () => {
    for (const c of ['x', ['x'], true, 1, { a: 1 }]) expect(holds({ path: 'c' }, { c })).toBe(true);
    for (const c of [undefined, null, false, 0, '', [], {}, 'false']) expect(holds({ path: 'c' }, { c })).toBe(false);
    expect(holds({ path: 'c' }, {})).toBe(false);
  });

  it('leads into nested objects', () => {
    expect(holds({ path: 'realm_access.roles', anyOf: ['admin'] }, { realm_access: { roles: ['admin'] } })).toBe(true);
    expect(holds({ path: 'realm_access.roles', anyOf: ['admin'] }, { 'realm_access.roles': ['admin'] })).toBe(false);
    expect(holds({ path: '"realm_access.roles"', anyOf: ['admin'] }, { 'realm_access.roles': ['admin'] })).toBe(true);
    expect(holds({ path: 'a.length', anyOf: ['1'] }, { a: 'x' })).toBe(false);
    expect(holds({ path: 'a.0', anyOf: ['x'] }, { a: ['x'] })).toBe(false);
  });

  it.each([
    'constructor',
    '__proto__',
    'toString',
    'hasOwnProperty',
    'constructor.name',
    '__proto__.constructor',
    'c.constructor',
  ])('inherited properties are no claims: %s', (name) => {
    expect(holds({ path: name }, { c: {} })).toBe(false);
    expect(holds({ path: name, noneOf: ['x'] }, { c: {} })).toBe(true);
  });

  it('an own __proto__ is a claim like others', () => {
    expect(holds({ path: '__proto__', anyOf: ['x'] }, JSON.parse('{"__proto__":"x"}'))).toBe(true);
  });

  it('A047 a comma inside of one value doesn’t make two', () => {
    expect(allows([{ name: 'r', groups: ['admin'] }], { groups: ['a', 'b,admin'] })).toBe(false);
    expect(holds({ path: 'g', anyOf: ['admin'] }, { g: ['a', 'b,admin'] })).toBe(false);
  });

  it('A046 values are compared as they are, controls and all', () => {
    expect(holds({ path: 'g', anyOf: ['admin'] }, { g: 'admin\r\nX: 1' })).toBe(false);
    expect(holds({ path: 'g', anyOf: ['admin'] }, { g: ' admin' })).toBe(false);
    expect(holds({ path: 'g', anyOf: ['admin'] }, { g: 'admin\u0000' })).toBe(false);
    expect(holds({ path: 'g', anyOf: ['日本'] }, { g: '日本' })).toBe(true);
  });
});

describe('email domains', () => {
  const passes = (address: string, verified = true): boolean =>
    allows([{ name: 'r', emailDomains: ['corp.com'] }], { email: { address, verified } });

  it('A048 exactly one @, the exact domain, verified', () => {
    expect(passes('a@corp.com')).toBe(true);
    expect(passes('A@CORP.COM')).toBe(true);
    expect(passes('a@corp.com', false)).toBe(false);
    expect(allows([{ name: 'r', emailDomains: ['corp.com'] }], { email: undefined })).toBe(false);
  });

  it.each([
    'attacker@evil.com@corp.com',
    'a@corp.com ',
    ' a@corp.com',
    'a b@corp.com',
    'a@ corp.com',
    'a@corp.com\n',
    'a\u0000@corp.com',
    '@corp.com',
    'corp.com',
    '',
    'a@',
    'a@evilcorp.com',
    'a@corp.com.evil.example',
    'a@sub.corp.com',
    'a@corp.com.',
    '"a@b"@corp.com',
    'a@\u212Aorp.com',
    'a@corp.com\u200b',
    'a\u202e@corp.com',
    'a@corp\uff0ecom',
    'a@corp.com,b@evil.com',
    'Ada <a@corp.com>',
    'a@[corp.com]',
    `${'a'.repeat(300)}@corp.com`,
  ])('A048 refuses %j', (address) => {
    expect(passes(address)).toBe(false);
  });
});

describe('properties', () => {
  const text = fc.constantFrom('a', 'b', 'c', 'true', '1');
  const texts = fc.uniqueArray(text, { minLength: 1, maxLength: 3 });
  const opt = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined });
  const claimName = fc.constantFrom('x', 'y', 'x.z', '__proto__', 'constructor', 'y.length');
  const claimTest = (withNoneOf: boolean): fc.Arbitrary<ClaimSpec> =>
    fc.record({
      path: claimName,
      anyOf: opt(texts),
      allOf: opt(texts),
      noneOf: withNoneOf ? opt(texts) : fc.constant(undefined),
    });
  const ruleWithout = (withNoneOf: boolean): fc.Arbitrary<Omit<RuleSpec, 'name'>> =>
    fc.record({
      match: opt(
        fc.record({
          paths: opt(
            fc.array(
              fc.record({
                type: fc.constantFrom<'Exact' | 'Prefix'>('Exact', 'Prefix'),
                value: fc.constantFrom('/', '/p', '/p/q'),
              }),
              { minLength: 1, maxLength: 2 },
            ),
          ),
          methods: opt(fc.constantFrom<string[]>(['GET'], ['GET', 'HEAD'], ['POST'])),
        }),
      ),
      claims: opt(fc.array(claimTest(withNoneOf), { minLength: 1, maxLength: 2 })),
      groups: opt(texts),
      emailDomains: opt(fc.constant(['corp.com'])),
    });
  const rulesArbitrary = (withNoneOf: boolean): fc.Arbitrary<RuleSpec[]> =>
    fc
      .array(ruleWithout(withNoneOf), { minLength: 1, maxLength: 4 })
      .map((rules) => rules.map((rule, at) => ({ ...rule, name: `r${at}` })));
  const claimValue = fc.oneof(
    text,
    fc.boolean(),
    fc.constant(1),
    fc.constant(null),
    fc.array(fc.oneof(text, fc.constant({}))),
    fc.record({ z: text }),
  );
  const claims = fc.dictionary(fc.constantFrom('x', 'y', '__proto__', 'constructor'), claimValue);
  const identity: fc.Arbitrary<ProvenIdentity> = fc.record({
    issuer: fc.constant('https://idp.example'),
    subject: fc.constant('u1'),
    username: fc.constant(undefined),
    groups: fc.uniqueArray(text),
    email: opt(fc.record({ address: fc.constantFrom('a@corp.com', 'a@b@corp.com'), verified: fc.boolean() })),
    claims,
  });
  const request = fc.record({
    method: fc.constantFrom('GET', 'HEAD', 'POST', 'FOO'),
    path: fc.constantFrom('/', '/p', '/p/q', '/p/q/r', '/pq', '/p;x', '/p%2Fq').map(path),
  });

  it('a rule after the deciding one changes nothing', () => {
    fc.assert(
      fc.property(rulesArbitrary(true), ruleWithout(true), identity, request, (rules, more, who, what) => {
        const before = authorize(policyOf(rules), who, what);
        fc.pre(before.rule !== undefined);
        // Only where no other reading of the path is left to the rule that is added.
        fc.pre(!/[;%]/.test(what.path));
        expect(authorize(policyOf([...rules, { ...more, name: 'more' }]), who, what)).toEqual(before);
      }),
      { numRuns: 1000 },
    );
  });

  it('losing claims, groups or the address never turns Forbidden into Allowed, but for noneOf', () => {
    fc.assert(
      fc.property(rulesArbitrary(false), identity, request, fc.nat(5), (rules, who, what, lost) => {
        fc.pre(authorize(policyOf(rules), who, what).kind === 'Forbidden');
        const names = Object.keys(who.claims);
        const kept = Object.fromEntries(
          Object.entries(who.claims).filter(([name]) => name !== names[lost % (names.length + 1)]),
        );
        for (const poorer of [
          { ...who, claims: kept },
          { ...who, claims: {} },
          { ...who, groups: who.groups.slice(1) },
          { ...who, email: undefined },
        ])
          expect(authorize(policyOf(rules), poorer, what).kind).toBe('Forbidden');
      }),
      { numRuns: 1000 },
    );
  });

  it('depends on the values of an identity only, and never throws', () => {
    fc.assert(
      fc.property(
        rulesArbitrary(true),
        identity,
        request,
        fc.dictionary(fc.string(), fc.anything()),
        (rules, who, what, odd) => {
          const policy = policyOf(rules);
          expect(authorize(policy, structuredClone(who), what)).toEqual(authorize(policy, who, what));
          expect(['Allowed', 'Forbidden']).toContain(authorize(policy, { ...who, claims: odd }, what).kind);
        },
      ),
      { numRuns: 1000 },
    );
  });

  it('A021 HEAD and GET get the same answer everywhere', () => {
    fc.assert(
      fc.property(rulesArbitrary(true), identity, request, (rules, who, what) => {
        const policy = policyOf(rules);
        expect(authorize(policy, who, { ...what, method: 'HEAD' })).toEqual(
          authorize(policy, who, { ...what, method: 'GET' }),
        );
      }),
      { numRuns: 1000 },
    );
  });
});
