import type { Policy } from '../authorization/policy.ts';
import type { NamespacedName, ObjectKey } from '../resources/keys.ts';
import type {
  CoreServiceResource,
  Parsed,
  PluginResource,
  ReferenceGrantResource,
  RouteResource,
  SecretResource,
  ServiceResource,
} from '../resources/resource.ts';
import { byAge } from './age.ts';
import { getOrAdd } from './collections.ts';
import { type Broken, type Found, headOf, type Indexed, indexed } from './indexed.ts';
import { Memo, Recorder } from './memo.ts';
import { fittingRoutes } from './most-places.ts';
import { Order } from './sorted.ts';
import type { Steps } from './steps.ts';

/** All objects of one compilation, by name; in an order that doesn't depend on arrival. */
export interface Objects {
  /** Of every object, in order. */
  readonly keys: readonly ObjectKey[];
  readonly services: ReadonlyMap<NamespacedName, Found<ServiceResource>>;
  readonly plugins: ReadonlyMap<ObjectKey, Found<PluginResource>>;
  readonly secrets: ReadonlyMap<NamespacedName, Found<SecretResource>>;
  readonly coreServices: ReadonlyMap<NamespacedName, Found<CoreServiceResource>>;
  /** Those that could be read; the others grant nothing. */
  readonly grants: readonly ReferenceGrantResource[];
  /** Older first, then by namespace/name: who comes first wins a conflict. */
  readonly routes: readonly RouteResource[];
  /** Of the Routes that have rules. */
  readonly policies: ReadonlyMap<NamespacedName, Policy>;
  readonly brokenRoutes: readonly Broken[];
  /** Everything that is no valid object, in order of key. */
  readonly broken: readonly Broken[];
}

/** What indexing remembers: objects that didn't change are found as the very same values again. */
export interface IndexMemory {
  readonly indexed: Memo<ObjectKey, Indexed | undefined>;
  readonly byKey: Order<ObjectKey>;
  readonly byAge: Order<RouteResource>;
}

export const indexMemory = (recorder: Recorder): IndexMemory => ({
  indexed: new Memo(recorder),
  byKey: new Order((a, b) => (a < b ? -1 : 1)),
  byAge: new Order((a, b) => byAge(a.meta.creationTimestamp, a.name, b.meta.creationTimestamp, b.name)),
});

/** Index by name. Two objects of one kind and name are both invalid: nobody can tell which one is meant. */
export function* indexObjects(
  parsed: readonly Parsed[],
  memory: IndexMemory = indexMemory(new Recorder()),
): Steps<Objects> {
  const groups = new Map<ObjectKey, Parsed[]>();
  for (const [at, one] of parsed.entries()) {
    if (at % STRIDE === 0) yield;
    getOrAdd(groups, headOf(one).key, () => []).push(one);
  }
  const keys = yield* memory.byKey.of(groups);
  const services = new Map<NamespacedName, Found<ServiceResource>>();
  const plugins = new Map<ObjectKey, Found<PluginResource>>();
  const secrets = new Map<NamespacedName, Found<SecretResource>>();
  const coreServices = new Map<NamespacedName, Found<CoreServiceResource>>();
  const grants: ReferenceGrantResource[] = [];
  const routes = new Set<RouteResource>();
  const policies = new Map<NamespacedName, Policy>();
  const broken: Broken[] = [];
  for (const [at, key] of keys.entries()) {
    if (at % STRIDE === 0) yield;
    const group = groups.get(key) ?? [];
    const one = memory.indexed.get(key, group, () => indexed(group));
    if (one === undefined) continue;
    const { found } = one;
    const { name } = found.kind === 'Broken' ? found : found.value;
    if (found.kind === 'Broken') broken.push(found);
    if (one.kind === 'Service') services.set(name, one.found);
    else if (one.kind === 'Plugin') plugins.set(key, one.found);
    else if (one.kind === 'Secret') secrets.set(name, one.found);
    else if (one.kind === 'CoreService') coreServices.set(name, one.found);
    else if (one.kind === 'ReferenceGrant') {
      if (one.found.kind === 'Valid') grants.push(one.found.value);
    } else if (one.found.kind === 'Valid') {
      routes.add(one.found.value);
      if (one.policy !== undefined) policies.set(name, one.policy);
    }
  }
  const { fitting, excess } = yield* fittingRoutes(yield* memory.byAge.of(routes));
  if (excess.length > 0) {
    broken.push(...excess);
    broken.sort((a, b) => (a.key < b.key ? -1 : 1));
  }
  const brokenRoutes = broken.filter(({ claims }) => claims[0]?.kind === 'Route');
  return {
    keys,
    services,
    plugins,
    secrets,
    coreServices,
    grants,
    routes: fitting,
    policies,
    brokenRoutes,
    broken,
  };
}

/** Objects that are handled between two steps where each costs about a microsecond. */
const STRIDE = 64;
