/** Milliseconds. Each pause is twice as long as the one before. */
export interface Pauses {
  readonly first: number;
  readonly most: number;
}

/** From half to the whole of it, at random. `before`: how many there were. */
export const pauseOf = ({ first, most }: Pauses, before: number, random: () => number): number =>
  Math.min(most, first * 2 ** Math.min(before, 20)) * (0.5 + random() / 2);

/** Keys that may not be tried before a time. */
export interface PutOff {
  until(key: string, at: number): void;
  /** For longer each time, until it is done. `yields`: to whoever asks for it before. */
  again(key: string, pauses: Pauses, yields?: 'yields'): void;
  /** It is tried no more, or will be for the first time. */
  done(key: string): void;
  /** Whether it has to wait still; one that yields doesn't any more. */
  holds(key: string): boolean;
  /** Those whose time has come; they wait no more. */
  takeDue(): readonly string[];
  /** Milliseconds until the next one's time; undefined: none waits. */
  next(): number | undefined;
  clear(): void;
}

/** @param now milliseconds of a monotonic clock */
export function createPutOff(now: () => number, random: () => number): PutOff {
  const waiting = new Map<string, { readonly at: number; readonly yields: boolean }>();
  /** How often each was put off, one after the other. */
  const tries = new Map<string, number>();
  return {
    until: (key, at) => void waiting.set(key, { at, yields: false }),
    again(key, pauses, yields) {
      const before = tries.get(key) ?? 0;
      tries.set(key, before + 1);
      waiting.set(key, { at: now() + pauseOf(pauses, before, random), yields: yields !== undefined });
    },
    done(key) {
      tries.delete(key);
      waiting.delete(key);
    },
    holds(key) {
      if (waiting.get(key)?.yields === true) waiting.delete(key);
      return waiting.has(key);
    },
    takeDue() {
      const due = [...waiting].flatMap(([key, { at }]) => (at <= now() ? [key] : []));
      for (const key of due) waiting.delete(key);
      return due;
    },
    next() {
      let next: number | undefined;
      for (const { at } of waiting.values()) next = Math.min(next ?? at, at);
      return next === undefined ? undefined : Math.max(0, next - now());
    },
    clear() {
      waiting.clear();
      tries.clear();
    },
  };
}
