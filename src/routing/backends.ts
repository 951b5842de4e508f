import { isAddressAllowed } from '../resources/address-policy.ts';
import { addressBits } from '../resources/ip.ts';
import { type NamespacedName, nameOf, namespaceOf } from '../resources/keys.ts';
import { type Problem, problem } from '../resources/problem.ts';
import type { BackendService, BackendUrl, CoreServiceResource, ServiceResource } from '../resources/resource.ts';
import type { Lookup } from './cells.ts';
import type { Found } from './indexed.ts';
import type { ClusterMode, CompileMode } from './options.ts';

export type CoreServices = Lookup<NamespacedName, Found<CoreServiceResource> | undefined>;

/** Why requests to a Service can't be sent anywhere, as far as that can be told before any of them comes. */
export function backendProblem(
  { backend, name }: ServiceResource,
  coreServices: CoreServices,
  mode: CompileMode,
): Problem | undefined {
  if (mode.kind === 'Files') {
    if (backend.kind === 'Url') return undefined;
    const message = `Service ${name} has a backendRef, which needs a cluster; write url instead`;
    return problem('BackendNotFound', REF, message);
  }
  return backend.kind === 'Url' ? urlProblem(backend, mode) : coreServiceProblem(backend, coreServices);
}

const REF = ['spec', 'backendRef'];
const URL_FIELD = ['spec', 'url'];

function coreServiceProblem({ name, port }: BackendService, coreServices: CoreServices): Problem | undefined {
  const found = coreServices.get(name);
  if (found === undefined) {
    const message = `there is no core Service ${nameOf(name)} in namespace ${namespaceOf(name)}; create it, or correct the name`;
    return problem('BackendNotFound', [...REF, 'name'], message);
  }
  if (found.kind === 'Broken') {
    return problem('BackendNotFound', [...REF, 'name'], `core Service ${name} can't be read; correct that first`);
  }
  const { externalName, ports } = found.value;
  if (externalName) {
    const message = `core Service ${name} is of type ExternalName, which isn't followed; write the name that it leads to as url instead`;
    return problem('AddressNotAllowed', [...REF, 'name'], message);
  }
  if (ports.includes(port)) return undefined;
  const there = ports.length === 0 ? 'it has none' : `it has ${ports.join(', ')}`;
  return problem('BackendPortNotFound', [...REF, 'port'], `core Service ${name} has no port ${port}; ${there}`);
}

/**
 * Addresses and the cluster's own names are refused here; what a name of elsewhere leads to is looked at when it is
 * connected to, after DNS (A174).
 */
function urlProblem({ host }: BackendUrl, { urlBackends, clusterDomain }: ClusterMode): Problem | undefined {
  if (addressBits(host) !== undefined) {
    if (isAddressAllowed(host, urlBackends)) return undefined;
    const message = isAddressAllowed(host, { kind: 'Any' })
      ? `${host} is no address of the public internet; write backendRef for what runs in this cluster, or start Postern with --url-backends ${host}`
      : `${host} is an address of this link only, which is reached under no setting; write another one`;
    return problem('AddressNotAllowed', URL_FIELD, message);
  }
  if (urlBackends.kind === 'Any' || !isInternalName(host, clusterDomain)) return undefined;
  const message = `${host} is a name of this cluster or machine; write backendRef for what runs in the cluster, or start Postern with --url-backends Any`;
  return problem('AddressNotAllowed', URL_FIELD, message);
}

/** Names that resolvers complete by the cluster's own suffix, that end in it, or that are this machine's. */
const isInternalName = (host: string, clusterDomain: string): boolean =>
  !host.includes('.') ||
  [...INTERNAL, clusterDomain.toLowerCase()].some((suffix) => host === suffix || host.endsWith(`.${suffix}`));

const INTERNAL = ['svc', 'cluster.local', 'localhost'];
