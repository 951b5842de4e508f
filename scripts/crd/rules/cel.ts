import type { Structural } from '../structural.ts';

/**
 * A rule of the API server over one field, in CEL (`x-kubernetes-validations`). `self` is the field, with defaults filled
 * in. What a rule refuses, the parser in src refuses too; the other way round holds only as far as CEL can say it.
 */
export interface Rule {
  /** The field: `spec.hosts[]` is each member of `spec.hosts`. */
  readonly at: string;
  readonly rule: string;
  /** What to write instead, in words of the parser. */
  readonly message: string;
  /** Where the error is shown, below `at`: `.issuer`. */
  readonly fieldPath?: string;
}

/** The schema of `spec` with each rule at its field. Throws for a rule over a field that isn't there. */
export function withRules(spec: Structural, rules: readonly Rule[]): Structural {
  return rules.reduce((schema, rule) => added(schema, stepsOf(rule.at), rule), spec);
}

const stepsOf = (at: string): readonly string[] => at.replaceAll('[]', '.[]').split('.').slice(1);

function added(schema: unknown, [step, ...rest]: readonly string[], rule: Rule): Structural {
  if (!isStructural(schema)) throw new Error(`a rule is for ${rule.at}, which is not in the schema`);
  if (step === undefined) {
    const before = schema['x-kubernetes-validations'];
    const { at: _at, ...validation } = rule;
    return { ...schema, 'x-kubernetes-validations': [...(Array.isArray(before) ? before : []), validation] };
  }
  if (step === '[]') return { ...schema, items: added(schema['items'], rest, rule) };
  const { properties } = schema;
  const fields: Readonly<Record<string, unknown>> = isObject(properties) ? properties : {};
  return { ...schema, properties: { ...fields, [step]: added(fields[step], rest, rule) } };
}

/** A text as CEL writes it. */
export const text = (value: string): string => `'${value.replace(/[\\']/g, '\\$&')}'`;

export const listOf = (values: Iterable<string>): string => `[${[...values].map(text).join(', ')}]`;

/** RE2, which has no look-around; `/` needs no escape there. */
export const matches = (field: string, pattern: RegExp): string =>
  `${field}.matches(${text(pattern.source.replaceAll('\\/', '/'))})`;

/** A header name in any spelling that some server takes for one of `names`; a final * stands for the rest. `field` is in lower case. */
export function isHeader(field: string, names: readonly string[]): string {
  const any = names.map((name) => name.replaceAll('-', '[^a-z0-9]').replace(/\*$/, '.*')).join('|');
  return `${field}.matches(${text(`^(${any})$`)})`;
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const isStructural = (value: unknown): value is Structural => isObject(value) && typeof value['type'] === 'string';
