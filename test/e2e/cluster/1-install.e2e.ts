import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { ask } from './support/ask.ts';
import { apply, get, jsonPath, kubectl, podsOf, tryKubectl } from './support/kubernetes.ts';
import { imageSize, startTimes } from './support/measured.ts';
import { agreed, helm, helmInstall, leader, metric, metricsOf, posternPods, tryHelm } from './support/postern.ts';
import { readmeCommands, runReadme } from './support/readme.ts';
import { NAMESPACES } from './support/site.ts';
import { until } from './support/until.ts';

const { image } = inject('prepared');
const { system } = NAMESPACES;

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

  it('F51 runs as 65532, and the root file system is read-only', async () => {
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

/** Every line of one way of README.md, as it is written; with what each wrote. */
async function follow(way: 'helm' | 'kubectl' | 'kind'): Promise<string> {
  const written: string[] = [];
  for (const command of readmeCommands(way)) written.push(await runReadme(command, image));
  return written.join('\n');
}

async function uninstall(): Promise<void> {
  await helm('uninstall', 'postern', '--wait');
  await kubectl('delete', 'namespace', system, '--timeout=120s');
}

describe('1. README.md, with kubectl alone', () => {
  let said: string;
  beforeAll(async () => {
    said = await follow('kubectl');
  });
  afterAll(async () => {
    await kubectl('delete', '-f', 'manifests/install/postern.yaml', '--wait', '--timeout=120s');
    await until('the namespace to be gone', async () => (await tryKubectl('get', 'namespace', system)).code !== 0, 120);
  });

  it('says that it is there', () => {
    expect(said).toContain('deployment "postern" successfully rolled out');
  });
  itRuns();
});

describe('1. README.md, with Helm', () => {
  let said: string;
  beforeAll(async () => {
    said = await follow('helm');
  });
  afterAll(uninstall);

  it('says that it is there, and passes its own test', () => {
    expect(said).toContain(`is installed in namespace ${system}`);
    expect(said).toContain('Succeeded');
  });
  itRuns();
});

describe('1. README.md, on kind', () => {
  let said: string;
  beforeAll(async () => {
    said = await follow('kind');
  });
  afterAll(uninstall);

  it('says that it is there', () => {
    expect(said).toContain(`is installed in namespace ${system}`);
  });

  it('is reached from this machine, at the addresses of which the README tells', async () => {
    const [, http = ''] = /is then at <(http:\/\/127\.0\.0\.1:\d+)>/.exec(readFileSync('README.md', 'utf8')) ?? [];
    // Nobody has a Route yet; and kube-proxy may not know of the Pods' being ready.
    await until('an answer', async () => (await ask(http)).status === 404);
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

  it('is as small and as quick to start as it says', async ({ annotate }) => {
    const size = await imageSize(image);
    await annotate(`image: ${(size / 1e6).toFixed(0)} MB in the node`);
    const said = /The image is (\d+) MB/.exec(readFileSync('charts/postern/README.md', 'utf8'))?.[1];
    expect(Math.abs(size / 1e6 - Number(said))).toBeLessThan(5);
    for (const pod of await posternPods()) {
      const { serves, ready } = await startTimes(pod);
      await annotate(
        `${pod}: serves ${serves.toFixed(1)} s after its process began; Ready ${ready} s after its container`,
      );
      expect(serves).toBeLessThan(15);
    }
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
