import type { Checked } from '../resources/problem.ts';
import { valid } from '../resources/problem.ts';
import { createKey, type KeyEntry, type KeyList } from './key.ts';
import { parseKeyList } from './key-list.ts';
import type { Key, KeyRing } from './ring.ts';

/** A new key opens at once and seals after this: by then every replica has read it. */
export const SEALING_DELAY = 5 * 60_000;

export interface LiveKeyRing extends KeyRing {
  /** Takes over another list (text form). What can't be read changes nothing (F41). The value: ids, the oldest first. */
  replace(text: string): Checked<readonly string[]>;
  /** Oldest first. */
  ids(): readonly string[];
  /** What is held, as it is stored: for the store of the keys and nowhere else. */
  list(): KeyList;
}

interface Held {
  readonly entry: KeyEntry;
  readonly key: Key;
}

/** Keys that can be exchanged while they are in use. `now`: milliseconds since the epoch. */
export function createKeyRing(keys: KeyList, now: () => number): LiveKeyRing {
  let held = hold(keys, []);
  return {
    sealing: () => newestThatSeals(held, now()).key,
    opening: (id) => held.find(({ entry }) => entry.id === id)?.key,
    replace(text) {
      const parsed = parseKeyList(text);
      if (!parsed.ok) return parsed;
      held = hold(parsed.value, held);
      return valid(held.map(({ entry }) => entry.id));
    },
    ids: () => held.map(({ entry }) => entry.id),
    list() {
      const [first, ...rest] = held;
      return [first.entry, ...rest.map(({ entry }) => entry)];
    },
  };
}

type NonEmpty<T> = readonly [T, ...T[]];

/** Every replica has to come to the same order, so a tie of times is decided by id. A key that stays keeps its object. */
function hold(keys: KeyList, before: readonly Held[]): NonEmpty<Held> {
  const [first, ...rest] = [...keys]
    .sort((a, b) => a.added - b.added || (a.id < b.id ? -1 : 1))
    .map((entry): Held => {
      const same = before.find(
        (old) => old.entry.id === entry.id && old.entry.secret.reveal() === entry.secret.reveal(),
      );
      return { entry, key: same?.key ?? createKey(entry) };
    });
  if (first === undefined) throw new Error('a key list is never empty');
  return [first, ...rest];
}

/** Where none is old enough, the oldest: it is the one that the others have had longest. */
function newestThatSeals(held: NonEmpty<Held>, now: number): Held {
  return held.findLast(({ entry }) => entry.added + SEALING_DELAY <= now) ?? held[0];
}
