import { z } from 'zod';
import { classField, durationField, nameField, namespaceField, ONE_OF_A_KIND, pluginRefField } from './metadata.ts';
import { filterFields } from './route-filters.ts';
import { SIZE, SIZE_HINT } from './size.ts';
import { websocketField } from './websocket.ts';

const METHOD_HINT = 'must be a method in capital letters, such as GET';

const claimPath = z.string().min(1).max(256).meta({
  description:
    'A claim of the identity; dots lead into nested objects (realm_access.roles). A claim whose own name holds dots or slashes is written in double quotes: \'"https://example.com/roles"\'.',
});
const claimValues = z.array(z.string().max(256)).min(1).max(64);
const pathValue = z.string().min(1).max(1024);

/** One condition over one claim; a claim that is a list satisfies by its members. All named parts must hold. */
const claimRule = z.strictObject({
  path: claimPath,
  anyOf: claimValues.optional().meta({ description: 'At least one of these is in the claim.' }),
  allOf: claimValues.optional().meta({ description: 'Each of these is in the claim.' }),
  noneOf: claimValues
    .optional()
    .meta({ description: 'None of these is in the claim; one that is not there has none.' }),
});

const authorizationRule = z.strictObject({
  name: z
    .string()
    .min(1)
    .max(63)
    .regex(
      /^[a-zA-Z0-9]([-_.a-zA-Z0-9 ]*[a-zA-Z0-9])?$/,
      'must be letters, digits, blanks and - _ ., with a letter or digit at both ends',
    )
    .meta({ description: 'Shown on the page of who is refused, in the log and in metrics.' }),
  match: z
    .strictObject({
      paths: z
        .array(z.strictObject({ type: z.enum(['Prefix', 'Exact']), value: pathValue }))
        .min(1)
        .max(16)
        .optional()
        .meta({ description: 'As paths of the Route, within them.' }),
      methods: z
        .array(
          z
            .string()
            .max(32)
            .regex(/^[A-Z]{1,32}$/, METHOD_HINT),
        )
        .min(1)
        .max(16)
        .optional()
        .meta({ description: 'Absent: all. GET is also for HEAD.', 'x-kubernetes-list-type': 'set' }),
    })
    .optional()
    .meta({ description: 'Which requests this rule is for; absent: all.' }),
  claims: z
    .array(claimRule)
    .min(1)
    .max(16)
    .optional()
    .meta({ description: 'All must hold. Absent: any proven identity passes.' }),
  groups: claimValues
    .optional()
    .meta({ description: 'At least one of these groups (the claim that the plugin names as groups).' }),
  emailDomains: z
    .array(
      z
        .string()
        .max(253)
        .regex(
          /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)+$/,
          'must be a domain in lower case, such as example.com, without @',
        ),
    )
    .min(1)
    .max(64)
    .optional()
    .meta({
      description: 'The address, verified by the provider, is of exactly one of these domains; subdomains are others.',
    }),
});

/** `Route.spec` as a user writes it. `hosts` and `paths` are required, so that neither is widened by leaving it out. */
export const routeSpec = z
  .strictObject({
    class: classField,
    hosts: z.array(z.string().min(1).max(253)).min(1).max(64).meta({
      description: "Host names, *.example.com for one or more labels, or '*' for what no Route names.",
      'x-kubernetes-list-type': 'set',
    }),
    paths: z
      .array(
        z.strictObject({
          type: z.enum(['Prefix', 'Exact', 'RegularExpression']).meta({
            description:
              'Exact: this path only. Prefix: this one and all below it. RegularExpression: what value matches from end to end, where no Exact path and no Prefix of the host covers the path.',
          }),
          value: pathValue.meta({
            description:
              'Begins with /, without query and wildcards, in canonical form; validate says which that is. For RegularExpression in RE2 syntax, up to 512 characters, over the whole canonical path without the query.',
          }),
        }),
      )
      .min(1)
      .max(64)
      .meta({ description: 'Prefix matches whole segments: /orders covers /orders/7, not /orders2.' }),
    methods: z
      .array(
        z
          .string()
          .max(32)
          .regex(/^[A-Z]{1,32}$/, METHOD_HINT),
      )
      .min(1)
      .max(16)
      .optional()
      .meta({ description: 'Absent: all. GET is also for HEAD.', 'x-kubernetes-list-type': 'set' }),
    headers: z
      .array(
        z.strictObject({
          name: z
            .string()
            .min(1)
            .max(128)
            .regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/, 'must be the name of a header'),
          value: z.string().max(1024),
        }),
      )
      .max(16)
      .default([])
      .meta({ description: 'All must be there with exactly this value.' }),
    queryParams: z
      .array(
        z.strictObject({
          name: z
            .string()
            .min(1)
            .max(128)
            .regex(/^[A-Za-z0-9._~-]+$/, 'must be letters, digits, and - _ . ~'),
          value: z.string().min(1).max(1024).meta({ description: 'As it is meant, without escapes.' }),
        }),
      )
      .min(1)
      .max(16)
      .optional()
      .meta({
        description:
          'All must be there once with exactly this value. A query that servers read in more than one way is refused (400) where that matters.',
      }),
    serviceRef: z.strictObject({ name: nameField, namespace: namespaceField.optional() }).meta({
      description:
        'The Service that gets the requests; of the same namespace unless that one grants it (ReferenceGrant).',
    }),
    plugins: z
      .array(pluginRefField)
      .max(16)
      .default([])
      .meta({ description: 'What guards the Route; at most one plugin of each kind.', ...ONE_OF_A_KIND }),
    access: z.enum(['Public']).optional().meta({
      description: 'Public: everybody, without login. Only where neither the Route nor its Service names a plugin.',
    }),
    clientAuthorization: z.enum(['Pass']).optional().meta({
      description:
        'On a Public Route, lets the client’s Authorization header through to a backend that another Route guards.',
    }),
    authorization: z
      .strictObject({
        rules: z.array(authorizationRule).min(1).max(64).meta({
          description: 'In order: the first whose match fits decides. Where none fits, the request is refused.',
        }),
      })
      .optional()
      .meta({ description: 'Who may pass after the login. Absent: any account of the provider.' }),
    encodedSlashes: z
      .enum(['Reject', 'Keep'])
      .default('Reject')
      .meta({ description: 'What happens with %2F in a path: 400, or kept as data.' }),
    maxRequestBody: z.string().max(16).regex(SIZE, SIZE_HINT).optional().meta({
      description:
        'Most bytes of a request body, as in 10Mi; more is answered 413. Absent: what --limits says (bodyBytes), by default no limit.',
    }),
    websocket: websocketField,
    tls: z
      .strictObject({
        secretRef: z.strictObject({ name: nameField }).meta({
          description: 'A Secret of type kubernetes.io/tls of the same namespace, as cert-manager writes it.',
        }),
      })
      .optional()
      .meta({
        description:
          'The certificate that browsers are shown for the hosts of this Route, whatever names it holds itself. Absent: the default one.',
      }),
    timeouts: z
      .strictObject({
        response: durationField.optional().meta({ description: 'Absent: that of the Service.' }),
        idle: durationField.optional().meta({ description: 'Absent: that of the Service.' }),
        request: durationField.optional().meta({ description: 'Absent: that of the Service.' }),
      })
      .default({}),
    ...filterFields,
  })
  .meta({ description: 'Which requests go to a Service, and what guards them.' });

export type RouteSpec = z.output<typeof routeSpec>;
export type AuthorizationSpec = NonNullable<RouteSpec['authorization']>;
