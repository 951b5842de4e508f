/**
 * Least recently used, bounded by a budget of bytes: a session is opened once and then found by its sealed text.
 * Keyed by the end of that text (the tag of the seal: 128 bits that nobody can choose); the whole of it is compared.
 */
export interface SessionCache<T> {
  get(text: string): T | undefined;
  /** `cost` in bytes, besides the text itself. */
  set(text: string, value: T, cost: number): void;
  readonly size: number;
}

const KEY_LENGTH = 24;
const keyOf = (text: string): string => text.slice(-KEY_LENGTH);

interface Entry<T> {
  readonly text: string;
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
      if (entry === undefined || entry.text !== text) return undefined;
      entries.delete(key);
      entries.set(key, entry);
      return entry.value;
    },
    set(text, value, cost) {
      const key = copy(keyOf(text));
      const before = entries.get(key);
      if (before !== undefined) drop(key, before);
      const entry = { text: copy(text), value, cost: cost + text.length };
      entries.set(key, entry);
      spent += entry.cost;
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

/** A slice would keep the whole header that it was cut from alive. */
const copy = (text: string): string => Buffer.from(text, 'latin1').toString('latin1');
