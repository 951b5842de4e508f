import type { Compiled } from '../routing/snapshot.ts';
import type { Steps } from '../routing/steps.ts';
import { type ContentHash, RunningHash } from './content-hash.ts';
import { deepFreeze } from './freeze.ts';
import { frozenHash } from './frozen-hash.ts';
import { hostHash } from './host-hash.ts';

/**
 * Freezes what was compiled, part by part (a host, a plugin, a certificate), and gives the hash of the whole. A part that
 * is the same object as in a run before was frozen and hashed then, and costs nothing but a look.
 */
export function* freezeAndHash(compiled: Omit<Compiled, 'verdicts'>): Steps<ContentHash> {
  const { table, plugins, certificates } = compiled;
  const whole = new RunningHash();
  const any = table.any === undefined ? [] : [['*', table.any] as const];
  for (const hosts of [table.exact, table.wildcards, any]) yield* addAll(whole, hosts, hostHash);
  for (const parts of [plugins, certificates]) yield* addAll<object>(whole, parts, hashOf);
  for (const container of [table, table.exact, table.wildcards, plugins, certificates]) {
    // Members are frozen by now, so each is only looked at.
    deepFreeze(container);
    yield;
  }
  return whole.end();
}

/** Parts that are looked at between two steps, where each was hashed before. */
const STRIDE = 64;

/** In order of key, whatever the order of the parts. */
function* addAll<T extends object>(
  whole: RunningHash,
  parts: Iterable<readonly [string, T]>,
  hash: (part: T) => Steps<ContentHash>,
): Steps<void> {
  const hashes: (readonly [string, ContentHash])[] = [];
  let ordered = true;
  for (const [key, part] of parts) {
    if (hashes.length % STRIDE === 0) yield;
    ordered &&= (hashes.at(-1)?.[0] ?? '') <= key;
    hashes.push([key, yield* hash(part)]);
  }
  if (!ordered) hashes.sort(([a], [b]) => (a < b ? -1 : 1));
  whole.addText(`${hashes.length} parts`);
  for (const [at, [key, of]] of hashes.entries()) {
    if (at % STRIDE === 0) yield;
    whole.addText(key);
    whole.add(of);
  }
}

// biome-ignore lint/correctness/useYield: one step is enough for a plugin or a certificate.
function* hashOf(part: object): Steps<ContentHash> {
  return frozenHash(part);
}
