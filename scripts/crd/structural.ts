import { z } from 'zod';

/** OpenAPI v3 schema as CustomResourceDefinitions take it ("structural schema"). */
export interface Structural {
  readonly [keyword: string]: unknown;
  readonly type: string;
}

/** What a structural schema may hold; anything else a zod schema makes is an error here, not one of the API server. */
const KEYWORDS = new Set([
  'type',
  'format',
  'description',
  'default',
  'enum',
  'pattern',
  'minLength',
  'maxLength',
  'minimum',
  'maximum',
  'minItems',
  'maxItems',
  'maxProperties',
  'properties',
  'required',
  'items',
  'additionalProperties',
  'x-kubernetes-list-type',
  'x-kubernetes-list-map-keys',
  'x-kubernetes-map-type',
  'x-kubernetes-validations',
]);

/**
 * A zod schema of a `spec` to a structural schema. Objects lose `additionalProperties: false`, for the API server prunes
 * unknown fields by itself; whole numbers get a format; lists say how they merge; everything has to be bounded.
 * Throws for what can't be said in one: unions, transforms, patterns that Go's RE2 doesn't know, missing bounds.
 */
export function structural(schema: z.ZodType): Structural {
  const made: unknown = z.toJSONSchema(schema, {
    target: 'openapi-3.0',
    io: 'input',
    unrepresentable: 'throw',
    override: ({ zodSchema }) => refuseCode(zodSchema),
  });
  return rewrite(made, 'spec');
}

/** A transform or a refinement would be left out without a word, and the API server would accept what we refuse. */
function refuseCode({ _zod: { def } }: z.core.$ZodType): void {
  if (def.type === 'pipe' || def.type === 'transform' || def.type === 'custom')
    throw new Error(`a ${def.type} is code`);
  if (def.checks?.some((check) => check._zod.def.check === 'custom') === true) throw new Error('a refinement is code');
}

function rewrite(schema: unknown, at: string): Structural {
  if (!isObject(schema)) throw new Error(`${at}: no schema`);
  const { type } = schema;
  if (typeof type !== 'string') throw new Error(`${at}: has no single type; unions can't be structural`);
  const out: Record<string, unknown> = {};
  for (const [keyword, value] of Object.entries(schema)) {
    if (keyword === '$schema' || (keyword === 'additionalProperties' && value === false)) continue;
    if (!KEYWORDS.has(keyword)) throw new Error(`${at}: ${keyword} can't stand in a structural schema`);
    out[keyword] = value;
  }
  switch (type) {
    case 'object':
      return { ...out, type, ...objectParts(schema, at) };
    case 'array':
      bounded(schema, 'maxItems', at);
      return { ...out, type, items: rewrite(schema['items'], `${at}[]`), ...listType(schema) };
    case 'integer':
      return { ...out, type, ...integerFormat(schema, at) };
    case 'string':
      if (schema['enum'] === undefined) bounded(schema, 'maxLength', at, schema['pattern']);
      checkPattern(schema['pattern'], at);
      return { ...out, type };
    case 'boolean':
      return { ...out, type };
    default:
      throw new Error(`${at}: ${type} is no type of a resource field`);
  }
}

function objectParts(schema: Record<string, unknown>, at: string): Record<string, unknown> {
  const { properties, additionalProperties } = schema;
  if (isObject(additionalProperties)) {
    bounded(schema, 'maxProperties', at);
    return { additionalProperties: rewrite(additionalProperties, `${at}{}`) };
  }
  if (!isObject(properties)) throw new Error(`${at}: an object without fields`);
  const parts = Object.entries(properties).map(([name, field]) => [name, rewrite(field, `${at}.${name}`)]);
  return { properties: Object.fromEntries(parts) };
}

/** Atomic unless the schema says otherwise: the whole list has one owner in server-side apply. */
const listType = (schema: Record<string, unknown>): Record<string, unknown> => ({
  'x-kubernetes-list-type': schema['x-kubernetes-list-type'] ?? 'atomic',
});

const INT32 = 2 ** 31 - 1;

function integerFormat(schema: Record<string, unknown>, at: string): Record<string, unknown> {
  const { minimum, maximum } = schema;
  if (typeof minimum !== 'number' || typeof maximum !== 'number' || Math.max(-minimum, maximum) > INT32) {
    throw new Error(`${at}: a number needs bounds of its own, within 32 bits`);
  }
  return { format: 'int32' };
}

/** The cost budget of validation rules refuses what is unbounded. A pattern that ends may bound a text instead. */
function bounded(schema: Record<string, unknown>, keyword: string, at: string, pattern?: unknown): void {
  const byPattern = typeof pattern === 'string' && /^\^[^*+]*\$$/.test(pattern);
  if (typeof schema[keyword] !== 'number' && !byPattern) throw new Error(`${at}: needs ${keyword}`);
}

/** The API server reads patterns as RE2: no looking around, no going back. */
function checkPattern(pattern: unknown, at: string): void {
  if (pattern === undefined) return;
  if (typeof pattern !== 'string' || /\(\?[=!<]|\\[1-9]|\\k/.test(pattern)) {
    throw new Error(`${at}: RE2 doesn't know the pattern ${String(pattern)}`);
  }
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
