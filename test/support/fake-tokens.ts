import { createHash, createHmac, generateKeyPair, type KeyObject, randomBytes, sign } from 'node:crypto';
import { promisify } from 'node:util';

export interface FakeKey {
  readonly alg: string;
  readonly kid: string | undefined;
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
  readonly publicJwk: Readonly<Record<string, unknown>>;
}

/** How an ID token is made wrong, or only unusual. */
export interface TokenLie {
  /** Laid over the header; undefined members are left out. */
  readonly header?: Readonly<Record<string, unknown>>;
  readonly signature?: 'flipped' | 'empty' | 'hmac-of-public-key' | 'hmac-of-secret' | 'malformed';
  readonly atHash?: 'right' | 'wrong' | 'number';
  /** The whole token instead. */
  readonly token?: string;
  /** Payload bytes instead of the claims. */
  readonly payload?: string;
  /** `iss` of the authorization response. */
  readonly responseIssuer?: string;
}

const generate = promisify(generateKeyPair);

export async function fakeKey(alg: string, kid: string | undefined = randomBytes(6).toString('hex')): Promise<FakeKey> {
  const { publicKey, privateKey } = await keyPair(alg);
  const named = kid === undefined ? {} : { kid };
  return {
    alg,
    kid,
    privateKey,
    publicKey,
    publicJwk: { ...publicKey.export({ format: 'jwk' }), alg, use: 'sig', ...named },
  };
}

function keyPair(alg: string): Promise<{ readonly publicKey: KeyObject; readonly privateKey: KeyObject }> {
  switch (alg) {
    case 'ES256':
      return generate('ec', { namedCurve: 'P-256' });
    case 'ES384':
      return generate('ec', { namedCurve: 'P-384' });
    case 'ES512':
      return generate('ec', { namedCurve: 'P-521' });
    case 'EdDSA':
    case 'Ed25519':
      return generate('ed25519', {});
    default:
      return generate('rsa', { modulusLength: 2048 });
  }
}

export function idToken(
  claims: Readonly<Record<string, unknown>>,
  key: FakeKey,
  accessToken: string,
  lie: TokenLie = {},
): string {
  if (lie.token !== undefined) return lie.token;
  const header = { alg: key.alg, typ: 'JWT', kid: key.kid, ...lie.header };
  const body = { ...claims, ...atHash(key.alg, accessToken, lie) };
  const input = `${encode(JSON.stringify(header))}.${encode(lie.payload ?? JSON.stringify(body))}`;
  return `${input}.${signature(input, key, lie)}`;
}

function atHash(alg: string, accessToken: string, { atHash: kind }: TokenLie): Readonly<Record<string, unknown>> {
  if (kind === undefined) return {};
  if (kind === 'number') return { at_hash: 7 };
  const value = kind === 'right' ? accessToken : `${accessToken}x`;
  const hash = createHash(alg.startsWith('Ed') ? 'sha512' : `sha${alg.slice(-3)}`);
  const digest = hash.update(value).digest();
  return { at_hash: digest.subarray(0, digest.length / 2).toString('base64url') };
}

function signature(input: string, key: FakeKey, lie: TokenLie): string {
  switch (lie.signature) {
    case 'empty':
      return '';
    case 'malformed':
      return '%%%';
    case 'hmac-of-secret':
      return createHmac('sha256', 'secret').update(input).digest('base64url');
    case 'hmac-of-public-key':
      return createHmac('sha256', key.publicKey.export({ type: 'spki', format: 'pem' }))
        .update(input)
        .digest('base64url');
    case 'flipped': {
      const bytes = signBytes(input, key);
      bytes[8] = (bytes[8] ?? 0) ^ 1;
      return bytes.toString('base64url');
    }
    default:
      return signBytes(input, key).toString('base64url');
  }
}

/** RFC 7518 section 3, RFC 8037 section 3.1. */
function signBytes(input: string, key: FakeKey): Buffer {
  const data = Buffer.from(input);
  const { alg, privateKey } = key;
  if (alg.startsWith('Ed')) return sign(null, data, privateKey);
  const hash = `sha${alg.slice(-3)}`;
  if (alg.startsWith('ES')) return sign(hash, data, { key: privateKey, dsaEncoding: 'ieee-p1363' });
  // 6: RSA_PKCS1_PSS_PADDING; the salt is as long as the hash.
  if (alg.startsWith('PS'))
    return sign(hash, data, { key: privateKey, padding: 6, saltLength: Number(alg.slice(-3)) / 8 });
  return sign(hash, data, privateKey);
}

const encode = (text: string): string => Buffer.from(text).toString('base64url');
