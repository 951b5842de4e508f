import type { Steps } from './steps.ts';

/** Something that is looked up by name. A Map is one. */
export interface Lookup<K, V> {
  get(key: K): V;
}

/** What was found, and whether the same would be found now. */
interface Read {
  holds(): boolean;
}

/** Notes what a step reads while it is under way. Steps that are remembered don't contain each other. */
export class Recorder {
  #reads: Read[] | undefined;

  get active(): boolean {
    return this.#reads !== undefined;
  }

  begin(): void {
    if (this.active) throw new Error('a remembered step is part of another one');
    this.#reads = [];
  }

  note(read: Read): void {
    this.#reads?.push(read);
  }

  end(): readonly Read[] {
    const reads = this.#reads ?? [];
    this.#reads = undefined;
    return reads.length === 0 ? NO_READS : reads;
  }

  /** A run that failed may have left a step half done. */
  reset(): void {
    this.#reads = undefined;
  }
}

const NO_READS: readonly Read[] = [];

/** A lookup that remembered steps may use: what they read of it is noted, and looked up again in the next run. */
export class Watched<K, V> implements Lookup<K, V> {
  readonly #recorder: Recorder;
  #lookup: Lookup<K, V> | undefined;

  constructor(recorder: Recorder) {
    this.#recorder = recorder;
  }

  /** What it is in this run. */
  become(lookup: Lookup<K, V>): this {
    this.#lookup = lookup;
    return this;
  }

  get(key: K): V {
    const was = this.peek(key);
    if (this.#recorder.active) this.#recorder.note(new ReadOf(this, key, was));
    return was;
  }

  peek(key: K): V {
    if (this.#lookup === undefined) throw new Error('a lookup of this run was read before it was there');
    return this.#lookup.get(key);
  }
}

/** A class, because there are tens of thousands. */
class ReadOf<K, V> implements Read {
  readonly #of: Watched<K, V>;
  readonly #key: K;
  readonly #was: V;

  constructor(of: Watched<K, V>, key: K, was: V) {
    this.#of = of;
    this.#key = key;
    this.#was = was;
  }

  holds(): boolean {
    return Object.is(this.#of.peek(this.#key), this.#was);
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
 * everything that the step read of watched lookups would be found again: so that it can't outlive what it rests on, a
 * step must take the rest of the world in no other way. Values that are compared are never changed once they are made.
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

  /** After a run: what it didn't ask for is forgotten. */
  *turn(): Steps<void> {
    if (this.#asked < this.#entries.size) {
      let looked = 0;
      for (const [key, { run }] of this.#entries) {
        if (run !== this.#run) this.#entries.delete(key);
        if (++looked % 256 === 0) yield;
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
  for (const read of reads) if (!read.holds()) return false;
  return true;
}
