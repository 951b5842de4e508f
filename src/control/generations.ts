import type { ObjectKey } from '../resources/keys.ts';
import type { PluginInstance } from '../routing/decision.ts';
import type { Snapshot } from '../routing/snapshot.ts';
import type { Held } from './instances.ts';
import type { Acquire, Lease } from './lease.ts';

export interface Generations {
  readonly acquire: Acquire;
  current(): Snapshot | undefined;
  /** Instances of the current generation. */
  held(): ReadonlyMap<ObjectKey, Held>;
  /** Makes a snapshot the current one; the one before ends with its last lease. */
  replace(snapshot: Snapshot, held: ReadonlyMap<ObjectKey, Held>): void;
  /** No current one any more; instances are let go when their last lease ends. */
  end(): void;
  /** Generations that are not current and still leased. */
  lingering(): number;
}

/** Leases by count: a request holds its snapshot and all instances of it with one number (F15). */
export function createGenerations(letGo: (held: ReadonlyMap<ObjectKey, Held>) => void): Generations {
  let current: Generation | undefined;
  let lingering = 0;

  const retire = (generation: Generation): void => {
    generation.retired = true;
    if (generation.leases === 0) letGo(generation.held);
    else lingering += 1;
  };
  const released = (generation: Generation): void => {
    generation.leases -= 1;
    if (generation.leases > 0 || !generation.retired) return;
    lingering -= 1;
    letGo(generation.held);
  };

  return {
    acquire: () => (current === undefined ? undefined : new GenerationLease(current, released)),
    current: () => current?.snapshot,
    held: () => current?.held ?? NONE,
    replace(snapshot, held) {
      const before = current;
      current = { snapshot, held, leases: 0, retired: false };
      if (before !== undefined) retire(before);
    },
    end() {
      const before = current;
      current = undefined;
      if (before !== undefined) retire(before);
    },
    lingering: () => lingering,
  };
}

interface Generation {
  readonly snapshot: Snapshot;
  readonly held: ReadonlyMap<ObjectKey, Held>;
  leases: number;
  retired: boolean;
}

const NONE: ReadonlyMap<ObjectKey, Held> = new Map();

/** A class, because one is made for every request. */
class GenerationLease implements Lease {
  readonly snapshot: Snapshot;
  readonly #generation: Generation;
  readonly #released: (generation: Generation) => void;
  #held: boolean = true;

  constructor(generation: Generation, released: (generation: Generation) => void) {
    this.snapshot = generation.snapshot;
    this.#generation = generation;
    this.#released = released;
    generation.leases += 1;
  }

  plugin(key: ObjectKey): PluginInstance | undefined {
    // A lease that ended could hand out a stopped instance.
    return this.#held ? this.#generation.held.get(key)?.instance : undefined;
  }

  release(): void {
    // Twice must not take away another request's hold.
    if (!this.#held) return;
    this.#held = false;
    this.#released(this.#generation);
  }
}
