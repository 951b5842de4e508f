import { hash } from 'node:crypto';

/**
 * Least recently used, bounded by a budget of bytes: a session is opened once and then found by its sealed text. Known by the
 * SHA-256 of that, which stands for the whole of it in a tenth of the memory; the line that a browser sends again and again is found
 * without it (cookie-lines.ts).
 */
export interface SessionCache<T> {
  get(text: string): T | undefined;
  /** `cost` in bytes. */
  set(text: string, value: T, cost: number): void;
  readonly size: number;
}

interface Entry<T> {
  readonly value: T;
  readonly cost: number;
}

export function createSessionCache<T>(budget: number): SessionCache<T> {
  const entries = new Map<string, Entry<T>>();
  let spent = 0;

  const drop = (key: string, entry: Entry<T>): void => {
    entries.delete(key);
    spent -= entry.cost;
  };

  return {
    get(text) {
      const key = keyOf(text);
      const entry = entries.get(key);
      if (entry === undefined) return undefined;
      entries.delete(key);
      entries.set(key, entry);
      return entry.value;
    },
    set(text, value, cost) {
      const key = keyOf(text);
      const before = entries.get(key);
      if (before !== undefined) drop(key, before);
      entries.set(key, { value, cost });
      spent += cost;
      for (const [oldest, old] of entries) {
        if (spent <= budget) break;
        drop(oldest, old);
      }
    },
    get size() {
      return entries.size;
    },
  };
}

const keyOf = (text: string): string => hash('sha256', text, 'base64url');
