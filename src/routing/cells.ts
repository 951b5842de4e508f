/** Something that is looked up by name. A Map is one. */
export interface Lookup<K, V> {
  get(key: K): V;
}

/** A step of compiling for one key: what it read decides when it has to be done again. */
export interface Reader {
  /** Something that it read is another value now. */
  stale(): void;
}

/** Notes what a step reads while it is under way. Steps don't contain each other. */
export class Tracker {
  #reader: Reader | undefined;
  #reads: Readable[] = [];

  begin(reader: Reader): void {
    if (this.#reader !== undefined) throw new Error('a step of compiling is part of another one');
    this.#reader = reader;
    this.#reads = [];
  }

  note(cell: Readable): void {
    if (this.#reader !== undefined && cell.subscribe(this.#reader)) this.#reads.push(cell);
  }

  /** What the step read, each once: to be given up before it is done again. */
  end(): readonly Readable[] {
    this.#reader = undefined;
    const reads = this.#reads;
    return reads.length === 0 ? NO_READS : reads;
  }
}

const NO_READS: readonly Readable[] = [];

export interface Readable {
  /** Whether this is the first time since the last `unsubscribe`. */
  subscribe(reader: Reader): boolean;
  unsubscribe(reader: Reader): void;
}

/**
 * Values by name that steps read. A step that read one, or found that there is none, is stale as soon as that is another
 * value. Values are never changed once they are there.
 */
export class Cells<K, V> implements Lookup<K, V | undefined> {
  readonly #tracker: Tracker;
  readonly #cells = new Map<K, Cell<K, V>>();

  constructor(tracker: Tracker) {
    this.#tracker = tracker;
  }

  /** For steps. */
  get(key: K): V | undefined {
    const cell = this.#cells.get(key) ?? this.#add(key);
    this.#tracker.note(cell);
    return cell.value;
  }

  /** For everything that isn't a step. */
  peek(key: K): V | undefined {
    return this.#cells.get(key)?.value;
  }

  /** Undefined: there is none any more. Answers whether that is news. */
  set(key: K, value: V | undefined): boolean {
    const cell = this.#cells.get(key) ?? (value === undefined ? undefined : this.#add(key));
    return cell?.become(value) ?? false;
  }

  #add(key: K): Cell<K, V> {
    const cell = new Cell<K, V>(this.#cells, key);
    this.#cells.set(key, cell);
    return cell;
  }

  /** How many there are, those included that are only read. */
  get size(): number {
    return this.#cells.size;
  }

  *entries(): Generator<readonly [K, V]> {
    for (const [key, { value }] of this.#cells) if (value !== undefined) yield [key, value];
  }
}

/** Most are read by one step or a few, some by ten thousand. One without a value is there as long as somebody read that. */
class Cell<K, V> implements Readable {
  readonly #home: Map<K, Cell<K, V>>;
  readonly #key: K;
  value: V | undefined = undefined;
  #readers: Reader | Set<Reader> | undefined = undefined;

  constructor(home: Map<K, Cell<K, V>>, key: K) {
    this.#home = home;
    this.#key = key;
  }

  become(value: V | undefined): boolean {
    if (Object.is(this.value, value)) return false;
    this.value = value;
    const readers = this.#readers;
    if (readers instanceof Set) for (const reader of readers) reader.stale();
    else readers?.stale();
    this.#leave();
    return true;
  }

  subscribe(reader: Reader): boolean {
    const readers = this.#readers;
    if (readers === undefined) this.#readers = reader;
    else if (readers === reader) return false;
    else if (readers instanceof Set) {
      const { size } = readers;
      return readers.add(reader).size > size;
    } else this.#readers = new Set([readers, reader]);
    return true;
  }

  unsubscribe(reader: Reader): void {
    const readers = this.#readers;
    if (readers === reader) this.#readers = undefined;
    else if (readers instanceof Set) {
      readers.delete(reader);
      if (readers.size === 0) this.#readers = undefined;
    }
    this.#leave();
  }

  #leave(): void {
    if (this.value === undefined && this.#readers === undefined) this.#home.delete(this.#key);
  }
}
