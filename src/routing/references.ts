import { nameOf, namespaceOf, type ObjectKey, objectKey } from '../resources/keys.ts';
import { type FieldPath, type Problem, problem } from '../resources/problem.ts';
import type { PluginRef, RouteResource, ServiceResource } from '../resources/resource.ts';
import type { PluginState } from './compile-plugins.ts';
import type { Objects } from './objects.ts';
import type { CompileOptions } from './options.ts';

/** What references are resolved against. */
export interface Known {
  readonly objects: Objects;
  readonly plugins: ReadonlyMap<ObjectKey, PluginState>;
  readonly options: CompileOptions;
}

export const pluginKey = (ref: PluginRef): ObjectKey => objectKey(ref.kind, ref.name);

/** The Service of a Route. `service` is also there where it can't be used, so that its plugins are known. */
export function resolveService(
  route: RouteResource,
  known: Known,
): { readonly service: ServiceResource | undefined; readonly problems: readonly Problem[] } {
  const path: FieldPath = ['spec', 'serviceRef'];
  const namespace = namespaceOf(route.name);
  const found = known.objects.services.get(route.service);
  const service = found?.kind === 'Valid' ? found.value : undefined;
  const bad = (problemOf: Problem) => ({ service, problems: [problemOf] });
  if (namespaceOf(route.service) !== namespace) {
    const message = `Service ${route.service} is of another namespace, which has to grant that and can't yet; create a Service in namespace ${namespace} and name that`;
    return bad(problem('RefNotPermitted', path, message));
  }
  if (found === undefined) {
    const message = `there is no Service ${nameOf(route.service)} in namespace ${namespace}; create it, or correct the name`;
    return bad(problem('BackendNotFound', [...path, 'name'], message));
  }
  if (service === undefined) {
    return bad(problem('ServiceInvalid', path, `Service ${route.service} is invalid; correct that first`));
  }
  const missing = backendProblem(service, known.options);
  return missing === undefined ? { service, problems: [] } : bad({ ...missing, path });
}

/** A backend that this mode can't follow. */
export function backendProblem(service: ServiceResource, options: CompileOptions): Problem | undefined {
  if (service.backend.kind !== 'Service' || options.mode.kind !== 'Files') return undefined;
  return problem(
    'BackendNotFound',
    ['spec', 'backendRef'],
    `Service ${service.name} has a backendRef, which needs a cluster; write url instead`,
  );
}

/** `owner`: whose reference it is. `path`: where problems are reported. */
export function resolvePlugin(ref: PluginRef, owner: string, path: FieldPath, known: Known): Problem | undefined {
  const key = pluginKey(ref);
  if (!isKind(ref.kind, known)) {
    const kinds = known.options.plugins.map(({ kind }) => kind).join(' or ');
    return problem('PluginNotFound', [...path, 'kind'], `there is no plugin kind ${ref.kind}; write ${kinds}`);
  }
  if (namespaceOf(ref.name) !== owner) {
    const message = `${ref.kind} ${ref.name} is of another namespace, which has to grant that and can't yet; create one in namespace ${owner} and name that`;
    return problem('RefNotPermitted', path, message);
  }
  const state = known.plugins.get(key);
  if (state === undefined) {
    const message = `there is no ${ref.kind} ${nameOf(ref.name)} in namespace ${owner}; create it, or correct the name`;
    return problem('PluginNotFound', [...path, 'name'], message);
  }
  if (state.kind === 'Compiled') return undefined;
  return problem('PluginInvalid', path, `${ref.kind} ${ref.name} can't be used as it is; correct that first`);
}

const isKind = (kind: string, known: Known): boolean => known.options.plugins.some((rules) => rules.kind === kind);
