import type { HostPattern } from '../resources/hostname.ts';
import type { Reason } from '../resources/problem.ts';
import type { ServiceResource } from '../resources/resource.ts';
import type { RouteDraft } from './compile-routes.ts';
import type { Reservations } from './reserved.ts';

export type Exposed =
  | { readonly kind: 'Protected' | 'Public'; readonly service: ServiceResource }
  | { readonly kind: 'Denied'; readonly reason: Reason };

/**
 * What a Route is on one of its hosts. Public takes `access: Public`, no plugin, and no problem at all; everything that
 * isn't plainly Public or plainly Protected is Denied (A175, A176).
 */
export function exposureOf(draft: RouteDraft, host: HostPattern, reservations: Reservations): Exposed {
  const { route, service, plugins } = draft;
  const denial = draft.problems[0] ?? hostDenial(draft, host, reservations);
  if (denial !== undefined) return { kind: 'Denied', reason: denial.reason };
  if (service === undefined) return { kind: 'Denied', reason: 'BackendNotFound' };
  if (plugins.length > 0 && route.access === undefined) return { kind: 'Protected', service };
  if (plugins.length === 0 && route.access === 'Public') return { kind: 'Public', service };
  return { kind: 'Denied', reason: route.access === undefined ? 'AccessMissing' : 'AccessAmbiguous' };
}

/** Why one of the Route's plugins can't be used on this host. */
export function hostDenial(draft: RouteDraft, host: HostPattern, reservations: Reservations) {
  for (const plugin of draft.plugins) {
    const denial = reservations.denial(host, plugin);
    if (denial !== undefined) return denial;
  }
  return undefined;
}
