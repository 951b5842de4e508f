import type { ClaimNeeds, ProvenIdentity } from '../../../authorization/identity.ts';
import type { OidcConfig } from '../spec/config.ts';

export type Claims = Readonly<Record<string, unknown>>;

/** Follows a way into the claims, own members only. Undefined where it leads nowhere. */
export function claimAt(claims: Claims, path: readonly string[]): unknown {
  let value: unknown = claims;
  for (const name of path) {
    if (typeof value !== 'object' || value === null || Array.isArray(value) || !Object.hasOwn(value, name))
      return undefined;
    value = Reflect.get(value, name);
  }
  return value;
}

const VERIFIED = 'email_verified';

/** Top-level claims that these needs read under this configuration. */
export function claimsNeeded(config: OidcConfig, needs: ClaimNeeds): readonly string[] {
  const names = new Set(needs.claims);
  const top = (path: readonly string[]): void => {
    if (path[0] !== undefined) names.add(path[0]);
  };
  top(config.claims.username);
  for (const { claim } of config.upstream.claims) top(claim);
  if (needs.groups) top(config.claims.groups);
  if (needs.email) {
    top(config.claims.email);
    top([...config.claims.email.slice(0, -1), VERIFIED]);
  }
  return [...names].sort();
}

/** Own members of these names. `fromEntries` defines members, so a claim called `__proto__` stays one. */
export const pickClaims = (claims: Claims, names: readonly string[]): Claims =>
  Object.fromEntries(names.filter((name) => Object.hasOwn(claims, name)).map((name) => [name, claims[name]]));

const text = (value: unknown): string | undefined => (typeof value === 'string' && value !== '' ? value : undefined);

export function identityOf(config: OidcConfig, subject: string, claims: Claims): ProvenIdentity {
  const address = text(claimAt(claims, config.claims.email));
  // Beside the address itself; only the boolean counts (OpenID Connect Core 5.1, A048).
  const verified = claimAt(claims, [...config.claims.email.slice(0, -1), VERIFIED]) === true;
  return {
    issuer: config.issuer,
    subject,
    username: text(claimAt(claims, config.claims.username)),
    groups: groupsOf(claimAt(claims, config.claims.groups)),
    email: address === undefined ? undefined : { address, verified },
    claims,
  };
}

/** A list of strings, or one string; what else is in the list names no group. */
function groupsOf(value: unknown): readonly string[] {
  if (typeof value === 'string') return value === '' ? [] : [value];
  return Array.isArray(value) ? value.filter((member: unknown): member is string => typeof member === 'string') : [];
}
