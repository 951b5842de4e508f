import { type ContentHash, contentHash } from './content-hash.ts';
import { deepFreeze } from './freeze.ts';

const known = new WeakMap<object, ContentHash>();

/** Content of an object that nothing changes any more: it is frozen here. */
export function frozenHash(part: object): ContentHash {
  const before = known.get(part);
  if (before !== undefined) return before;
  deepFreeze(part);
  const hash = contentHash(part);
  known.set(part, hash);
  return hash;
}
