import type { Plain } from '../../resources/plain.ts';
import type { KubernetesApi } from './api.ts';
import { hold, isSettled, newRecord, type SecretRecord, type Selection, secretValue } from './secret-record.ts';
import { createSecretSearch } from './secret-search.ts';
import type { Item } from './watch-event.ts';
import type { Timers } from './world.ts';

export interface SecretsOptions {
  readonly api: KubernetesApi;
  /** Whether the watches show the Secrets of a namespace. */
  watched(namespace: string): boolean;
  /** What is known of a Secret may have changed: its value, or whether it is settled. `value` undefined: control sees none. */
  changed(name: string, value: Plain | undefined): void;
  readonly timers: Timers;
  /** Milliseconds of a monotonic clock. */
  now(): number;
}

export interface Secrets {
  /** For the list-watch of a selection. */
  upsert(selection: Selection, item: Item): void;
  remove(selection: Selection, name: string): void;
  /** Instead of those that `owner` referred to before. `names`: `namespace/name`. */
  refer(owner: string, names: readonly string[]): void;
  /** Whether all is known of it that can be: its data, that there is none, or that it isn't ours to read. */
  settled(name: string): boolean;
  /** From now on what is referred to and not known is looked up. */
  begin(): void;
  /** Resolves when nothing is being looked up. */
  idle(): Promise<void>;
  stop(): void;
}

/**
 * Secrets: data only of those that something refers to, of the others only that they exist. Who may only write an object that
 * refers can't have any Secret read: only those that are labelled, or certificates, are ever asked for.
 */
export function createSecrets(options: SecretsOptions): Secrets {
  const records = new Map<string, SecretRecord>();
  const referred = new Map<string, readonly string[]>();
  let begun = false;
  const search = createSecretSearch({
    api: options.api,
    record: (name) => records.get(name),
    wanted: (name, record) => record.owners.size > 0 && reachable(name, record),
    changed,
    timers: options.timers,
    now: options.now,
  });

  const recordOf = (name: string): SecretRecord => {
    let record = records.get(name);
    if (record === undefined) {
      record = newRecord();
      records.set(name, record);
    }
    return record;
  };

  function changed(name: string): void {
    const record = records.get(name);
    options.changed(name, record === undefined ? undefined : secretValue(name, record));
    if (record !== undefined && record.owners.size === 0 && record.selected.size === 0) records.delete(name);
  }

  /** Nothing of a namespace that isn't watched, unless it was asked for from outside (`pinned`): it would be refused. */
  const reachable = (name: string, record: SecretRecord): boolean =>
    options.watched(name.slice(0, name.indexOf('/'))) || record.owners.has(PINNED);

  function want(name: string): void {
    const record = recordOf(name);
    if (!begun || record.looking || isSettled(record)) return;
    if (!reachable(name, record)) {
      record.otherwise = { kind: 'Absent' };
      return;
    }
    search.look(name);
  }

  return {
    upsert(selection, item) {
      const record = recordOf(item.name);
      record.epoch += 1;
      record.provisional = false;
      record.otherwise = undefined;
      record.selected.set(selection, hold(item, record.owners.size > 0));
      changed(item.name);
    },
    remove(selection, name) {
      const record = records.get(name);
      if (record === undefined) return;
      record.epoch += 1;
      record.selected.delete(selection);
      // Deleted, or no longer selected: for now as if it weren't there, then it is looked for.
      if (record.selected.size === 0) record.otherwise = { kind: 'Absent' };
      record.lookedAt = undefined;
      changed(name);
      search.lost(name);
    },
    refer(owner, names) {
      const before = referred.get(owner) ?? [];
      if (names.length === 0) referred.delete(owner);
      else referred.set(owner, names);
      for (const name of names) {
        recordOf(name).owners.add(owner);
        want(name);
      }
      for (const name of before) {
        if (!names.includes(name)) abandon(owner, name);
      }
    },
    settled: (name) => {
      const record = records.get(name);
      return record !== undefined && isSettled(record);
    },
    begin() {
      begun = true;
      for (const [name, record] of records) if (record.owners.size > 0) want(name);
      search.start();
    },
    idle: search.idle,
    stop: search.stop,
  };

  function abandon(owner: string, name: string): void {
    const record = records.get(name);
    if (record === undefined || !record.owners.delete(owner) || record.owners.size > 0) return;
    record.otherwise = undefined;
    if (record.provisional) record.selected.clear();
    for (const [selection, held] of record.selected) record.selected.set(selection, { ...held, value: undefined });
    changed(name);
  }
}

/** Owner of what isn't referred to by an object. */
export const PINNED = '(settings)';
