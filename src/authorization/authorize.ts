import { lowerAscii } from '../resources/hostname.ts';
import { comparedMethod } from '../resources/method.ts';
import { laxPaths, prefixCovers, type RoutePath } from '../resources/path.ts';
import { claimHolds } from './claim-test.ts';
import type { ProvenIdentity } from './identity.ts';
import type { Authorization, Policy, Rule } from './policy.ts';

/** What a rule's `match` looks at. */
export interface AuthorizedRequest {
  readonly method: string;
  readonly path: RoutePath;
}

/**
 * Decides about a proven identity. Rules are asked in order; the first that is for the request decides, alone: all of
 * its conditions hold, or the answer is Forbidden. Where rules exist and none is for the request: Forbidden. Where there
 * is no policy: Allowed. A path that servers may read in more than one way is allowed only if each reading is (A007).
 */
export function authorize(
  policy: Policy | undefined,
  identity: ProvenIdentity,
  request: AuthorizedRequest,
): Authorization {
  if (policy === undefined) return { kind: 'Allowed', rule: undefined };
  const decision = decide(policy, identity, request.method, request.path);
  if (decision.kind === 'Forbidden') return decision;
  const readings = laxPaths(request.path);
  if (readings === undefined) return { kind: 'Forbidden', rule: undefined };
  for (const reading of readings) {
    const other = decide(policy, identity, request.method, reading);
    if (other.kind === 'Forbidden') return other;
  }
  return decision;
}

function decide(policy: Policy, identity: ProvenIdentity, method: string, path: string): Authorization {
  const rule = policy.rules.find((candidate) => isFor(candidate, method, path));
  if (rule === undefined) return { kind: 'Forbidden', rule: undefined };
  return { kind: holds(rule, identity) ? 'Allowed' : 'Forbidden', rule: rule.name };
}

function isFor(rule: Rule, method: string, path: string): boolean {
  if (rule.methods !== undefined && !rule.methods.includes(comparedMethod(method))) return false;
  return rule.paths === undefined || rule.paths.some((match) => covers(match, path));
}

const covers = (match: NonNullable<Rule['paths']>[number], path: string): boolean =>
  match.type === 'Exact' ? match.value === path : prefixCovers(match.value, path);

function holds(rule: Rule, identity: ProvenIdentity): boolean {
  if (!rule.claims.every((test) => claimHolds(test, identity.claims))) return false;
  if (rule.groups !== undefined && !rule.groups.some((group) => identity.groups.includes(group))) return false;
  return rule.emailDomains === undefined || isOfDomain(identity.email, rule.emailDomains);
}

/**
 * A048: a verified address with exactly one `@`, something before it, and after it exactly one of the domains; ASCII
 * case doesn't matter there. Blanks and control characters make it no address.
 */
function isOfDomain(email: ProvenIdentity['email'], domains: readonly string[]): boolean {
  if (email === undefined || !email.verified) return false;
  const match = /^[^@\s\p{Cc}\p{Cf}]{1,256}@([A-Za-z0-9.-]{1,253})$/u.exec(email.address);
  return match?.[1] !== undefined && domains.includes(lowerAscii(match[1]));
}
