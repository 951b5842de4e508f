import type { Item } from './watch-event.ts';

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

/** What a handler and an observer were told of one collection. Nothing that they throw gets any further (F55). */
export interface Told {
  upsert(item: Item): void;
  remove(name: string): void;
  /** Everything was listed: what isn't among it is gone. */
  keepOnly(found: ReadonlySet<string>): void;
  turn(next: WatchState): void;
  state(): WatchState;
  event(type: string): void;
  restart(reason: string): void;
  fresh(): void;
  failed(error: unknown): void;
}

export function createTold(kind: string, handler: WatchHandler, observer: WatchObserver): Told {
  /** Names of what the handler has. */
  const held = new Set<string>();
  let state: WatchState = { kind: 'Listing' };

  /** One object that can't be taken, or a metric that can't be counted, ends no watch (F55). */
  function contained(tell: () => void): void {
    try {
      tell();
    } catch (error) {
      failed(error);
    }
  }

  function failed(error: unknown): void {
    try {
      handler.failed(error);
    } catch {}
  }

  function remove(name: string): void {
    held.delete(name);
    contained(() => handler.remove(name));
  }

  return {
    upsert(item) {
      held.add(item.name);
      contained(() => handler.upsert(item));
    },
    remove,
    keepOnly(found) {
      for (const name of [...held]) if (!found.has(name)) remove(name);
    },
    turn(next) {
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
    },
    state: () => state,
    event: (type) => contained(() => observer.event(kind, type)),
    restart: (reason) => contained(() => observer.restart(kind, reason)),
    fresh: () => contained(() => observer.fresh(kind)),
    failed,
  };
}
