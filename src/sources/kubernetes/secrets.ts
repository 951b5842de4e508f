import type { Plain } from '../../resources/plain.ts';
import type { KubernetesApi } from './api.ts';
import { lookUp } from './secret-lookup.ts';
import { hold, isSettled, newRecord, type SecretRecord, type Selection, secretValue } from './secret-record.ts';
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

/** So many are looked up at a time. */
const AT_ONCE = 4;
/** While whoever refers to it is held back (warming), a question without answer is asked again soon. */
const SOON = 500;
const ATTEMPTS = 6;
/**
 * No watch tells of a Secret that isn't selected: whether one was made or deleted shows when it is looked for again. One
 * each second, whatever their number, and none more often than this.
 */
const AGAIN = 30_000;
const ROUND = 1000;

/**
 * Secrets: data only of those that something refers to, of the others only that they exist. Who may only write an object that
 * refers can't have any Secret read: only those that are labelled, or certificates, are ever asked for.
 */
export function createSecrets(options: SecretsOptions): Secrets {
  const { now } = options;
  const records = new Map<string, SecretRecord>();
  const referred = new Map<string, readonly string[]>();
  const queue: string[] = [];
  const stopping = new AbortController();
  let looking = 0;
  let idle = Promise.withResolvers<void>();
  idle.resolve();
  let begun = false;
  let cancelRound: (() => void) | undefined;

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
    enqueue(name, record);
  }

  function enqueue(name: string, record: SecretRecord): void {
    record.looking = true;
    if (looking === 0 && queue.length === 0) idle = Promise.withResolvers();
    queue.push(name);
    proceed();
  }

  function proceed(): void {
    while (looking < AT_ONCE) {
      const name = queue.shift();
      if (name === undefined) return;
      looking += 1;
      void look(name).finally(() => {
        looking -= 1;
        if (looking === 0 && queue.length === 0) idle.resolve();
        proceed();
      });
    }
  }

  /** Asks until there is an answer that no event has overtaken. */
  async function look(name: string): Promise<void> {
    const record = recordOf(name);
    for (let attempt = 1; record.owners.size > 0 && !stopping.signal.aborted; attempt += 1) {
      const { epoch } = record;
      record.lookedAt = now();
      const found = await lookUp(options.api, name, stopping.signal);
      if (record.epoch !== epoch && attempt < ATTEMPTS) {
        if (isSettled(record)) break;
        continue;
      }
      if (found.kind === 'Unknown' && attempt < ATTEMPTS && record.otherwise === undefined) {
        await pause(SOON);
        continue;
      }
      if (found.kind === 'Selected') {
        record.provisional = record.selected.size === 0;
        for (const [selection, item] of found.items) record.selected.set(selection, hold(item, true));
      } else if (found.kind === 'Unknown') {
        record.otherwise ??= { kind: 'Absent' };
      } else {
        if (record.provisional) record.selected.clear();
        record.provisional = false;
        record.otherwise = found;
      }
      break;
    }
    record.looking = false;
    changed(name);
  }

  async function pause(milliseconds: number): Promise<void> {
    const over = Promise.withResolvers<void>();
    options.timers.after(milliseconds, over.resolve);
    await over.promise;
  }

  /** The one that wasn't looked for for longest. */
  function round(): void {
    cancelRound = options.timers.after(ROUND, round);
    let oldest: readonly [string, SecretRecord] | undefined;
    for (const entry of records) {
      const [name, record] = entry;
      if (record.owners.size === 0 || record.looking || !reachable(name, record)) continue;
      const known = record.selected.size > 0 && !record.provisional;
      const age = record.lookedAt ?? Number.NEGATIVE_INFINITY;
      if (known || age > now() - AGAIN) continue;
      if (oldest === undefined || age < (oldest[1].lookedAt ?? Number.NEGATIVE_INFINITY)) oldest = entry;
    }
    if (oldest !== undefined) enqueue(...oldest);
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
      cancelRound = options.timers.after(ROUND, round);
    },
    idle: () => idle.promise,
    stop() {
      stopping.abort();
      cancelRound?.();
    },
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
