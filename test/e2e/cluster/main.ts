import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CLUSTER_ENVIRONMENT, deletion, type Step, stepsTo } from './support/own-cluster.ts';
import { type Builder, findPrograms, runStep } from './support/programs.ts';

/**
 * `npm run e2e`: the scenario in a whole cluster. With KUBECONFIG and the images of E2E_IMAGE, E2E_NEXT_IMAGE and
 * E2E_PEERS_IMAGE in it, that cluster is used; otherwise kind makes one, of E2E_NODE_IMAGE where that is set, and it is gone
 * afterwards. Arguments go to vitest, such as the name of a step.
 */
const GIVEN = ['E2E_IMAGE', 'E2E_NEXT_IMAGE', 'E2E_PEERS_IMAGE'];

async function main(args: readonly string[]): Promise<number> {
  const given = GIVEN.filter((name) => (process.env[name] ?? '') !== '');
  if (given.length === GIVEN.length) return await scenario({}, args);
  if (given.length > 0) return fail(`Set all of ${GIVEN.join(', ')}, or none of them.`);
  const found = findPrograms();
  return found.ok ? await withOwnCluster(found.builder, args) : fail(found.message);
}

const scenario = (environment: Readonly<Record<string, string>>, args: readonly string[]): Promise<number> =>
  runStep(['vitest', 'run', '--config', 'test/e2e/cluster/vitest.config.ts', ...args], environment);

async function withOwnCluster(builder: Builder, args: readonly string[]): Promise<number> {
  const directory = mkdtempSync(join(tmpdir(), 'postern-e2e-'));
  const { steps, images } = stepsTo(builder, directory, process.env['E2E_NODE_IMAGE']);
  const environment = { ...CLUSTER_ENVIRONMENT[builder], KUBECONFIG: join(directory, 'kubeconfig'), ...images };
  try {
    for (const step of steps) {
      const code = await runStep(step, environment);
      if (code !== 0) return fail(`${inWords(step)} ended with ${code}.`);
    }
    return await scenario(environment, args);
  } finally {
    await runStep(deletion, environment);
    rmSync(directory, { recursive: true, force: true });
  }
}

const inWords = (step: Step): string => step.join(' ').replace(/^sh -c /, '');

function fail(message: string): number {
  process.stderr.write(`${message}\n`);
  return 1;
}

process.exitCode = await main(process.argv.slice(2));
