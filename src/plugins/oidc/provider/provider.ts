import type { InstanceStatus } from '../../../routing/decision.ts';
import type { CheckedCallback } from '../login/callback.ts';
import type { KnownProvider } from './known-provider.ts';

/** A provider as logging in sees it. The instance behind it keeps discovery and keys, and retries by itself. */
export interface Provider {
  status(): InstanceStatus;
  /**
   * Resolves when the first try to reach the provider came to an end, at the latest after a short while: a plugin that
   * was changed a moment ago turns nobody away who is on the way back from the provider. Undefined when that is over.
   */
  firstAnswer(): Promise<void> | undefined;
  /** Undefined until discovery has succeeded once; then the last good answer. */
  metadata(): ProviderMetadata | undefined;
  /** The authorization request (RFC 6749 4.1.1, RFC 7636 S256 always); undefined until discovery has succeeded once. */
  authorizationUrl(request: AuthorizationRequest): URL | undefined;
  /** Token request and ID-token validation. Never rejects: every failure is a value. */
  exchange(callback: CheckedCallback): Promise<ExchangeResult>;
  /** OpenID RP-Initiated Logout 1.0; undefined where the provider offers none. */
  endSessionUrl(request: EndSessionRequest): URL | undefined;
  /** For an instance that follows; undefined while the provider is not well, as far as is known. */
  known(): KnownProvider | undefined;
  stop(): void;
}

export interface ProviderMetadata {
  readonly issuer: string;
  /** RFC 9207: a response without `iss` is then refused. */
  readonly sendsIss: boolean;
}

export interface AuthorizationRequest {
  readonly redirectUri: string;
  readonly state: string;
  readonly nonce: string;
  /** BASE64URL(SHA256(verifier)). */
  readonly codeChallenge: string;
}

export interface EndSessionRequest {
  readonly idTokenHint: string | undefined;
  readonly postLogoutRedirectUri: string;
}

export interface Tokens {
  readonly accessToken: string;
  /** Milliseconds since the epoch; undefined where the provider didn't say. */
  readonly accessTokenExpiresAt: number | undefined;
  /** The ID token as received. */
  readonly idToken: string;
  /** Of the validated ID token. */
  readonly claims: Readonly<Record<string, unknown>>;
}

/** Why a callback came to nothing; a closed set, for the page, the log and the metric. */
export type ExchangeFailure =
  /** Discovery has never succeeded, or the provider didn't answer in time or answered 5xx or 429. */
  | 'provider_unavailable'
  /** invalid_client: our credentials. */
  | 'client_rejected'
  /** invalid_grant: the code was used, expired, or not ours. */
  | 'code_rejected'
  /** Any other answer that RFC 6749 doesn't allow: no JSON, too big, redirect, token_type. */
  | 'bad_response'
  | 'id_token_signature'
  | 'id_token_algorithm'
  | 'id_token_issuer'
  | 'id_token_audience'
  | 'id_token_nonce'
  | 'id_token_expired'
  /** `iat` or `nbf` in the future beyond the tolerance: clocks differ. */
  | 'id_token_clock_skew'
  | 'id_token_at_hash'
  | 'id_token_malformed';

export type ExchangeResult =
  | { readonly ok: true; readonly tokens: Tokens }
  /** `detail` is for the log: no token, code or secret in it. */
  | { readonly ok: false; readonly failure: ExchangeFailure; readonly detail: string };
