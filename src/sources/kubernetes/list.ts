import type { ApiRequest, KubernetesApi } from './api.ts';
import { type Collection, selectorsOf } from './collection.ts';
import { failure, type Outcome, refused, unreached } from './outcome.ts';
import { type Item, readPage } from './watch-event.ts';

/** Reading one page holds the event loop up: for 15 ms, where the objects are Routes. */
const LIMIT = 250;
/** Far beyond what the rest of the process can hold. */
const MOST_PAGES = 4000;

/** Lists a collection whole; remembers how large a page can be. */
export function createLister(
  api: KubernetesApi,
  collection: Collection,
  signal: AbortSignal,
): (path: string, take: (items: readonly Item[]) => void) => Promise<Outcome> {
  let limit = collection.limit ?? LIMIT;

  // Without a resourceVersion: as of now, never what the cache of another API server remembers.
  const page = (path: string, next: string | undefined): ApiRequest => ({
    method: 'GET',
    path,
    query: { ...selectorsOf(collection), limit: String(limit), ...(next === undefined ? {} : { continue: next }) },
    signal,
  });

  return async (path, take) => {
    let next: string | undefined;
    for (let pages = 0; pages < MOST_PAGES; pages += 1) {
      try {
        const response = await api.call(page(path, next));
        if (response.status !== 200) return refused(response);
        const read = readPage(response.body);
        if (read === undefined)
          return failure('garbage', 200, 'the API server answered with something that is no list');
        take(read.items);
        if (read.next === undefined) return { kind: 'Listed', version: read.version };
        next = read.next;
      } catch (error) {
        const outcome = unreached(error);
        if (outcome === undefined) throw error;
        if (outcome.kind !== 'Failed' || outcome.reason !== 'too_large' || limit === 1) return outcome;
        limit = Math.max(1, Math.floor(limit / 4));
      }
    }
    return failure('garbage', 200, 'the API server gave pages of a list without end');
  };
}
