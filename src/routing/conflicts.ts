import type { HostPattern } from '../resources/hostname.ts';
import type { NamespacedName } from '../resources/keys.ts';
import { comparedMethod } from '../resources/method.ts';
import { settled } from '../resources/plain.ts';
import type { PathMatch, RouteResource } from '../resources/resource.ts';
import { nodeKey } from './closures.ts';
import { getOrAdd } from './collections.ts';

/** One host and path of a valid Route, with the methods that it kept there. */
export interface Place {
  readonly host: HostPattern;
  readonly path: PathMatch;
  readonly methods: readonly string[] | undefined;
}

/** What a Route keeps of one host, and what it loses to others. */
export interface RoutePlaces {
  readonly kept: readonly Place[];
  readonly lost: readonly LostClaim[];
}

export interface LostClaim {
  readonly host: HostPattern;
  readonly path: PathMatch;
  /** Undefined: all of them, as one claim. */
  readonly method: string | undefined;
  readonly winner: NamespacedName;
}

/**
 * Who serves a path, method, headers and query parameters of one host that several Routes name: the first that claims it (the oldest, then
 * by namespace/name; GEP-713). Decided before references are resolved, so that no other object's end hands a place over.
 */
export class HostClaims {
  readonly #host: HostPattern;
  readonly #owners = new Map<string, NamespacedName>();

  constructor(host: HostPattern) {
    this.#host = host;
  }

  /** In order of age, each Route once. */
  claim(route: RouteResource): RoutePlaces {
    const kept: Place[] = [];
    const lost: LostClaim[] = [];
    const conditions = conditionsKey(route);
    const own = new Set<string>();
    const host = this.#host;
    for (const path of route.paths) {
      const at = nodeKey(host, path);
      // `/a` and `/a/` are one prefix: written twice it is still one place.
      if (own.has(at)) continue;
      own.add(at);
      const won = new Set<string>();
      for (const method of new Set(route.methods?.map(comparedMethod) ?? [EVERY])) {
        const winner = getOrAdd(this.#owners, `${at} ${method} ${conditions}`, () => route.name);
        if (winner === route.name) won.add(method);
        else lost.push({ host, path, method: method === EVERY ? undefined : method, winner });
      }
      if (won.size > 0) {
        kept.push({ host, path, methods: route.methods?.filter((method) => won.has(comparedMethod(method))) });
      }
    }
    return { kept: settled(kept), lost: settled(lost) };
  }
}

const EVERY = '*';

/** Headers and query parameters, in no order. */
const conditionsKey = ({ headers, queryParams }: RouteResource): string =>
  headers.length === 0 && queryParams === undefined
    ? ''
    : JSON.stringify(
        [
          ...new Set(headers.map((h) => `${h.name}: ${h.value}`)),
          ...new Set(queryParams?.map((q) => `?${q.name}=${q.value}`)),
        ].sort(),
      );
