import type { ApiRequest, KubernetesApi } from './api.ts';
import { Backoff, ListAllowance, PACE, type Pace, type Setback } from './backoff.ts';
import { createLister, selectorsOf } from './list.ts';
import { ENDED, type Failure, failure, GONE, type Outcome, refused, unreached } from './outcome.ts';
import { type Item, readEvent } from './watch-event.ts';
import type { Timers } from './world.ts';

/** All objects of one kind that match, in one namespace or all. */
export interface Collection {
  /** For metrics and messages, such as `Route`. */
  readonly kind: string;
  /** `/apis/postern.dev/v1alpha1/routes`, or with `namespaces/<name>/` before the plural. */
  readonly path: string;
  /** Another version of the kind, for API servers that don't have that one. */
  readonly otherPath?: string;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
  /** Objects in a page of a list; 250. */
  readonly limit?: number;
}

export type WatchState =
  | { readonly kind: 'Listing' }
  | { readonly kind: 'Synced' }
  /** What was known before stays; it is tried again. `code` 0: no answer. `since`: of `now`. */
  | { readonly kind: 'Failing'; readonly since: number; readonly code: number; readonly message: string };

/** What becomes of the objects. What these throw is caught and told to `failed`. */
export interface WatchHandler {
  /** New, changed, or listed again: `name` is `namespace/name`. */
  upsert(item: Item): void;
  remove(name: string): void;
  /** The state, whenever it is another one. */
  state(state: WatchState): void;
  failed(error: unknown): void;
}

export interface WatchObserver {
  /** `type`: as the API server calls it; `Garbage`: a line that is no event; `Failed`: an object that couldn't be taken in (F55). */
  event(kind: string, type: string): void;
  /** Why a list or watch was begun again, lower snake case: `ended`, `idle`, `gone`, `unreachable`, `garbage`, `status_403`. */
  restart(kind: string, reason: string): void;
  /** The collection is known to be as the API server has it: a list, an event, a bookmark. */
  fresh(kind: string): void;
}

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

/**
 * Longer than the minute between two bookmarks, so a silent stream is a dead one: each kind is proved fresh every minute, though
 * nothing happens (F04, F11). Where there are no bookmarks, as from an API server that saw no event of the kind since it started,
 * that costs a watch every 75 s, and no list. A peer that vanished is found sooner, by the client's TCP probes; and no watch
 * outlives its `timeoutSeconds`, whatever a proxy between does.
 */
const IDLE = 75_000;
const SHORTEST_WATCH = 240;
/** A watch that lasted so long was a good one; what ends sooner is begun again ever more slowly (F05). */
const GOOD = 10_000;
/** Attempts to go on from where a watch broke, before everything is listed again. */
const PATIENCE = 3;
const setback = (code: number): Setback => (code === 0 ? 'reach' : code === 404 ? 'absent' : 'refused');

/** Lists a collection, then watches it, for ever: nothing that the API server does ends this, or loses what is held. */
export function createListWatch(options: ListWatchOptions): ListWatch {
  const { api, collection, handler, observer, now, random } = options;
  const pace = options.pace ?? PACE;
  const backoff = new Backoff(pace, random);
  const lists = new ListAllowance(pace.list, now);
  const stopping = new AbortController();
  const listAll = createLister(api, collection, stopping.signal);
  /** Names of what the handler has. */
  const held = new Set<string>();
  /** To go on from; undefined: list. */
  let version: string | undefined;
  let path = collection.path;
  let state: WatchState = { kind: 'Listing' };
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
      await pause(settle(outcome, now() - since));
    }
  }

  async function attempt(): Promise<Outcome> {
    try {
      return version === undefined ? await list() : await watch(version);
    } catch (error) {
      const outcome = unreached(error);
      if (outcome === undefined) contained(() => handler.failed(error));
      return outcome ?? failure('failed', 0, 'the watch failed, which is a bug');
    }
  }

  /** Everything, page by page; at the end, what wasn't among it is gone. */
  async function list(): Promise<Outcome> {
    const found = new Set<string>();
    const outcome = await listAll(path, (items) => {
      for (const item of items) {
        found.add(item.name);
        upsert(item);
      }
    });
    if (outcome.kind === 'Listed') complete(found, outcome.version);
    return outcome;
  }

  function complete(found: ReadonlySet<string>, at: string): void {
    for (const name of [...held]) if (!found.has(name)) remove(name);
    listed = true;
    lists.spend();
    progress(at);
  }

  /** What happens from a version on. The version goes on with each event, so that a broken stream costs no list. */
  async function watch(from: string): Promise<Outcome> {
    const stream = await api.watch(watchRequest(from));
    if (stream.status !== 200) return refused(stream);
    // A stream that broke off with nonsense has to show something better first.
    if (!doubtful) turn({ kind: 'Synced' });
    for await (const line of stream.lines) {
      const end = take(line);
      if (end !== undefined) return end;
    }
    return ENDED;
  }

  /** Undefined: read on. */
  function take(line: string): Outcome | undefined {
    const event = readEvent(line);
    contained(() => observer.event(collection.kind, event.type));
    switch (event.type) {
      case 'ADDED':
      case 'MODIFIED':
        upsert(event.item);
        return progress(event.item.version);
      case 'DELETED':
        remove(event.item.name);
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
    contained(() => observer.fresh(collection.kind));
    turn({ kind: 'Synced' });
  }

  /** Milliseconds until the next attempt. */
  function settle(outcome: Outcome, lasted: number): number {
    if (outcome.kind === 'Listed') return 0;
    contained(() => observer.restart(collection.kind, outcome.reason));
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
    turn({ kind: 'Failing', since: now(), code, message });
    doubtful ||= inStream;
    // An API server that has too much to do isn't helped by a list.
    if (inStream || (code >= 400 && code < 500 && code !== 429)) failures += 1;
    // Only a list can tell what became of it meanwhile.
    if (code === 403 || code === 404) version = undefined;
    if (code === 404) path = path === collection.path ? (collection.otherPath ?? path) : collection.path;
  }

  /** Each of another length, so that those that began together don't all end together. */
  function watchRequest(from: string): ApiRequest & { readonly idle: number } {
    const seconds = SHORTEST_WATCH + Math.floor(random() * SHORTEST_WATCH);
    return {
      method: 'GET',
      path,
      query: {
        ...selectorsOf(collection),
        watch: '1',
        resourceVersion: from,
        allowWatchBookmarks: 'true',
        timeoutSeconds: String(seconds),
      },
      idle: options.idle ?? IDLE,
      timeout: (seconds + 30) * 1000,
      signal: stopping.signal,
    };
  }

  function turn(next: WatchState): void {
    if (next.kind === 'Failing' && state.kind === 'Failing') {
      if (next.code === state.code && next.message === state.message) return;
      state = { ...next, since: state.since };
    } else if (next.kind === state.kind) {
      return;
    } else {
      state = next;
    }
    const told = state;
    contained(() => handler.state(told));
  }

  function upsert(item: Item): void {
    held.add(item.name);
    contained(() => handler.upsert(item));
  }

  function remove(name: string): void {
    held.delete(name);
    contained(() => handler.remove(name));
  }

  /** One object that can't be taken, or a metric that can't be counted, ends no watch (F55). */
  function contained(tell: () => void): void {
    try {
      tell();
    } catch (error) {
      try {
        handler.failed(error);
      } catch {}
    }
  }

  async function pause(milliseconds: number): Promise<void> {
    if (milliseconds <= 0) return;
    const over = Promise.withResolvers<void>();
    const cancel = options.timers.after(milliseconds, over.resolve);
    const stop = (): void => over.resolve();
    stopping.signal.addEventListener('abort', stop);
    await over.promise;
    stopping.signal.removeEventListener('abort', stop);
    cancel();
  }

  return {
    start() {
      running ??= run();
    },
    state: () => state,
    listed: () => listed,
    freshAt: () => freshAt,
    async stop() {
      stopping.abort();
      await running;
    },
  };
}
