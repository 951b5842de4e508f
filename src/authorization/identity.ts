/** What a plugin proved about who sends a request. Plain data; claims are those that the session kept. */
export interface ProvenIdentity {
  readonly issuer: string;
  /** RFC 7519 `sub`: unique within the issuer. */
  readonly subject: string;
  readonly username: string | undefined;
  readonly groups: readonly string[];
  /** `verified` only where the provider says `email_verified: true` (A048). */
  readonly email: { readonly address: string; readonly verified: boolean } | undefined;
  readonly claims: Readonly<Record<string, unknown>>;
}

/** What deciding about a Route needs to know of an identity. `claims` are top-level claim names, sorted, without repeats. */
export interface ClaimNeeds {
  readonly claims: readonly string[];
  readonly groups: boolean;
  readonly email: boolean;
}

export const NO_NEEDS: ClaimNeeds = { claims: [], groups: false, email: false };

export function unionNeeds(all: Iterable<ClaimNeeds>): ClaimNeeds {
  const claims = new Set<string>();
  let groups = false;
  let email = false;
  for (const needs of all) {
    for (const claim of needs.claims) claims.add(claim);
    groups ||= needs.groups;
    email ||= needs.email;
  }
  return { claims: [...claims].sort(), groups, email };
}
