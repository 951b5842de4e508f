import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * Writes test/apiserver/go.mod for one version of Kubernetes: `node scripts/kubernetes-modules.ts 1.35.4`.
 *
 * k8s.io/kubernetes is no library: its go.mod replaces every k8s.io/* module by a folder of its own tree
 * (`./staging/src/…`), and replacements of a dependency don't count. Each is published too, as v0.35.4 for 1.35.4, so the
 * same list, pointed at those, makes its programs buildable from the module proxy alone.
 */
export const MODULES = join(import.meta.dirname, '..', 'test', 'apiserver');

/** The programs that `go tool` and `go build` know here, as main packages. */
export const PROGRAMS = {
  etcd: 'go.etcd.io/etcd/server/v3',
  'kube-apiserver': 'k8s.io/kubernetes/cmd/kube-apiserver',
  kubectl: 'k8s.io/kubernetes/cmd/kubectl',
} as const;

/** go.mod without what `go mod tidy` adds, from the go.mod of k8s.io/kubernetes. `version`: 1.35.4. */
function moduleFile(version: string, upstream: string): string {
  const go = /^go \S+$/m.exec(upstream)?.[0];
  const etcd = /^\s*go\.etcd\.io\/etcd\/server\/v3 (\S+)/m.exec(upstream)?.[1];
  const staged = [...upstream.matchAll(/^\s*(\S+) => \.\/staging\//gm)].flatMap(([, name]) => name ?? []);
  if (go === undefined || etcd === undefined || staged.length === 0) {
    throw new Error(`the go.mod of k8s.io/kubernetes ${version} has another form than this script knows`);
  }
  const published = version.replace(/^1\./, 'v0.');
  return [
    '// Written by scripts/kubernetes-modules.ts and `go mod tidy`: the programs that tests run, of one version of Kubernetes.',
    'module postern.dev/test/apiserver',
    '',
    go,
    '',
    'tool (',
    ...Object.values(PROGRAMS).map((path) => `\t${path}`),
    ')',
    '',
    'require (',
    `\tgo.etcd.io/etcd/server/v3 ${etcd}`,
    `\tk8s.io/kubernetes v${version}`,
    ')',
    '',
    'replace (',
    ...staged.map((name) => `\t${name} => ${name} ${published}`),
    ')',
    '',
  ].join('\n');
}

function go(args: readonly string[], cwd: string): string {
  const { status, stdout, error } = spawnSync('go', args, {
    cwd,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  if (status !== 0) throw new Error(`go ${args.join(' ')}: ${error?.message ?? `exit ${String(status)}`}`);
  return stdout;
}

/** `go.mod` and `go.sum` in `directory`. */
export function writeModules(version: string, directory: string): void {
  const module: unknown = JSON.parse(go(['mod', 'download', '-json', `k8s.io/kubernetes@v${version}`], '/'));
  const path = typeof module === 'object' && module !== null && 'GoMod' in module ? module.GoMod : undefined;
  if (typeof path !== 'string') throw new Error(`k8s.io/kubernetes v${version}: go gave no go.mod`);
  writeFileSync(join(directory, 'go.mod'), moduleFile(version, readFileSync(path, 'utf8')));
  go(['mod', 'tidy'], directory);
}

if (import.meta.main) {
  const version = process.argv[2];
  if (version === undefined || !/^1\.\d+\.\d+$/.test(version)) {
    process.stderr.write('usage: node scripts/kubernetes-modules.ts VERSION, such as 1.35.4\n');
    process.exitCode = 2;
  } else {
    writeModules(version, MODULES);
  }
}
