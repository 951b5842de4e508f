import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { own } from '../../src/resources/plain.ts';
import { type ApiServer, startApiServer } from '../support/apiserver.ts';
import { type FaultyApi, type FaultyCall, startFaultyApi } from '../support/faulty-api.ts';
import { until } from '../support/gateway.ts';
import { apiserver } from '../support/parts.ts';
import { type Echo, plugin, route, secret, service, startEcho, yaml } from '../support/shop.ts';
import { createNamespaces, installCrds, labelled, type Operator, startOperator } from './operator.ts';

const NAMESPACE = 'postern-system';
const MANIFEST = join(import.meta.dirname, '..', '..', 'manifests', 'install', 'postern.yaml');
const KINDS = new Set(['ServiceAccount', 'ClusterRole', 'ClusterRoleBinding', 'Role', 'RoleBinding']);

/** One thing that a role allows, or that was done. */
interface Right {
  readonly group: string;
  /** `routes/status` */
  readonly resource: string;
  readonly verb: string;
  /** Undefined: whatever it is called. */
  readonly name: string | undefined;
}

/** Of Gateway API, as far as it matters here. */
const GRANTS = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: {
    name: 'referencegrants.gateway.networking.k8s.io',
    annotations: { 'api-approved.kubernetes.io': 'https://github.com/kubernetes-sigs/gateway-api/pull/2997' },
  },
  spec: {
    group: 'gateway.networking.k8s.io',
    scope: 'Namespaced',
    names: { kind: 'ReferenceGrant', plural: 'referencegrants' },
    versions: [
      {
        name: 'v1',
        served: true,
        storage: true,
        schema: { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
      },
    ],
  },
};

const list = (value: unknown): readonly string[] => (Array.isArray(value) ? value.map(String) : []);

/** Everything that a role allows, one by one. */
const rightsOf = (role: unknown): readonly Right[] => {
  const rules = own(role, 'rules');
  return (Array.isArray(rules) ? rules : []).flatMap((rule: unknown) => {
    const names = own(rule, 'resourceNames') === undefined ? [undefined] : list(own(rule, 'resourceNames'));
    return list(own(rule, 'apiGroups')).flatMap((group) =>
      list(own(rule, 'resources')).flatMap((resource) =>
        list(own(rule, 'verbs')).flatMap((verb) => names.map((name) => ({ group, resource, verb, name }))),
      ),
    );
  });
};

const VERBS: Readonly<Record<string, string>> = { post: 'create', put: 'update' };

function done({ verb, path, query }: FaultyCall): Right {
  const parts = path.split('/').filter((part) => part !== '');
  const group = parts[0] === 'api' ? '' : (parts[1] ?? '');
  const rest = parts.slice(parts[0] === 'api' ? 2 : 3);
  const [resource = '', name, sub] = rest[0] === 'namespaces' ? rest.slice(2) : rest;
  const selected = /metadata\.name=([^,]+)/.exec(query.get('fieldSelector') ?? '')?.[1];
  return {
    group,
    resource: sub === undefined ? resource : `${resource}/${sub}`,
    verb: VERBS[verb] ?? verb,
    name: name ?? selected,
  };
}

const covers = (right: Right, call: Right): boolean =>
  right.group === call.group &&
  right.resource === call.resource &&
  right.verb === call.verb &&
  (right.name === undefined || right.name === call.name);

describe.skipIf(apiserver.missing)(`RBAC of the installation ${apiserver.why}`, { timeout: 120_000 }, () => {
  let server: ApiServer;
  let echo: Echo;
  let faulty: FaultyApi;
  let operator: Operator;
  let calls: readonly FaultyCall[];
  const documents: readonly unknown[] = parseAllDocuments(readFileSync(MANIFEST, 'utf8'))
    .map((document): unknown => document.toJS())
    .filter((document) => KINDS.has(String(own(document, 'kind'))));
  const roles = documents.filter((document) => {
    const name = String(own(own(document, 'metadata'), 'name'));
    return String(own(document, 'kind')).endsWith('Role') && !/-(view|edit)$/.test(name);
  });

  const exposure = async (): Promise<unknown> => {
    const answer = await server.call('GET', '/apis/postern.dev/v1alpha1/namespaces/shop/routes/orders');
    return own(own(answer.body, 'status'), 'exposure');
  };
  const says = async (expected: string): Promise<void> =>
    await until(
      async () => (await exposure()) === expected,
      expected,
      () => operator.log(),
    );
  const did = async (...wanted: readonly [verb: string, resource: string][]): Promise<void> => {
    for (const [verb, resource] of wanted)
      await until(
        () => faulty.calls().some((call) => done(call).verb === verb && done(call).resource === resource),
        `${verb} ${resource}`,
        () => operator.log(),
      );
  };

  beforeAll(async () => {
    server = await startApiServer();
    await createNamespaces(server, NAMESPACE, 'shop');
    await installCrds(server);
    await server.apply(yaml(...documents, GRANTS));
    await until(
      async () => (await server.call('GET', '/apis/gateway.networking.k8s.io/v1/referencegrants')).status === 200,
      'the kind ReferenceGrant',
    );
    const accounts = `/api/v1/namespaces/${NAMESPACE}/serviceaccounts/postern/token`;
    const answer = await server.call('POST', accounts, { spec: { expirationSeconds: 3600 } });
    const token = own(own(answer.body, 'status'), 'token');
    if (typeof token !== 'string') throw new Error('no token');
    faulty = await startFaultyApi(server, token);
    echo = await startEcho();
    operator = await startOperator({ kubeconfig: faulty.kubeconfig, namespace: NAMESPACE });
    await operator.ready();
    // A day in short: login configured, taken away, restored, taken away again; the keys deleted.
    const okta = [
      plugin('okta', { issuer: 'http://127.0.0.1:1', clientId: 'x' }),
      labelled(secret('okta', { 'client-secret': 'x' })),
    ];
    const deletePlugin = (): Promise<unknown> =>
      server.call('DELETE', '/apis/postern.dev/v1alpha1/namespaces/shop/oidcplugins/okta');
    await server.apply(yaml(service(echo.url), route('orders', { plugins: ['okta'] }), ...okta));
    await says('Protected');
    await did(['patch', 'oidcplugins/status'], ['patch', 'services/status'], ['create', 'events']);
    await deletePlugin();
    await says('Denied');
    await server.apply(yaml(...okta));
    await says('Protected');
    await deletePlugin();
    await says('Denied');
    await server.call('DELETE', `/api/v1/namespaces/${NAMESPACE}/secrets/postern-keys`);
    await did(
      ['patch', 'events'],
      ['update', 'leases'],
      ['watch', 'secrets'],
      ['watch', 'endpointslices'],
      ['watch', 'referencegrants'],
    );
    calls = faulty.calls();
  }, 240_000);
  afterAll(async () => {
    await operator?.stop();
    await faulty?.stop();
    echo?.close();
    await server?.stop();
  });

  it('is enough: nothing that the process asked for was forbidden', () => {
    expect(calls.length).toBeGreaterThan(30);
    expect(calls.filter(({ status }) => status === 401 || status === 403).map(done)).toEqual([]);
  });

  it('is no more than is used: each right of each rule was', () => {
    const used = calls.map(done);
    expect(roles.flatMap(rightsOf).length).toBeGreaterThan(20);
    expect(roles.flatMap(rightsOf).filter((right) => !used.some((call) => covers(right, call)))).toEqual([]);
  });

  it('lets the process read no Secret but those that are meant for it', () => {
    for (const { verb, resource, name } of calls.map(done))
      if (resource === 'secrets' && verb === 'get') expect(name).toBe('nothing: get is not allowed');
    const selectors = calls.filter((call) => done(call).resource === 'secrets' && call.path === '/api/v1/secrets');
    for (const { query } of selectors)
      expect([query.get('labelSelector'), query.get('fieldSelector')].join()).toMatch(
        /^postern\.dev\/secret=true,|type=kubernetes\.io\/tls/,
      );
  });
});
