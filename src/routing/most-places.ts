import { namespaceOf } from '../resources/keys.ts';
import { problem } from '../resources/problem.ts';
import type { RouteResource } from '../resources/resource.ts';
import type { Broken } from './indexed.ts';
import type { Steps } from './steps.ts';

/**
 * Places that the valid Routes of one namespace may have: hosts times paths, times methods and headers where there are any,
 * for each costs about as much again. A Route of 4 KB can name 4096 hosts and paths, so that a hundred of them would take
 * all the memory there is, and with it every other namespace (invariants 7 and 8).
 */
const MOST_PLACES = 50_000;

/** Routes that are handled between two steps. */
const STRIDE = 64;

/**
 * The Routes that fit, and those that don't, the younger ones of each namespace, as invalid ones: they close their hosts
 * whole, for their paths are what there is no room for. `routes`: older ones first.
 */
export function* fittingRoutes(
  routes: readonly RouteResource[],
): Steps<{ readonly fitting: readonly RouteResource[]; readonly excess: readonly Broken[] }> {
  const used = new Map<string, number>();
  const excess: Broken[] = [];
  const fitting: RouteResource[] = [];
  for (const [at, route] of routes.entries()) {
    if (at % STRIDE === 0) yield;
    const namespace = namespaceOf(route.name);
    const places = (used.get(namespace) ?? 0) + placesOf(route);
    if (places <= MOST_PLACES) {
      used.set(namespace, places);
      fitting.push(route);
    } else excess.push(refused(route, namespace));
  }
  return excess.length === 0 ? { fitting: routes, excess } : { fitting, excess };
}

const placesOf = ({ hosts, paths, methods, headers }: RouteResource): number =>
  hosts.length * paths.length * Math.max(1, methods?.length ?? 1) * (1 + headers.length);

function refused({ key, name, meta, hosts, heldHosts, service, plugins }: RouteResource, namespace: string): Broken {
  const message = `is one path too many: hosts times paths, methods and headers of all Routes of namespace ${namespace} come to more than ${MOST_PLACES}; name fewer in each Route, or spread them over several namespaces`;
  return {
    kind: 'Broken',
    key,
    name,
    meta,
    problems: [problem('Invalid', ['spec', 'paths'], message)],
    claims: [
      {
        kind: 'Route',
        hosts: { known: hosts, complete: true },
        heldHosts,
        paths: { known: [], complete: false },
        service,
        plugins: { known: plugins, complete: true },
      },
    ],
  };
}
