import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { ask, trust } from './support/ask.ts';
import { forward } from './support/forward.ts';
import { apply, get, jsonPath, kubectl, type Manifest, podsOf, tryKubectl } from './support/kubernetes.ts';
import { workload } from './support/peers.ts';
import { waitFor } from './support/postern.ts';
import { must, run } from './support/run.ts';
import { HOSTS, NAMESPACES } from './support/site.ts';
import { until } from './support/until.ts';

const { shop } = NAMESPACES;
const { image, peersImage } = inject('prepared');
const BLUE = 'blue';
const SYSTEM = 'blue-system';

const namespace = (name: string): Manifest => ({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
const blue = (kind: string, spec: Manifest, of = BLUE): Manifest => ({
  apiVersion: 'postern.dev/v1alpha1',
  kind,
  metadata: { name: 'blue', namespace: of },
  spec: { class: BLUE, ...spec },
});
const service = (of?: string): Manifest => blue('Service', { backendRef: { name: 'orders', port: 8080 } }, of);
const route = (of?: string): Manifest =>
  blue(
    'Route',
    {
      hosts: ['blue.example.test'],
      paths: [{ type: 'Prefix', value: '/' }],
      serviceRef: { name: 'blue' },
      access: 'Public',
    },
    of,
  );

/** Who wrote the status of each object of a namespace. */
async function writers(of: string): Promise<ReadonlySet<string>> {
  const list = await get('psvc,proute,oidc', '-n', of, '--show-managed-fields');
  const managers = [
    ...JSON.stringify(list).matchAll(/"manager":"([^"]*)"[^{}]*"operation":"[^"]*","subresource":"status"/g),
  ];
  return new Set(managers.map(([, manager]) => manager ?? ''));
}

describe('7. a namespaced installation of another class beside it', () => {
  beforeAll(async () => {
    trust(inject('ca'));
    await apply(namespace(BLUE), namespace(SYSTEM));
    await apply(...workload(BLUE, peersImage, 1));
    const values = ['rbac.namespaced=true', 'controller.className=blue', `controller.watchNamespaces={${BLUE}}`];
    const more = [
      `image.repository=${image.repository}`,
      `image.tag=${image.tag}`,
      'service.type=ClusterIP',
      'controller.https.plainHttp=Serve',
    ];
    const sets = [...values, ...more].flatMap((value) => ['--set', value]);
    const args = ['install', 'blue', 'charts/postern', '--namespace', SYSTEM, ...sets, '--wait', '--timeout', '180s'];
    await must('helm', args);
  });
  afterAll(async () => {
    await run('helm', ['uninstall', 'blue', '--namespace', SYSTEM, '--wait']);
    await run('kubectl', ['delete', 'namespace', BLUE, SYSTEM, '--timeout=120s']);
  });

  it('needs no ClusterRole', async () => {
    const account = `system:serviceaccount:${SYSTEM}:blue-postern`;
    const can = async (...args: readonly string[]): Promise<string> =>
      (await tryKubectl('auth', 'can-i', ...args, '--as', account)).stdout.trim();
    expect(await can('list', 'secrets', '-n', BLUE)).toBe('yes');
    expect(await can('list', 'secrets', '-n', shop)).toBe('no');
    expect(await can('list', 'secrets', '--all-namespaces')).toBe('no');
    expect(await can('list', 'routes.postern.dev', '-n', shop)).toBe('no');
  });

  it('serves the objects of its class and namespace, and no others', async () => {
    await apply(service(), route());
    // Of its class, but not in its namespace; the other installation doesn't see the class.
    await apply(service(shop), route(shop));
    await kubectl('rollout', 'status', 'deployment/orders', '-n', BLUE, '--timeout=120s');
    await waitFor('proute', 'blue', 'Ready', BLUE);
    expect(await jsonPath('{.status}', 'proute', 'blue', '-n', shop)).toBe('');
    const [pod = ''] = await podsOf(SYSTEM, 'app.kubernetes.io/instance=blue');
    const port = await forward(SYSTEM, pod, 8080);
    try {
      const answer = async (host: string): Promise<number> => (await ask(`http://${host}:${port.number}/`)).status;
      await until('the workload to be served', async () => (await answer('blue.example.test')) === 200);
      expect(await answer(HOSTS.shop)).toBe(404);
    } finally {
      await port.stop();
    }
  });

  it('neither writes the objects of the other', async () => {
    await kubectl('annotate', 'proute', '--all', '-n', shop, 'example.test/touched=yes', '--overwrite');
    await until('statuses by postern', async () => (await writers(shop)).size > 0);
    expect(await writers(shop)).toEqual(new Set(['postern']));
    expect(await writers(BLUE)).toEqual(new Set(['postern-blue']));
  });

  it('each has a Lease and keys of its own', async () => {
    expect(await jsonPath('{.spec.holderIdentity}', 'lease', 'postern-blue', '-n', SYSTEM)).toMatch(/^blue-postern-/);
    expect(await jsonPath('{.type}', 'secret', 'blue-postern-keys', '-n', SYSTEM)).toBe('Opaque');
    await kubectl('delete', 'psvc,proute', 'blue', '-n', shop);
  });
});
