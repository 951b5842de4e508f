import { type ApiRequest, ApiUnreachable, type KubernetesApi } from './api.ts';
import { Backoff, ListAllowance, PACE, type Pace } from './backoff.ts';
import { type Item, messageOf, readEvent, readPage } from './watch-event.ts';
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
  /** Objects in a page of a list; 500. */
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
  /** Once for each batch of the above. */
  settled(): void;
  /** The state, whenever it is another one. */
  state(state: WatchState): void;
  failed(error: unknown): void;
}

export interface WatchObserver {
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
 * nothing happens (F04, F11). A peer that vanished is found sooner, by the client's TCP probes; and no watch outlives its
 * `timeoutSeconds`, whatever a proxy between does.
 */
const IDLE = 75_000;
const SHORTEST_WATCH = 240;
/** A watch that lasted so long was a good one; what ends sooner is begun again ever more slowly (F05). */
const GOOD = 10_000;
/** Attempts to go on from where a watch broke, before everything is listed again. */
const PATIENCE = 3;
const LIMIT = 500;
/** Of 500 objects each; far beyond what the rest of the process can hold. */
const MOST_PAGES = 2000;

type Outcome =
  | { readonly kind: 'Listed' }
  /** By the server, or after `IDLE`. */
  | { readonly kind: 'Ended'; readonly reason: string }
  /** Its version is too old to go on from. */
  | { readonly kind: 'Gone' }
  | {
      readonly kind: 'Failed';
      readonly reason: string;
      readonly code: number;
      readonly message: string;
      readonly retryAfter: number | undefined;
    };

const failed = (reason: string, code: number, message: string, retryAfter?: number): Outcome => ({
  kind: 'Failed',
  reason,
  code,
  message,
  retryAfter,
});

const severity = (code: number): 'reach' | 'refused' | 'absent' =>
  code === 0 ? 'reach' : code === 404 ? 'absent' : 'refused';

/** Lists a collection, then watches it, for ever: nothing that the API server does ends this, or loses what is held. */
export function createListWatch(options: ListWatchOptions): ListWatch {
  const { api, collection, handler, observer, now, random } = options;
  const pace = options.pace ?? PACE;
  const backoff = new Backoff(pace, random);
  const lists = new ListAllowance(pace.list, now);
  const stopping = new AbortController();
  /** Names of what the handler has. */
  const held = new Set<string>();
  /** To go on from; undefined: list. */
  let version: string | undefined;
  let path = collection.path;
  let limit = collection.limit ?? LIMIT;
  let state: WatchState = { kind: 'Listing' };
  let listed = false;
  let freshAt: number | undefined;
  let restarts = 0;
  let running: Promise<void> | undefined;

  async function run(): Promise<void> {
    while (!stopping.signal.aborted) {
      const since = now();
      const outcome = version === undefined ? await list() : await watch(version);
      if (stopping.signal.aborted) return;
      await pause(settle(outcome, now() - since));
    }
  }

  /** Everything, page by page; at the end, what wasn't among it is gone. */
  async function list(): Promise<Outcome> {
    const found = new Set<string>();
    let next: string | undefined;
    for (let pages = 0; pages < MOST_PAGES; pages += 1) {
      const response = await answered(() => api.call(listRequest(next)));
      if ('kind' in response) {
        if (response.kind !== 'Failed' || response.reason !== 'too_large' || limit === 1) return response;
        limit = Math.max(1, Math.floor(limit / 4));
        continue;
      }
      if (response.status !== 200) return refused(response);
      const page = readPage(response.body);
      if (page === undefined) return failed('garbage', 200, 'the API server answered with something that is no list');
      for (const item of page.items) {
        found.add(item.name);
        upsert(item);
      }
      if (page.next === undefined) return complete(found, page.version);
      contained(() => handler.settled());
      next = page.next;
    }
    return failed('garbage', 200, 'the API server gave pages of a list without end');
  }

  function complete(found: ReadonlySet<string>, at: string): Outcome {
    for (const name of [...held]) if (!found.has(name)) remove(name);
    version = at;
    listed = true;
    lists.spend();
    fresh();
    turn({ kind: 'Synced' });
    contained(() => handler.settled());
    return { kind: 'Listed' };
  }

  /** What happens from a version on. The version goes on with each event, so that a broken stream costs no list. */
  async function watch(from: string): Promise<Outcome> {
    const stream = await answered(() => api.watch(watchRequest(from)));
    if ('kind' in stream) return stream;
    if (stream.status !== 200) return refused(stream);
    turn({ kind: 'Synced' });
    try {
      for await (const line of stream.lines) {
        const end = take(line);
        if (end !== undefined) return end;
      }
      return { kind: 'Ended', reason: 'ended' };
    } catch (error) {
      return unreached(error);
    }
  }

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
        version = event.version;
        restarts = 0;
        fresh();
        return undefined;
      case 'ERROR':
        return event.code === 410
          ? { kind: 'Gone' }
          : failed(`status_${event.code}`, event.code, event.message || 'the watch ended with an error');
      case 'Garbage':
        return failed('garbage', 200, 'a line of the watch is no event');
    }
  }

  function progress(at: string): undefined {
    version = at;
    restarts = 0;
    fresh();
    contained(() => handler.settled());
  }

  /** Milliseconds until the next attempt. */
  function settle(outcome: Outcome, lasted: number): number {
    if (outcome.kind === 'Listed') return 0;
    const watched = version !== undefined;
    const reason = outcome.kind === 'Gone' ? 'gone' : outcome.reason;
    contained(() => observer.restart(collection.kind, reason));
    if (watched && lasted >= GOOD) backoff.reset();
    if (outcome.kind === 'Failed') {
      turn({ kind: 'Failing', since: now(), code: outcome.code, message: outcome.message });
      // Only a list can tell what became of it meanwhile.
      if (outcome.code === 403 || outcome.code === 404) version = undefined;
      if (outcome.code === 404) path = path === collection.path ? (collection.otherPath ?? path) : collection.path;
    }
    restarts += outcome.kind === 'Failed' && outcome.code !== 0 ? 1 : 0;
    if (outcome.kind === 'Gone' || restarts > PATIENCE) {
      version = undefined;
      restarts = 0;
    }
    const wait =
      outcome.kind === 'Failed' ? backoff.next(severity(outcome.code), outcome.retryAfter) : backoff.next('reach');
    return version === undefined ? Math.max(wait, lists.wait()) : wait;
  }

  /** An answer, or what it means that there is none. */
  async function answered<T extends object>(ask: () => Promise<T>): Promise<T | Outcome> {
    try {
      return await ask();
    } catch (error) {
      return unreached(error);
    }
  }

  function unreached(error: unknown): Outcome {
    if (!(error instanceof ApiUnreachable)) {
      contained(() => handler.failed(error));
      return failed('failed', 0, 'the watch failed, which is a bug');
    }
    if (error.reason === 'Idle') return { kind: 'Ended', reason: 'idle' };
    if (error.reason === 'TooLarge') return failed('too_large', 200, error.message);
    return failed('unreachable', 0, error.message);
  }

  const refused = (answer: {
    readonly status: number;
    readonly body: unknown;
    readonly retryAfter: number | undefined;
  }): Outcome =>
    answer.status === 410
      ? { kind: 'Gone' }
      : failed(
          `status_${answer.status}`,
          answer.status,
          messageOf(answer.body) || `the API server answered with ${answer.status}`,
          answer.retryAfter,
        );

  const selectors = {
    ...(collection.labelSelector === undefined ? {} : { labelSelector: collection.labelSelector }),
    ...(collection.fieldSelector === undefined ? {} : { fieldSelector: collection.fieldSelector }),
  };

  /** Without a resourceVersion: as of now, never what a cache of another API server remembers. */
  const listRequest = (next: string | undefined): ApiRequest => ({
    method: 'GET',
    path,
    query: { ...selectors, limit: String(limit), ...(next === undefined ? {} : { continue: next }) },
    signal: stopping.signal,
  });

  /** Each of another length, so that those that began together don't all end together. */
  function watchRequest(from: string): ApiRequest & { readonly idle: number } {
    const seconds = SHORTEST_WATCH + Math.floor(random() * SHORTEST_WATCH);
    return {
      method: 'GET',
      path,
      query: {
        ...selectors,
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

  function fresh(): void {
    freshAt = now();
    contained(() => observer.fresh(collection.kind));
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
