import { type NamespacedName, nameOf, namespaceOf, type ObjectKey, objectKey } from '../resources/keys.ts';
import { type FieldPath, type Problem, problem } from '../resources/problem.ts';
import type { PluginRef, RouteResource, ServiceResource } from '../resources/resource.ts';
import type { UpstreamSettings } from '../resources/upstream.ts';
import { backendProblem, type CoreServices } from './backends.ts';
import type { Lookup } from './cells.ts';
import type { PluginStates } from './compile-plugins.ts';
import { type Grants, notPermitted, type Referrer } from './grants.ts';
import type { Ownerships } from './host-owners.ts';
import type { Found } from './indexed.ts';
import type { CompileOptions } from './options.ts';
import { type UpstreamStates, upstreamProblem } from './upstreams.ts';

/** What references are resolved against. Of other objects, steps that are remembered see no more than this. */
export interface Known {
  readonly services: Lookup<NamespacedName, Found<ServiceResource> | undefined>;
  readonly upstreams: UpstreamStates;
  readonly coreServices: CoreServices;
  readonly owners: Ownerships;
  readonly grants: Grants;
  readonly plugins: PluginStates;
  readonly options: CompileOptions;
}

export const pluginKey = (ref: PluginRef): ObjectKey => objectKey(ref.kind, ref.name);

interface ResolvedService {
  readonly service: ServiceResource | undefined;
  /** Undefined where it can't be reached as it says. */
  readonly upstream: UpstreamSettings | undefined;
  readonly problems: readonly Problem[];
}

const unresolved = (problem: Problem): ResolvedService => ({
  service: undefined,
  upstream: undefined,
  problems: [problem],
});

/**
 * The Service of a Route. `service` is also there where it can't be used, so that its plugins are known; not where it is
 * of another namespace that doesn't grant it, of which nothing may be seen.
 */
export function resolveService(route: RouteResource, known: Known): ResolvedService {
  const path: FieldPath = ['spec', 'serviceRef'];
  const from: Referrer = { kind: 'Route', namespace: namespaceOf(route.name) };
  const to = { kind: 'Service', name: route.service };
  if (!known.grants.permits(from, to)) {
    return unresolved(notPermitted(from, to, path, known.options.mode));
  }
  const found = known.services.get(route.service);
  if (found === undefined) {
    const message = `there is no Service ${nameOf(route.service)} in namespace ${namespaceOf(route.service)}; create it, or correct the name`;
    return unresolved(problem('BackendNotFound', [...path, 'name'], message));
  }
  if (found.kind === 'Broken') {
    const message = `Service ${route.service} is invalid; correct that first`;
    return unresolved(problem('ServiceInvalid', path, message));
  }
  const service = found.value;
  const missing = backendProblem(service, known.coreServices, known.options.mode);
  const state = known.upstreams.get(route.service);
  const upstream = state?.kind === 'Resolved' ? state.settings : undefined;
  const problems = missing === undefined ? [] : [{ ...missing, path }];
  if (upstream === undefined) problems.push(upstreamProblem(route.service, path));
  return { service, upstream, problems };
}

/** `from`: whose reference it is. `path`: where problems are reported. */
export function resolvePlugin(ref: PluginRef, from: Referrer, path: FieldPath, known: Known): Problem | undefined {
  if (!isKind(ref.kind, known)) {
    const kinds = known.options.plugins.map(({ kind }) => kind).join(' or ');
    return problem('PluginNotFound', [...path, 'kind'], `there is no plugin kind ${ref.kind}; write ${kinds}`);
  }
  if (!known.grants.permits(from, ref)) return notPermitted(from, ref, path, known.options.mode);
  const state = known.plugins.get(pluginKey(ref));
  if (state === undefined) {
    const message = `there is no ${ref.kind} ${nameOf(ref.name)} in namespace ${namespaceOf(ref.name)}; create it, or correct the name`;
    return problem('PluginNotFound', [...path, 'name'], message);
  }
  if (state.kind === 'Compiled') return undefined;
  return problem('PluginInvalid', path, `${ref.kind} ${ref.name} can't be used as it is; correct that first`);
}

const isKind = (kind: string, known: Known): boolean => known.options.plugins.some((rules) => rules.kind === kind);
