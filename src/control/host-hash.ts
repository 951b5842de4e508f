import { sorted } from '../routing/sorted.ts';
import type { Steps } from '../routing/steps.ts';
import type { HostTable, PathNode, PatternTable, Slot } from '../routing/table.ts';
import { type ContentHash, contentHash, RunningHash } from './content-hash.ts';
import { deepFreeze } from './freeze.ts';
import { frozenHash } from './frozen-hash.ts';

const known = new WeakMap<HostTable, ContentHash>();

/**
 * Freezes one host of a table and gives the hash of its content, in steps: one host may have all the Routes. Entries that
 * stayed the same objects were frozen and hashed before.
 */
export function* hostHash(host: HostTable): Steps<ContentHash> {
  const before = known.get(host);
  if (before !== undefined) return before;
  const { pattern, reserved, closed, paths, patterns } = host;
  const hash = new RunningHash();
  hash.add(contentHash([pattern, reserved, closed]));
  yield* addNode(hash, paths);
  if (patterns !== undefined) yield* addPatterns(hash, patterns);
  deepFreeze(host);
  const content = hash.end();
  known.set(host, content);
  return content;
}

/** Paths that are handled between two steps. */
const STRIDE = 16;

function* addNode(hash: RunningHash, node: PathNode): Steps<void> {
  const { children, exact, prefix } = node;
  addSlot(hash, exact);
  addSlot(hash, prefix);
  hash.addText(`${children.size} below`);
  const segments = children.size === 0 ? [] : yield* sorted([...children.keys()], (a, b) => (a < b ? -1 : 1));
  for (const [at, segment] of segments.entries()) {
    if (at % STRIDE === STRIDE - 1) yield;
    const child = children.get(segment);
    if (child === undefined) continue;
    hash.addText(segment);
    yield* addNode(hash, child);
  }
  deepFreeze(node);
}

function* addPatterns(hash: RunningHash, { expressions, slots, closed }: PatternTable): Steps<void> {
  hash.addText(`expressions ${expressions}`);
  addSlot(hash, closed);
  for (const [at, slot] of slots.entries()) {
    if (at % STRIDE === STRIDE - 1) yield;
    addSlot(hash, slot);
  }
}

function addSlot(hash: RunningHash, slot: Slot | undefined): void {
  hash.addText(`${slot?.length ?? 0}`);
  for (const { entry, guard } of slot ?? []) {
    hash.add(frozenHash(entry));
    hash.addText(guard === undefined ? 'refused' : `guard ${guard}`);
  }
}
