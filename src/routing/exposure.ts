import type { ObjectKey } from '../resources/keys.ts';
import type { Problem, Reason } from '../resources/problem.ts';
import type { ServiceResource } from '../resources/resource.ts';
import type { UpstreamSettings } from '../resources/upstream.ts';
import type { RouteDraft } from './compile-routes.ts';

export type Exposed =
  | { readonly kind: 'Protected' | 'Public'; readonly service: ServiceResource; readonly upstream: UpstreamSettings }
  | { readonly kind: 'Denied'; readonly reason: Reason };

/** Why a plugin can't be used on a host, by plugin. */
type Denials = ReadonlyMap<ObjectKey, Problem>;

/**
 * What a Route is on one of its hosts. Public takes `access: Public`, no plugin, and no problem at all; everything that
 * isn't plainly Public or plainly Protected is Denied (A175, A176).
 */
export function exposureOf(draft: RouteDraft, denials: Denials): Exposed {
  const { route, service, upstream, plugins } = draft;
  const denial = draft.problems[0] ?? hostDenial(draft, denials);
  if (denial !== undefined) return { kind: 'Denied', reason: denial.reason };
  if (service === undefined) return { kind: 'Denied', reason: 'BackendNotFound' };
  if (upstream === undefined) return { kind: 'Denied', reason: 'ServiceInvalid' };
  if (plugins.length > 0 && route.access === undefined) return { kind: 'Protected', service, upstream };
  if (plugins.length === 0 && route.access === 'Public') return { kind: 'Public', service, upstream };
  return { kind: 'Denied', reason: route.access === undefined ? 'AccessMissing' : 'AccessAmbiguous' };
}

/** Why one of the Route's plugins can't be used on the host. */
export function hostDenial(draft: RouteDraft, denials: Denials): Problem | undefined {
  if (denials.size === 0) return undefined;
  for (const plugin of draft.plugins) {
    const denial = denials.get(plugin);
    if (denial !== undefined) return denial;
  }
  return undefined;
}
