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
import { placesOf } from '../resources/route-size.ts';

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
export type Indexed =
  | { readonly kind: 'Service'; readonly found: Found<ServiceResource> }
  | { readonly kind: 'Plugin'; readonly found: Found<PluginResource> }
  | { readonly kind: 'Secret'; readonly found: Found<SecretResource> }
  | { readonly kind: 'CoreService'; readonly found: Found<CoreServiceResource> }
  | { readonly kind: 'ReferenceGrant'; readonly found: Found<ReferenceGrantResource> }
  | { readonly kind: 'Route'; readonly found: Found<RouteResource>; readonly policy: Policy | undefined };

/** A Route by name, valid or not. */
export type RouteState = Extract<Indexed, { readonly kind: 'Route' }>;

/** `group`: all objects of one key. */
export function indexed(group: readonly Parsed[]): Indexed | undefined {
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

export const headOf = (one: Parsed): { key: ObjectKey; name: NamespacedName; meta: Metadata } =>
  one.ok ? one.value : one;

export const kindOf = (one: Parsed): Indexed['kind'] => (one.ok ? one.value.kind : one.claim.kind);

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
        heldHosts: value.heldHosts,
        paths: whole(value.paths),
        places: placesOf(value),
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
