import { type ClaimNeeds, NO_NEEDS } from './identity.ts';
import type { Policy } from './policy.ts';

/** OpenID Connect Core section 5.6.2: names of claims that exist but are kept elsewhere, as of groups that are too many. */
export const DISTRIBUTED = '_claim_names';

/** What a session has to keep so that this policy can be decided. */
export function needsOf(policy: Policy | undefined): ClaimNeeds {
  if (policy === undefined) return NO_NEEDS;
  const claims = new Set<string>();
  for (const test of policy.rules.flatMap((rule) => rule.claims)) {
    const [name] = test.path;
    if (name !== undefined) claims.add(name);
    if (test.noneOf !== undefined) claims.add(DISTRIBUTED);
  }
  return {
    claims: [...claims].sort(),
    groups: policy.rules.some((rule) => rule.groups !== undefined),
    email: policy.rules.some((rule) => rule.emailDomains !== undefined),
  };
}

/** Whether two Routes' policies are the same, rule by rule and in order. */
export const samePolicy = (a: Policy | undefined, b: Policy | undefined): boolean =>
  a === b || JSON.stringify(a?.rules.map(ruleKey)) === JSON.stringify(b?.rules.map(ruleKey));

/** Every field in fixed order, so that it doesn't matter how an object came to be. */
const ruleKey = (rule: Policy['rules'][number]): unknown => [
  rule.name,
  rule.paths?.map(({ type, value }) => [type, value]) ?? null,
  rule.methods ?? null,
  rule.claims.map(({ path, anyOf, allOf, noneOf }) => [path, anyOf ?? null, allOf ?? null, noneOf ?? null]),
  rule.groups ?? null,
  rule.emailDomains ?? null,
];
