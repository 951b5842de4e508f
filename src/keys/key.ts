import { createHash, createSecretKey, hkdfSync, type KeyObject } from 'node:crypto';
import type { Redacted } from '../resources/redacted.ts';
import type { Key } from './ring.ts';

/** A master key as it is stored. */
export interface KeyEntry {
  /** 1 to 16 characters of A-Z a-z 0-9. */
  readonly id: string;
  /** 32 bytes in base64. */
  readonly secret: Redacted;
  /** When it came into the list, in milliseconds since the epoch: it seals five minutes later. */
  readonly added: number;
}

/** At least one key, ids without repeats. Made by `parseKeyList` and `generateKey` only. */
export type KeyList = readonly [KeyEntry, ...KeyEntry[]];

export const KEY_BYTES = 32;

/**
 * Labels are constants of the code, so the cache has as many entries as there are purposes. The two prefixes keep what is
 * derived as a key apart from what is derived as bytes, whatever the labels are.
 */
export function createKey(entry: KeyEntry): Key {
  const master = createSecretKey(Buffer.from(entry.secret.reveal(), 'base64'));
  const derived = new Map<string, KeyObject>();
  const expand = (info: string, length: number): Buffer => Buffer.from(hkdfSync('sha256', master, '', info, length));
  return {
    id: entry.id,
    derive(label) {
      const known = derived.get(label);
      if (known !== undefined) return known;
      const made = createSecretKey(expand(`postern key\0${label}`, KEY_BYTES));
      derived.set(label, made);
      return made;
    },
    // `info` of HKDF is limited to 1024 bytes by node:crypto; a digest of the context is as good and always fits.
    deriveBytes: (label, context, length) =>
      expand(`postern bytes\0${label}\0${createHash('sha256').update(context).digest('base64url')}`, length),
  };
}
