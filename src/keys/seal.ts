import { createCipheriv, createDecipheriv } from 'node:crypto';
import type { Key, KeyRing } from './ring.ts';

/**
 * AES-256-GCM with associated data (NIST SP 800-38D), as text that a cookie and a query can carry:
 * base64url of: version 1, length of the key's id, the id, 12 random bytes, ciphertext, 16 bytes of tag.
 * The part before the nonce is authenticated too. Random nonces: at most 2^32 messages per key and purpose, so a busy
 * installation changes its keys once a month.
 */
const VERSION = 1;
const NONCE = 12;
const TAG = 16;
const CIPHER = 'aes-256-gcm';

export interface Opened {
  readonly plaintext: Buffer;
  /** The key that it was sealed with. */
  readonly key: Key;
}

/** Text that binds values without ambiguity, whatever characters are in them. */
export const associatedData = (...parts: readonly string[]): Buffer => Buffer.from(JSON.stringify(parts));

/** `purpose`: a constant; each has its own derived key. `random` gives bytes of cryptographic quality. */
export function seal(
  key: Key,
  purpose: string,
  associated: Buffer,
  plaintext: Buffer,
  random: (bytes: number) => Buffer,
): string {
  const head = Buffer.from([VERSION, key.id.length, ...Buffer.from(key.id, 'latin1')]);
  const nonce = random(NONCE);
  const cipher = createCipheriv(CIPHER, key.derive(purpose), nonce, { authTagLength: TAG });
  cipher.setAAD(Buffer.concat([head, associated]));
  const ciphertext = Buffer.concat([cipher.update(plaintext), cipher.final()]);
  return Buffer.concat([head, nonce, ciphertext, cipher.getAuthTag()]).toString('base64url');
}

/**
 * What `seal` made with the same purpose and associated data, or undefined: garbage, another key, another place and a
 * changed bit are one answer (A140). A second spelling of the same bytes is refused too. Never throws.
 */
export function open(ring: KeyRing, purpose: string, associated: Buffer, text: string): Opened | undefined {
  const bytes = Buffer.from(text, 'base64url');
  if (bytes.toString('base64url') !== text) return undefined;
  const idLength = bytes[1];
  if (bytes[0] !== VERSION || idLength === undefined || idLength === 0 || idLength > 16) return undefined;
  const head = 2 + idLength;
  if (bytes.length < head + NONCE + TAG) return undefined;
  const key = ring.opening(bytes.toString('latin1', 2, head));
  if (key === undefined) return undefined;
  const nonce = bytes.subarray(head, head + NONCE);
  const decipher = createDecipheriv(CIPHER, key.derive(purpose), nonce, { authTagLength: TAG });
  decipher.setAAD(Buffer.concat([bytes.subarray(0, head), associated]));
  decipher.setAuthTag(bytes.subarray(bytes.length - TAG));
  try {
    const plaintext = decipher.update(bytes.subarray(head + NONCE, bytes.length - TAG));
    return { plaintext: Buffer.concat([plaintext, decipher.final()]), key };
  } catch {
    return undefined;
  }
}
