import { createHash, timingSafeEqual } from 'node:crypto';
import type { Key, KeyRing } from '../../../keys/ring.ts';
import { open, seal } from '../../../keys/seal.ts';
import type { Place } from '../session/place.ts';
import type { Binding } from './binding.ts';
import { checkReturnPath, type ReturnPath } from './return-path.ts';

/**
 * One login in progress. Nothing of it is stored: what has to come back travels in `state`, sealed; what must not be seen
 * by anybody but the provider's back channel (PKCE verifier) is derived again from the key, the attempt's id and the
 * binding cookie. So any number of tabs can log in at once, and a state is worthless in another browser.
 */
export interface Attempt {
  /** 128 bits, base64url. */
  readonly id: string;
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
  readonly returnPath: ReturnPath;
  readonly bindingName: string;
  /** SHA-256 of the binding cookie's value, base64url. */
  readonly bindingDigest: string;
  /** What sealed it, and what verifier and nonce are derived from. */
  readonly key: Key;
}

/** Both derived, one label each. */
export interface AttemptSecrets {
  /** RFC 7636 section 4.1: 43 characters, 256 bits. */
  readonly codeVerifier: string;
  readonly nonce: string;
}

const PURPOSE = 'state v1';
/** Longest state that we make: a return path of 4 KiB, the rest, and base64. */
const MAX_STATE = 8192;

const digestOf = (value: string): string => createHash('sha256').update(value).digest('base64url');

export function beginAttempt(
  key: Key,
  binding: Binding,
  returnPath: ReturnPath,
  now: number,
  random: (bytes: number) => Buffer,
): Attempt {
  const id = random(16).toString('base64url');
  return {
    id,
    startedAt: now,
    returnPath,
    bindingName: binding.name,
    bindingDigest: digestOf(binding.value),
    key,
  };
}

/** The `state` of the authorization request (RFC 6749 section 10.12). */
export function sealAttempt(attempt: Attempt, place: Place, random: (bytes: number) => Buffer): string {
  const { id, startedAt, bindingName, bindingDigest, returnPath } = attempt;
  const content = JSON.stringify([id, startedAt, bindingName, bindingDigest, returnPath]);
  return seal(attempt.key, PURPOSE, place.bind(PURPOSE), Buffer.from(content), random);
}

/** What `sealAttempt` made for the same plugin, issuer, client and host; anything else is undefined. Never throws. */
export function openAttempt(ring: KeyRing, place: Place, state: string): Attempt | undefined {
  if (state.length > MAX_STATE) return undefined;
  const opened = open(ring, PURPOSE, place.bind(PURPOSE), state);
  if (opened === undefined) return undefined;
  const content: unknown = JSON.parse(opened.plaintext.toString());
  if (!Array.isArray(content)) return undefined;
  const [id, startedAt, bindingName, bindingDigest, path] = content as readonly unknown[];
  if (typeof id !== 'string' || typeof startedAt !== 'number' || typeof path !== 'string') return undefined;
  if (typeof bindingName !== 'string' || typeof bindingDigest !== 'string') return undefined;
  const returnPath = checkReturnPath(path, place.origin);
  if (returnPath === undefined) return undefined;
  return { id, startedAt, returnPath, bindingName, bindingDigest, key: opened.key };
}

/** Whether this is the cookie of the browser that began the attempt. */
export function bindingFits(attempt: Attempt, value: string): boolean {
  const expected = Buffer.from(attempt.bindingDigest);
  const actual = Buffer.from(digestOf(value));
  return expected.length === actual.length && timingSafeEqual(expected, actual);
}

export function attemptSecrets(attempt: Attempt, bindingValue: string): AttemptSecrets {
  const context = JSON.stringify([attempt.id, bindingValue]);
  const derive = (label: string): string => attempt.key.deriveBytes(label, context, 32).toString('base64url');
  return { codeVerifier: derive('pkce verifier v1'), nonce: derive('nonce v1') };
}

/** RFC 7636 section 4.2, S256. */
export const codeChallengeOf = (verifier: string): string => digestOf(verifier);
