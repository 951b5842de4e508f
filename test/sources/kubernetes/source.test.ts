import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { KNOWN_OWN_KINDS, KNOWN_PLUGIN_KINDS } from '../../../src/cli/known-kinds.ts';
import { own } from '../../../src/resources/plain.ts';
import { openApi } from '../../../src/sources/kubernetes/client.ts';
import { openApiNews, servedSchema } from '../../../src/sources/kubernetes/openapi.ts';
import { type ApiServer, startApiServer } from '../../support/apiserver.ts';
import { programPath } from '../../support/assets.ts';
import { type FaultyApi, startFaultyApi, statusAnswer } from '../../support/faulty-api.ts';
import { applyCrds, eventually, manifests, namespaces, service, specs, startSource, stopSources } from './cluster.ts';

const TIMEOUT = 90_000;

describe.skipIf(programPath('kube-apiserver') === '')(
  'objects of a cluster (npm run test:assets)',
  { timeout: TIMEOUT },
  () => {
    let server: ApiServer;
    let faulty: FaultyApi;
    beforeAll(async () => {
      server = await startApiServer();
      faulty = await startFaultyApi(server);
      await server.apply(manifests(...namespaces('shop', 'other', 'third')));
    }, TIMEOUT);
    afterEach(async () => {
      await stopSources();
      faulty.set({});
    });
    afterAll(async () => {
      await faulty?.stop();
      await server?.stop();
    }, TIMEOUT);

    it('F09 without CRDs it says what to do, and goes on by itself when they come', async () => {
      const one = await startSource(server.kubeconfig);
      await eventually('all missing kinds are named', () =>
        ['services', 'routes', 'oidcplugins'].every((plural) =>
          one.lines.some(
            (line) =>
              line.includes(`no ${plural}.postern.dev`) && line.includes('kubectl apply --server-side -f crds/'),
          ),
        ),
      );
      expect(one.hasStarted()).toBe(false);
      expect(one.source.health().find(({ resource }) => resource === 'routes.postern.dev')).toMatchObject({
        state: 'Failing',
        listed: false,
        problem: expect.stringContaining('crds/'),
      });
      await applyCrds(server);
      await one.started;
      expect(one.source.incomplete()).toBe(false);
      await eventually('it is said', () =>
        one.lines.some((line) => line.includes('routes.postern.dev is watched again')),
      );
    });

    it('A177 of a Route’s status only the hosts are seen, and it is another version only when those are others', async () => {
      const path = '/apis/postern.dev/v1alpha1/namespaces/shop/routes/held';
      const made = await server.call('POST', '/apis/postern.dev/v1alpha1/namespaces/shop/routes', {
        apiVersion: 'postern.dev/v1alpha1',
        kind: 'Route',
        metadata: { namespace: 'shop', name: 'held' },
        spec: {
          hosts: ['held.example'],
          paths: [{ type: 'Prefix', value: '/' }],
          serviceRef: { name: 's' },
          access: 'Public',
        },
        // An API server takes it out: only who may write statuses says what a namespace has.
        status: { hosts: ['held.example'] },
      });
      expect(made.status).toBe(201);
      const one = await startSource(server.kubeconfig);
      await one.started;
      const key = 'Route/shop/held';
      const version = (): string | undefined => one.source.objects().get(key)?.version;
      const seen = (): unknown => own(one.source.objects().get(key)?.value, 'status');
      expect(seen()).toBeUndefined();
      const write = async (status: unknown): Promise<void> => {
        const answer = await server.call('PATCH', `${path}/status`, { status }, 'application/merge-patch+json');
        expect(answer.status).toBe(200);
        const stored = own(own(answer.body, 'metadata'), 'resourceVersion');
        await eventually('the status is there', () => one.source.stored(key)?.resourceVersion === stored);
      };
      const first = version();
      await write({ exposure: 'Public' });
      expect(version()).toBe(first);
      const dirty = one.dirtyCount();
      await write({ hosts: ['held.example'] });
      expect(seen()).toEqual({ hosts: ['held.example'] });
      expect(one.dirtyCount()).toBeGreaterThan(dirty);
      const second = version();
      expect(second).not.toBe(first);
      await write({ exposure: 'Denied' });
      expect(version()).toBe(second);
      await server.call('DELETE', path);
    });

    it('objects are trimmed, nobody can change them for others, and they are another version only when something that is parsed is another', async () => {
      await server.apply(
        manifests({
          ...service('shop', 'trimmed'),
          metadata: { namespace: 'shop', name: 'trimmed', annotations: { a: 'b' } },
        }),
      );
      const changedStatuses: string[] = [];
      const one = await startSource(server.kubeconfig, { statusChanged: (key) => void changedStatuses.push(key) });
      await one.started;
      const key = 'Service/shop/trimmed';
      const before = one.source.objects().get(key);
      expect(before?.value).toMatchObject({
        apiVersion: 'postern.dev/v1alpha1',
        kind: 'Service',
        metadata: { name: 'trimmed', namespace: 'shop', generation: 1, uid: expect.any(String) },
        spec: { url: 'https://example.com' },
      });
      expect(Object.keys(Object(own(before?.value, 'metadata'))).sort()).toEqual([
        'creationTimestamp',
        'generation',
        'name',
        'namespace',
        'uid',
      ]);
      expect(own(before?.value, 'spec')).not.toBe(own(before?.value, 'spec'));
      const dirty = one.dirtyCount();

      const status = {
        conditions: [
          { type: 'Ready', status: 'True', reason: 'Ready', message: '', lastTransitionTime: '2026-01-01T00:00:00Z' },
        ],
      };
      const path = '/apis/postern.dev/v1alpha1/namespaces/shop/services/trimmed';
      const patched = await server.call('PATCH', `${path}/status`, { status }, 'application/merge-patch+json');
      expect(patched.status).toBe(200);
      await eventually('the status is there', () => own(one.source.stored(key)?.status, 'conditions') !== undefined);
      expect(changedStatuses).toContain(key);
      expect(one.source.objects().get(key)).toBe(before);
      expect(one.dirtyCount()).toBe(dirty);

      await server.call('PATCH', path, { spec: { url: 'https://example.org' } }, 'application/merge-patch+json');
      await eventually('the change is there', () => one.source.objects().get(key)?.version !== before?.version);
      expect(one.source.stored(key)).toMatchObject({ generation: 2, status });
      expect(one.dirtyCount()).toBeGreaterThan(dirty);
      await server.call('DELETE', path);
      await eventually('it is gone', () => !one.source.objects().has(key) && one.source.stored(key) === undefined);
    });

    it('F28 start resolves once every kind was listed, whatever the order', async () => {
      let held = true;
      faulty.set({
        answer: (call) => (held && call.path.endsWith('/endpointslices') ? statusAnswer(503) : undefined),
      });
      const one = await startSource(faulty.kubeconfig);
      await eventually('the others were listed', () => one.source.health().filter(({ listed }) => listed).length >= 4);
      await new Promise((resolve) => setTimeout(resolve, 500));
      expect(one.hasStarted()).toBe(false);
      expect(one.source.incomplete()).toBe(true);
      held = false;
      await one.started;
      expect(
        one.source.health().every(({ listed, resource }) => listed || resource.startsWith('referencegrants')),
      ).toBe(true);
    });

    it('lists are read page by page', async () => {
      const many = Array.from({ length: 1100 }, (_, at) => service('third', `many-${at}`));
      await server.apply(manifests(...many));
      faulty.forget();
      const one = await startSource(faulty.kubeconfig);
      await one.started;
      const pages = faulty.calls().filter(({ verb, path }) => verb === 'list' && path.endsWith('/v1alpha1/services'));
      expect(pages.length).toBe(5);
      expect(pages.every(({ query }) => query.get('limit') === '250')).toBe(true);
      expect(Object.keys(specs(one)).filter((key) => key.startsWith('Service/third/many-')).length).toBe(1100);
      await server.kubectl(['delete', 'psvc', '-n', 'third', '--all', '--wait=false']);
      await eventually('all are gone', () => !Object.keys(specs(one)).some((key) => key.startsWith('Service/third/')));
    });

    it('F43 Services and EndpointSlices reach the directory, and leave it', async () => {
      const one = await startSource(server.kubeconfig);
      await one.started;
      const core = {
        apiVersion: 'v1',
        kind: 'Service',
        metadata: { namespace: 'shop', name: 'web' },
        spec: { ports: [{ name: 'http', port: 80 }] },
      };
      const slice = {
        apiVersion: 'discovery.k8s.io/v1',
        kind: 'EndpointSlice',
        metadata: { namespace: 'shop', name: 'web-1', labels: { 'kubernetes.io/service-name': 'web' } },
        addressType: 'IPv4',
        ports: [{ name: 'http', port: 8080 }],
        endpoints: [{ addresses: ['10.1.2.3'] }],
      };
      await server.apply(manifests(core, slice));
      await eventually('both are there', () => one.services.has('shop/web') && one.slices.has('shop/web-1'));
      expect(own(one.source.objects().get('CoreService/shop/web')?.value, 'spec')).toEqual({
        type: 'ClusterIP',
        ports: [{ name: 'http', port: 80, protocol: 'TCP' }],
      });
      expect([...one.source.objects().keys()].filter((key) => key.startsWith('EndpointSlice'))).toEqual([]);
      await server.call(
        'PATCH',
        '/api/v1/namespaces/shop/services/web',
        { spec: { ports: [{ name: 'web', port: 80 }] } },
        'application/merge-patch+json',
      );
      await eventually('the port is renamed', () =>
        JSON.stringify(one.source.objects().get('CoreService/shop/web')?.value).includes('"web","port":80'),
      );
      await server.call('DELETE', '/apis/discovery.k8s.io/v1/namespaces/shop/endpointslices/web-1');
      await server.call('DELETE', '/api/v1/namespaces/shop/services/web');
      await eventually('both are gone', () => !one.services.has('shop/web') && !one.slices.has('shop/web-1'));
      expect(one.source.objects().has('CoreService/shop/web')).toBe(false);
    });

    it('ReferenceGrants are read as soon as the cluster has them', async () => {
      const one = await startSource(server.kubeconfig);
      await one.started;
      expect(one.lines.filter((line) => line.includes('referencegrants'))).toEqual([]);
      await one.stop();
      await server.apply(GRANT_CRD);
      const waited = await server.kubectl(['wait', '--for=condition=Established', 'crd', '--all', '--timeout=60s']);
      expect(waited.stderr).toBe('');
      await server.apply(
        manifests({
          apiVersion: 'gateway.networking.k8s.io/v1',
          kind: 'ReferenceGrant',
          metadata: { namespace: 'shop', name: 'grant' },
          spec: {
            from: [{ group: 'postern.dev', kind: 'Route', namespace: 'other' }],
            to: [{ group: 'postern.dev', kind: 'Service' }],
          },
        }),
      );
      const two = await startSource(server.kubeconfig);
      await two.started;
      await eventually('the grant is there', () => two.source.objects().has('ReferenceGrant/shop/grant'));
    });

    it('F09 a definition that lacks a field is said to be older', async () => {
      const one = await startSource(server.kubeconfig, {
        pluginKinds: [{ kind: 'OidcPlugin', plural: 'oidcplugins', fields: ['issuer', 'fieldOfTomorrow'] }],
        ownKinds: KNOWN_OWN_KINDS,
      });
      await one.started;
      await eventually('it is said', () => one.lines.some((line) => line.includes('oidcplugins.postern.dev is older')));
      const said = one.lines.find((line) => line.includes('older'));
      expect(said).toContain('takes spec.fieldOfTomorrow out');
      expect(said).toContain('kubectl apply --server-side -f crds/');
      // What is committed has every field of the schemas.
      expect(said).not.toContain('routes');
      expect(said).not.toContain('services');
      expect(KNOWN_PLUGIN_KINDS.at(0)?.fields).toContain('clientSecretRef');
      expect(KNOWN_OWN_KINDS.at(1)?.fields).toContain('authorization');
    });

    it('asks for what is served of definitions only where that is another', async () => {
      const opened = await openApi({ kubeconfig: faulty.kubeconfig });
      if (!opened.ok) throw new Error(opened.message);
      const news = openApiNews(opened.api);
      const { signal } = new AbortController();
      const asked = (): number =>
        faulty.calls().filter(({ path }) => path.endsWith('/apis/postern.dev/v1alpha1')).length;
      faulty.forget();
      expect(servedSchema(await news(signal), 'Route', 'spec')).toBeDefined();
      expect([await news(signal), asked()]).toEqual([undefined, 1]);
      const definition = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions/services.postern.dev';
      const described = { op: 'add', path: '/spec/versions/0/schema/openAPIV3Schema/description', value: 'another' };
      await server.call('PATCH', definition, [described], 'application/json-patch+json');
      await eventually('it is read again', async () => (await news(signal)) !== undefined);
      expect(asked()).toBe(2);
      const undo = { op: 'remove', path: described.path };
      await server.call('PATCH', definition, [undo], 'application/json-patch+json');
      await opened.api.close();
    });

    it('F09 definitions that are replaced while it runs end nothing: other versions, none, then the right ones', async () => {
      const key = 'Service/shop/before';
      await server.apply(manifests(service('shop', 'before')));
      const one = await startSource(server.kubeconfig);
      await one.started;
      expect(Object.keys(specs(one))).toContain(key);
      const name = 'services.postern.dev';
      const add = [
        {
          op: 'add',
          path: '/spec/versions/0/schema/openAPIV3Schema/properties/spec/properties/newer',
          value: { type: 'string' },
        },
      ];
      const definition = `/apis/apiextensions.k8s.io/v1/customresourcedefinitions/${name}`;
      expect((await server.call('PATCH', definition, add, 'application/json-patch+json')).status).toBe(200);
      await server.apply(manifests(service('shop', 'after')));
      await eventually('objects come under a newer definition', () =>
        Object.keys(specs(one)).includes('Service/shop/after'),
      );

      await server.kubectl(['delete', 'crd', name]);
      await eventually('it is missed', () =>
        one.source.health().some(({ resource, problem }) => resource === name && problem?.includes('crds/') === true),
      );
      await applyCrds(server);
      await server.apply(manifests(service('shop', 'again')));
      await eventually('it goes on', () => Object.keys(specs(one)).includes('Service/shop/again'));
      expect(Object.keys(specs(one))).not.toContain(key);
    });

    it('with a list of namespaces only namespaced calls are made', async () => {
      await server.apply(manifests(service('shop', 'a'), service('other', 'b')));
      faulty.forget();
      const one = await startSource(faulty.kubeconfig, { namespaces: ['shop', 'third'] });
      await one.started;
      expect(Object.keys(specs(one))).toContain('Service/shop/a');
      expect(Object.keys(specs(one))).not.toContain('Service/other/b');
      expect(faulty.calls().filter(({ path }) => !/\/namespaces\/(shop|third)\//.test(path))).toEqual([]);
    });

    it('a namespace that is forbidden is said, left out at the start, and taken in when it may be seen', async () => {
      await server.apply(manifests(service('shop', 'a'), service('other', 'b')));
      let forbidden = true;
      faulty.set({
        answer: (call) => (forbidden && call.path.includes('/namespaces/other/') ? statusAnswer(403) : undefined),
      });
      const one = await startSource(faulty.kubeconfig, { namespaces: ['shop', 'other'], patience: 3000 });
      await new Promise((resolve) => setTimeout(resolve, 1000));
      expect(one.hasStarted()).toBe(false);
      await one.started;
      expect(one.source.incomplete()).toBe(true);
      expect(Object.keys(specs(one))).toContain('Service/shop/a');
      await eventually('it is said', () =>
        one.lines.some((line) =>
          /may not list and watch routes\.postern\.dev in namespace other.*list and watch/.test(line),
        ),
      );
      forbidden = false;
      await eventually('it is complete', () => !one.source.incomplete());
      expect(Object.keys(specs(one))).toContain('Service/other/b');
    });
  },
);

const GRANT_CRD = JSON.stringify({
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: {
    name: 'referencegrants.gateway.networking.k8s.io',
    annotations: { 'api-approved.kubernetes.io': 'https://github.com/kubernetes-sigs/gateway-api/pull/2997' },
  },
  spec: {
    group: 'gateway.networking.k8s.io',
    scope: 'Namespaced',
    names: {
      kind: 'ReferenceGrant',
      listKind: 'ReferenceGrantList',
      plural: 'referencegrants',
      singular: 'referencegrant',
    },
    versions: [
      {
        name: 'v1',
        served: true,
        storage: true,
        schema: { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
      },
    ],
  },
});
