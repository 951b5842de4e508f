import type { HostPattern } from '../resources/hostname.ts';
import { namespaceOf } from '../resources/keys.ts';
import { settled } from '../resources/plain.ts';
import { type Problem, problem } from '../resources/problem.ts';
import type { RouteResource } from '../resources/resource.ts';
import { mayName, type Ownership, type Ownerships } from './host-owners.ts';

/** A valid Route with those of its hosts that are its namespace's to name. */
export interface RouteHosts {
  readonly route: RouteResource;
  /** Each once. */
  readonly hosts: readonly HostPattern[];
  /** Of each of the others, for which the whole Route is refused: it can't mean what it says. */
  readonly refused: readonly Problem[];
  /** Of each host that is refused until all namespaces were listed; the Route's other hosts are served. */
  readonly pending: readonly Problem[];
  /** Hosts that are its namespace's only as long as some Route of it names them. */
  readonly unreserved: readonly HostPattern[];
}

export function routeHosts(route: RouteResource, owners: Ownerships): RouteHosts {
  const namespace = namespaceOf(route.name);
  const hosts: HostPattern[] = [];
  const refused: Problem[] = [];
  const pending: Problem[] = [];
  const unreserved: HostPattern[] = [];
  for (const [at, host] of route.hosts.entries()) {
    if (route.hosts.indexOf(host) !== at) continue;
    const ownership = owners.get(host);
    if (mayName(ownership, namespace)) {
      hosts.push(host);
      if (ownership.kind === 'ByRoute') unreserved.push(host);
    } else (ownership.kind === 'Pending' ? pending : refused).push(hostProblem(host, at, namespace, ownership));
  }
  return {
    route,
    hosts: settled(hosts),
    refused: settled(refused),
    pending: settled(pending),
    unreserved: settled(unreserved),
  };
}

function hostProblem(host: HostPattern, at: number, namespace: string, ownership: Ownership): Problem {
  const path = ['spec', 'hosts', at];
  const entry = ownerFlags([host], namespace);
  switch (ownership.kind) {
    case 'NeedsEntry': {
      const what = host === '*' ? "'*'" : `the wildcard ${host}`;
      const message = `${what} needs an owner where several namespaces are watched; start Postern with ${entry}, or write exact host names`;
      return problem('HostNotReserved', path, message);
    }
    case 'Pending': {
      const message = `not all namespaces were listed yet, so whose host ${host} is can't be told; wait, or start Postern with ${entry}`;
      return problem('Pending', path, message);
    }
    case 'ByEntry':
    case 'ByRoute': {
      const why = ownership.kind === 'ByEntry' ? '' : `, whose Route ${ownership.route} had it first`;
      const message = `${host} belongs to namespace ${ownership.namespace}${why}; take it away here, or start Postern with ${entry}`;
      return problem('HostNotAllowed', path, message);
    }
    case 'Anybody':
      throw new Error(`${host} is anybody's`);
  }
}

/** What whoever runs Postern writes to give hosts to a namespace. A shell would expand a bare `*`. */
export function ownerFlags(hosts: readonly HostPattern[], namespace: string): string {
  const entries = hosts.map((host) => `${host}=${namespace}`).join(',');
  const flag = hosts.some((host) => host.startsWith('*')) ? `--host-owner '${entries}'` : `--host-owner ${entries}`;
  return `${flag} (chart: controller.hostOwners)`;
}
