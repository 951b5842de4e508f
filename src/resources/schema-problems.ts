import { z } from 'zod';
import { nearest } from './nearest.ts';
import { type FieldPath, type Problem, problem } from './problem.ts';

/** A status is read by people; beyond this many problems, fixing the first ones is what helps. */
const MAX_PROBLEMS = 50;

/**
 * What a schema found, as problems that say what to write. `prefix` is the way to what was parsed, usually `['spec']`.
 * With the `schema`, an unknown field is answered with the fields that exist there. Values are never repeated: any of
 * them may be a secret in the wrong place.
 */
export function schemaProblems(error: z.ZodError, prefix: FieldPath, schema?: z.ZodType): Problem[] {
  const out: Problem[] = [];
  for (const issue of error.issues.slice(0, MAX_PROBLEMS)) {
    const inner = issue.path.map((part) => (typeof part === 'number' ? part : String(part)));
    const path = [...prefix, ...inner];
    if (issue.code !== 'unrecognized_keys') {
      out.push(problem('Invalid', path, messageOf(issue)));
      continue;
    }
    const fields = schema === undefined ? [] : fieldsAt(schema, inner);
    for (const key of issue.keys.slice(0, MAX_PROBLEMS)) {
      out.push(problem('Invalid', [...path, printable(key)], unknownField(key, fields)));
    }
  }
  return out;
}

/** `plugin` to `is no field here; did you mean plugins?`. */
export function unknownField(key: string, fields: readonly string[]): string {
  const meant = nearest(key, fields);
  if (meant !== undefined) return `is no field here; did you mean ${meant}?`;
  return fields.length === 0 ? 'is no field here; leave it out' : `is no field here; there are ${list(fields)}`;
}

/** A name from an object, fit for a line of text (A179). */
export const printable = (text: string): string =>
  text.slice(0, 64).replace(/[^ -~]/g, '?') + (text.length > 64 ? '...' : '');

function messageOf(issue: z.core.$ZodIssue): string {
  switch (issue.code) {
    case 'invalid_type':
      return typeMessage(issue);
    case 'invalid_value':
      return `must be ${list(issue.values.map(String), 'or')}`;
    case 'too_small':
      return sizeMessage(issue.origin, 'at least', issue.minimum);
    case 'too_big':
      return sizeMessage(issue.origin, 'at most', issue.maximum);
    case 'invalid_format':
      return issue.message.startsWith('Invalid ') ? formatMessage(issue) : issue.message;
    case 'unrecognized_keys':
      return `has unknown fields: ${list(issue.keys.map(printable))}`;
    case 'not_multiple_of':
      return `must be a multiple of ${issue.divisor}`;
    case 'invalid_union':
      return 'has none of the forms that are possible here';
    case 'invalid_key':
      return 'has a name that is not possible here';
    case 'invalid_element':
      return 'has a member that is not possible here';
    case 'custom':
      return issue.message;
  }
}

const TYPES: Readonly<Record<string, string>> = {
  string: 'text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'an object with fields',
  record: 'an object with fields',
};

function typeMessage(issue: z.core.$ZodIssueInvalidType): string {
  const wanted = TYPES[issue.expected] ?? issue.expected;
  const received = / received (\w+)$/.exec(issue.message)?.[1];
  if (received === 'undefined') return `is missing; write ${wanted}`;
  if (received === 'null') return `has no value; write ${wanted} or leave the field out`;
  if (issue.expected === 'string' && (received === 'number' || received === 'boolean'))
    return 'must be text; put it in quotes';
  if (issue.expected === 'array') return 'must be a list; write [...] or lines that begin with -';
  return `must be ${wanted}`;
}

function sizeMessage(origin: string, bound: 'at least' | 'at most', limit: number | bigint): string {
  if (origin === 'string')
    return limit === 1 && bound === 'at least' ? 'must not be empty' : `must have ${bound} ${limit} characters`;
  if (origin === 'array') return `must have ${bound} ${limit} ${limit === 1 ? 'member' : 'members'}`;
  if (origin === 'number' || origin === 'int' || origin === 'bigint') return `must be ${bound} ${limit}`;
  return `must have ${bound} ${limit} entries`;
}

const formatMessage = (issue: z.core.$ZodIssueInvalidStringFormat): string =>
  issue.pattern === undefined ? `must be a ${issue.format}` : `must match ${issue.pattern}`;

function list(words: readonly string[], last = 'and'): string {
  if (words.length <= 1) return words.join('');
  return `${words.slice(0, -1).join(', ')} ${last} ${words.at(-1) ?? ''}`;
}

/** Names of the fields that an object schema has at `path`; none where the way there isn't one of objects and lists. */
export function fieldsAt(schema: z.ZodType, path: FieldPath): readonly string[] {
  let here: z.core.$ZodType | undefined = schema;
  for (const part of path) here = here === undefined ? undefined : stepInto(unwrapped(here), part);
  const object = here === undefined ? undefined : unwrapped(here);
  return object instanceof z.ZodObject ? Object.keys(object.shape) : [];
}

function stepInto(schema: z.core.$ZodType, part: string | number): z.core.$ZodType | undefined {
  if (schema instanceof z.ZodObject) {
    const shape: Readonly<Record<string, z.core.$ZodType>> = schema.shape;
    return typeof part === 'string' && Object.hasOwn(shape, part) ? shape[part] : undefined;
  }
  if (schema instanceof z.ZodArray) return schema.element;
  if (schema instanceof z.ZodRecord) return schema.valueType;
  return undefined;
}

function unwrapped(schema: z.core.$ZodType): z.core.$ZodType {
  let here = schema;
  for (;;) {
    if (
      here instanceof z.ZodOptional ||
      here instanceof z.ZodDefault ||
      here instanceof z.ZodPrefault ||
      here instanceof z.ZodNullable ||
      here instanceof z.ZodReadonly
    )
      here = here.unwrap();
    else if (here instanceof z.ZodPipe) here = here.in;
    else return here;
  }
}
