import { randomBytes } from 'node:crypto';

const RING = 1 << 20;
const MOST = 64 * 1024;
const half = randomBytes(RING);
/** Twice the ring's beginning, so that a piece never has to be put together. */
const ring = Buffer.concat([half, half.subarray(0, MOST)]);

/**
 * Bytes that every party knows from a seed: what is sent is never made or copied, and each byte that comes is compared. Two
 * seeds give different bytes at the same position, so that those of another transfer are noticed.
 */
export function bytesAt(seed: number, position: number, most: number): Buffer {
  const start = (seed + position) % RING;
  return ring.subarray(start, start + Math.min(most, MOST));
}

/** Whether these are the bytes of the seed from the position on. */
export function isAt(seed: number, position: number, received: Buffer): boolean {
  for (let at = 0; at < received.length; ) {
    const expected = bytesAt(seed, position + at, received.length - at);
    if (expected.compare(received, at, at + expected.length) !== 0) return false;
    at += expected.length;
  }
  return true;
}

export const newSeed = (): number => Math.floor(Math.random() * RING);
