import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createNamespaces, installCrds, labelled, type Operator, startOperator } from '../operator/operator.ts';
import { type ApiServer, startApiServer } from '../support/apiserver.ts';
import { type FaultyApi, type FaultyCall, startFaultyApi } from '../support/faulty-api.ts';
import { until } from '../support/gateway.ts';
import { type HonestProvider, startHonestProvider } from '../support/honest-provider.ts';
import { apiserver } from '../support/parts.ts';
import { plugin, route, secret, service, yaml } from '../support/shop.ts';
import { at, objectsOf, type Rendered } from './render.ts';

const SYSTEM = 'postern-system';
/** The whole cluster is test/operator/rbac.test.ts. */
const VALUES = { rbac: { namespaced: true }, controller: { watchNamespaces: ['shop'] } };
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
        name: 'v1beta1',
        served: true,
        storage: true,
        schema: { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
      },
    ],
  },
};
const VERBS: Readonly<Record<string, string>> = { post: 'create', put: 'update' };

/** `namespace group/resource verb` */
type Permission = string;

/** What a call needs, as the API server's authorizer sees it. */
function needed({ path, verb }: FaultyCall): Permission {
  const parts = /^\/(?:api|apis\/([^/]+))\/[^/]+\/(?:namespaces\/([^/]+)\/)?([^/]+)(?:\/[^/]+(\/[^/]+)?)?$/.exec(path);
  const [, group = '', namespace = '*', resource = '', below = ''] = parts ?? [];
  return `${namespace} ${group}/${resource}${below} ${VERBS[verb] ?? verb}`;
}

/** What the chart's roles grant, each by each. Those that are there for other people are left out. */
function granted(objects: readonly Rendered[]): readonly Permission[] {
  const roles = objects.filter(({ kind, name }) => /Role$/.test(kind) && !/-(view|edit)$/.test(name));
  return roles.flatMap(({ object, namespace = '*' }) =>
    list(at(object, 'rules')).flatMap((rule) =>
      list(at(rule, 'apiGroups')).flatMap((group) =>
        list(at(rule, 'resources')).flatMap((resource) =>
          list(at(rule, 'verbs')).map((verb) => `${namespace} ${String(group)}/${String(resource)} ${String(verb)}`),
        ),
      ),
    ),
  );
}

const list = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);

describe.skipIf(apiserver.missing)(
  `the chart's roles with rbac.namespaced ${apiserver.why}`,
  { timeout: 120_000 },
  () => {
    let server: ApiServer;
    let provider: HonestProvider;
    let api: FaultyApi | undefined;
    let operator: Operator | undefined;

    beforeAll(async () => {
      server = await startApiServer();
      await createNamespaces(server, SYSTEM, 'shop');
      await installCrds(server);
      await server.apply(JSON.stringify(GRANTS));
      provider = await startHonestProvider({ redirectUris: [] });
    });
    afterAll(async () => {
      await operator?.stop();
      await api?.stop();
      await provider?.close();
      await server?.stop();
    });

    it('every call is allowed, and every rule is needed', async () => {
      const objects = await objectsOf(VALUES);
      const install = objects.filter(({ kind }) => /Role|ServiceAccount/.test(kind)).map(({ object }) => object);
      await server.apply(JSON.stringify({ apiVersion: 'v1', kind: 'List', items: install }));
      const token = (await server.kubectl(['create', 'token', 'postern', '-n', SYSTEM])).stdout.trim();
      api = await startFaultyApi(server, token);
      const calls = api.calls;
      operator = await startOperator({ kubeconfig: api.kubeconfig, namespace: SYSTEM, args: ['--namespaces=shop'] });
      await operator.ready();

      const before = granted(objects);
      const used = (): ReadonlySet<Permission> => new Set(calls().map(needed));
      await exercise(server);
      const unused = (): readonly Permission[] => before.filter((one) => !used().has(one));
      await until(() => Promise.resolve(unused().length === 0), `a use of ${unused().join(', ')}`).catch(() => {});
      expect(unused()).toEqual([]);
      const refused = calls().filter(({ status }) => status === 403 || status === 401);
      expect(refused.map(needed)).toEqual([]);
    });

    /** Everything that Postern reacts to: objects that come, break, are repaired and break again. */
    async function exercise(on: ApiServer): Promise<void> {
      await on.apply(yaml(service('http://127.0.0.1:1'), route('orders', { plugins: ['okta'] })));
      for (let n = 0; n < 2; n++) {
        await on.apply(
          yaml(labelled(secret('okta', { 'client-secret': provider.clientSecret })), plugin('okta', provider)),
        );
        for (const kind of ['proute/orders', 'psvc/shop', 'oidc/okta']) {
          await on.kubectl(['wait', '--for=condition=Ready', kind, '-n', 'shop', '--timeout=30s']);
        }
        await on.kubectl(['delete', 'oidc', 'okta', '-n', 'shop']);
        await on.kubectl(['wait', '--for=condition=Ready=False', 'proute/orders', '-n', 'shop', '--timeout=30s']);
      }
    }
  },
);
