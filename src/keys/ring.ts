import type { KeyObject } from 'node:crypto';

/** A master key. Nothing is sealed with it directly: one derived key per purpose (RFC 5869). */
export interface Key {
  /** 1 to 16 characters of A-Z a-z 0-9, named by what it seals. */
  readonly id: string;
  /** AES-256 key for one purpose, the same object for the same label. */
  derive(label: string): KeyObject;
  /** `length` bytes of HKDF-SHA-256 of this key with `info` = label and context, for values that are not kept. */
  deriveBytes(label: string, context: string, length: number): Buffer;
}

export interface KeyRing {
  /** The key that seals now. */
  sealing(): Key;
  /** A key that may open, by the id that what was sealed names. */
  opening(id: string): Key | undefined;
}
