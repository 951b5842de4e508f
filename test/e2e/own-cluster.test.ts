import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readmeWay } from '../support/documented.ts';

/** `npm run e2e` with programs in place of kind and the others that write down how they were called. */
let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'postern-own-cluster-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const PROGRAMS = ['kind', 'kubectl', 'helm', 'docker', 'podman', 'vitest'] as const;
type Scripts = Readonly<Partial<Record<(typeof PROGRAMS)[number], string | undefined>>>;

/** Each program that has a script here: it notes its call, and ends as the script says. */
function install(scripts: Scripts): void {
  for (const name of PROGRAMS) {
    const script = scripts[name];
    if (script === undefined) continue;
    const path = join(directory, name);
    const note = `echo "${name} $*" >> '${directory}/calls'\nenv | grep -E '^(E2E|KIND|KUBECONFIG)' > '${directory}/${name}.env'`;
    writeFileSync(path, `#!/bin/sh\n${note}\n${script}\nexit 0\n`);
    chmodSync(path, 0o755);
  }
}

const all: Scripts = { kind: '', kubectl: '', helm: '', docker: '', podman: '', vitest: '' };

function start(environment: Readonly<Record<string, string>> = {}) {
  const env = { PATH: `${directory}:/usr/bin:/bin`, HOME: directory, ...environment };
  const child = spawn(process.execPath, ['test/e2e/cluster/main.ts', '1-install'], { env });
  let said = '';
  child.stderr.on('data', (chunk: Buffer) => {
    said += chunk.toString();
  });
  child.stdout.resume();
  const ended = once(child, 'exit').then(([code]: readonly unknown[]) => ({ code, said }));
  return { child, ended };
}

const read = (name: string): string => {
  try {
    return readFileSync(join(directory, name), 'utf8');
  } catch {
    return '';
  }
};

/** Without those that only ask whether a program is there; archives without their folder. */
const calls = (): readonly string[] =>
  read('calls')
    .trim()
    .split('\n')
    .filter((call) => !/ (info|version.*)$/.test(call))
    .map((call) => call.replaceAll(/\S+\/postern-e2e-\w+\//g, ''));

const SCENARIO = 'vitest run --config test/e2e/cluster/vitest.config.ts 1-install';
const DELETION = 'kind delete cluster --name postern-e2e';

describe('npm run e2e with a cluster of its own', () => {
  it('with docker: runs the very lines of README.md, loads the other images, and takes the cluster down', async () => {
    install(all);
    expect(await start().ended).toEqual({ code: 0, said: '' });
    const [create = '', build = ''] = readmeWay('kind');
    expect(calls()).toEqual([
      create,
      'kubectl wait --for=condition=Ready node --all --timeout=180s',
      ...build.split(' && '),
      'docker tag postern:dev postern:next',
      'kind load docker-image postern:next',
      'docker build --tag postern-peers:dev --file test/e2e/Dockerfile .',
      'kind load docker-image postern-peers:dev',
      SCENARIO,
      DELETION,
    ]);
    const environment = read('vitest.env');
    for (const line of ['E2E_IMAGE=postern:dev', 'E2E_NEXT_IMAGE=postern:next', 'E2E_PEERS_IMAGE=postern-peers:dev'])
      expect(environment).toContain(`${line}\n`);
    expect(environment).toMatch(/^KUBECONFIG=\S+\/postern-e2e-\w+\/kubeconfig$/m);
    expect(read('kind.env')).toContain('KIND_CLUSTER_NAME=postern-e2e\n');
    expect(environment).not.toContain('KIND_EXPERIMENTAL_PROVIDER');
  });

  it('takes podman where docker has no daemon: archives, and names with the registry that the nodes take', async () => {
    install({ ...all, docker: 'exit 1' });
    expect(await start({ E2E_NODE_IMAGE: 'kindest/node:v1.36.1' }).ended).toMatchObject({ code: 0 });
    const own = 'docker.io/library/postern';
    expect(calls()).toEqual([
      `${readmeWay('kind')[0]} --image kindest/node:v1.36.1`,
      'kubectl wait --for=condition=Ready node --all --timeout=180s',
      `podman build --tag ${own}:dev --tag ${own}:next .`,
      `podman save --output docker-io-library-postern-dev.tar ${own}:dev`,
      'kind load image-archive docker-io-library-postern-dev.tar',
      `podman save --output docker-io-library-postern-next.tar ${own}:next`,
      'kind load image-archive docker-io-library-postern-next.tar',
      `podman build --tag ${own}-peers:dev --file test/e2e/Dockerfile .`,
      `podman save --output docker-io-library-postern-peers-dev.tar ${own}-peers:dev`,
      'kind load image-archive docker-io-library-postern-peers-dev.tar',
      SCENARIO,
      DELETION,
    ]);
    expect(read('kind.env')).toContain('KIND_EXPERIMENTAL_PROVIDER=podman');
    expect(read('vitest.env')).toContain(`E2E_PEERS_IMAGE=${own}-peers:dev\n`);
  });

  it('takes the cluster down where a step or the scenario fails, and ends with that', async () => {
    install({ ...all, docker: '[ "$1" != build ]; exit $?' });
    const failed = await start().ended;
    expect(failed).toMatchObject({ code: 1 });
    expect(failed.said).toContain(
      'docker build --tag postern:dev . && kind load docker-image postern:dev ended with 1.',
    );
    expect(calls()).not.toContain(SCENARIO);
    expect(calls().at(-1)).toBe(DELETION);
    install({ ...all, vitest: 'exit 3' });
    expect(await start().ended).toMatchObject({ code: 3 });
    expect(calls().slice(-2)).toEqual([SCENARIO, DELETION]);
  });

  it('takes the cluster down where it is interrupted', async () => {
    install({ ...all, vitest: 'exec sleep 60' });
    const { child, ended } = start();
    while (!calls().includes(SCENARIO)) await sleep(50);
    child.kill('SIGINT');
    expect(await ended).toMatchObject({ code: 1 });
    expect(calls().at(-1)).toBe(DELETION);
  });

  it('says what is missing, and makes nothing', async () => {
    install({ kubectl: '', vitest: '', docker: 'exit 1', podman: 'exit 1' });
    const { code, said } = await start({ PATH: `${directory}:/bin` }).ended;
    expect(code).toBe(1);
    expect(said).toMatch(/kind, helm, docker or podman must be on PATH/);
    expect(calls().filter((call) => call.startsWith('vitest'))).toEqual([]);
  });
});

describe('npm run e2e with a cluster that is there', () => {
  const given = { E2E_IMAGE: 'a:1', E2E_NEXT_IMAGE: 'a:2', E2E_PEERS_IMAGE: 'b:1' };

  it('runs the scenario and nothing else', async () => {
    install(all);
    expect(await start(given).ended).toMatchObject({ code: 0 });
    expect(calls()).toEqual([SCENARIO]);
  });

  it('wants all three images or none', async () => {
    install(all);
    const { code, said } = await start({ E2E_IMAGE: 'a:1' }).ended;
    expect(code).toBe(1);
    expect(said).toContain('Set all of E2E_IMAGE, E2E_NEXT_IMAGE, E2E_PEERS_IMAGE, or none of them.');
  });
});
