declare const checked: unique symbol;

/**
 * A callback that may be exchanged: exactly one code and state, the state opened and fresh, the binding cookie that it
 * names was there, `iss` as expected, no error, the attempt not used before. Only the checker in this file makes one.
 */
export interface CheckedCallback {
  readonly [checked]: true;
  readonly code: string;
  /** As sent in the authorization request, built from configuration. */
  readonly redirectUri: string;
  /** RFC 7636 verifier, derived. */
  readonly codeVerifier: string;
  /** Derived; the ID token has to carry it. */
  readonly nonce: string;
}
