import { type CryptoKey, importJWK, type JWK } from 'jose';
import type { Algorithm } from '../spec/config.ts';
import { isObject } from './json.ts';

/** A key that can verify ID tokens. */
export interface VerificationKey {
  readonly kid: string | undefined;
  /** Algorithms that this key serves: one, where the key names it. */
  readonly algs: readonly string[];
  /** One imported key per algorithm, for Web Crypto binds both together. */
  forAlgorithm(alg: string): Promise<CryptoKey | undefined>;
}

/** No provider publishes more; what is beyond is not looked at (invariant 7). */
const MAX_KEYS = 100;

/** Name of EdDSA with Ed25519 in RFC 9864; who allows the one allows the other. */
const ED25519 = 'Ed25519';

/** `alg` of a header as configuration names it. */
export const algorithmName = (alg: string): string => (alg === ED25519 ? 'EdDSA' : alg);

/**
 * The keys of a JWK Set (RFC 7517) that can verify a signature by one of `allowed`. Keys for another use, of another
 * type or curve, with malformed members or too small are passed over one by one, for they say nothing against the
 * others (RFC 7517 section 5). Undefined where `json` is no JWK Set.
 */
export async function usableKeys(
  json: unknown,
  allowed: readonly Algorithm[],
): Promise<readonly VerificationKey[] | undefined> {
  if (!isObject(json) || !Array.isArray(json['keys'])) return undefined;
  const members: readonly unknown[] = json['keys'].slice(0, MAX_KEYS);
  const keys = await Promise.all(members.map((member) => usableKey(member, allowed)));
  return keys.filter((key) => key !== undefined);
}

async function usableKey(jwk: unknown, allowed: readonly Algorithm[]): Promise<VerificationKey | undefined> {
  if (!isObject(jwk) || !isForSignatures(jwk)) return undefined;
  const { kid } = jwk;
  if (kid !== undefined && typeof kid !== 'string') return undefined;
  const algs = algorithmsOf(jwk).filter((alg) => allowed.some((name) => name === algorithmName(alg)));
  const members = publicMembers(jwk);
  // Importing once tells a malformed key from a usable one; all algorithms of one key type read the same members.
  const [first] = algs;
  // What was imported isn't kept: most of a thousand providers are asked for their keys far more often than anybody logs in.
  if (first === undefined || (await importPublic(members, first)) === undefined) return undefined;
  return { kid, algs, forAlgorithm: importer(members) };
}

function isForSignatures(jwk: Readonly<Record<string, unknown>>): boolean {
  const { use, key_ops: operations } = jwk;
  if (use !== undefined && use !== 'sig') return false;
  return operations === undefined || (Array.isArray(operations) && operations.includes('verify'));
}

/** RFC 7518 section 6, RFC 8037: what a key of this type and curve can verify. */
function algorithmsOf(jwk: Readonly<Record<string, unknown>>): readonly string[] {
  const possible = BY_TYPE[`${String(jwk['kty'])} ${jwk['kty'] === 'RSA' ? '' : String(jwk['crv'])}`] ?? [];
  return jwk['alg'] === undefined ? possible : possible.filter((alg) => alg === jwk['alg']);
}

const BY_TYPE: Readonly<Record<string, readonly string[]>> = {
  'RSA ': ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'],
  'EC P-256': ['ES256'],
  'EC P-384': ['ES384'],
  'EC P-521': ['ES512'],
  'OKP Ed25519': ['EdDSA', ED25519],
};

/** Only the public members reach the import, so that a published private key is used as the public one it contains. */
const PUBLIC_MEMBERS = ['kty', 'crv', 'x', 'y', 'n', 'e'] as const;
const MIN_RSA_BITS = 2048;
/** Longer moduli and exponents cost seconds of CPU for each signature. */
const MAX_RSA_BITS = 8192;
const MAX_EXPONENT_BYTES = 4;

function publicMembers(jwk: Readonly<Record<string, unknown>>): JWK {
  const members: JWK = {};
  for (const name of PUBLIC_MEMBERS) {
    const value = jwk[name];
    if (typeof value === 'string') members[name] = value;
  }
  return members;
}

function importer(members: JWK): VerificationKey['forAlgorithm'] {
  let imported: Map<string, Promise<CryptoKey | undefined>> | undefined;
  return (alg) => {
    const known = imported?.get(alg);
    if (known !== undefined) return known;
    const pending = importPublic(members, alg);
    imported ??= new Map();
    imported.set(alg, pending);
    return pending;
  };
}

async function importPublic(members: JWK, alg: string): Promise<CryptoKey | undefined> {
  try {
    const key = await importJWK({ ...members, key_ops: ['verify'] }, alg);
    if (key instanceof Uint8Array || key.type !== 'public') return undefined;
    return hasUsableSize(key) ? key : undefined;
  } catch {
    return undefined;
  }
}

interface RsaSizes {
  readonly name: string;
  readonly modulusLength?: number;
  readonly publicExponent?: Uint8Array;
}

function hasUsableSize(key: CryptoKey): boolean {
  const { modulusLength: bits, publicExponent: exponent }: RsaSizes = key.algorithm;
  if (bits === undefined) return true;
  return bits >= MIN_RSA_BITS && bits <= MAX_RSA_BITS && (exponent?.length ?? 0) <= MAX_EXPONENT_BYTES;
}
