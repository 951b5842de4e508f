import type { KubernetesApi } from './api.ts';
import { FairQueue } from './fair-queue.ts';
import { pause } from './pause.ts';
import { type Found, lookUp } from './secret-lookup.ts';
import { isSettled, isShown, type SecretRecord, takeFound } from './secret-record.ts';
import type { Timers } from './world.ts';

export interface SecretSearchOptions {
  readonly api: KubernetesApi;
  record(name: string): SecretRecord | undefined;
  /** Whether something refers to it, and it can be seen. */
  wanted(name: string, record: SecretRecord): boolean;
  /** Its record is another. */
  changed(name: string): void;
  readonly timers: Timers;
  /** Milliseconds of a monotonic clock. */
  now(): number;
}

/** Looks for Secrets that no watch shows; `name`: `namespace/name`. */
export interface SecretSearch {
  /** As soon as it is its namespace's turn. */
  look(name: string): void;
  /** No watch shows it any more: what became of it shows when it is looked for. */
  lost(name: string): void;
  /** Begins to look again for what wasn't found. */
  start(): void;
  /** Resolves when nothing is being looked for. */
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
const LOST = 0;
const MISSING = 1;

/** The namespaces in turn: one whose objects refer to thousands of Secrets that aren't there holds up no other's. */
export function createSecretSearch(options: SecretSearchOptions): SecretSearch {
  const { now } = options;
  const queue = new FairQueue<string>(namespaceOf);
  const again = new FairQueue<string>(namespaceOf, 2);
  const stopping = new AbortController();
  let looking = 0;
  let idle = Promise.withResolvers<void>();
  idle.resolve();
  let cancelRound = (): void => {};

  function look(name: string): void {
    const record = options.record(name);
    if (record === undefined || record.looking) return;
    record.looking = true;
    if (looking === 0 && queue.size === 0) idle = Promise.withResolvers();
    queue.add(name);
    proceed();
  }

  function proceed(): void {
    while (looking < AT_ONCE) {
      const name = queue.next();
      if (name === undefined) return;
      queue.take(name);
      looking += 1;
      void find(name).finally(() => {
        looking -= 1;
        if (looking === 0 && queue.size === 0) idle.resolve();
        proceed();
      });
    }
  }

  async function find(name: string): Promise<void> {
    const record = options.record(name);
    if (record === undefined) return;
    await ask(name, record);
    record.looking = false;
    options.changed(name);
    if (isMissing(name)) again.add(name, MISSING);
  }

  /** Until there is an answer that no event has overtaken. */
  async function ask(name: string, record: SecretRecord): Promise<void> {
    for (let attempt = 1; record.owners.size > 0 && !stopping.signal.aborted; attempt += 1) {
      const { epoch } = record;
      record.lookedAt = now();
      const found: Found = await lookUp(options.api, name, stopping.signal);
      if (record.epoch !== epoch && attempt < ATTEMPTS) {
        if (isSettled(record)) return;
        continue;
      }
      if (found.kind === 'Unknown' && attempt < ATTEMPTS && record.otherwise === undefined) {
        await pause(SOON, options.timers, stopping.signal);
        continue;
      }
      takeFound(record, found);
      return;
    }
  }

  const isMissing = (name: string): boolean => {
    const record = options.record(name);
    return record !== undefined && !record.looking && !isShown(record) && options.wanted(name, record);
  };

  function round(): void {
    cancelRound = options.timers.after(ROUND, round);
    const due = now() - AGAIN;
    const mayGo = (name: string): boolean => !isMissing(name) || (options.record(name)?.lookedAt ?? due) <= due;
    for (let name = again.next(mayGo); name !== undefined; name = again.next(mayGo)) {
      if (isMissing(name)) {
        again.take(name);
        look(name);
        return;
      }
      again.delete(name);
    }
  }

  return {
    look,
    lost(name) {
      if (isMissing(name)) again.add(name, LOST);
    },
    start() {
      cancelRound = options.timers.after(ROUND, round);
    },
    idle: () => idle.promise,
    stop() {
      stopping.abort();
      cancelRound();
    },
  };
}

const namespaceOf = (name: string): string => name.slice(0, name.indexOf('/'));
