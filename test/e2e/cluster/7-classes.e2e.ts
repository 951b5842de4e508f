import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { trust } from './support/ask.ts';
import { apply, get, jsonPath, kubectl, type Manifest, tryKubectl } from './support/kubernetes.ts';
import { waitFor } from './support/postern.ts';
import { must, run } from './support/run.ts';
import { NAMESPACES } from './support/site.ts';
import { until } from './support/until.ts';

const { shop } = NAMESPACES;
const { image } = inject('prepared');
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
    const values = ['rbac.namespaced=true', 'controller.className=blue', `controller.watchNamespaces={${BLUE}}`];
    const more = [`image.repository=${image.repository}`, `image.tag=${image.tag}`, 'service.type=ClusterIP'];
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
    await waitFor('proute', 'blue', 'Accepted', BLUE);
    expect(await jsonPath('{.status}', 'proute', 'blue', '-n', shop)).toBe('');
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
