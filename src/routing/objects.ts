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

/** All objects of one compilation, by name; in an order that doesn't depend on arrival. */
export interface Objects {
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

/** Index by name. Two objects of one kind and name are both invalid: nobody can tell which one is meant. */
export function indexObjects(parsed: readonly Parsed[]): Objects {
  const groups = new Map<ObjectKey, Parsed[]>();
  for (const one of parsed.map(withCheckedPolicy)) getOrAdd(groups, headOf(one).key, () => []).push(one);
  const services = new Map<NamespacedName, Found<ServiceResource>>();
  const plugins = new Map<ObjectKey, Found<PluginResource>>();
  const secrets = new Map<NamespacedName, Found<SecretResource>>();
  const coreServices = new Map<NamespacedName, Found<CoreServiceResource>>();
  const grants: ReferenceGrantResource[] = [];
  const routes: RouteResource[] = [];
  const policies = new Map<NamespacedName, Policy>();
  const broken: Broken[] = [];
  for (const [key, group] of [...groups].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const [only] = group;
    if (group.length === 1 && only?.ok === true) {
      const { value } = only;
      if (value.kind === 'Service') services.set(value.name, { kind: 'Valid', value });
      else if (value.kind === 'Plugin') plugins.set(key, { kind: 'Valid', value });
      else if (value.kind === 'Secret') secrets.set(value.name, { kind: 'Valid', value });
      else if (value.kind === 'CoreService') coreServices.set(value.name, { kind: 'Valid', value });
      else if (value.kind === 'ReferenceGrant') grants.push(value);
      else {
        routes.push(value);
        const policy = compilePolicy(value.authorization);
        if (policy.ok && policy.value !== undefined) policies.set(value.name, policy.value);
      }
      continue;
    }
    const bad = brokenOf(group);
    if (bad === undefined) continue;
    broken.push(bad);
    const [claim] = bad.claims;
    if (claim?.kind === 'Service') services.set(bad.name, bad);
    else if (claim?.kind === 'Plugin') plugins.set(key, bad);
    else if (claim?.kind === 'Secret') secrets.set(bad.name, bad);
    else if (claim?.kind === 'CoreService') coreServices.set(bad.name, bad);
  }
  const brokenRoutes = broken.filter(({ claims }) => claims[0]?.kind === 'Route');
  routes.sort((a, b) => byAge(a.meta.creationTimestamp, a.name, b.meta.creationTimestamp, b.name));
  return { services, plugins, secrets, coreServices, grants, routes, policies, brokenRoutes, broken };
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
