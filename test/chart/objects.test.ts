import { describe, expect, it } from 'vitest';
import { at, objectsOf, type Rendered, record } from './render.ts';

const one = (objects: readonly Rendered[], kind: string, name = 'postern'): unknown => {
  const found = objects.filter((object) => object.kind === kind && object.name === name);
  expect(found, `${kind} ${name}`).toHaveLength(1);
  return found[0]?.object;
};
const podOf = (objects: readonly Rendered[]): unknown => at(one(objects, 'Deployment'), 'spec', 'template', 'spec');
const list = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);
/** Whether every label that is asked for is there. */
const selects = (labels: unknown, of: unknown): boolean =>
  Object.keys(record(labels)).length > 0 &&
  Object.entries(record(labels)).every(([name, value]) => record(of)[name] === value);

describe('objects beside the Deployment', () => {
  it('everything that selects Pods selects these, and no others of the same Helm chart', async () => {
    const objects = await objectsOf({ networkPolicy: { enabled: true } });
    const labels = at(one(objects, 'Deployment'), 'spec', 'template', 'metadata', 'labels');
    const [spread, zones] = list(at(podOf(objects), 'topologySpreadConstraints'));
    const selectors = [
      at(one(objects, 'Deployment'), 'spec', 'selector', 'matchLabels'),
      at(one(objects, 'Service'), 'spec', 'selector'),
      at(one(objects, 'Service', 'postern-admin'), 'spec', 'selector'),
      at(one(objects, 'PodDisruptionBudget'), 'spec', 'selector', 'matchLabels'),
      at(one(objects, 'NetworkPolicy'), 'spec', 'podSelector', 'matchLabels'),
      at(spread, 'labelSelector', 'matchLabels'),
      at(zones, 'labelSelector', 'matchLabels'),
    ];
    const { 'app.kubernetes.io/instance': instance, ...another } = record(labels);
    expect(instance).toBe('postern');
    for (const selector of selectors) {
      expect(selects(selector, labels)).toBe(true);
      expect(selects(selector, { ...another, 'app.kubernetes.io/instance': 'blue' })).toBe(false);
    }
  });

  it('two Pods, of which one may be away, on different machines and in different zones where that is possible', async () => {
    const objects = await objectsOf({});
    expect(at(one(objects, 'Deployment'), 'spec', 'replicas')).toBe(2);
    expect(at(one(objects, 'PodDisruptionBudget'), 'spec')).toMatchObject({
      maxUnavailable: 1,
      unhealthyPodEvictionPolicy: 'AlwaysAllow',
    });
    const spread = list(at(podOf(objects), 'topologySpreadConstraints'));
    expect(spread).toMatchObject(
      ['kubernetes.io/hostname', 'topology.kubernetes.io/zone'].map((topologyKey) => ({
        maxSkew: 1,
        topologyKey,
        whenUnsatisfiable: 'ScheduleAnyway',
      })),
    );
  });

  it('every port that is named is one of the container: Services, probes and the NetworkPolicy', async () => {
    const objects = await objectsOf({ networkPolicy: { enabled: true } });
    const container = at(podOf(objects), 'containers', 0);
    const ports = list(at(container, 'ports')).map((port) => at(port, 'name'));
    expect(ports).toEqual(['http', 'https', 'admin']);
    const targets = ['postern', 'postern-admin'].map((name) =>
      list(at(one(objects, 'Service', name), 'spec', 'ports')).map((port) => at(port, 'targetPort')),
    );
    // The admin port is of no Service that a load balancer may show to the world.
    expect(targets).toEqual([['http', 'https'], ['admin']]);
    expect(at(one(objects, 'Service', 'postern-admin'), 'spec', 'type')).toBe('ClusterIP');
    expect(['startupProbe', 'livenessProbe', 'readinessProbe'].map((probe) => at(container, probe, 'httpGet'))).toEqual(
      ['/livez', '/livez', '/readyz'].map((path) => ({ path, port: 'admin' })),
    );
  });

  it('the NetworkPolicy lets traffic in from everywhere, the admin port from Pods only or from whom it says, and nothing else', async () => {
    const from = [{ namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'monitoring' } } }];
    const traffic = {
      ports: [
        { port: 'http', protocol: 'TCP' },
        { port: 'https', protocol: 'TCP' },
      ],
    };
    const admin = { ports: [{ port: 'admin', protocol: 'TCP' }] };
    for (const [values, expected] of [
      [{}, [{ namespaceSelector: {} }]],
      [{ adminFrom: from }, from],
    ]) {
      const objects = await objectsOf({ networkPolicy: { enabled: true, ...record(values) } });
      const spec = at(one(objects, 'NetworkPolicy'), 'spec');
      expect(at(spec, 'policyTypes')).toEqual(['Ingress']);
      expect(at(spec, 'ingress')).toEqual([traffic, { ...admin, from: expected }]);
    }
  });

  it('the ServiceMonitor finds the admin Service alone, by its labels and the name of its port', async () => {
    const objects = await objectsOf({ metrics: { disableAPICheck: true, serviceMonitor: { enabled: true } } });
    const monitor = at(one(objects, 'ServiceMonitor'), 'spec');
    const found = objects
      .filter(({ kind, object }) => {
        const labels = at(object, 'metadata', 'labels');
        return kind === 'Service' && selects(at(monitor, 'selector', 'matchLabels'), labels);
      })
      .map(({ name, namespace, object }) => ({ name, namespace, port: at(object, 'spec', 'ports', 0, 'name') }));
    const namespaces = list(at(monitor, 'namespaceSelector', 'matchNames'));
    expect(found).toEqual([{ name: 'postern-admin', namespace: namespaces[0], port: 'admin' }]);
    expect(at(monitor, 'endpoints')).toEqual([expect.objectContaining({ port: 'admin', path: '/metrics' })]);
  });

  it('extraObjects come as data or as text, and are templates', async () => {
    const named = (name: string): unknown => ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name } });
    const text = 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: "{{ .Release.Name }}-text"}\n';
    const objects = await objectsOf({ extraObjects: [named('{{ .Release.Namespace }}-data'), text] });
    expect(objects.filter(({ kind }) => kind === 'ConfigMap').map(({ name }) => name)).toEqual([
      'postern-system-data',
      'postern-text',
    ]);
  });
});
