import { describe, expect, it } from 'vitest';
import { compilePolicy } from '../../src/authorization/compile-policy.ts';
import { unionNeeds } from '../../src/authorization/identity.ts';
import { needsOf, samePolicy } from '../../src/authorization/needs.ts';
import type { Policy } from '../../src/authorization/policy.ts';
import { parseClaimPath } from '../../src/resources/claim-path.ts';
import { formatPath } from '../../src/resources/problem.ts';
import type { AuthorizationSpec } from '../../src/resources/route.ts';

type RuleSpec = AuthorizationSpec['rules'][number];

const policyOf = (...rules: RuleSpec[]): Policy => {
  const compiled = compilePolicy({ rules });
  if (!compiled.ok || compiled.value === undefined) throw new Error(JSON.stringify(compiled));
  return compiled.value;
};
const problemsOf = (...rules: RuleSpec[]): readonly string[] => {
  const compiled = compilePolicy({ rules });
  return compiled.ok ? [] : compiled.problems.map(({ path, message }) => `${formatPath(path)} ${message}`);
};

describe('parseClaimPath', () => {
  it.each([
    ['groups', ['groups']],
    ['realm_access.roles', ['realm_access', 'roles']],
    ['"https://example.com/roles"', ['https://example.com/roles']],
    ['"https://example.com/a.b".roles', ['https://example.com/a.b', 'roles']],
    ['a."b.c".d', ['a', 'b.c', 'd']],
    ['"say \\"hi\\""', ['say "hi"']],
    ['"back\\\\slash"', ['back\\slash']],
    ['cognito:groups', ['cognito:groups']],
    ['__proto__.x', ['__proto__', 'x']],
  ])('%s', (text, expected) => {
    expect(parseClaimPath(text)).toEqual(expected);
  });

  it.each([
    ['empty', ''],
    ['empty part', 'a..b'],
    ['final dot', 'a.'],
    ['first dot', '.a'],
    ['open quote', '"a'],
    ['empty quotes', '""'],
    ['text after quotes', '"a"b'],
    ['quote inside', 'a"b'],
    ['slash without quotes', 'https://example.com/roles'],
    ['blank', 'a b'],
    ['unknown escape', '"a\\n"'],
    ['too deep', 'a.b.c.d.e.f.g.h.i'],
  ])('refuses %s', (_, text) => {
    expect(parseClaimPath(text)).toBeUndefined();
  });
});

describe('compilePolicy', () => {
  it('without rules there is no policy', () => {
    expect(compilePolicy(undefined)).toEqual({ ok: true, value: undefined });
  });

  it('takes claims apart and leaves HEAD to GET (A021)', () => {
    expect(
      policyOf({
        name: 'admins',
        match: { paths: [{ type: 'Prefix', value: '/admin/' }], methods: ['GET', 'HEAD', 'POST'] },
        claims: [{ path: 'realm_access.roles', anyOf: ['admin'] }],
        groups: ['admins'],
        emailDomains: ['corp.com'],
      }),
    ).toEqual({
      rules: [
        {
          name: 'admins',
          paths: [{ type: 'Prefix', value: '/admin' }],
          methods: ['GET', 'POST'],
          claims: [{ path: ['realm_access', 'roles'], anyOf: ['admin'], allOf: undefined, noneOf: undefined }],
          groups: ['admins'],
          emailDomains: ['corp.com'],
        },
      ],
    });
  });

  it('says each thing that is wrong, where, and what to write', () => {
    expect(
      problemsOf(
        { name: 'one', match: { paths: [{ type: 'Exact', value: '/a/../b' }], methods: ['HEAD'] } },
        { name: 'one', claims: [{ path: 'a..b' }] },
        {
          name: 'two',
          match: { paths: [{ type: 'Prefix', value: '/a//b' }], methods: ['CONNECT', 'NOPE', 'GET', 'GET'] },
        },
        {
          name: 'three',
          match: {
            paths: [
              { type: 'Prefix', value: '/api/*' },
              { type: 'Exact', value: '/a;b' },
            ],
          },
        },
      ),
    ).toMatchInlineSnapshot(`
      [
        "spec.authorization.rules[0].match.paths[0].value has a segment . or .., which no request may have; write where it leads to",
        "spec.authorization.rules[0].match.methods[0] HEAD is handled as GET; write GET",
        "spec.authorization.rules[1].name another rule above has this name; give each its own, for it is what logs and pages show",
        "spec.authorization.rules[1].claims[0].path must be names joined by dots, as in realm_access.roles; a name with dots or slashes of its own stands in double quotes, as in "https://example.com/roles"",
        "spec.authorization.rules[2].match.paths[0].value must be in canonical form; write "/a/b"",
        "spec.authorization.rules[2].match.methods[0] CONNECT is never forwarded; leave it out",
        "spec.authorization.rules[2].match.methods[1] is no known method; write GET, POST, PUT or the like",
        "spec.authorization.rules[2].match.methods[3] GET is there twice; leave one out",
        "spec.authorization.rules[3].match.paths[0].value paths have no wildcards, and a Prefix covers all that is below it; write "/api"",
        "spec.authorization.rules[3].match.paths[1].value servers read this path in more than one way; write "/a"",
      ]
    `);
  });

  it('an ambiguous path in a rule is refused, so that a request has one spelling to be compared with', () => {
    expect(problemsOf({ name: 'x', match: { paths: [{ type: 'Exact', value: '/a%28b' }] } })).toHaveLength(1);
    expect(problemsOf({ name: 'x', match: { paths: [{ type: 'Exact', value: '/a(b' }] } })).toEqual([]);
  });
});

describe('needsOf', () => {
  it('names top-level claims, sorted, once', () => {
    const policy = policyOf(
      { name: 'a', claims: [{ path: 'z.y' }, { path: 'b' }, { path: 'z.x', anyOf: ['1'] }] },
      { name: 'b', groups: ['g'] },
    );
    expect(needsOf(policy)).toEqual({ claims: ['b', 'z'], groups: true, email: false });
    expect(needsOf(policyOf({ name: 'a', emailDomains: ['a.example'] }))).toEqual({
      claims: [],
      groups: false,
      email: true,
    });
    expect(needsOf(undefined)).toEqual({ claims: [], groups: false, email: false });
    expect(unionNeeds([needsOf(policy), needsOf(undefined)])).toEqual(needsOf(policy));
  });

  it('noneOf also needs to know which claims the provider keeps elsewhere', () => {
    expect(needsOf(policyOf({ name: 'a', claims: [{ path: 'groups', noneOf: ['x'] }] })).claims).toEqual([
      '_claim_names',
      'groups',
    ]);
  });
});

describe('samePolicy', () => {
  const rule: RuleSpec = { name: 'a', groups: ['g'], match: { methods: ['GET'] } };

  it('compares content, not identity', () => {
    expect(samePolicy(policyOf(rule), policyOf({ match: { methods: ['GET'] }, groups: ['g'], name: 'a' }))).toBe(true);
    expect(samePolicy(undefined, undefined)).toBe(true);
  });

  it.each<[string, RuleSpec]>([
    ['name', { ...rule, name: 'b' }],
    ['groups', { ...rule, groups: ['h'] }],
    ['more groups', { ...rule, groups: ['g', 'h'] }],
    ['methods', { ...rule, match: { methods: ['POST'] } }],
    ['paths', { ...rule, match: { methods: ['GET'], paths: [{ type: 'Exact', value: '/' }] } }],
    ['claims', { ...rule, claims: [{ path: 'c' }] }],
    ['emailDomains', { ...rule, emailDomains: ['a.example'] }],
  ])('other %s, other policy', (_, other) => {
    expect(samePolicy(policyOf(rule), policyOf(other))).toBe(false);
    expect(samePolicy(policyOf(rule), undefined)).toBe(false);
  });

  it('order and the kind of a claim test count', () => {
    const second: RuleSpec = { name: 'b' };
    expect(samePolicy(policyOf(rule, second), policyOf(second, rule))).toBe(false);
    const tests = (['anyOf', 'allOf', 'noneOf'] as const).map((how) =>
      policyOf({ name: 'a', claims: [{ path: 'c', [how]: ['x'] }] }),
    );
    for (const [i, a] of tests.entries()) for (const [j, b] of tests.entries()) expect(samePolicy(a, b)).toBe(i === j);
  });
});
