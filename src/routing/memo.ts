import type { Steps } from './steps.ts';

/** Something that is looked up by name. A Map is one. */
export interface Lookup<K, V> {
  get(key: K): V;
}

/** That something was read. */
interface Read {
  /** Whether the run before had another value. */
  isStale(): boolean;
}

/** Notes what a step reads while it is under way. Steps that are remembered don't contain each other. */
export class Recorder {
  #reads: Set<Read> | undefined;

  begin(): void {
    if (this.#reads !== undefined) throw new Error('a remembered step is part of another one');
    this.#reads = new Set();
  }

  note(read: Read): void {
    this.#reads?.add(read);
  }

  end(): readonly Read[] {
    const reads = [...(this.#reads ?? [])];
    this.#reads = undefined;
    return reads.length === 0 ? NO_READS : reads;
  }
}

const NO_READS: readonly Read[] = [];

/**
 * A lookup that remembered steps may use. Whatever was read of it is looked up once more at the beginning of the next run,
 * and what is another value then makes every step stale that read it.
 */
export class Watched<K, V> implements Lookup<K, V> {
  readonly #recorder: Recorder;
  readonly #seen = new Map<K, Seen<V>>();
  #lookup: Lookup<K, V> | undefined;

  constructor(recorder: Recorder) {
    this.#recorder = recorder;
  }

  /** What it is in this run, from now on. */
  *become(lookup: Lookup<K, V>): Steps<this> {
    let looked = 0;
    for (const [key, seen] of this.#seen) {
      if (++looked % STRIDE === 0) yield;
      seen.look(lookup.get(key));
    }
    this.#lookup = lookup;
    return this;
  }

  /** After a run. */
  end(): void {
    this.#lookup = undefined;
  }

  get(key: K): V {
    if (this.#lookup === undefined) throw new Error('a lookup was read before it was what it is in this run');
    const seen = this.#seen.get(key) ?? new Seen(this.#lookup.get(key));
    this.#seen.set(key, seen);
    this.#recorder.note(seen);
    return seen.value;
  }

  /** How many keys were ever read. */
  get size(): number {
    return this.#seen.size;
  }
}

/** Keys and entries that are handled between two steps. */
const STRIDE = 64;

/** What was found under one key; shared by all steps that read it. */
class Seen<V> implements Read {
  value: V;
  #stale = false;

  constructor(value: V) {
    this.value = value;
  }

  look(now: V): void {
    this.#stale = !Object.is(this.value, now);
    this.value = now;
  }

  isStale(): boolean {
    return this.#stale;
  }
}

interface Entry<V> {
  readonly inputs: readonly unknown[];
  readonly reads: readonly Read[];
  readonly value: V;
  /** The last run that asked for it. */
  run: number;
}

/**
 * The results of one step of compiling, by key. A result stands as long as every input is the very same value, and as
 * everything that the step read of watched lookups is: so that it can't outlive what it rests on, a step must take the
 * rest of the world in no other way. It outlives no run that doesn't ask for it, for what is stale is known from one run
 * to the next only; after a run that didn't end, all of them are thrown away. Values are never changed once they are made.
 */
export class Memo<K, V> {
  readonly #recorder: Recorder;
  readonly #same: (a: V, b: V) => boolean;
  readonly #entries = new Map<K, Entry<V>>();
  #run = 0;
  #asked = 0;

  /** `same`: whether a new result says nothing else than the one before, which then stays. */
  constructor(recorder: Recorder, same: (a: V, b: V) => boolean = Object.is) {
    this.#recorder = recorder;
    this.#same = same;
  }

  get(key: K, inputs: readonly unknown[], make: (before: V | undefined) => V): V {
    const entry = this.#entries.get(key);
    if (entry !== undefined && stands(entry, inputs)) return this.#keep(entry);
    this.#recorder.begin();
    return this.#remember(key, inputs, entry, make(entry?.value));
  }

  /** The same for work that can be put down. */
  *steps(key: K, inputs: readonly unknown[], make: (before: V | undefined) => Steps<V>): Steps<V> {
    const entry = this.#entries.get(key);
    if (entry !== undefined && stands(entry, inputs)) return this.#keep(entry);
    this.#recorder.begin();
    return this.#remember(key, inputs, entry, yield* make(entry?.value));
  }

  get size(): number {
    return this.#entries.size;
  }

  /** After a run: what it didn't ask for is forgotten. */
  *turn(): Steps<void> {
    if (this.#asked < this.#entries.size) {
      let looked = 0;
      for (const [key, { run }] of this.#entries) {
        if (run !== this.#run) this.#entries.delete(key);
        if (++looked % STRIDE === 0) yield;
      }
    }
    this.#run += 1;
    this.#asked = 0;
  }

  #keep(entry: Entry<V>): V {
    if (entry.run !== this.#run) this.#asked += 1;
    entry.run = this.#run;
    return entry.value;
  }

  #remember(key: K, inputs: readonly unknown[], before: Entry<V> | undefined, made: V): V {
    const reads = this.#recorder.end();
    const value = before !== undefined && this.#same(before.value, made) ? before.value : made;
    if (before?.run !== this.#run) this.#asked += 1;
    this.#entries.set(key, { inputs, reads, value, run: this.#run });
    return value;
  }
}

function stands({ inputs, reads }: Entry<unknown>, now: readonly unknown[]): boolean {
  if (inputs.length !== now.length) return false;
  for (let at = 0; at < now.length; at++) if (!Object.is(inputs[at], now[at])) return false;
  for (const read of reads) if (read.isStale()) return false;
  return true;
}
