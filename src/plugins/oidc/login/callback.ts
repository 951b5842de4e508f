import type { KeyRing } from '../../../keys/ring.ts';
import type { RequestView } from '../../../routing/decision.ts';
import type { ProviderMetadata } from '../provider/provider.ts';
import type { OwnCookies } from '../session/own-cookies.ts';
import type { Place } from '../session/place.ts';
import { type Attempt, attemptSecrets, bindingFits, openAttempt } from './attempt.ts';
import { parseCallbackQuery } from './callback-query.ts';
import type { UsedAttempts } from './used-attempts.ts';

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

/** Why a callback is not exchanged. */
export type CallbackFault =
  /** A parameter twice, or a bad escape. */
  | 'malformed'
  | 'state_missing'
  /** Not sealed by us, or for another plugin, host, client or issuer, or by a key that is gone. */
  | 'state_invalid'
  | 'state_expired'
  /** The binding cookie is missing or another's (A094). */
  | 'other_browser'
  | 'attempt_used'
  /** RFC 9207: `iss` missing where the provider sends it, or another's (A113). */
  | 'wrong_issuer'
  | 'code_missing'
  /** No discovery yet, so `iss` can't be judged. The attempt isn't used up. */
  | 'provider_unavailable'
  /** `error=access_denied`. */
  | 'access_denied'
  /** `error=temporarily_unavailable` or `server_error`. */
  | 'provider_failed'
  /** Any other `error`. */
  | 'provider_error';

export type CallbackCheck =
  | { readonly ok: true; readonly callback: CheckedCallback; readonly attempt: Attempt }
  /** `attempt` where the state is authentic, whoever brought it. */
  | { readonly ok: false; readonly fault: CallbackFault; readonly attempt: Attempt | undefined };

export interface CallbackWorld {
  readonly now: number;
  readonly keys: KeyRing;
  readonly issuer: string;
  readonly attemptTtl: number;
  readonly used: UsedAttempts;
  /** Undefined until discovery has succeeded once. */
  readonly metadata: ProviderMetadata | undefined;
}

/** Clocks of replicas differ; a state from further in the future isn't fresh. */
const REPLICA_SKEW = 60_000;

/** Pure but for `used`. Everything here comes before any network (A094, A166). */
export function checkCallback(
  request: RequestView,
  own: OwnCookies,
  place: Place,
  world: CallbackWorld,
): CallbackCheck {
  const refuse = (fault: CallbackFault, attempt?: Attempt): CallbackCheck => ({ ok: false, fault, attempt });

  const query = parseCallbackQuery(request.query);
  if (query === undefined) return refuse('malformed');
  if (query.state === undefined) return refuse('state_missing');
  const attempt = openAttempt(world.keys, place, query.state);
  if (attempt === undefined) return refuse('state_invalid');
  const age = world.now - attempt.startedAt;
  if (age >= world.attemptTtl || age < -REPLICA_SKEW) return refuse('state_expired', attempt);
  const binding = own.bindings.get(attempt.bindingName);
  if (binding === undefined || !bindingFits(attempt, binding)) return refuse('other_browser', attempt);
  if (world.metadata === undefined) return refuse('provider_unavailable', attempt);
  if (!issuerFits(query.iss, world.issuer, world.metadata)) return refuse('wrong_issuer', attempt);
  if (!world.used.take(attempt.id, world.now)) return refuse('attempt_used', attempt);
  if (query.error !== undefined) return refuse(faultOfError(query.error), attempt);
  if (query.code === undefined) return refuse('code_missing', attempt);
  return { ok: true, attempt, callback: makeCallback(query.code, place, attempt, binding) };
}

/** RFC 9207 section 2.4: simple string comparison; required where the metadata announce it. */
const issuerFits = (iss: string | undefined, issuer: string, metadata: ProviderMetadata): boolean =>
  iss === undefined ? !metadata.sendsIss : iss === issuer;

function faultOfError(error: string): CallbackFault {
  if (error === 'access_denied') return 'access_denied';
  return error === 'temporarily_unavailable' || error === 'server_error' ? 'provider_failed' : 'provider_error';
}

function makeCallback(code: string, place: Place, attempt: Attempt, binding: string): CheckedCallback {
  const values = { code, redirectUri: place.redirectUri, ...attemptSecrets(attempt, binding) };
  return values as typeof values & { readonly [checked]: true };
}
