import { readWithLlhttp } from './llhttp.ts';
import { lengthOf, readWithOurs } from './ours.ts';
import type { Reading } from './reading.ts';

/**
 * Reads the bytes of an upstream with our parser and with llhttp. What ours gives to a client, llhttp has to give too: the
 * same status, headers and body, and an end at the same byte; what ours keeps a connection for, llhttp has to as well.
 *
 * @param cuts where the bytes are split for one more reading with ours, which has to come out the same
 * @returns what is different, in words, or undefined
 */
export function difference(bytes: Buffer, method: string, cuts: readonly number[]): string | undefined {
  const ours = readWithOurs([bytes], method, true);
  const split = readWithOurs(splitAt(bytes, cuts), method, true);
  const unequal = firstUnequal(ours, split);
  if (unequal !== undefined) return `split at ${cuts.join()}: ${unequal}`;
  if (ours.status === 0) return undefined;
  const length = ours.complete ? lengthOf(bytes, method) : undefined;
  return length === undefined ? openEnded(bytes, method, ours) : ended(bytes, method, ours, length);
}

/** It has ended by itself: neither a byte earlier nor later for llhttp. */
function ended(bytes: Buffer, method: string, ours: Reading, length: number): string | undefined {
  const without = readWithLlhttp([bytes.subarray(0, length - 1)], method, false);
  if (without.complete) return 'llhttp is at the end before';
  const theirs = readWithLlhttp([bytes.subarray(0, length - 1), bytes.subarray(length - 1, length)], method, false);
  if (!theirs.complete) return `llhttp is not at the end: ${theirs.fault}`;
  if (theirs.fault !== undefined) return `llhttp refuses: ${theirs.fault}`;
  // Of HEAD llhttp says it before it is told that there is no body.
  if (ours.keepsAlive && !theirs.keepsAlive && method !== 'HEAD') return 'llhttp would close the connection';
  if (ours.keepsAlive && length !== bytes.length) return 'kept with bytes behind it';
  return unlike(ours, theirs);
}

/** It ends with its connection, or breaks off: what there is of it has to be the same. */
function openEnded(bytes: Buffer, method: string, ours: Reading): string | undefined {
  const theirs = readWithLlhttp([bytes], method, ours.complete);
  if (ours.keepsAlive) return 'kept without an end';
  if (!ours.complete) return unlike(ours, { ...theirs, body: theirs.body.slice(0, ours.body.length) });
  if (theirs.fault !== undefined || !theirs.complete) return `llhttp refuses: ${theirs.fault}`;
  return unlike(ours, theirs);
}

function unlike(ours: Reading, theirs: Reading): string | undefined {
  if (ours.status !== theirs.status) return `status ${ours.status}, for llhttp ${theirs.status} (${theirs.fault})`;
  if (ours.body !== theirs.body)
    return `body ${JSON.stringify(ours.body)}, for llhttp ${JSON.stringify(theirs.body)} (${theirs.fault})`;
  const [mine, other] = [JSON.stringify(ours.headers), JSON.stringify(theirs.headers)];
  return mine === other ? undefined : `headers ${mine}, for llhttp ${other}`;
}

function firstUnequal(one: Reading, other: Reading): string | undefined {
  for (const key of ['status', 'body', 'complete', 'keepsAlive', 'fault'] as const)
    if (one[key] !== other[key]) return `${key} ${JSON.stringify(one[key])}, then ${JSON.stringify(other[key])}`;
  return JSON.stringify(one.headers) === JSON.stringify(other.headers) ? undefined : 'headers';
}

function splitAt(bytes: Buffer, cuts: readonly number[]): readonly Buffer[] {
  const points = [0, ...[...cuts].map((cut) => cut % (bytes.length + 1)).sort((a, b) => a - b), bytes.length];
  return points.slice(1).map((end, at) => bytes.subarray(points[at], end));
}
