/** `Route.authorization`, compiled: plain data, so that two Routes' policies can be compared. */
export interface Policy {
  /** In order; the first whose `match` fits decides. */
  readonly rules: readonly Rule[];
}

export interface Rule {
  readonly name: string;
  /** Undefined: every path, every method. */
  readonly paths: readonly { readonly type: 'Exact' | 'Prefix'; readonly value: string }[] | undefined;
  readonly methods: readonly string[] | undefined;
  readonly claims: readonly ClaimTest[];
  /** Undefined: not asked. */
  readonly groups: readonly string[] | undefined;
  readonly emailDomains: readonly string[] | undefined;
}

export interface ClaimTest {
  /** Way into the claims, outermost first. */
  readonly path: readonly string[];
  readonly anyOf: readonly string[] | undefined;
  readonly allOf: readonly string[] | undefined;
  readonly noneOf: readonly string[] | undefined;
}

export type Authorization =
  | { readonly kind: 'Allowed' /** Undefined where the Route has no rules. */; readonly rule: string | undefined }
  /** `rule` undefined: rules exist and none was for this request. */
  | { readonly kind: 'Forbidden'; readonly rule: string | undefined };
