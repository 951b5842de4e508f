import type { HostPattern } from '../resources/hostname.ts';
import type { NamespacedName } from '../resources/keys.ts';
import { comparedMethod } from '../resources/method.ts';
import type { PathMatch, RouteResource } from '../resources/resource.ts';
import { nodeKey } from './closures.ts';
import { getOrAdd } from './collections.ts';
import type { RouteHosts } from './route-hosts.ts';

/** One host and path of a valid Route, with the methods that it kept there. */
export interface Place {
  readonly host: HostPattern;
  readonly path: PathMatch;
  readonly methods: readonly string[] | undefined;
}

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
 * Who serves a host, path, method and headers that several Routes name: the first in `routes` (the oldest, then by
 * namespace/name; GEP-713), on hosts that they may name. Decided before references are resolved, so that no other object's end hands a place over.
 */
export function resolveConflicts(routes: readonly RouteHosts[]): ReadonlyMap<NamespacedName, RoutePlaces> {
  const owners = new Map<string, NamespacedName>();
  return new Map(routes.map(({ route, hosts }) => [route.name, claimPlaces(route, hosts, owners)]));
}

const EVERY = '*';

function claimPlaces(
  route: RouteResource,
  hosts: readonly HostPattern[],
  owners: Map<string, NamespacedName>,
): RoutePlaces {
  const kept: Place[] = [];
  const lost: LostClaim[] = [];
  const headers = headersKey(route);
  const own = new Set<string>();
  for (const host of hosts) {
    for (const path of route.paths) {
      const at = nodeKey(host, path);
      // `/a` and `/a/` are one prefix: written twice it is still one place.
      if (own.has(at)) continue;
      own.add(at);
      const won = new Set<string>();
      for (const method of new Set(route.methods?.map(comparedMethod) ?? [EVERY])) {
        const claim = `${at} ${method} ${headers}`;
        const winner = getOrAdd(owners, claim, () => route.name);
        if (winner === route.name) won.add(method);
        else lost.push({ host, path, method: method === EVERY ? undefined : method, winner });
      }
      if (won.size > 0) {
        kept.push({ host, path, methods: route.methods?.filter((method) => won.has(comparedMethod(method))) });
      }
    }
  }
  return { kept, lost };
}

const headersKey = (route: RouteResource): string =>
  route.headers.length === 0
    ? ''
    : JSON.stringify([...new Set(route.headers.map((h) => `${h.name}: ${h.value}`))].sort());
