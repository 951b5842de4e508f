import type { z } from 'zod';
import { PLUGIN_KINDS } from '../../src/plugins/kinds.ts';
import { GROUP } from '../../src/resources/metadata.ts';
import { routeSpec } from '../../src/resources/route.ts';
import { serviceSpec } from '../../src/resources/service.ts';
import { type Rule, withRules } from './rules/cel.ts';
import { OIDC_PLUGIN_RULES } from './rules/oidc-plugin.ts';
import { ROUTE_RULES } from './rules/route.ts';
import { SERVICE_RULES } from './rules/service.ts';
import { structural } from './structural.ts';

/** A kind as its CustomResourceDefinition needs it. */
interface Kind {
  readonly kind: string;
  readonly plural: string;
  readonly shortNames: readonly string[];
  readonly schema: z.ZodType;
  readonly columns: readonly Column[];
  readonly rules: readonly Rule[];
  /** Of `status`, besides the conditions. */
  readonly status: Readonly<Record<string, unknown>>;
}

interface Column {
  readonly name: string;
  readonly type: 'string' | 'integer' | 'date';
  readonly jsonPath: string;
  /** Above 0: with `-o wide` only. */
  readonly priority?: number;
  readonly description?: string;
}

const ready: Column = { name: 'Ready', type: 'string', jsonPath: '.status.conditions[?(@.type=="Ready")].status' };
const reason: Column = { name: 'Reason', type: 'string', jsonPath: '.status.conditions[?(@.type=="Ready")].reason' };
const age: Column = { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' };
const wide = (column: Column): Column => ({ ...column, priority: 1 });

const SERVICE: Kind = {
  kind: 'Service',
  plural: 'services',
  shortNames: ['psvc'],
  schema: serviceSpec,
  rules: SERVICE_RULES,
  columns: [
    { name: 'Target', type: 'string', jsonPath: '.status.target', description: 'Where requests go.' },
    ready,
    reason,
    age,
  ],
  status: {
    target: {
      type: 'string',
      description: 'Where requests go: a core Service and its port, or a URL.',
      maxLength: 2048,
    },
  },
};

const ROUTE: Kind = {
  kind: 'Route',
  plural: 'routes',
  shortNames: ['proute'],
  schema: routeSpec,
  rules: ROUTE_RULES,
  columns: [
    { name: 'Hosts', type: 'string', jsonPath: '.spec.hosts' },
    { name: 'Service', type: 'string', jsonPath: '.spec.serviceRef.name' },
    { name: 'Exposure', type: 'string', jsonPath: '.status.exposure', description: 'Protected, Public or Denied.' },
    {
      name: 'Authorization',
      type: 'string',
      jsonPath: '.status.authorization',
      description: 'Rules, or AnyAccount where every identity passes.',
    },
    wide({
      name: 'Clients',
      type: 'string',
      jsonPath: '.status.clients',
      description: 'Listed, or nothing where every address may use the Route.',
    }),
    wide({ name: 'Oidc', type: 'string', jsonPath: '.spec.plugins[?(@.kind=="OidcPlugin")].name' }),
    ready,
    reason,
    age,
  ],
  status: {
    exposure: {
      type: 'string',
      enum: ['Protected', 'Public', 'Denied'],
      description: 'What the Route became: behind a login, open to everybody, or closed.',
    },
    authorization: {
      type: 'string',
      enum: ['Rules', 'AnyAccount'],
      description: 'Whether rules decide who passes, or every proven identity does.',
    },
    clients: {
      type: 'string',
      enum: ['Listed'],
      description: 'There where only the addresses of spec.clients may use the Route.',
    },
    hosts: {
      type: 'array',
      description:
        'Of spec.hosts those that are this namespace’s. Without an entry for it, a host stays with the namespace whose Routes list it here.',
      maxItems: 64,
      items: { type: 'string', maxLength: 253 },
      'x-kubernetes-list-type': 'atomic',
    },
    redirectURIs: {
      type: 'array',
      description: 'To be registered at the provider.',
      maxItems: 1024,
      items: { type: 'string', maxLength: 2048 },
      'x-kubernetes-list-type': 'atomic',
    },
  },
};

const PLUGIN_COLUMNS: Readonly<Record<string, readonly Column[]>> = {
  OidcPlugin: [
    { name: 'Issuer', type: 'string', jsonPath: '.spec.issuer' },
    wide({ name: 'Client-ID', type: 'string', jsonPath: '.spec.clientID' }),
    ready,
    reason,
    wide({ name: 'Routes', type: 'integer', jsonPath: '.status.routes' }),
    age,
  ],
};

const PLUGIN_RULES: Readonly<Record<string, readonly Rule[]>> = { OidcPlugin: OIDC_PLUGIN_RULES };

const PLUGIN_STATUS = {
  routes: { type: 'integer', format: 'int32', description: 'How many Routes this plugin guards.' },
  checks: {
    type: 'array',
    description: 'What was found out about what the plugin depends on, such as its provider.',
    maxItems: 16,
    'x-kubernetes-list-type': 'map',
    'x-kubernetes-list-map-keys': ['name'],
    items: {
      type: 'object',
      required: ['name', 'result', 'message'],
      properties: {
        name: { type: 'string', minLength: 1, maxLength: 63 },
        result: { type: 'string', enum: ['Passed', 'Warning', 'Failed', 'Unknown'] },
        message: { type: 'string', maxLength: 4096 },
      },
    },
  },
};

const KINDS: readonly Kind[] = [
  SERVICE,
  ROUTE,
  ...PLUGIN_KINDS.map((plugin) => ({
    ...plugin,
    columns: PLUGIN_COLUMNS[plugin.kind] ?? [ready, reason, age],
    rules: PLUGIN_RULES[plugin.kind] ?? [],
    status: PLUGIN_STATUS,
  })),
];

/** Every CustomResourceDefinition, by the name of its file. */
export function definitions(): ReadonlyMap<string, unknown> {
  return new Map(KINDS.map((kind) => [`${kind.plural}.${GROUP}.yaml`, definition(kind)]));
}

function definition({ kind, plural, shortNames, schema, columns, rules, status }: Kind): unknown {
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.${GROUP}` },
    spec: {
      group: GROUP,
      scope: 'Namespaced',
      names: {
        kind,
        listKind: `${kind}List`,
        plural,
        singular: kind.toLowerCase(),
        shortNames,
        categories: ['postern'],
      },
      versions: [
        {
          name: 'v1alpha1',
          served: true,
          storage: true,
          subresources: { status: {} },
          additionalPrinterColumns: columns,
          schema: {
            openAPIV3Schema: {
              type: 'object',
              description: schema.meta()?.description,
              required: ['spec'],
              properties: {
                apiVersion: { type: 'string' },
                kind: { type: 'string' },
                metadata: { type: 'object' },
                spec: withRules(structural(schema), rules),
                status: { type: 'object', properties: { conditions: CONDITIONS, ...status } },
              },
            },
          },
        },
      ],
    },
  };
}

/** metav1.Condition, with the bounds that Kubernetes gives it. */
const CONDITIONS = {
  type: 'array',
  maxItems: 16,
  'x-kubernetes-list-type': 'map',
  'x-kubernetes-list-map-keys': ['type'],
  items: {
    type: 'object',
    required: ['type', 'status', 'lastTransitionTime', 'reason', 'message'],
    properties: {
      type: {
        type: 'string',
        maxLength: 316,
        pattern:
          '^([a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*/)?(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])$',
      },
      status: { type: 'string', enum: ['True', 'False', 'Unknown'] },
      observedGeneration: { type: 'integer', format: 'int64', minimum: 0 },
      lastTransitionTime: { type: 'string', format: 'date-time' },
      reason: {
        type: 'string',
        minLength: 1,
        maxLength: 1024,
        pattern: '^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$',
      },
      message: { type: 'string', maxLength: 32768 },
    },
  },
};
