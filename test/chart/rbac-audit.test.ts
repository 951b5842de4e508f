import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createNamespaces, installCrds, labelled, type Operator, startOperator } from '../operator/operator.ts';
import { GRANT_KIND } from '../operator/rows.ts';
import { type ApiServer, startApiServer } from '../support/apiserver.ts';
import { until } from '../support/gateway.ts';
import { type HonestProvider, startHonestProvider } from '../support/honest-provider.ts';
import { apiserver } from '../support/parts.ts';
import { plugin, route, secret, service, yaml } from '../support/shop.ts';
import { at, objectsOf, type Rendered } from './render.ts';

const SYSTEM = 'postern-system';
const ACCOUNT = `system:serviceaccount:${SYSTEM}:postern`;
const list = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);
const text = (value: unknown): string => (typeof value === 'string' ? value : '');

/** `RoleBinding "name/namespace": group/resource verb [name]`, as the API server names the binding that allowed it. */
function granted(objects: readonly Rendered[]): readonly string[] {
  const roles = objects.filter(({ kind, name }) => /Role$/.test(kind) && !/-(view|edit)$/.test(name));
  return roles.flatMap(({ kind, name, namespace, object }) =>
    list(at(object, 'rules')).flatMap((rule) => {
      const names = at(rule, 'resourceNames') === undefined ? [''] : list(at(rule, 'resourceNames'));
      const binding = `${kind}Binding "${namespace === undefined ? name : `${name}/${namespace}`}"`;
      return list(at(rule, 'apiGroups')).flatMap((group) =>
        list(at(rule, 'resources')).flatMap((resource) =>
          list(at(rule, 'verbs')).flatMap((verb) =>
            names.map((one) => `${binding}: ${text(group)}/${text(resource)} ${text(verb)} ${text(one)}`.trim()),
          ),
        ),
      );
    }),
  );
}

/** What the process was answered, of the audit log. */
interface Asked {
  readonly verb: string;
  readonly uri: URL;
  readonly status: number;
  readonly namespace: string;
  /** `group/resource/subresource`; empty: no resource. */
  readonly resource: string;
  readonly name: string;
  /** `RoleBinding "name/namespace"` */
  readonly binding: string;
}

function asked(log: string): readonly Asked[] {
  const lines = readFileSync(log, 'utf8').split('\n').slice(0, -1);
  const events = lines
    .map((line): unknown => JSON.parse(line))
    .filter((one) => at(one, 'user', 'username') === ACCOUNT);
  return events.map((event) => {
    const [group, kind, below] = ['apiGroup', 'resource', 'subresource'].map((field) =>
      text(at(event, 'objectRef', field)),
    );
    const reason = text(at(event, 'annotations', 'authorization.k8s.io/reason'));
    return {
      verb: text(at(event, 'verb')),
      uri: new URL(text(at(event, 'requestURI')), 'http://api'),
      status: Number(at(event, 'responseStatus', 'code')),
      namespace: text(at(event, 'objectRef', 'namespace')),
      resource: kind === '' ? '' : `${group}/${kind}${below === '' ? '' : `/${below}`}`,
      name: text(at(event, 'objectRef', 'name')),
      binding: /allowed by (\w+ "[^"]+")/.exec(reason)?.[1] ?? '',
    };
  });
}

/** Both with the name and without, for a rule may leave it out. */
const used = (calls: readonly Asked[]): ReadonlySet<string> =>
  new Set(
    calls.flatMap(({ binding, resource, verb, name }) => {
      const right = `${binding}: ${resource} ${verb}`;
      return [right, `${right} ${name}`];
    }),
  );

const INSTALLS = [
  { install: 'for the whole cluster', values: {}, watched: undefined },
  {
    install: 'for one namespace',
    values: { rbac: { namespaced: true }, controller: { watchNamespaces: ['shop'] } },
    watched: 'shop',
  },
  {
    install: 'for one namespace and its own',
    values: { rbac: { namespaced: true }, controller: { watchNamespaces: ['shop', SYSTEM] } },
    watched: `shop,${SYSTEM}`,
  },
];

describe.skipIf(apiserver.missing).each(INSTALLS)(
  `the audit log of an installation $install ${apiserver.why}`,
  { timeout: 120_000 },
  ({ values, watched }) => {
    let server: ApiServer;
    let provider: HonestProvider;
    let objects: readonly Rendered[];
    const operators: Operator[] = [];
    const calls = (): readonly Asked[] => asked(server.auditLog);
    const unused = (): readonly string[] => {
      const all = used(calls());
      return granted(objects).filter((right) => !all.has(right));
    };

    beforeAll(async () => {
      server = await startApiServer({ audit: true });
      await createNamespaces(server, SYSTEM, 'shop');
      await installCrds(server);
      objects = await objectsOf(values);
      const items = objects.filter(({ kind }) => /Role|ServiceAccount/.test(kind)).map(({ object }) => object);
      await server.apply(JSON.stringify({ apiVersion: 'v1', kind: 'List', items: [GRANT_KIND, ...items] }));
      provider = await startHonestProvider({ redirectUris: [] });
      const kubeconfig = await server.kubeconfigOf(SYSTEM, 'postern');
      for (const pod of ['one', 'two']) {
        const args = [`--pod-name=${pod}`, ...(watched === undefined ? [] : [`--namespaces=${watched}`])];
        const operator = await startOperator({ kubeconfig, namespace: SYSTEM, args });
        operators.push(operator);
        await operator.ready();
      }
      await exercise();
      await until(() => unused().length === 0, 'every right').catch(() => {});
      for (const operator of operators) expect(await operator.stop()).toBe(0);
    }, 240_000);
    afterAll(async () => {
      for (const operator of operators) await operator.stop();
      await provider?.close();
      await server?.stop();
    });

    it('nothing was forbidden', () => {
      expect(calls().length).toBeGreaterThan(30);
      expect(calls().filter(({ status }) => status === 401 || status === 403)).toEqual([]);
    });

    it('every right of every rule was used, by the binding that gives it', () => {
      expect(granted(objects).length).toBeGreaterThan(15);
      expect(unused()).toEqual([]);
    });

    it('no resource was asked for but by one of these bindings', () => {
      const bindings = granted(objects).map((right) => right.split(':')[0]);
      expect(calls().filter(({ resource, binding }) => resource !== '' && !bindings.includes(binding))).toEqual([]);
      const others = calls().filter(({ resource }) => resource === '');
      expect(new Set(others.map(({ uri }) => uri.pathname))).toEqual(
        new Set(['/openapi/v3', '/openapi/v3/apis/postern.dev/v1alpha1']),
      );
    });

    it('data of no Secret was asked for but of the labelled, the certificates and the keys', () => {
      const secrets = calls().filter(({ resource, verb }) => resource === '/secrets' && verb !== 'create');
      expect(secrets.length).toBeGreaterThan(4);
      const beyond = secrets.filter(({ uri, namespace, name, verb }) => {
        const field = uri.searchParams.get('fieldSelector') ?? '';
        const meant =
          uri.searchParams.get('labelSelector') === 'postern.dev/secret=true' ||
          field.split(',').includes('type=kubernetes.io/tls') ||
          (namespace === SYSTEM && name === 'postern-keys') ||
          // Without its data: only its columns are answered.
          (verb === 'list' && name === 'bare' && uri.searchParams.get('includeObject') === 'None');
        return !meant;
      });
      expect(beyond.map(({ verb, uri }) => `${verb} ${uri.pathname}${uri.search}`)).toEqual([]);
      expect(secrets.some(({ name }) => name === 'bare')).toBe(true);
    });

    if (watched !== undefined) it('nothing is of the cluster: neither roles nor calls', namespacedOnly);
    else it('view may read the three kinds and edit may write them, and no status', aggregation);

    function namespacedOnly(): void {
      expect(objects.filter(({ kind }) => kind.startsWith('Cluster')).map(({ name }) => name)).toEqual([]);
      expect(calls().filter(({ resource, namespace }) => resource !== '' && namespace === '')).toEqual([]);
    }

    async function aggregation(): Promise<void> {
      // The controller that aggregates isn't here: the chart's own roles are bound, and their labels read.
      const aggregated = objects.filter(({ name }) => /-(view|edit)$/.test(name));
      expect(
        aggregated.map(({ object }) =>
          Object.keys(Object(at(object, 'metadata', 'labels'))).filter((key) => key.startsWith('rbac.')),
        ),
      ).toEqual([
        ['view', 'edit', 'admin'].map((to) => `rbac.authorization.k8s.io/aggregate-to-${to}`).toSorted(),
        ['edit', 'admin'].map((to) => `rbac.authorization.k8s.io/aggregate-to-${to}`).toSorted(),
      ]);
      for (const { name } of aggregated) {
        const who = name.endsWith('view') ? 'reader' : 'writer';
        const bound = await server.kubectl([
          'create',
          'rolebinding',
          who,
          `--clusterrole=${name}`,
          `--user=${who}`,
          '-n',
          'shop',
        ]);
        expect(bound.stderr).toBe('');
      }
      const can = async (user: string, verb: string, resource: string, ...more: readonly string[]): Promise<string> =>
        (await server.kubectl(['auth', 'can-i', verb, resource, '-n', 'shop', `--as=${user}`, ...more])).stdout.trim();
      for (const kind of ['services', 'routes', 'oidcplugins'].map((plural) => `${plural}.postern.dev`)) {
        expect(await Promise.all(['get', 'create'].map((verb) => can('reader', verb, kind)))).toEqual(['yes', 'no']);
        expect(await Promise.all(['create', 'delete'].map((verb) => can('writer', verb, kind)))).toEqual([
          'yes',
          'yes',
        ]);
        expect(await can('writer', 'patch', kind, '--subresource=status')).toBe('no');
      }
    }

    /** Everything that Postern reacts to, twice: objects that come, break, are repaired and break again. */
    async function exercise(): Promise<void> {
      await Promise.all((watched ?? 'shop').split(',').map(breakAndRepair));
      const keys = `/api/v1/namespaces/${SYSTEM}/secrets/postern-keys`;
      await server.call('DELETE', keys);
      await until(async () => (await server.call('GET', keys)).status === 200, 'the keys to be made again');
    }

    async function breakAndRepair(namespace: string): Promise<void> {
      const orders = route('orders', { namespace, host: `${namespace}.localhost`, plugins: ['okta'] });
      const unlabelled = secret('bare', { 'client-secret': 'x' }, namespace);
      const bare = plugin('bare', provider, { clientSecretRef: { name: 'bare' } }, namespace);
      await server.apply(yaml(service('http://127.0.0.1:1', 'shop', namespace), orders, unlabelled, bare));
      for (let n = 0; n < 2; n += 1) {
        const okta = labelled(secret('okta', { 'client-secret': provider.clientSecret }, namespace));
        await server.apply(yaml(okta, plugin('okta', provider, {}, namespace)));
        await server.kubectl(['wait', '--for=condition=Ready', 'proute/orders', '-n', namespace, '--timeout=30s']);
        await server.kubectl(['delete', 'oidc', 'okta', '-n', namespace]);
        await server.kubectl([
          'wait',
          '--for=condition=Ready=False',
          'proute/orders',
          '-n',
          namespace,
          '--timeout=30s',
        ]);
      }
    }
  },
);
