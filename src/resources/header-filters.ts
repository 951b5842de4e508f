import { z } from 'zod';
import { lowerAscii } from './hostname.ts';
import { foldHeaderName } from './identity-headers.ts';
import { type FieldPath, type Problem, problem } from './problem.ts';
import {
  COOKIES_OF_RESPONSES,
  CORS_HEADERS,
  SINGLE_HEADERS,
  UNCHANGEABLE_IN_REQUESTS,
  UNCHANGEABLE_IN_RESPONSES,
  type UnchangeableHeaders,
  whyUnchangeable,
} from './reserved-headers.ts';

const name = z
  .string()
  .min(1)
  .max(128)
  .regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/, 'must be the name of a header');
const lines = z
  .array(z.strictObject({ name, value: z.string().max(1024) }))
  .min(1)
  .max(16);

const headerFilter = (what: string) =>
  z
    .strictObject({
      set: lines.optional().meta({ description: 'In the place of all that are there by this name.' }),
      add: lines.optional().meta({ description: 'Besides those that are there.' }),
      remove: z.array(name).min(1).max(16).optional(),
    })
    .optional()
    .meta({ description: what });

/** As Gateway API's RequestHeaderModifier and ResponseHeaderModifier. */
export const headerFilterFields = {
  requestHeaders: headerFilter(
    'Changes headers on the way to the Service. Not those that carry identity, sessions or Authorization, that say where a request came from, or that are of the connection.',
  ),
  responseHeaders: headerFilter('Changes headers of what the Service answers; not of what Postern answers itself.'),
};

type Lines = readonly { readonly name: string; readonly value: string }[] | undefined;

interface HeaderFilterSpec {
  readonly set?: Lines;
  readonly add?: Lines;
  readonly remove?: readonly string[] | undefined;
}

/** Checked: every name is one that a Route may change, and is there once; every value can stand on a header line. */
export interface HeaderFilter {
  readonly set: readonly HeaderLineText[];
  readonly add: readonly HeaderLineText[];
  readonly remove: readonly string[];
}

/** `name` as it was written. */
interface HeaderLineText {
  readonly name: string;
  readonly value: string;
}

/** RFC 9110 section 5.5, visible ASCII and inner blanks. */
const VALUE = /^([!-~]([ \t!-~]*[!-~])?)?$/;

export const VALUE_HINT = 'must be visible ASCII characters, with blanks only between them';
export const ONCE_ONLY = 'can be there only once in a request; write it under set';
const TWICE = 'is there twice in this filter; leave one out';

export function requestHeadersOf(spec: HeaderFilterSpec | undefined, problems: Problem[]): HeaderFilter | undefined {
  return checked(spec, 'requestHeaders', problems, (place, header) => {
    const reserved = whyUnchangeable(header, UNCHANGEABLE_IN_REQUESTS);
    if (reserved !== undefined || place !== 'add') return reserved;
    return SINGLE_HEADERS.includes(lowerAscii(header)) ? ONCE_ONLY : undefined;
  });
}

/** `cors`: whether the Route has it. */
export function responseHeadersOf(
  spec: HeaderFilterSpec | undefined,
  cors: boolean,
  problems: Problem[],
): HeaderFilter | undefined {
  const never: readonly UnchangeableHeaders[] = [...UNCHANGEABLE_IN_RESPONSES, ...(cors ? [CORS_HEADERS] : [])];
  const written = [...never, COOKIES_OF_RESPONSES];
  return checked(spec, 'responseHeaders', problems, (place, header) =>
    whyUnchangeable(header, place === 'remove' ? never : written),
  );
}

type Place = 'set' | 'add' | 'remove';

function checked(
  spec: HeaderFilterSpec | undefined,
  field: string,
  problems: Problem[],
  why: (place: Place, header: string) => string | undefined,
): HeaderFilter | undefined {
  if (spec === undefined) return undefined;
  const { set = [], add = [], remove = [] } = spec;
  const seen = new Set<string>();
  const look = (place: Place, header: string, at: FieldPath): void => {
    const twice = seen.has(foldHeaderName(header)) ? TWICE : undefined;
    seen.add(foldHeaderName(header));
    const message = why(place, header) ?? twice;
    if (message !== undefined) problems.push(problem('Invalid', at, message));
  };
  for (const [place, list] of [
    ['set', set],
    ['add', add],
  ] as const) {
    for (const [at, { name: header, value }] of list.entries()) {
      look(place, header, ['spec', field, place, at, 'name']);
      if (!VALUE.test(value)) problems.push(problem('Invalid', ['spec', field, place, at, 'value'], VALUE_HINT));
    }
  }
  for (const [at, header] of remove.entries()) look('remove', header, ['spec', field, 'remove', at]);
  if (seen.size === 0) problems.push(problem('Invalid', ['spec', field], NOTHING_IN_FILTER));
  return { set, add, remove };
}

export const NOTHING_IN_FILTER = 'says nothing; write set, add or remove, or leave it out';
