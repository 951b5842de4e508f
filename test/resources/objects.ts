import { z } from 'zod';
import { type ParseOptions, type PluginParser, parseObject } from '../../src/resources/parse.ts';
import { formatPath } from '../../src/resources/problem.ts';
import type { Claim, Parsed, RouteResource, SecretResource, ServiceResource } from '../../src/resources/resource.ts';
import { schemaProblems } from '../../src/resources/schema-problems.ts';

export type Json = Record<string, unknown>;

const loginSpec = z.strictObject({ issuer: z.string(), class: z.string().optional() });

/** A small kind of plugin, real in all that parsing asks of one. */
const LOGIN: PluginParser = {
  kind: 'LoginPlugin',
  parse(spec) {
    const parsed = loginSpec.safeParse(spec);
    return parsed.success
      ? { ok: true, value: parsed.data }
      : { ok: false, problems: schemaProblems(parsed.error, ['spec'], loginSpec) };
  },
};

export const parse = (value: unknown, options?: ParseOptions): ReturnType<typeof parseObject> =>
  parseObject(value, [LOGIN], options);

export const route = (spec: Json = {}, rest: Json = {}): Json => ({
  apiVersion: 'postern.dev/v1alpha1',
  kind: 'Route',
  metadata: { name: 'orders', namespace: 'shop' },
  spec: {
    hosts: ['shop.example.com'],
    paths: [{ type: 'Prefix', value: '/orders' }],
    serviceRef: { name: 'orders' },
    plugins: [{ kind: 'LoginPlugin', name: 'okta' }],
    ...spec,
  },
  ...rest,
});

export const service = (spec: Json = { url: 'http://127.0.0.1:8080' }, rest: Json = {}): Json => ({
  apiVersion: 'postern.dev/v1alpha1',
  kind: 'Service',
  metadata: { name: 'orders', namespace: 'shop' },
  spec,
  ...rest,
});

export const plugin = (spec: unknown = { issuer: 'https://idp.example' }, rest: Json = {}): Json => ({
  apiVersion: 'postern.dev/v1alpha1',
  kind: 'LoginPlugin',
  metadata: { name: 'okta', namespace: 'shop' },
  spec,
  ...rest,
});

export const secret = (rest: Json = {}): Json => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { name: 'okta-client', namespace: 'shop' },
  ...rest,
});

export function parsed(value: unknown): Parsed {
  const result = parse(value);
  if (!('ok' in result)) throw new Error(JSON.stringify(result));
  return result;
}

function validValue(value: unknown): Extract<Parsed, { ok: true }>['value'] {
  const result = parsed(value);
  if (!result.ok) throw new Error(JSON.stringify(result.problems));
  return result.value;
}

export function routeOf(value: unknown): RouteResource {
  const resource = validValue(value);
  if (resource.kind !== 'Route') throw new Error(resource.kind);
  return resource;
}

export function serviceOf(value: unknown): ServiceResource {
  const resource = validValue(value);
  if (resource.kind !== 'Service') throw new Error(resource.kind);
  return resource;
}

export function secretOf(value: unknown): SecretResource {
  const resource = validValue(value);
  if (resource.kind !== 'Secret') throw new Error(resource.kind);
  return resource;
}

/** `spec.hosts[0] must be …`, one line for each problem; empty where the object is valid. */
export function problems(value: unknown): readonly string[] {
  const result = parsed(value);
  return result.ok ? [] : result.problems.map(({ path, message }) => `${formatPath(path)} ${message}`);
}

export function claimOf(value: unknown): Claim {
  const result = parsed(value);
  if (result.ok) throw new Error('is valid');
  return result.claim;
}

export function routeClaim(value: unknown): Extract<Claim, { kind: 'Route' }> {
  const claim = claimOf(value);
  if (claim.kind !== 'Route') throw new Error(claim.kind);
  return claim;
}

export function serviceClaim(value: unknown): Extract<Claim, { kind: 'Service' }> {
  const claim = claimOf(value);
  if (claim.kind !== 'Service') throw new Error(claim.kind);
  return claim;
}

export function unreadable(value: unknown, options?: ParseOptions): string {
  const result = parse(value, options);
  if ('ok' in result || result.kind !== 'Unreadable') throw new Error(JSON.stringify(result));
  return `${formatPath(result.problem.path)} ${result.problem.message}`;
}
