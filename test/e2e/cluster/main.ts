import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { accessSync, constants, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join, resolve } from 'node:path';

/**
 * `npm run e2e`: the scenario in a whole cluster. With KUBECONFIG and the images of E2E_IMAGE, E2E_NEXT_IMAGE and
 * E2E_PEERS_IMAGE in it, that cluster is used; otherwise kind makes one, and it is gone afterwards.
 */
const ROOT = resolve(import.meta.dirname, '..', '..', '..');
const GIVEN = ['E2E_IMAGE', 'E2E_NEXT_IMAGE', 'E2E_PEERS_IMAGE'];
const CLUSTER = 'postern-e2e';
/** With the registry that a name without one means to the nodes; podman would take another. */
const IMAGES = {
  E2E_IMAGE: 'docker.io/library/postern:e2e',
  E2E_NEXT_IMAGE: 'docker.io/library/postern:e2e-next',
  E2E_PEERS_IMAGE: 'docker.io/library/postern-peers:e2e',
};

async function main(args: readonly string[]): Promise<number> {
  const given = GIVEN.filter((name) => (process.env[name] ?? '') !== '');
  if (given.length === GIVEN.length) return await scenario({}, args);
  if (given.length > 0) return fail(`Set all of ${GIVEN.join(', ')}, or none of them.`);
  return await withOwnCluster(args);
}

const scenario = (environment: Readonly<Record<string, string>>, args: readonly string[]): Promise<number> =>
  execute('vitest', ['run', '--config', 'test/e2e/cluster/vitest.config.ts', ...args], environment);

async function withOwnCluster(args: readonly string[]): Promise<number> {
  const missing = ['kind', 'kubectl', 'helm'].filter((name) => !onPath(name));
  const builder = ['docker', 'podman'].find(onPath);
  if (missing.length > 0 || builder === undefined) {
    const all = [...missing, ...(builder === undefined ? ['docker or podman'] : [])];
    return fail(`The scenario needs a cluster. To make one with kind, ${all.join(', ')} must be on PATH.`);
  }
  const directory = mkdtempSync(join(tmpdir(), 'postern-e2e-'));
  const kubeconfig = join(directory, 'kubeconfig');
  const provider = builder === 'podman' ? { KIND_EXPERIMENTAL_PROVIDER: 'podman' } : {};
  const environment = { KUBECONFIG: kubeconfig, E2E_PROVIDER_PORT: '30444', ...provider, ...IMAGES };
  try {
    const steps: readonly (readonly string[])[] = [
      [builder, 'build', '-t', IMAGES.E2E_IMAGE, '-t', IMAGES.E2E_NEXT_IMAGE, '.'],
      [builder, 'build', '-t', IMAGES.E2E_PEERS_IMAGE, '-f', 'test/e2e/Dockerfile', '.'],
      ['kind', 'create', 'cluster', '--name', CLUSTER, '--config', 'test/kind/cluster.yaml', '--wait', '120s'],
      ...Object.entries(IMAGES).flatMap(([name, image]) => {
        const archive = join(directory, `${name}.tar`);
        return [
          [builder, 'save', '-o', archive, image],
          ['kind', 'load', 'image-archive', archive, '--name', CLUSTER],
        ];
      }),
    ];
    for (const [program = '', ...rest] of steps) {
      const code = await execute(program, rest, environment);
      if (code !== 0) return fail(`${program} ${rest[0] ?? ''} ended with ${code}.`);
    }
    return await scenario(environment, args);
  } finally {
    await execute('kind', ['delete', 'cluster', '--name', CLUSTER], environment);
    rmSync(directory, { recursive: true, force: true });
  }
}

async function execute(program: string, args: readonly string[], environment: Readonly<Record<string, string>>) {
  const child = spawn(program, args, { cwd: ROOT, stdio: 'inherit', env: { ...process.env, ...environment } });
  const [code]: readonly unknown[] = await once(child, 'exit');
  return typeof code === 'number' ? code : 1;
}

function onPath(program: string): boolean {
  return (process.env['PATH'] ?? '').split(delimiter).some((directory) => {
    try {
      accessSync(join(directory, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

function fail(message: string): number {
  process.stderr.write(`${message}\n`);
  return 1;
}

process.exitCode = await main(process.argv.slice(2));
