import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { withRules } from '../../scripts/crd/rules/cel.ts';
import { structural } from '../../scripts/crd/structural.ts';
import { crdFiles, differences } from '../../scripts/crds.ts';
import { PLUGIN_KINDS } from '../../src/plugins/kinds.ts';

const DIRECTORY = join(import.meta.dirname, '..', '..', 'crds');
const NAMES = ['services.postern.dev.yaml', 'routes.postern.dev.yaml', 'oidcplugins.postern.dev.yaml'];

/** Every schema inside a schema, with the way to it. */
function* schemas(schema: unknown, at: string): Generator<readonly [string, Readonly<Record<string, unknown>>]> {
  if (typeof schema !== 'object' || schema === null) return;
  const known: Readonly<Record<string, unknown>> = { ...schema };
  yield [at, known];
  yield* schemas(known['items'], `${at}[]`);
  const { properties } = known;
  if (typeof properties !== 'object' || properties === null) return;
  for (const [name, field] of Object.entries(properties)) yield* schemas(field, `${at}.${name}`);
}

/** What the API server checks itself: the kind, and times. */
const WELL_KNOWN = /^[a-z.]+\.yaml\.(apiVersion|kind)$|\.lastTransitionTime$/;

const read = (name: string) => parse(readFileSync(join(DIRECTORY, name), 'utf8'));

describe('crds/', () => {
  it('is what the schemas in src say; else run npm run crds', () => {
    expect(differences()).toEqual([]);
  });

  it('has the three kinds, and no plugin kind is missing', () => {
    expect([...crdFiles().keys()]).toEqual(NAMES);
    for (const { plural } of PLUGIN_KINDS) expect(NAMES).toContain(`${plural}.postern.dev.yaml`);
  });

  it.each([
    ['services.postern.dev.yaml', 'Service', ['psvc']],
    ['routes.postern.dev.yaml', 'Route', ['proute']],
    ['oidcplugins.postern.dev.yaml', 'OidcPlugin', ['oidc']],
  ])('%s names its kind, with a status of its own', (name, kind, shortNames) => {
    expect(read(name)).toMatchObject({
      apiVersion: 'apiextensions.k8s.io/v1',
      kind: 'CustomResourceDefinition',
      metadata: { name: name.replace(/\.yaml$/, '') },
      spec: {
        group: 'postern.dev',
        scope: 'Namespaced',
        names: { kind, shortNames, categories: ['postern'] },
        versions: [{ name: 'v1alpha1', served: true, storage: true, subresources: { status: {} } }],
      },
    });
  });

  it.each(NAMES)(
    '%s is structural and bounded: one type each, every field declared once, lists that say how they merge',
    (name) => {
      const { schema } = read(name).spec.versions[0];
      for (const [at, part] of schemas(schema.openAPIV3Schema, name)) {
        expect(typeof part['type'], at).toBe('string');
        for (const banned of ['anyOf', 'oneOf', 'allOf', 'not', '$ref', 'const', 'nullable', 'exclusiveMinimum']) {
          expect(Object.keys(part), at).not.toContain(banned);
        }
        expect(part['additionalProperties'], at).not.toBe(false);
        if (part['type'] === 'array') {
          expect(part['x-kubernetes-list-type'], at).toMatch(/^(atomic|set|map)$/);
          expect(part['maxItems'], at).toBeTypeOf('number');
        }
        if (part['x-kubernetes-list-type'] === 'map') {
          const items: unknown = part['items'];
          expect(items, at).toMatchObject({ type: 'object', required: expect.arrayContaining([...keysOf(part)]) });
        }
        if (part['type'] === 'integer') expect(part['format'], at).toMatch(/^int(32|64)$/);
        // Bounded, so that no rule costs more than the API server grants, and nobody stores what nobody reads.
        if (part['type'] === 'string' && part['enum'] === undefined && !WELL_KNOWN.test(at))
          expect(part['maxLength'], at).toBeTypeOf('number');
        if (part['type'] === 'object' && part['additionalProperties'] !== undefined)
          expect(part['maxProperties'], at).toBeTypeOf('number');
      }
    },
  );

  it.each(NAMES)('%s defaults to values that its own schema accepts', (name) => {
    const { schema } = read(name).spec.versions[0];
    for (const [at, part] of schemas(schema.openAPIV3Schema, name)) {
      const { default: value, enum: values, type } = part;
      if (value === undefined) continue;
      if (Array.isArray(values)) expect(values, at).toContain(value);
      if (type === 'integer') expect(value, at).toSatisfy(Number.isInteger);
      else expect(Array.isArray(value) ? 'array' : typeof value, at).toBe(type);
    }
  });

  it('requires hosts and paths of a Route, so that neither is widened by leaving it out (A108)', () => {
    const { spec } = read('routes.postern.dev.yaml').spec.versions[0].schema.openAPIV3Schema.properties;
    expect(spec.required).toEqual(expect.arrayContaining(['hosts', 'paths']));
    expect(spec.properties.hosts.default).toBeUndefined();
    expect(spec.properties.access.default).toBeUndefined();
  });
});

const keysOf = (part: Readonly<Record<string, unknown>>): readonly unknown[] => {
  const keys = part['x-kubernetes-list-map-keys'];
  return Array.isArray(keys) ? keys : [];
};

describe('a schema that can not be structural is refused', () => {
  const text = z.string().max(10);
  it.each([
    ['a union', z.union([text, z.int().min(0).max(9)]), /union|type/],
    ['a transform', text.transform((value) => value.length), /is code/],
    ['a refinement', text.refine((value) => value !== 'a'), /is code/],
    ['a list without end', z.array(text), /needs maxItems/],
    ['a text without end', z.string(), /needs maxLength/],
    ['a number without bounds', z.int(), /needs bounds/],
    ['a fraction', z.number().min(0).max(1), /number/],
    [
      'a pattern that RE2 does not know',
      z
        .string()
        .max(9)
        .regex(/^(?=a)a$/),
      /RE2/,
    ],
    ['a map without end', z.record(text, text), /./],
  ])('%s', (_name, field, message) => {
    expect(() => structural(z.strictObject({ field }))).toThrow(message);
  });
});

describe('rules', () => {
  const schema = structural(
    z.strictObject({ names: z.array(z.string().max(9)).max(9), inner: z.strictObject({ a: z.boolean() }) }),
  );
  const rule = { rule: 'self', message: 'must be' };

  it.each(['spec.nmes', 'spec.inner[]', 'spec.inner.b', 'spec.names.a'])(
    'over %s, which is not there, are refused',
    (at) => {
      expect(() => withRules(schema, [{ at, ...rule }])).toThrow(`a rule is for ${at}`);
    },
  );

  it('stand at their field, several in their order, and leave the rest alone', () => {
    const second = { ...rule, message: 'second', fieldPath: '.a' };
    const rules = ['spec', 'spec.names[]', 'spec.inner.a'].map((at) => ({ at, ...rule }));
    expect(withRules(schema, [...rules, { at: 'spec', ...second }])).toMatchObject({
      type: 'object',
      required: ['names', 'inner'],
      properties: {
        names: { type: 'array', items: { type: 'string', 'x-kubernetes-validations': [rule] } },
        inner: { properties: { a: { type: 'boolean', 'x-kubernetes-validations': [rule] } } },
      },
      'x-kubernetes-validations': [rule, second],
    });
  });

  it.each(NAMES)('of %s say what to write, in one line as the parser does', (name) => {
    const found: string[] = [];
    for (const [, part] of schemas(read(name).spec.versions[0].schema.openAPIV3Schema, name)) {
      const rules: unknown = part['x-kubernetes-validations'];
      for (const { message } of Array.isArray(rules) ? rules : []) found.push(String(message));
    }
    expect(found.length).toBeGreaterThan(5);
    for (const message of found) expect(message).toMatch(/^[a-zA-Z/*][ -~’…]{9,250}[^. ]$/);
  });
});
