import { compilePolicy } from '../authorization/compile-policy.ts';
import type { Policy } from '../authorization/policy.ts';
import type { NamespacedName, ObjectKey } from '../resources/keys.ts';
import type { Metadata } from '../resources/metadata.ts';
import { type Problem, problem } from '../resources/problem.ts';
import type {
  Claim,
  CoreServiceResource,
  Parsed,
  PluginResource,
  Readable,
  ReferenceGrantResource,
  Resource,
  RouteResource,
  SecretResource,
  ServiceResource,
} from '../resources/resource.ts';
import { byAge } from './age.ts';
import { getOrAdd } from './collections.ts';
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

export type Found<T extends Resource> = { readonly kind: 'Valid'; readonly value: T } | Broken;

export interface Broken {
  readonly kind: 'Broken';
  readonly key: ObjectKey;
  readonly name: NamespacedName;
  readonly meta: Metadata;
  readonly problems: readonly Problem[];
  /** One, or as many as there are objects of this name. */
  readonly claims: readonly Claim[];
}

/** What the objects of one kind and name are: one valid object, or something broken. */
type Indexed =
  | { readonly kind: 'Service'; readonly found: Found<ServiceResource> }
  | { readonly kind: 'Plugin'; readonly found: Found<PluginResource> }
  | { readonly kind: 'Secret'; readonly found: Found<SecretResource> }
  | { readonly kind: 'CoreService'; readonly found: Found<CoreServiceResource> }
  | { readonly kind: 'ReferenceGrant'; readonly found: Found<ReferenceGrantResource> }
  | { readonly kind: 'Route'; readonly found: Found<RouteResource>; readonly policy: Policy | undefined };

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

/** `group`: all objects of one key. */
function indexed(group: readonly Parsed[]): Indexed | undefined {
  const [only, ...others] = group.map(withCheckedPolicy);
  if (only === undefined) return undefined;
  if (others.length > 0 || !only.ok) return indexedBroken([only, ...others]);
  const { value } = only;
  switch (value.kind) {
    case 'Service':
      return { kind: 'Service', found: { kind: 'Valid', value } };
    case 'Plugin':
      return { kind: 'Plugin', found: { kind: 'Valid', value } };
    case 'Secret':
      return { kind: 'Secret', found: { kind: 'Valid', value } };
    case 'CoreService':
      return { kind: 'CoreService', found: { kind: 'Valid', value } };
    case 'ReferenceGrant':
      return { kind: 'ReferenceGrant', found: { kind: 'Valid', value } };
    case 'Route': {
      const policy = compilePolicy(value.authorization);
      return { kind: 'Route', found: { kind: 'Valid', value }, policy: policy.ok ? policy.value : undefined };
    }
  }
}

function indexedBroken(group: readonly Parsed[]): Indexed | undefined {
  const found = brokenOf(group);
  const kind = found?.claims[0]?.kind;
  if (found === undefined || kind === undefined) return undefined;
  return kind === 'Route' ? { kind, found, policy: undefined } : { kind, found };
}

/** Parsing can't know what rules mean; a Route whose rules mean nothing is as invalid as any. */
function withCheckedPolicy(one: Parsed): Parsed {
  if (!one.ok || one.value.kind !== 'Route' || one.value.authorization === undefined) return one;
  const policy = compilePolicy(one.value.authorization);
  if (policy.ok) return one;
  return { ok: false, ...pick(one.value), problems: policy.problems, claim: claimOf(one) };
}

const headOf = (one: Parsed): { key: ObjectKey; name: NamespacedName; meta: Metadata } => (one.ok ? one.value : one);

function brokenOf(group: readonly Parsed[]): Broken | undefined {
  // Objects of one name have no order of their own.
  const sorted =
    group.length === 1 ? group : [...group].sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
  const [first] = sorted;
  if (first === undefined) return undefined;
  const problems = sorted.flatMap((one) => (one.ok ? [] : one.problems));
  if (group.length > 1) problems.unshift(duplicate(group.length));
  return { kind: 'Broken', ...pick(headOf(first)), problems, claims: sorted.map(claimOf) };
}

const pick = ({ key, name, meta }: { key: ObjectKey; name: NamespacedName; meta: Metadata }) => ({ key, name, meta });

const duplicate = (count: number): Problem =>
  problem(
    'Duplicate',
    ['metadata', 'name'],
    `${count} objects of this kind have this namespace and name; keep one, and give the others names of their own`,
  );

function claimOf(one: Parsed): Claim {
  if (!one.ok) return one.claim;
  const { value } = one;
  switch (value.kind) {
    case 'Route':
      return {
        kind: 'Route',
        hosts: whole(value.hosts),
        paths: whole(value.paths),
        service: value.service,
        plugins: whole(value.plugins),
      };
    case 'Service':
      return { kind: 'Service', backend: value.backend, plugins: whole(value.plugins) };
    case 'Plugin':
      return { kind: 'Plugin', pluginKind: value.pluginKind };
    case 'Secret':
      return { kind: 'Secret' };
    case 'CoreService':
    case 'ReferenceGrant':
      return { kind: value.kind };
  }
}

const whole = <T>(known: readonly T[]): Readable<T> => ({ known, complete: true });
