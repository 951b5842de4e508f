import { settled } from '../resources/plain.ts';
import type { Readable, Reader, Tracker } from './cells.ts';
import type { Steps } from './steps.ts';

/** A value that is another than before; undefined: there was, or is, none. */
export interface Change<K, V> {
  readonly key: K;
  readonly before: V | undefined;
  readonly after: V | undefined;
}

export interface DerivedOptions<K, V> {
  readonly tracker: Tracker;
  /**
   * The value for one key, undefined for none. What it reads of the rest of the world it reads of Cells; of everything else
   * whoever changes it marks the key.
   */
  make(key: K, before: V | undefined): Steps<V | undefined> | V | undefined;
  /** Whether a new value says nothing else than the one before, which then stays. */
  readonly same?: (a: V, b: V) => boolean;
  /** Keys that are handled between two steps. */
  readonly stride: number;
}

/**
 * One step of compiling, for every key: its values, and which of them have to be made again. The work of a run is that for
 * the keys that were marked, and for those that read what is another value now. A key without a value isn't remembered:
 * whoever makes one possible marks it.
 */
export class Derived<K, V extends object> {
  readonly #options: DerivedOptions<K, V>;
  readonly #nodes = new Map<K, DerivedNode<K, V>>();
  readonly #stale = new Set<K>();

  constructor(options: DerivedOptions<K, V>) {
    this.#options = options;
  }

  mark(key: K): void {
    this.#stale.add(key);
  }

  /** As of the last run. */
  get(key: K): V | undefined {
    return this.#nodes.get(key)?.value;
  }

  *entries(): Generator<readonly [K, V]> {
    for (const [key, { value }] of this.#nodes) if (value !== undefined) yield [key, value];
  }

  /** Whether something is left to be done, as never after a run: steps come in the order in which they read each other. */
  get pending(): boolean {
    return this.#stale.size > 0;
  }

  *run(): Steps<readonly Change<K, V>[]> {
    const changes: Change<K, V>[] = [];
    let done = 0;
    for (const key of this.#stale) {
      if (done++ % this.#options.stride === 0) yield;
      this.#stale.delete(key);
      const node = this.#nodes.get(key) ?? new DerivedNode<K, V>(key, this.#stale);
      const before = node.value;
      const made = yield* this.#make(node);
      const after = made !== undefined && before !== undefined && this.#options.same?.(before, made) ? before : made;
      node.value = after;
      if (after === undefined) this.#forget(node);
      else if (before === undefined) this.#nodes.set(key, node);
      if (after !== before) changes.push({ key, before, after });
    }
    return changes;
  }

  *#make(node: DerivedNode<K, V>): Steps<V | undefined> {
    const { tracker, make } = this.#options;
    node.giveUpReads();
    tracker.begin(node);
    const made = make(node.key, node.value);
    const value = isSteps(made) ? yield* made : made;
    node.reads = settled(tracker.end());
    return value;
  }

  #forget(node: DerivedNode<K, V>): void {
    node.giveUpReads();
    this.#nodes.delete(node.key);
  }
}

const isSteps = <V extends object>(made: Steps<V | undefined> | V | undefined): made is Steps<V | undefined> =>
  made !== undefined && Symbol.iterator in made && 'next' in made;

class DerivedNode<K, V> implements Reader {
  readonly key: K;
  readonly #stale: Set<K>;
  value: V | undefined = undefined;
  reads: readonly Readable[] = [];

  constructor(key: K, stale: Set<K>) {
    this.key = key;
    this.#stale = stale;
  }

  stale(): void {
    this.#stale.add(this.key);
  }

  giveUpReads(): void {
    for (const cell of this.reads) cell.unsubscribe(this);
    this.reads = [];
  }
}
