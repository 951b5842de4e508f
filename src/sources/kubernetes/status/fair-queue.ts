/**
 * Keys (`Kind/namespace/name`) that wait for their turn, each once: the oldest of one namespace, then of the next. So a
 * namespace of which thousands of objects change at once delays its own statuses, and no other's (invariant 8).
 */
export class FairQueue {
  /** By namespace, in the order in which it is their turn. */
  #waiting = new Map<string, Set<string>>();

  has(key: string): boolean {
    return this.#waiting.get(namespaceOf(key))?.has(key) === true;
  }

  add(key: string): void {
    const keys = this.#waiting.get(namespaceOf(key));
    if (keys === undefined) this.#waiting.set(namespaceOf(key), new Set([key]));
    else keys.add(key);
  }

  /** Before everything else. */
  addFirst(key: string): void {
    const namespace = namespaceOf(key);
    const keys = new Set([key, ...(this.#waiting.get(namespace) ?? [])]);
    this.#waiting.delete(namespace);
    this.#waiting = new Map([[namespace, keys], ...this.#waiting]);
  }

  /** It had its turn; its namespace's next one comes after those of all others. */
  take(key: string): void {
    const namespace = namespaceOf(key);
    const keys = this.#waiting.get(namespace);
    if (keys?.delete(key) !== true) return;
    this.#waiting.delete(namespace);
    if (keys.size > 0) this.#waiting.set(namespace, keys);
  }

  clear(): void {
    this.#waiting.clear();
  }

  /** In their order; what is neither taken nor left is offered once. */
  *[Symbol.iterator](): Generator<string> {
    const left = new Set<string>();
    for (let offered = true; offered; ) {
      offered = false;
      for (const keys of this.#waiting.values()) {
        const key = firstBut(left, keys);
        if (key === undefined) continue;
        left.add(key);
        offered = true;
        yield key;
      }
    }
  }
}

function firstBut(left: ReadonlySet<string>, keys: Iterable<string>): string | undefined {
  for (const key of keys) if (!left.has(key)) return key;
  return undefined;
}

const namespaceOf = (key: string): string => key.split('/', 2)[1] ?? '';
