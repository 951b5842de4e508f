import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { apply, get, jsonPath, kubectl, podsOf, tryKubectl } from './support/kubernetes.ts';
import { agreed, helmInstall, leader, metric, metricsOf, posternPods, tryHelm } from './support/postern.ts';
import { must } from './support/run.ts';
import { NAMESPACES } from './support/site.ts';
import { until } from './support/until.ts';

const { image } = inject('prepared');
const { system } = NAMESPACES;
const MANIFEST = 'manifests/install/postern.yaml';

/** What holds of every installation, however it was made. */
function itRuns(): void {
  it('has two Pods that are ready', async () => {
    await kubectl('rollout', 'status', 'deployment/postern', '-n', system, '--timeout=120s');
    const pods = await until('two Pods', async () => {
      const names = await posternPods();
      return names.length === 2 && names;
    });
    for (const pod of pods) await kubectl('wait', '--for=condition=Ready', `pod/${pod}`, '-n', system, '--timeout=60s');
  });

  it('has one leader, which holds the Lease', async () => {
    const holder = await leader();
    for (const pod of await posternPods()) {
      await until(`postern_leader of ${pod}`, async () => {
        return metric(await metricsOf(pod), 'postern_leader') === (pod === holder ? 1 : 0);
      });
    }
  });

  it('agrees on the keys: one Secret, which Postern made and no one may refer to, and one table', async () => {
    const secret = await get('secret', 'postern-keys', '-n', system);
    expect(secret).toMatchObject({
      type: 'Opaque',
      metadata: { labels: { 'app.kubernetes.io/managed-by': 'postern' } },
    });
    expect(JSON.stringify(secret)).not.toContain('postern.dev/secret');
    await agreed();
  });

  it('runs as 65532, and the root file system is read-only', async () => {
    const [pod = ''] = await posternPods();
    const script =
      "let w='no';try{require('fs').writeFileSync('/x','');w='yes'}catch{};console.log(process.getuid(),process.getgid(),w)";
    const said = await kubectl('exec', '-n', system, pod, '--', '/nodejs/bin/node', '-e', script);
    expect(said.trim()).toBe('65532 65532 no');
  });

  it('has no shell', async () => {
    const [pod = ''] = await posternPods();
    const ran = await tryKubectl('exec', '-n', system, pod, '--', 'sh', '-c', 'true');
    expect(ran.code).not.toBe(0);
  });
}

describe('1. kubectl apply -f manifests/install/postern.yaml', () => {
  const written = readFileSync(MANIFEST, 'utf8');
  const named = /^\s*image: (\S+)$/m.exec(written)?.[1] ?? '';
  const text = written.replaceAll(`image: ${named}`, `image: ${image.repository}:${image.tag}`);

  beforeAll(async () => {
    await must('kubectl', ['apply', '-f', '-'], text);
  });
  afterAll(async () => {
    await must('kubectl', ['delete', '-f', '-', '--wait', '--timeout=120s'], text);
    await until('the namespace to be gone', async () => (await tryKubectl('get', 'namespace', system)).code !== 0, 120);
  });
  itRuns();
});

describe('1. helm install', () => {
  beforeAll(async () => {
    await apply({
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name: system, labels: { 'pod-security.kubernetes.io/enforce': 'restricted' } },
    });
    await helmInstall('install', image);
  });
  itRuns();

  it('has the three kinds in the category postern', async () => {
    const names = await kubectl('api-resources', '--categories=postern', '-o', 'name');
    expect(names.trim().split('\n').sort()).toEqual([
      'oidcplugins.postern.dev',
      'routes.postern.dev',
      'services.postern.dev',
    ]);
  });

  it('passes helm test', async () => {
    const ran = await tryHelm('test', 'postern', '--logs');
    expect(`${ran.stdout}${ran.stderr}`).toContain('Succeeded');
    expect(ran.code).toBe(0);
  });

  it('wrote nothing but what it says: no restarts, no error in a log', async () => {
    expect(await jsonPath('{.items[*].status.containerStatuses[*].restartCount}', 'pods', '-n', system)).toMatch(
      /^[0 ]*$/,
    );
    for (const pod of await podsOf(system, 'app.kubernetes.io/name=postern')) {
      const log = await kubectl('logs', '-n', system, pod);
      expect(log.split('\n').filter((line) => /"level":"(error|fatal)"/.test(line))).toEqual([]);
    }
  });
});
