import { CLAIM_PATH_HINT, parseClaimPath } from '../resources/claim-path.ts';
import { methodFaults } from '../resources/method.ts';
import { type Checked, type FieldPath, type Problem, problem } from '../resources/problem.ts';
import type { AuthorizationSpec } from '../resources/route.ts';
import { checkRoutePath } from '../resources/route-path.ts';
import type { ClaimTest, Policy, Rule } from './policy.ts';

type RuleSpec = AuthorizationSpec['rules'][number];

/**
 * `Route.authorization` to a policy: ways into claims taken apart, paths in canonical form, methods as they are compared.
 * Undefined where the Route has none: any proven identity passes. `at` is where the problems are.
 */
export function compilePolicy(
  spec: AuthorizationSpec | undefined,
  at: FieldPath = ['spec', 'authorization'],
): Checked<Policy | undefined> {
  if (spec === undefined) return { ok: true, value: undefined };
  const problems: Problem[] = [];
  const names = new Set<string>();
  const rules: Rule[] = [];
  for (const [index, rule] of spec.rules.entries()) {
    const path = [...at, 'rules', index];
    if (names.has(rule.name)) {
      const message = 'another rule above has this name; give each its own, for it is what logs and pages show';
      problems.push(problem('Invalid', [...path, 'name'], message));
    }
    names.add(rule.name);
    rules.push({
      name: rule.name,
      paths: pathsOf(rule, path, problems),
      methods: methodsOf(rule, path, problems),
      claims: claimsOf(rule, path, problems),
      groups: rule.groups,
      emailDomains: rule.emailDomains,
    });
  }
  return problems.length === 0 ? { ok: true, value: { rules } } : { ok: false, problems };
}

function pathsOf(rule: RuleSpec, at: FieldPath, problems: Problem[]): Rule['paths'] {
  if (rule.match?.paths === undefined) return undefined;
  const paths: NonNullable<Rule['paths']>[number][] = [];
  for (const [index, { type, value }] of rule.match.paths.entries()) {
    const checked = checkRoutePath(type, value);
    if (checked.ok) paths.push({ type, value: checked.match.value });
    else problems.push(problem(checked.reason, [...at, 'match', 'paths', index, 'value'], checked.message));
  }
  return paths;
}

/** HEAD is left out: it is decided as GET, which stands beside it (A021). */
function methodsOf(rule: RuleSpec, at: FieldPath, problems: Problem[]): Rule['methods'] {
  const methods = rule.match?.methods;
  if (methods === undefined) return undefined;
  for (const fault of methodFaults(methods))
    problems.push(problem('Invalid', [...at, 'match', 'methods', fault.at], fault.message));
  return methods.filter((method) => method !== 'HEAD');
}

function claimsOf(rule: RuleSpec, at: FieldPath, problems: Problem[]): readonly ClaimTest[] {
  const tests: ClaimTest[] = [];
  for (const [index, { path: text, anyOf, allOf, noneOf }] of (rule.claims ?? []).entries()) {
    const path = parseClaimPath(text);
    if (path === undefined) problems.push(problem('Invalid', [...at, 'claims', index, 'path'], CLAIM_PATH_HINT));
    else tests.push({ path, anyOf, allOf, noneOf });
  }
  return tests;
}
