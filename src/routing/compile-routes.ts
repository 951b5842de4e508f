import type { ClaimNeeds } from '../authorization/identity.ts';
import { needsOf } from '../authorization/needs.ts';
import type { Policy } from '../authorization/policy.ts';
import type { IdentityHeaders } from '../resources/identity-headers.ts';
import { type NamespacedName, namespaceOf, type ObjectKey } from '../resources/keys.ts';
import { type FieldPath, type Problem, problem } from '../resources/problem.ts';
import type { PluginRef, RouteResource, ServiceResource } from '../resources/resource.ts';
import type { UpstreamSettings } from '../resources/upstream.ts';
import type { Cells, Tracker } from './cells.ts';
import { Derived } from './derived.ts';
import { compileFilters, type RouteFilters } from './filters.ts';
import type { Referrer } from './grants.ts';
import type { RouteState } from './indexed.ts';
import { type Known, pluginKey, resolvePlugin, resolveService } from './references.ts';
import { type RouteHosts, routeHosts } from './route-hosts.ts';

/** A valid Route with everything it refers to; Denied where there are problems. */
export interface RouteDraft {
  readonly route: RouteResource;
  /** Which of its hosts are its namespace's to name. */
  readonly at: RouteHosts;
  /** Undefined where it isn't there, invalid, or not granted. */
  readonly service: ServiceResource | undefined;
  /** How it is reached; undefined where that can't be. */
  readonly upstream: UpstreamSettings | undefined;
  /** Plugins that guard it, in the order in which they decide, whether or not they can be used. */
  readonly plugins: readonly ObjectKey[];
  /** Those of them that it is permitted to name: what another namespace doesn't grant sees nothing of it. */
  readonly permitted: readonly ObjectKey[];
  readonly policy: Policy | undefined;
  readonly needs: ClaimNeeds;
  readonly filters: RouteFilters | undefined;
  readonly problems: readonly Problem[];
  /** Whether it guards its Service's backend (`guards.ts`). */
  readonly guards: boolean;
}

interface EffectivePlugin {
  readonly ref: PluginRef;
  readonly path: FieldPath;
  /** Whose reference it is. */
  readonly from: Referrer;
}

/** Every valid Route. */
export const routeSteps = (
  tracker: Tracker,
  routes: Cells<NamespacedName, RouteState>,
  known: Known,
): Derived<NamespacedName, RouteDraft> =>
  new Derived({
    tracker,
    stride: STRIDE,
    make(name) {
      const state = routes.get(name);
      return state?.found.kind === 'Valid' ? draftRoute(state.found.value, state.policy, known) : undefined;
    },
  });

/** Routes that are handled between two steps. */
const STRIDE = 16;

/** `policy`: of its rules. */
function draftRoute(route: RouteResource, policy: Policy | undefined, known: Known): RouteDraft {
  const at = routeHosts(route, known.owners);
  const { service, upstream, problems: serviceProblems } = resolveService(route, known);
  const effective = effectivePlugins(route, service, known);
  const resolved = effective.map(
    ({ ref, path, from }) => [pluginKey(ref), resolvePlugin(ref, from, path, known)] as const,
  );
  const problems = [
    ...at.refused,
    ...hostProblems(route, effective),
    ...accessProblems(route, service, effective),
    ...serviceProblems,
    ...overrideProblems(route, service),
    ...resolved.flatMap(([, fault]) => fault ?? []),
    ...identityProblems(route, known.options.identityHeaders),
  ];
  return {
    route,
    at,
    service,
    upstream,
    plugins: resolved.map(([key]) => key),
    permitted: resolved.filter(([, fault]) => fault?.reason !== 'RefNotPermitted').map(([key]) => key),
    policy,
    needs: needsOf(policy),
    filters: route.filters && compileFilters(route.filters, service?.backend),
    problems,
    guards: !isPlainlyPublic(route, known),
  };
}

/** Whatever grants say: what guards must not end with one. */
function isPlainlyPublic(route: RouteResource, known: Known): boolean {
  const service = known.services.get(route.service);
  const bare = service?.kind === 'Valid' && service.value.plugins.length === 0;
  return route.access === 'Public' && route.plugins.length === 0 && bare;
}

/** The Service's plugins are a floor; the Route's own of the same kind stands instead. */
function effectivePlugins(
  route: RouteResource,
  service: ServiceResource | undefined,
  known: Known,
): readonly EffectivePlugin[] {
  const own = route.plugins.map((ref, index) => ({
    ref,
    path: ['spec', 'plugins', index],
    from: { kind: 'Route', namespace: namespaceOf(route.name) } as const,
  }));
  const floor = (service?.plugins ?? [])
    .filter(({ kind }) => !route.plugins.some((ref) => ref.kind === kind))
    .map((ref) => ({
      ref,
      path: ['spec', 'serviceRef'],
      from: { kind: 'Service', namespace: namespaceOf(route.service) } as const,
    }));
  const order = new Map(known.options.plugins.map(({ kind }, index) => [kind, index]));
  const rank = ({ ref }: EffectivePlugin): number => order.get(ref.kind) ?? order.size;
  return [...floor, ...own].sort((a, b) => rank(a) - rank(b));
}

/** Only a Route of the Service's own namespace may put another plugin in the place of the Service's. */
function overrideProblems(route: RouteResource, service: ServiceResource | undefined): readonly Problem[] {
  if (service === undefined || namespaceOf(service.name) === namespaceOf(route.name)) return [];
  return route.plugins.flatMap((ref, index) => {
    if (!service.plugins.some(({ kind }) => kind === ref.kind)) return [];
    const message = `Service ${service.name} of another namespace names a ${ref.kind} of its own; take this one away`;
    return problem('RefNotPermitted', ['spec', 'plugins', index], message);
  });
}

function hostProblems(route: RouteResource, effective: readonly EffectivePlugin[]): readonly Problem[] {
  const texts: readonly string[] = route.hosts;
  const any = texts.indexOf('*');
  if (any < 0 || effective.length === 0) return [];
  const message =
    "'*' can't be Protected, for a login needs a host to come back to; write the host names, or a wildcard like *.example.com";
  return [problem('UnsupportedValue', ['spec', 'hosts', any], message)];
}

/** Those of `--identity-headers`, which no object can tell; the fixed set is looked at before (A040). */
function identityProblems(route: RouteResource, identity: IdentityHeaders | undefined): readonly Problem[] {
  const filter = route.filters?.requestHeaders;
  if (filter === undefined || identity === undefined) return [];
  return (['set', 'add'] as const).flatMap((place) =>
    filter[place].flatMap(({ name }, at) =>
      identity.has(name) ? problem('Invalid', ['spec', 'requestHeaders', place, at, 'name'], IS_IDENTITY) : [],
    ),
  );
}

const IS_IDENTITY =
  'is an identity header of this installation (--identity-headers), which only plugins write; take it away';

/** Public only when the Route says so and nothing speaks against it (DESIGN: Exposure). */
function accessProblems(
  route: RouteResource,
  service: ServiceResource | undefined,
  effective: readonly EffectivePlugin[],
): readonly Problem[] {
  const access: FieldPath = ['spec', 'access'];
  if (route.access === undefined) {
    // Where the Service isn't known, its plugins aren't either; that problem is told already.
    if (effective.length > 0 || service === undefined) return [];
    const message =
      'nothing says who may come in; write plugins with the plugin that guards this Route, or access: Public for everybody';
    return [problem('AccessMissing', ['spec'], message)];
  }
  if (route.plugins.length > 0) {
    const message = 'access: Public and plugins exclude each other; take one of the two away';
    return [problem('AccessAmbiguous', access, message)];
  }
  if (effective.length === 0) return [];
  const names = effective.map(({ ref }) => `${ref.kind} ${ref.name}`).join(', ');
  const message = `Service ${route.service} protects every Route to it with ${names}; take access: Public away, or use a Service without plugins`;
  return [problem('AccessAmbiguous', access, message)];
}
