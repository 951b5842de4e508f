import { z } from 'zod';
import { type Milliseconds, parseDuration } from './duration.ts';
import { canonicalHost } from './hostname.ts';
import { durationField } from './metadata.ts';
import { methodFaults } from './method.ts';
import { type Problem, problem } from './problem.ts';

const headerNames = z
  .array(
    z
      .string()
      .min(1)
      .max(128)
      .regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/, 'must be the name of a header, or *'),
  )
  .min(1)
  .max(64)
  .optional();

export const corsFields = {
  cors: z
    .strictObject({
      allowOrigins: z.array(z.string().min(1).max(253)).min(1).max(64).meta({
        description:
          "Origins of pages whose scripts may read: https://app.example.com, https://*.example.com for one or more labels, or '*' for all, without credentials.",
        'x-kubernetes-list-type': 'set',
      }),
      allowMethods: z
        .array(
          z
            .string()
            .max(32)
            .regex(/^[A-Z]{1,32}$/, 'must be a method in capital letters, such as GET'),
        )
        .min(1)
        .max(16)
        .optional()
        .meta({ description: 'Absent: GET, HEAD and POST.', 'x-kubernetes-list-type': 'set' }),
      allowHeaders: headerNames.meta({
        description:
          "Headers that scripts may send besides those that a form could; '*' for all but Authorization, without credentials.",
      }),
      exposeHeaders: headerNames.meta({
        description:
          "Headers of answers that scripts may read besides the simple ones; '*' for all, without credentials.",
      }),
      allowCredentials: z
        .boolean()
        .optional()
        .meta({ description: 'Whether browsers send cookies along, the session’s too.' }),
      maxAge: durationField
        .optional()
        .meta({ description: 'How long a browser remembers the answer to its preflight; up to 24h. Absent: 5s.' }),
    })
    .optional()
    .meta({
      description:
        'Which pages of other origins may use this Route from scripts (Fetch standard). Preflights are answered by Postern, without login.',
    }),
};

type CorsSpec = NonNullable<z.output<(typeof corsFields)['cors']>>;

/** Checked, as it was written but for defaults. */
export interface Cors {
  readonly allowOrigins: readonly string[];
  readonly allowMethods: readonly string[];
  readonly allowHeaders: readonly string[];
  readonly exposeHeaders: readonly string[];
  readonly allowCredentials: boolean;
  readonly maxAge: Milliseconds | undefined;
}

const SIMPLE_METHODS = ['GET', 'HEAD', 'POST'];
const MAX_AGE = 86_400_000;

export function corsOf(spec: CorsSpec | undefined, problems: Problem[]): Cors | undefined {
  if (spec === undefined) return undefined;
  const { allowOrigins, allowMethods = SIMPLE_METHODS, allowHeaders = [], exposeHeaders = [] } = spec;
  const allowCredentials = spec.allowCredentials ?? false;
  for (const [at, origin] of allowOrigins.entries()) {
    const message = originFault(origin) ?? (origin === '*' && allowCredentials ? ANY_WITH_CREDENTIALS : undefined);
    if (message !== undefined) problems.push(problem('Invalid', ['spec', 'cors', 'allowOrigins', at], message));
  }
  if (allowOrigins.includes('*') && allowOrigins.length > 1)
    problems.push(problem('Invalid', ['spec', 'cors', 'allowOrigins'], ANY_BESIDE_OTHERS));
  for (const { at, message } of methodFaults(allowMethods))
    problems.push(problem('Invalid', ['spec', 'cors', 'allowMethods', at], message));
  for (const [field, names] of [
    ['allowHeaders', allowHeaders],
    ['exposeHeaders', exposeHeaders],
  ] as const) {
    if (names.includes('*') && allowCredentials)
      problems.push(problem('Invalid', ['spec', 'cors', field], ALL_HEADERS_WITH_CREDENTIALS));
  }
  const maxAge = spec.maxAge === undefined ? undefined : parseDuration(spec.maxAge);
  if (spec.maxAge !== undefined && (maxAge === undefined || maxAge > MAX_AGE))
    problems.push(problem('Invalid', ['spec', 'cors', 'maxAge'], MAX_AGE_HINT));
  return { allowOrigins, allowMethods, allowHeaders, exposeHeaders, allowCredentials, maxAge };
}

export const ANY_WITH_CREDENTIALS =
  '* can’t be had with allowCredentials, for any page could then act as whoever looks at it; write the origins';
export const ANY_BESIDE_OTHERS = 'has * beside other origins; keep * alone, or leave it out';
export const ALL_HEADERS_WITH_CREDENTIALS =
  'has *, which with allowCredentials browsers read as the name of a header; write the names';
export const MAX_AGE_HINT = 'must be a time from 0s to 24h';
export const ORIGIN_HINT =
  'must be an origin as browsers send it: http:// or https:// and a host in lower case, with a port only where it isn’t the usual one, and nothing behind it';
export const WILDCARD_ORIGIN_HINT = 'must be https://*. and a name of at least two labels, as in https://*.example.com';
export const NULL_ORIGIN =
  'null is what frames of anybody and local files send, so it can’t be told whose page it is; leave it out';

const USUAL_PORT = { http: '80', https: '443' } as const;

function originFault(origin: string): string | undefined {
  if (origin === '*') return undefined;
  if (origin === 'null') return NULL_ORIGIN;
  if (origin.includes('*')) {
    const name = /^https:\/\/\*\.([^*:]+)$/.exec(origin)?.[1];
    return name?.includes('.') === true && canonicalHost(name) === name && !/^[0-9.]+$/.test(name)
      ? undefined
      : WILDCARD_ORIGIN_HINT;
  }
  const match = /^(https?):\/\/(\[[0-9a-f:.]+\]|[^:[\]]+)(?::([1-9][0-9]{0,4}))?$/.exec(origin);
  const [, scheme, host, port] = match ?? [];
  if ((scheme !== 'http' && scheme !== 'https') || host === undefined || canonicalHost(host) !== host)
    return ORIGIN_HINT;
  return port !== undefined && (port === USUAL_PORT[scheme] || Number(port) > 65_535) ? ORIGIN_HINT : undefined;
}
