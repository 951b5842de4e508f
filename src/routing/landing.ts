import type { Policy } from '../authorization/policy.ts';
import type { Hostname } from '../resources/hostname.ts';
import { laxPaths, type RoutePath } from '../resources/path.ts';
import type { Backend } from '../resources/resource.ts';
import { sameBackend } from './guards.ts';
import { covering } from './match.ts';
import type { RouteMatch, RouteTable, Slot } from './table.ts';

/**
 * What guards the place that a rewritten path lies at (A005). `Free`: nothing that the request hasn't met already.
 * `Rules`: these are to hold as well. `Guarded`: another guard, so that nothing is forwarded.
 */
export type Landing =
  | { readonly kind: 'Free' | 'Guarded' }
  | { readonly kind: 'Rules'; readonly policies: readonly Policy[] };

const FREE: Landing = { kind: 'Free' };
const GUARDED: Landing = { kind: 'Guarded' };

/**
 * Looks at the rewritten path as if it had been asked for on the same host: where other Routes lead to the same backend
 * there, the most specific of those places counts, whatever methods and headers it is for. Such a Route must be Public, or
 * have the same guard as the one that rewrites (its rules are asked again, for they look at paths), or the same plugins and
 * nothing else. A Route that is Denied, and of which the backend isn't known, may be any. Places that lead elsewhere say
 * nothing: the request goes to the Service of its own Route.
 */
export function landing(table: RouteTable, by: RouteMatch, host: Hostname, path: RoutePath): Landing {
  const readings = laxPaths(path);
  if (readings === undefined) return GUARDED;
  const policies: Policy[] = [];
  for (const reading of [path, ...readings]) {
    const there = othersAt(covering(table, host, reading), by);
    for (const other of there) {
      const one = compare(by, other);
      if (one === 'Guarded') return GUARDED;
      if (one !== 'Free') policies.push(one);
    }
  }
  return policies.length === 0 ? FREE : { kind: 'Rules', policies };
}

/** Of the most specific place that leads to the same backend. */
function othersAt(slots: readonly Slot[], by: RouteMatch): Slot {
  const to = goalOf(by);
  if (to === undefined) throw new Error(`Route ${by.entry.route} leads nowhere`);
  for (const slot of slots) {
    const others = slot.filter((other) => other.entry.route !== by.entry.route && mayLeadTo(other, to));
    if (others.length > 0) return others;
  }
  return [];
}

/** A path means the same at both only where the same is put before it. */
interface Goal {
  readonly backend: Backend;
  readonly basePath: string;
}

function goalOf({ entry: { action } }: RouteMatch): Goal | undefined {
  if (action.kind === 'Refuse') return action.to;
  return { backend: action.backend, basePath: action.upstream.policy.basePath };
}

function mayLeadTo(other: RouteMatch, to: Goal): boolean {
  const there = goalOf(other);
  return there === undefined || (there.basePath === to.basePath && sameBackend(there.backend, to.backend));
}

function compare(by: RouteMatch, other: RouteMatch): 'Free' | 'Guarded' | Policy {
  if (other.guard === undefined) return 'Guarded';
  if (other.guard === '') return 'Free';
  if (other.guard === by.guard) return other.entry.authorization ?? 'Free';
  const { plugins, authorization, filters } = other.entry;
  const same = plugins.length > 0 && plugins.join(' ') === by.entry.plugins.join(' ');
  return same && authorization === undefined && filters?.clients === undefined ? 'Free' : 'Guarded';
}
