import { accessSync, constants, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

/** The programs of a Kubernetes API server alone, as `npm run test:assets` provides them. */
export const PROGRAM_NAMES = ['etcd', 'kube-apiserver', 'kubectl'] as const;
export type ProgramName = (typeof PROGRAM_NAMES)[number];

/** The version whose modules are committed: that of test/apiserver/go.mod, such as 1.35.4. */
export function committedVersion(): string {
  const modules = readFileSync(join(import.meta.dirname, '..', 'apiserver', 'go.mod'), 'utf8');
  const version = /^\s*k8s\.io\/kubernetes v(\S+)/m.exec(modules)?.[1];
  if (version === undefined) throw new Error('test/apiserver/go.mod requires no k8s.io/kubernetes');
  return version;
}

/** The version that is built and tested: `POSTERN_TEST_KUBERNETES`, or the committed one. */
export function kubernetesVersion(): string {
  const version = process.env['POSTERN_TEST_KUBERNETES'] ?? committedVersion();
  if (!/^1\.\d+\.\d+$/.test(version)) {
    throw new Error(`POSTERN_TEST_KUBERNETES must be a version such as 1.35.4, not ${version}`);
  }
  return version;
}

/** Where `npm run test:assets` leaves the programs of a version. */
export const cacheOf = (version: string): string =>
  join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'postern', `kubernetes-${version}`);

/** Where they are: `KUBEBUILDER_ASSETS` where it is set, as with envtest; else a cache folder, one for each version. */
export const ASSETS = process.env['KUBEBUILDER_ASSETS'] ?? cacheOf(kubernetesVersion());

/** Path of a program, or `` where it is missing. */
export function programPath(name: ProgramName, folder = ASSETS): string {
  const path = join(folder, name);
  try {
    accessSync(path, constants.X_OK);
    return path;
  } catch {
    return '';
  }
}
