import type { KubernetesApi } from './api.ts';
import { Backoff, ListAllowance, PACE, type Pace, type Setback } from './backoff.ts';
import { type Collection, watchRequest } from './collection.ts';
import { createLister } from './list.ts';
import { ENDED, type Failure, failure, GONE, type Outcome, refused, unreached } from './outcome.ts';
import { pause } from './pause.ts';
import { createTold, type WatchHandler, type WatchObserver, type WatchState } from './told.ts';
import { readEvent } from './watch-event.ts';
import type { Timers } from './world.ts';

export interface ListWatchOptions {
  readonly api: KubernetesApi;
  readonly collection: Collection;
  readonly handler: WatchHandler;
  readonly observer: WatchObserver;
  readonly timers: Timers;
  /** Milliseconds of a monotonic clock. */
  now(): number;
  /** 0 ≤ x < 1. */
  random(): number;
  readonly pace?: Pace;
  /** Milliseconds without a byte; 75 s. */
  readonly idle?: number;
}

export interface ListWatch {
  start(): void;
  state(): WatchState;
  /** Whether it was listed at least once. */
  listed(): boolean;
  /** When it was last known to be as the API server has it; undefined: never. */
  freshAt(): number | undefined;
  stop(): Promise<void>;
}

/** A watch that lasted so long was a good one; what ends sooner is begun again ever more slowly (F05). */
const GOOD = 10_000;
/** Attempts to go on from where a watch broke, before everything is listed again. */
const PATIENCE = 3;
const setback = (code: number): Setback => (code === 0 ? 'reach' : code === 404 ? 'absent' : 'refused');

/** Lists a collection, then watches it, for ever: nothing that the API server does ends this, or loses what is held. */
export function createListWatch(options: ListWatchOptions): ListWatch {
  const { api, collection, now, random } = options;
  const pace = options.pace ?? PACE;
  const backoff = new Backoff(pace, random);
  const lists = new ListAllowance(pace.list, now);
  const stopping = new AbortController();
  const listAll = createLister(api, collection, stopping.signal);
  const told = createTold(collection.kind, options.handler, options.observer);
  /** To go on from; undefined: list. */
  let version: string | undefined;
  let path = collection.path;
  let listed = false;
  let freshAt: number | undefined;
  /** In a row, without anything that was of use. */
  let failures = 0;
  let doubtful = false;
  let running: Promise<void> | undefined;

  async function run(): Promise<void> {
    while (!stopping.signal.aborted) {
      const since = now();
      const outcome = await attempt();
      if (stopping.signal.aborted) return;
      await pause(settle(outcome, now() - since), options.timers, stopping.signal);
    }
  }

  async function attempt(): Promise<Outcome> {
    try {
      return version === undefined ? await list() : await watch(version);
    } catch (error) {
      const outcome = unreached(error);
      if (outcome === undefined) told.failed(error);
      return outcome ?? failure('failed', 0, 'the watch failed, which is a bug');
    }
  }

  /** Everything, page by page; at the end, what wasn't among it is gone. */
  async function list(): Promise<Outcome> {
    const found = new Set<string>();
    const outcome = await listAll(path, (items) => {
      for (const item of items) {
        found.add(item.name);
        told.upsert(item);
      }
    });
    if (outcome.kind === 'Listed') complete(found, outcome.version);
    return outcome;
  }

  function complete(found: ReadonlySet<string>, at: string): void {
    told.keepOnly(found);
    listed = true;
    lists.spend();
    progress(at);
  }

  /** What happens from a version on. The version goes on with each event, so that a broken stream costs no list. */
  async function watch(from: string): Promise<Outcome> {
    const stream = await api.watch(
      watchRequest({ collection, path, from, idle: options.idle, random: random(), signal: stopping.signal }),
    );
    if (stream.status !== 200) return refused(stream);
    // A stream that broke off with nonsense has to show something better first.
    if (!doubtful) told.turn({ kind: 'Synced' });
    for await (const line of stream.lines) {
      const end = take(line);
      if (end !== undefined) return end;
    }
    return ENDED;
  }

  /** Undefined: read on. */
  function take(line: string): Outcome | undefined {
    const event = readEvent(line);
    told.event(event.type);
    switch (event.type) {
      case 'ADDED':
      case 'MODIFIED':
        told.upsert(event.item);
        return progress(event.item.version);
      case 'DELETED':
        told.remove(event.item.name);
        return progress(event.item.version);
      case 'BOOKMARK':
        return progress(event.version);
      case 'ERROR':
        if (event.code === 410) return GONE;
        return failure(`status_${event.code}`, event.code, event.message || 'the watch ended with an error', {
          inStream: true,
        });
      case 'Garbage':
        return failure('garbage', 200, 'a line of the watch is no event', { inStream: true });
    }
  }

  function progress(at: string): undefined {
    version = at;
    failures = 0;
    doubtful = false;
    freshAt = now();
    told.fresh();
    told.turn({ kind: 'Synced' });
  }

  /** Milliseconds until the next attempt. */
  function settle(outcome: Outcome, lasted: number): number {
    if (outcome.kind === 'Listed') return 0;
    told.restart(outcome.reason);
    if (version !== undefined && lasted >= GOOD) backoff.reset();
    if (outcome.kind === 'Failed') fail(outcome);
    if (outcome.kind === 'Gone' || failures > PATIENCE) {
      version = undefined;
      failures = 0;
    }
    const wait =
      outcome.kind === 'Failed'
        ? backoff.next(setback(outcome.code), outcome.retryAfter)
        : backoff.next(outcome.kind === 'Gone' ? 'gone' : 'reach');
    return version === undefined ? Math.max(wait, lists.wait()) : wait;
  }

  function fail({ code, message, inStream }: Failure): void {
    told.turn({ kind: 'Failing', since: now(), code, message });
    doubtful ||= inStream;
    // An API server that has too much to do isn't helped by a list.
    if (inStream || (code >= 400 && code < 500 && code !== 429)) failures += 1;
    // Only a list can tell what became of it meanwhile.
    if (code === 403 || code === 404) version = undefined;
    if (code === 404) path = path === collection.path ? (collection.otherPath ?? path) : collection.path;
  }

  return {
    start() {
      running ??= run();
    },
    state: told.state,
    listed: () => listed,
    freshAt: () => freshAt,
    async stop() {
      stopping.abort();
      await running;
    },
  };
}
