import type { HostPattern } from '../resources/hostname.ts';
import type { Compiled } from '../routing/snapshot.ts';
import { spread } from '../routing/spread.ts';
import type { Steps } from '../routing/steps.ts';
import type { HostTable, RouteTable } from '../routing/table.ts';
import { type ContentHash, RunningHash } from './content-hash.ts';
import { deepFreeze } from './freeze.ts';
import { frozenHash } from './frozen-hash.ts';
import { hostHash } from './host-hash.ts';

type Parts = Pick<Compiled, 'table' | 'plugins' | 'certificates' | 'changed'>;

/** Parts are hashed in so many groups, so that a change costs a few of thousands. */
const GROUPS = 256;

/**
 * The hash of what was compiled, by its parts: hosts, plugins, certificates. From one run to the next only what changed is
 * hashed, and frozen. The same content has the same hash, whatever the order and the runs that led there.
 */
export class CompiledHash {
  readonly #groups: readonly Group[] = Array.from({ length: GROUPS }, () => new Group());

  /** @param compiled where `changed` is undefined, all of it counts as changed. */
  *update(compiled: Parts): Steps<ContentHash> {
    const { table, plugins, certificates, changed } = compiled;
    if (changed === undefined) for (const group of this.#groups) group.clear();
    for (const pattern of changed?.hosts ?? hostsOf(table)) {
      yield;
      const host = hostOf(table, pattern);
      this.#set(`host ${pattern}`, host && (yield* hostHash(host)));
    }
    yield* this.#setAll('plugin', changed?.plugins ?? plugins.keys(), plugins);
    yield* this.#setAll('certificate', changed?.certificates ?? certificates.keys(), certificates);
    for (const container of [table, table.exact, table.wildcards, plugins, certificates]) {
      // Members are frozen by now, so each is only looked at.
      deepFreeze(container);
      yield;
    }
    const whole = new RunningHash();
    for (const group of this.#groups) {
      if (group.stale) yield;
      whole.add(group.hash());
    }
    return whole.end();
  }

  *#setAll<K extends string>(kind: string, keys: Iterable<K>, parts: ReadonlyMap<K, object>): Steps<void> {
    for (const key of keys) {
      yield;
      const part = parts.get(key);
      this.#set(`${kind} ${key}`, part && frozenHash(part));
    }
  }

  #set(key: string, hash: ContentHash | undefined): void {
    this.#groups[spread(key, GROUPS)]?.set(key, hash);
  }
}

class Group {
  readonly #hashes = new Map<string, ContentHash>();
  #hash: ContentHash | undefined;

  get stale(): boolean {
    return this.#hash === undefined;
  }

  clear(): void {
    this.#hashes.clear();
    this.#hash = undefined;
  }

  set(key: string, hash: ContentHash | undefined): void {
    this.#hash = undefined;
    if (hash === undefined) this.#hashes.delete(key);
    else this.#hashes.set(key, hash);
  }

  /** In order of key, whatever the order of the parts. */
  hash(): ContentHash {
    this.#hash ??= this.#made();
    return this.#hash;
  }

  #made(): ContentHash {
    const running = new RunningHash();
    running.addText(`${this.#hashes.size} parts`);
    for (const [key, hash] of [...this.#hashes].sort(([a], [b]) => (a < b ? -1 : 1))) {
      running.addText(key);
      running.add(hash);
    }
    return running.end();
  }
}

function* hostsOf({ exact, wildcards, any }: RouteTable): Generator<HostPattern> {
  for (const hosts of [exact, wildcards]) for (const { pattern } of hosts.values()) yield pattern;
  if (any !== undefined) yield any.pattern;
}

function hostOf({ exact, wildcards, any }: RouteTable, pattern: HostPattern): HostTable | undefined {
  if (pattern === '*') return any;
  return pattern.startsWith('*.') ? wildcards.get(pattern.slice(1)) : exact.get(pattern);
}
