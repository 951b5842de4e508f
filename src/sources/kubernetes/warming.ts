import type { Plain } from '../../resources/plain.ts';
import type { Objects } from './objects.ts';
import type { Secrets } from './secrets.ts';
import type { Timers } from './world.ts';

export interface WarmingOptions {
  readonly objects: Objects;
  readonly secrets: Pick<Secrets, 'refer' | 'settled'>;
  /** `namespace/name` of the Secrets that an object refers to. */
  references(value: Plain): readonly string[];
  /** What control sees is another. */
  changed(): void;
  readonly timers: Timers;
}

export interface Warming {
  put(key: string, value: Plain): void;
  delete(key: string): void;
  /** More is known of a Secret. */
  known(secret: string): void;
  /** From now on objects wait for their Secrets; before that nobody looks. */
  begin(): void;
  waiting(): number;
  stop(): void;
}

/** What isn't known by then is as if it weren't there: closed, and said so. */
const LONGEST = 5000;

interface Waiting {
  readonly value: Plain;
  readonly names: readonly string[];
  cancel(): void;
}

/**
 * Objects become visible together with the Secrets that they refer to, so that there is no moment at which an edited plugin
 * points at a Secret that is there, but not here yet (F16). Until then the version before stays.
 */
export function createWarming(options: WarmingOptions): Warming {
  const { objects, secrets, timers } = options;
  const all = new Map<string, Waiting>();
  let begun = false;

  /** The version that waits refers to Secrets beside the one that is seen. */
  const waiter = (key: string): string => `${key} waiting`;

  function show(key: string, value: Plain, names: readonly string[]): void {
    // Before what the version before referred to is let go of.
    if (objects.put(key, value)) options.changed();
    secrets.refer(key, names);
    forget(key);
  }

  function forget(key: string): void {
    all.get(key)?.cancel();
    if (all.delete(key)) secrets.refer(waiter(key), []);
  }

  function known(secret: string): void {
    for (const [key, { value, names }] of all) {
      if (names.includes(secret) && names.every(secrets.settled)) show(key, value, names);
    }
  }

  return {
    put(key, value) {
      if (objects.has(key, value)) {
        forget(key);
        return;
      }
      const names = options.references(value);
      if (!begun || names.every(secrets.settled)) {
        show(key, value, names);
        return;
      }
      all.get(key)?.cancel();
      const cancel = timers.after(LONGEST, () => show(key, value, names));
      all.set(key, { value, names, cancel });
      secrets.refer(waiter(key), names);
      // What is known by now, but was nobody's, is told to nobody.
      if (names.every(secrets.settled)) show(key, value, names);
    },
    delete(key) {
      forget(key);
      secrets.refer(key, []);
      if (objects.delete(key)) options.changed();
    },
    known,
    begin() {
      begun = true;
    },
    waiting: () => all.size,
    stop() {
      for (const { cancel } of all.values()) cancel();
      all.clear();
    },
  };
}
