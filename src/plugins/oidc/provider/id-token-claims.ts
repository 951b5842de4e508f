import { createHash } from 'node:crypto';
import type { Milliseconds } from '../../../resources/duration.ts';
import { type Failed, failed, quote, type SignedClaims } from './id-token.ts';

export interface Expected {
  readonly issuer: string;
  readonly clientId: string;
  /** Accepted besides the client id. */
  readonly audiences: readonly string[];
  readonly nonce: string;
  readonly accessToken: string;
  /** Milliseconds since the epoch. */
  readonly now: number;
  readonly clockTolerance: Milliseconds;
}

type Claims = Readonly<Record<string, unknown>>;
type Fault = Failed | undefined;

/**
 * OpenID Connect Core 3.1.3.7 over claims whose signature was verified: issuer, audience, times, nonce, at_hash, `sub`
 * (A111, A127 to A129). Pure. Undefined where everything holds.
 */
export function checkClaims({ claims, alg }: SignedClaims, expected: Expected): Fault {
  return (
    checkIssuer(claims, expected) ??
    checkAudience(claims, expected) ??
    checkSubject(claims) ??
    checkTimes(claims, expected) ??
    checkNonce(claims, expected) ??
    checkAccessTokenHash(claims, alg, expected)
  );
}

function checkIssuer({ iss }: Claims, { issuer }: Expected): Fault {
  if (iss === issuer) return undefined;
  return failed('id_token_issuer', `the ID token is of issuer ${quote(iss)}, not of ${quote(issuer)}`);
}

function checkAudience({ aud, azp }: Claims, { clientId, audiences }: Expected): Fault {
  const named: readonly unknown[] = Array.isArray(aud) ? aud : [aud];
  const trusted = named.filter((one) => one === clientId || audiences.some((audience) => audience === one));
  if (trusted.length === 0)
    return failed('id_token_audience', `the ID token is for ${quote(named[0])}, not for this client`);
  if (azp !== undefined && azp !== clientId) {
    return failed('id_token_audience', `the ID token was issued to client ${quote(azp)} (azp), not to this one`);
  }
  if (azp === undefined && trusted.length !== named.length) {
    return failed(
      'id_token_audience',
      'the ID token is also for audiences that are not trusted, and names no client (azp)',
    );
  }
  return undefined;
}

/** 255 characters by OpenID Connect Core section 2; some providers are more generous. */
const MAX_SUBJECT = 1024;

function checkSubject({ sub }: Claims): Fault {
  if (typeof sub === 'string' && sub !== '' && sub.length <= MAX_SUBJECT) return undefined;
  return failed('id_token_malformed', `sub of the ID token is not a text of 1 to ${MAX_SUBJECT} characters`);
}

/** Year 9999 in seconds: what is beyond (1e300) is no date, and would overflow whatever is computed with it (A128). */
const MAX_NUMERIC_DATE = 253_402_300_799;
/** A token is exchanged at once, so it is as young as the code; Entra dates `iat` back by five minutes. */
const MAX_AGE_SECONDS = 600;

function checkTimes(claims: Claims, expected: Expected): Fault {
  const { exp, iat, nbf } = claims;
  if (!isNumericDate(exp)) return failed('id_token_malformed', 'exp of the ID token is not a date');
  if (!isNumericDate(iat)) return failed('id_token_malformed', 'iat of the ID token is not a date');
  if (nbf !== undefined && !isNumericDate(nbf))
    return failed('id_token_malformed', 'nbf of the ID token is not a date');

  const now = expected.now / 1000;
  const tolerance = expected.clockTolerance / 1000;
  const ahead = Math.max(iat, nbf ?? iat) - now;
  if (ahead > tolerance) {
    return failed('id_token_clock_skew', `the ID token is valid in ${Math.round(ahead)} s only: ${CLOCKS}`);
  }
  if (now - iat > MAX_AGE_SECONDS + tolerance) {
    return failed('id_token_clock_skew', `the ID token was issued ${Math.round(now - iat)} s ago: ${CLOCKS}`);
  }
  if (now - exp >= tolerance) {
    const ago = Math.round(now - exp);
    return failed(
      'id_token_expired',
      `the ID token expired ${ago} s ago, though it was issued for this login: ${CLOCKS}`,
    );
  }
  return undefined;
}

const CLOCKS = 'the clocks of the provider and of this machine differ by more than clockTolerance (clock skew)';

const isNumericDate = (value: unknown): value is number =>
  typeof value === 'number' && value >= 0 && value <= MAX_NUMERIC_DATE;

function checkNonce({ nonce }: Claims, expected: Expected): Fault {
  if (nonce === expected.nonce) return undefined;
  const what = nonce === undefined ? 'has no nonce' : 'has the nonce of another login';
  return failed('id_token_nonce', `the ID token ${what}`);
}

/** OpenID Connect Core 3.1.3.6: optional in the code flow, but right where it is there. */
function checkAccessTokenHash({ at_hash: hash }: Claims, alg: string, { accessToken }: Expected): Fault {
  if (hash === undefined) return undefined;
  const digest = createHash(hashOf(alg)).update(accessToken, 'ascii').digest();
  const wanted = digest.subarray(0, digest.length / 2).toString('base64url');
  if (hash === wanted) return undefined;
  return failed('id_token_at_hash', 'at_hash of the ID token is not that of the access token it came with');
}

/** Ed25519 signs with SHA-512. */
const hashOf = (alg: string): string => (alg.startsWith('Ed') ? 'sha512' : `sha${alg.slice(-3)}`);
