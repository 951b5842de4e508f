import { spawnSync } from 'node:child_process';
import { mkdirSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import {
  ASSETS,
  committedVersion,
  kubernetesVersion,
  PROGRAM_NAMES,
  type ProgramName,
  programPath,
} from '../test/support/assets.ts';
import { MODULES, PROGRAMS, writeModules } from './kubernetes-modules.ts';

/**
 * `npm run test:assets` builds the API server, etcd and kubectl that tests run, from Go modules into the folder that the
 * tests look in (`~/.cache/postern/kubernetes-<version>`). What is there already stays. Needs Go; the first time takes
 * some minutes. Another version: `POSTERN_TEST_KUBERNETES=1.34.3 npm run test:assets`.
 */
function build(): void {
  const missing = PROGRAM_NAMES.filter((name) => programPath(name) === '');
  if (missing.length > 0) buildAll(missing);
  say(`all there: ${ASSETS}`);
}

function buildAll(names: readonly ProgramName[]): void {
  if (process.env['KUBEBUILDER_ASSETS'] !== undefined) {
    throw new Error(
      `KUBEBUILDER_ASSETS is ${ASSETS}, where ${names.join(', ')} is missing; unset it to have all built`,
    );
  }
  if (spawnSync('go', ['version']).status !== 0) throw new Error('needs Go, which is not on PATH: https://go.dev/dl');
  mkdirSync(ASSETS, { recursive: true });
  const modules = modulesFor(kubernetesVersion());
  for (const name of names) {
    say(`building ${name} for Kubernetes ${kubernetesVersion()}`);
    // Under another name first: an interrupted build leaves no half program where the tests look.
    const partial = join(ASSETS, `.${name}.partial`);
    const args = ['build', '-buildvcs=false', '-ldflags', LINKING, '-o', partial, PROGRAMS[name]];
    if (spawnSync('go', args, { cwd: modules, stdio: 'inherit' }).status !== 0)
      throw new Error(`${name} did not build`);
    renameSync(partial, join(ASSETS, name));
  }
}

/** Without symbols; and kubectl says which version it is, by which it judges the server's. */
const LINKING = [
  '-s -w',
  `-X k8s.io/component-base/version.gitVersion=v${kubernetesVersion()}`,
  `-X k8s.io/component-base/version.gitMajor=1`,
  `-X k8s.io/component-base/version.gitMinor=${kubernetesVersion().split('.')[1] ?? ''}`,
].join(' ');

/** The committed modules, or those of another version, made beside its programs. */
function modulesFor(version: string): string {
  if (version === committedVersion()) return MODULES;
  const directory = join(ASSETS, 'modules');
  mkdirSync(directory, { recursive: true });
  writeModules(version, directory);
  return directory;
}

const say = (text: string): void => void process.stdout.write(`test:assets: ${text}\n`);

try {
  build();
} catch (error) {
  process.stderr.write(`test:assets: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
