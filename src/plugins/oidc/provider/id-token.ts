import { compactVerify, decodeProtectedHeader, errors } from 'jose';
import { MAX_SHOWN } from '../scrub.ts';
import type { Algorithm } from '../spec/config.ts';
import { parseJsonObject } from './json.ts';
import type { KeyCache, KeySet } from './jwks.ts';
import { algorithmName } from './key-set.ts';
import type { ExchangeFailure } from './provider.ts';

export interface Failed {
  readonly ok: false;
  readonly failure: ExchangeFailure;
  /** For the log: no token, code or secret in it. */
  readonly detail: string;
}

export const failed = (failure: ExchangeFailure, detail: string): Failed => ({ ok: false, failure, detail });

export interface SignedClaims {
  readonly ok: true;
  /** Algorithm of the header, of the allow-list: at_hash is made with its hash. */
  readonly alg: string;
  readonly claims: Readonly<Record<string, unknown>>;
}

/** Far above what fits a session; what is larger is not parsed. */
const MAX_ID_TOKEN = 64 * 1024;
/** Signatures tried for one token; a token without `kid` may fit several keys. */
const MAX_CANDIDATES = 16;
/** Types that say the token is for another purpose (RFC 9068, OpenID Back-Channel Logout 1.0): no ID token (A131). */
const OTHER_TYPES = ['at+jwt', 'logout+jwt', 'secevent+jwt', 'token-introspection+jwt', 'dpop+jwt'];

interface Header {
  readonly ok: true;
  readonly alg: string;
  readonly kid: string | undefined;
}

/**
 * The claims of an ID token whose signature was verified with a key of its provider: always, also of one that came
 * straight from the token endpoint (T20, A120 to A125). Nothing of the payload is looked at before. Where no key at
 * hand fits (unknown `kid`, or a bad signature under a known one, as LemonLDAP::NG gives after a restart), the key set
 * is fetched once more (F34). Never rejects for what a provider sends.
 */
export async function verifySignature(
  idToken: string,
  allowed: readonly Algorithm[],
  keys: KeyCache,
): Promise<SignedClaims | Failed> {
  const header = readHeader(idToken, allowed);
  if (!header.ok) return header;
  const mark = keys.mark();
  const known = await keys.current();
  if (!known.ok) return failed('provider_unavailable', known.message);
  const claims = await tryKeys(idToken, header, known.set);
  if (claims !== undefined) return claims;
  const newer = known.set.fetch > mark ? undefined : await keys.newerThan(mark);
  const claimsOfNewer = newer === undefined ? undefined : await tryKeys(idToken, header, newer);
  return claimsOfNewer ?? badSignature(header, newer ?? known.set, newer !== undefined || known.set.fetch > mark);
}

function readHeader(idToken: string, allowed: readonly Algorithm[]): Header | Failed {
  if (idToken.length > MAX_ID_TOKEN) return malformed(`the ID token is larger than ${MAX_ID_TOKEN} bytes`);
  const parts = idToken.split('.', 6);
  if (parts.length === 5)
    return malformed('the ID token is encrypted; register the client without ID token encryption');
  if (parts.length !== 3) return malformed('the ID token is not a signed JWT');
  let header: Readonly<Record<string, unknown>>;
  try {
    header = decodeProtectedHeader(idToken);
  } catch {
    return malformed('the header of the ID token is not JSON');
  }
  const { alg, kid, typ } = header;
  if (typeof alg !== 'string' || !allowed.some((name) => name === algorithmName(alg))) {
    return failed('id_token_algorithm', `the ID token has algorithm ${quote(alg)}; allowed: ${allowed.join(', ')}`);
  }
  if ('crit' in header) return malformed('the header of the ID token has critical extensions, of which none is known');
  if (header['b64'] === false) return malformed('the payload of the ID token is not base64url');
  if (kid !== undefined && typeof kid !== 'string') return malformed('the kid of the ID token is not a string');
  if (typeof typ === 'string' && OTHER_TYPES.includes(typ.toLowerCase().replace(/^application\//, ''))) {
    return malformed(`the token has type ${quote(typ)}, which is no ID token`);
  }
  return { ok: true, alg, kid };
}

/** Undefined where no key of the set verifies the signature. */
async function tryKeys(idToken: string, header: Header, set: KeySet): Promise<SignedClaims | Failed | undefined> {
  const candidates = set.keys
    .filter((key) => key.algs.includes(header.alg) && (header.kid === undefined || key.kid === header.kid))
    .slice(0, MAX_CANDIDATES);
  for (const candidate of candidates) {
    const key = await candidate.forAlgorithm(header.alg);
    if (key === undefined) continue;
    try {
      const { payload } = await compactVerify(idToken, key, { algorithms: [header.alg] });
      return readClaims(payload, header.alg);
    } catch (error) {
      if (!(error instanceof errors.JWSSignatureVerificationFailed))
        return malformed('the ID token is not a valid JWS');
    }
  }
  return undefined;
}

function readClaims(payload: Uint8Array, alg: string): SignedClaims | Failed {
  const claims = parseJsonObject(payload);
  if (claims !== undefined) return { ok: true, alg, claims };
  return malformed('the payload of the ID token is not a JSON object');
}

function badSignature(header: Header, set: KeySet, fetchedNow: boolean): Failed {
  const key = header.kid === undefined ? 'no kid' : `kid ${quote(header.kid)}`;
  const known = set.keys.some((candidate) => candidate.kid === header.kid);
  const reason =
    known || header.kid === undefined ? 'no key of the provider verifies it' : 'the provider has no such key';
  const fetched = fetchedNow ? 'fetched just now' : 'which is not fetched again so soon';
  return failed(
    'id_token_signature',
    `the signature of the ID token (${header.alg}, ${key}) is not valid: ${reason} in its key set, ${fetched}`,
  );
}

const malformed = (detail: string): Failed => failed('id_token_malformed', detail);

/** A short value of a token's header for a log line; what is longer than a name is cut. */
export const quote = (value: unknown): string => {
  const text = typeof value === 'string' ? JSON.stringify(value.slice(0, MAX_SHOWN)) : typeof value;
  return text.replace(/[^\x20-\x7e]/g, '?');
};
