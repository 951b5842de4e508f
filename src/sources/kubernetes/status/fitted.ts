import { isPlain, own } from '../../../resources/plain.ts';

export interface Fitted {
  readonly value: unknown;
  /** `status.checks[].result`; each once. */
  readonly leftOut: readonly string[];
}

/**
 * As much of a value as a schema takes, by its fields and enumerations: what an older CustomResourceDefinition doesn't
 * know is left out, and the rest is good without it.
 * @param schema OpenAPI v3, of the value
 * @param path of the value, for `leftOut`
 */
export function fitted(value: unknown, schema: unknown, path: string): Fitted {
  const leftOut = new Set<string>();
  const fit = fitAt(value, schema, path, leftOut);
  return { value: fit, leftOut: [...leftOut] };
}

/** Undefined: it doesn't fit. */
function fitAt(value: unknown, schema: unknown, path: string, leftOut: Set<string>): unknown {
  const values = own(schema, 'enum');
  if (Array.isArray(values) && !values.includes(value)) {
    leftOut.add(path);
    return undefined;
  }
  if (Array.isArray(value)) {
    const items = own(schema, 'items');
    return value.map((item) => fitAt(item, items, `${path}[]`, leftOut)).filter((item) => item !== undefined);
  }
  return isPlain(value) ? fitObject(value, schema, path, leftOut) : value;
}

function fitObject(
  value: Readonly<Record<string, unknown>>,
  schema: unknown,
  path: string,
  leftOut: Set<string>,
): Readonly<Record<string, unknown>> | undefined {
  const properties = own(schema, 'properties');
  if (!isPlain(properties)) return value;
  const fit: Record<string, unknown> = {};
  for (const [name, field] of Object.entries(value)) {
    if (field === undefined) continue;
    const known = Object.hasOwn(properties, name);
    if (!known) leftOut.add(`${path}.${name}`);
    const fits = known ? fitAt(field, properties[name], `${path}.${name}`, leftOut) : undefined;
    if (fits !== undefined) fit[name] = fits;
  }
  const required = own(schema, 'required');
  const whole =
    !Array.isArray(required) || required.every((name) => !Object.hasOwn(value, name) || Object.hasOwn(fit, name));
  return whole ? fit : undefined;
}
