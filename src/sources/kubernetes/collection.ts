import type { ApiRequest } from './api.ts';

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

export const selectorsOf = ({ labelSelector, fieldSelector }: Collection): Readonly<Record<string, string>> => ({
  ...(labelSelector === undefined ? {} : { labelSelector }),
  ...(fieldSelector === undefined ? {} : { fieldSelector }),
});

/**
 * Longer than the minute between two bookmarks, so a silent stream is a dead one: each kind is proved fresh every minute, though
 * nothing happens (F04, F11). Where there are no bookmarks, as from an API server that saw no event of the kind since it started,
 * that costs a watch every 75 s, and no list. A peer that vanished is found sooner, by the client's TCP probes; and no watch
 * outlives its `timeoutSeconds`, whatever a proxy between does.
 */
const IDLE = 75_000;
const SHORTEST_WATCH = 240;
export interface WatchFrom {
  readonly collection: Collection;
  /** Of the version of the kind that the API server has. */
  readonly path: string;
  /** `resourceVersion`. */
  readonly from: string;
  /** Milliseconds without a byte; undefined: 75 s. */
  readonly idle: number | undefined;
  /** 0 ≤ x < 1: each watch is of another length, so that those that began together don't all end together. */
  readonly random: number;
  readonly signal: AbortSignal;
}

export function watchRequest(watch: WatchFrom): ApiRequest & { readonly idle: number } {
  const seconds = SHORTEST_WATCH + Math.floor(watch.random * SHORTEST_WATCH);
  return {
    method: 'GET',
    path: watch.path,
    query: {
      ...selectorsOf(watch.collection),
      watch: '1',
      resourceVersion: watch.from,
      allowWatchBookmarks: 'true',
      timeoutSeconds: String(seconds),
    },
    idle: watch.idle ?? IDLE,
    timeout: (seconds + 30) * 1000,
    signal: watch.signal,
  };
}
