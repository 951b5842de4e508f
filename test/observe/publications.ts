import type { Publication } from '../../src/control/control.ts';
import type { RequestRecord } from '../../src/proxy/record.ts';
import { parseDuration } from '../../src/resources/duration.ts';
import { namespacedName, type ObjectKey, objectKey } from '../../src/resources/keys.ts';
import { DEFAULT_POLICY } from '../../src/resources/parse-upstream.ts';
import type { Parsed } from '../../src/resources/resource.ts';
import type { ParsedChange } from '../../src/routing/changes.ts';
import type { PluginBinding, Verdict } from '../../src/routing/snapshot.ts';
import { buildTable } from '../support/table.ts';

/** A publication of objects that are called like this. Routes with the names of their rules. `before`: the one before. */
export function publication(
  names: {
    readonly routes?: Readonly<Record<string, readonly string[]>>;
    readonly services?: readonly string[];
    readonly plugins?: readonly string[];
  },
  generation = 1,
  before?: Publication,
): Publication {
  const parsed: Parsed[] = [];
  const verdicts = new Map<ObjectKey, Verdict>();
  for (const [name, rules] of Object.entries(names.routes ?? {})) {
    const object = route(name, rules);
    parsed.push({ ok: true, value: object });
    verdicts.set(object.key, verdict(object.key, 'Protected'));
  }
  for (const name of names.services ?? []) parsed.push({ ok: true, value: service(name) });
  const plugins = new Map<ObjectKey, PluginBinding>();
  for (const name of names.plugins ?? []) {
    const key = objectKey('OidcPlugin', split(name));
    const config = { key, identity: name, kind: 'OidcPlugin', value: {} };
    plugins.set(key, { config, reserved: [], needs: { claims: [], groups: false, email: false } });
  }
  const table = buildTable([]);
  return {
    snapshot: { generation, hash: `hash-${generation}`, table, plugins, certificates: new Map() },
    previous: undefined,
    verdicts,
    changed: Array.from(verdicts, ([key, after]) => ({ key, before: undefined, after })),
    parsed: { values: () => parsed, changes: changesOf(before?.parsed, parsed) },
    origins: new Map(),
  };
}

/** All that was is gone, all that is is new. */
const changesOf = (before: Publication['parsed'] | undefined, after: readonly Parsed[]): readonly ParsedChange[] => {
  const was = new Map(Array.from(before?.values() ?? [], (parsed) => [keyOf(parsed), parsed]));
  const is = new Map(after.map((parsed) => [keyOf(parsed), parsed]));
  return [...new Set([...was.keys(), ...is.keys()])].map((key) => ({ before: was.get(key), after: is.get(key) }));
};

const keyOf = (parsed: Parsed): ObjectKey => (parsed.ok ? parsed.value.key : parsed.key);

const verdict = (key: ObjectKey, exposure: Verdict['exposure']): Verdict => ({
  key,
  observedGeneration: undefined,
  conditions: [{ type: 'Accepted', status: 'True', reason: 'Accepted', message: '' }],
  problems: [],
  warnings: [],
  exposure,
  authorization: undefined,
  redirectURIs: [],
  routes: undefined,
});

export const pluginKey = (name: string): ObjectKey => objectKey('OidcPlugin', split(name));

export const split = (name: string) => {
  const [namespace = '', object = ''] = name.split('/');
  return namespacedName(namespace, object);
};

export const record = (over: Partial<RequestRecord>): RequestRecord => ({
  requestId: 'r-1',
  startedAt: 0,
  client: '203.0.113.7',
  method: 'GET',
  host: 'shop.example.com',
  path: '/orders',
  route: split('shop/orders'),
  service: split('shop/orders'),
  plugin: undefined,
  status: 200,
  outcome: 'forwarded',
  reason: undefined,
  rule: undefined,
  requestBytes: 10,
  responseBytes: 20,
  upstreamMs: 8,
  durationMs: 12,
  ...over,
});

const metaOf = (name: string) => {
  const [namespace = '', object = ''] = name.split('/');
  return { namespace, name: object, uid: undefined, generation: undefined, creationTimestamp: undefined };
};

const second = parseDuration('1s') ?? unreachable();

const route = (name: string, rules: readonly string[]) => ({
  kind: 'Route' as const,
  key: objectKey('Route', split(name)),
  name: split(name),
  meta: metaOf(name),
  hosts: [],
  heldHosts: [],
  paths: [],
  methods: undefined,
  headers: [],
  queryParams: undefined,
  service: split(name),
  plugins: [],
  access: undefined,
  clientAuthorization: undefined,
  authorization: rules.length === 0 ? undefined : { rules: rules.map((rule) => ({ name: rule })) },
  encodedSlashes: 'Reject' as const,
  maxRequestBody: undefined,
  websocket: undefined,
  tlsSecret: undefined,
  timeouts: { response: undefined, idle: undefined },
  filters: undefined,
});

const service = (name: string) => ({
  kind: 'Service' as const,
  key: objectKey('Service', split(name)),
  name: split(name),
  meta: metaOf(name),
  backend: { kind: 'Url' as const, scheme: 'http' as const, host: '127.0.0.1', port: 1, basePath: '' },
  upstream: { policy: DEFAULT_POLICY, tls: undefined },
  timeouts: { connect: second, response: second, idle: second },
  plugins: [],
});

function unreachable(): never {
  throw new Error('unreachable');
}
