import type { Milliseconds } from '../../../resources/duration.ts';
import { milliseconds } from '../../../resources/duration.ts';
import type { VerificationKey } from './key-set.ts';

/** What one fetch of the key set gave. */
export type KeySetAnswer =
  | { readonly ok: true; readonly keys: readonly VerificationKey[] }
  | { readonly ok: false; readonly message: string };

export type KeyLookup =
  | { readonly ok: true; readonly set: KeySet }
  /** No set that may be used, and none to be had now. */
  | { readonly ok: false; readonly message: string };

export interface KeySet {
  readonly keys: readonly VerificationKey[];
  /** Position of the fetch that gave it among all fetches, from 1; 0: it is from before them. */
  readonly fetch: number;
  readonly fetchedAt: number;
}

export interface KeyCache {
  /** The set at hand, or, without one that is young enough, a new one. */
  current(): Promise<KeyLookup>;
  /** Marks a moment; `newerThan` compares with it. */
  mark(): number;
  /**
   * A set whose fetch began after the mark, or undefined where it may not be fetched now or can't be had. At most one
   * fetch at a time; the cached set stays until a new one is there, so that a bad signature can't take it away.
   */
  newerThan(mark: number): Promise<KeySet | undefined>;
  /** Fetches now, whatever the throttle says; for the timer of the provider client. */
  refresh(): Promise<KeySetAnswer>;
  /** The set at hand, however old. */
  held(): KeySet | undefined;
}

/** How long a set is used while its provider gives no new one (F35). The regular refresh is far more frequent. */
export const MAX_STALE: Milliseconds = milliseconds(24 * 3_600_000);

/**
 * Fetches that logins can cause (F34, A166): a few at once, so that a provider may change its keys twice in a row, then
 * one in half a minute. Only an answer of the token endpoint gets here, so that it takes a lying provider to use it up.
 */
const BURST = 4;
const REFILL: Milliseconds = milliseconds(30_000);

/**
 * The provider's keys. jose's own remote set has no stale-if-error, no cap and a fixed cooldown (T22), and
 * oauth4webapi's fails the logins of a whole minute after a rotation (T21). `known`: a set of the same provider that
 * somebody else fetched.
 */
export function keyCache(fetchKeys: () => Promise<KeySetAnswer>, now: () => number, known?: KeySet): KeyCache {
  let set: KeySet | undefined = known === undefined ? undefined : { ...known, fetch: 0 };
  let started = 0;
  let running: Promise<KeySetAnswer> | undefined;
  let allowance = BURST;
  let refilledAt = now();

  const isUsable = (candidate: KeySet): boolean => now() - candidate.fetchedAt <= MAX_STALE;

  const mayFetch = (): boolean => {
    const time = now();
    allowance = Math.min(BURST, allowance + Math.max(0, (time - refilledAt) / REFILL));
    refilledAt = time;
    if (allowance < 1) return false;
    allowance -= 1;
    return true;
  };

  const fetchOnce = (): Promise<KeySetAnswer> => {
    if (running !== undefined) return running;
    started += 1;
    const fetch = started;
    running = fetchKeys()
      .then((answer) => {
        if (answer.ok) set = { keys: answer.keys, fetch, fetchedAt: now() };
        return answer;
      })
      .finally(() => {
        running = undefined;
      });
    return running;
  };

  return {
    mark: () => started,
    refresh: fetchOnce,
    held: () => set,
    async current() {
      if (set !== undefined && isUsable(set)) return { ok: true, set };
      if (running === undefined && !mayFetch()) {
        return { ok: false, message: 'its key set could not be fetched; the next try is due soon' };
      }
      const answer = await fetchOnce();
      if (!answer.ok) return answer;
      return set === undefined ? { ok: false, message: 'its key set could not be fetched' } : { ok: true, set };
    },
    async newerThan(mark) {
      // A fetch that was under way at the mark may bring the old keys: wait for it, then ask once more.
      if (running !== undefined && started <= mark) await running;
      if (set === undefined || set.fetch <= mark) {
        if (running === undefined && !mayFetch()) return undefined;
        await fetchOnce();
      }
      return set !== undefined && set.fetch > mark ? set : undefined;
    },
  };
}
