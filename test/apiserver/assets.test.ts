import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { committedVersion, PROGRAM_NAMES } from '../support/assets.ts';

const OTHER = '1.30.7';
const UPSTREAM = `module k8s.io/kubernetes
go 1.22.0
require (
	go.etcd.io/etcd/server/v3 v3.5.10
)
replace (
	k8s.io/api => ./staging/src/k8s.io/api
	k8s.io/client-go => ./staging/src/k8s.io/client-go
)
`;

/** Programs that do nothing stand for those of Kubernetes, and a script for Go: nothing is built. */
describe('the version of Kubernetes that is tested', () => {
  let home: string;
  beforeEach(() => {
    home = mkdtempSync(join(tmpdir(), 'postern-assets-'));
  });
  afterEach(() => {
    rmSync(home, { recursive: true, force: true });
  });

  const run = (args: readonly string[], env: Readonly<Record<string, string>> = {}) => {
    const all = { PATH: join(home, 'nothing'), XDG_CACHE_HOME: home, ...env };
    const { status, stdout, stderr } = spawnSync(process.execPath, args, { env: all, encoding: 'utf8' });
    return { status, said: `${stdout}${stderr}`.trim() };
  };
  const provide = (env: Readonly<Record<string, string>> = {}) => run(['scripts/test-assets.ts'], env);
  const folderOf = (version: string): string => join(home, 'postern', `kubernetes-${version}`);
  const executable = (path: string, text = '#!/bin/sh\n'): void => {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
    chmodSync(path, 0o755);
  };

  it('is that of POSTERN_TEST_KUBERNETES, for those who provide it and for the tests', () => {
    for (const name of PROGRAM_NAMES) executable(join(folderOf(OTHER), name));
    const env = { POSTERN_TEST_KUBERNETES: OTHER };
    expect(provide(env)).toEqual({ status: 0, said: `test:assets: all there: ${folderOf(OTHER)}` });
    const script = `import('./test/support/parts.ts').then(({ apiserver }) => console.log(apiserver.path + apiserver.why))`;
    expect(run(['-e', script], env).said).toBe(folderOf(OTHER));
    expect(run(['-e', script]).said).toBe('[skipped: needs a Kubernetes API server, npm run test:assets]');
  });

  it('is the committed one without it', () => {
    for (const name of PROGRAM_NAMES) executable(join(folderOf(committedVersion()), name));
    expect(provide().said).toBe(`test:assets: all there: ${folderOf(committedVersion())}`);
    expect(provide({ POSTERN_TEST_KUBERNETES: OTHER })).toEqual({
      status: 1,
      said: 'test:assets: needs Go, which is not on PATH: https://go.dev/dl',
    });
  });

  it('is none that is no version', () => {
    const { status, said } = provide({ POSTERN_TEST_KUBERNETES: '1.36' });
    expect(status).toBe(1);
    expect(said).toContain('POSTERN_TEST_KUBERNETES must be a version such as 1.35.4, not 1.36');
  });

  it('is whatever is in KUBEBUILDER_ASSETS, where that is set', () => {
    const env = { KUBEBUILDER_ASSETS: join(home, 'theirs'), POSTERN_TEST_KUBERNETES: OTHER };
    for (const name of PROGRAM_NAMES.slice(1)) executable(join(home, 'theirs', name));
    expect(provide(env)).toEqual({
      status: 1,
      said: `test:assets: KUBEBUILDER_ASSETS is ${join(home, 'theirs')}, where ${PROGRAM_NAMES[0]} is missing; unset it to have all built`,
    });
    executable(join(home, 'theirs', PROGRAM_NAMES[0]));
    expect(provide(env).said).toBe(`test:assets: all there: ${join(home, 'theirs')}`);
  });

  it('is built from modules of that version, and nothing that is there already', () => {
    writeFileSync(join(home, 'upstream.mod'), UPSTREAM);
    const log = join(home, 'go.log');
    executable(
      join(home, 'bin', 'go'),
      `#!/bin/sh
echo "$PWD $*" >> ${log}
[ "$1 $2" = 'mod download' ] && echo '{"GoMod": "${join(home, 'upstream.mod')}"}'
[ "$1" = build ] && while [ "$1" != -o ]; do shift; done && echo '#!/bin/sh' > "$2" && chmod 755 "$2"
exit 0
`,
    );
    executable(join(folderOf(OTHER), 'etcd'));
    const env = { POSTERN_TEST_KUBERNETES: OTHER, PATH: [join(home, 'bin'), '/usr/bin', '/bin'].join(delimiter) };
    const { status, said } = provide(env);
    expect([status, said.split('\n').at(-1)]).toEqual([0, `test:assets: all there: ${folderOf(OTHER)}`]);
    for (const name of PROGRAM_NAMES) expect(existsSync(join(folderOf(OTHER), name))).toBe(true);
    const modules = join(folderOf(OTHER), 'modules');
    expect(readFileSync(join(modules, 'go.mod'), 'utf8')).toMatch(
      /k8s\.io\/kubernetes v1\.30\.7[\s\S]*k8s\.io\/client-go => k8s\.io\/client-go v0\.30\.7/,
    );
    const calls = readFileSync(log, 'utf8');
    expect(calls).toContain(`mod download -json k8s.io/kubernetes@v${OTHER}`);
    const builds = calls.split('\n').filter((line) => line.includes(' build '));
    expect(builds.map((line) => line.split(' ').at(-1))).toEqual([
      'k8s.io/kubernetes/cmd/kube-apiserver',
      'k8s.io/kubernetes/cmd/kubectl',
    ]);
    for (const line of builds) {
      expect(line.startsWith(`${modules} build `)).toBe(true);
      expect(line).toContain(`version.gitVersion=v${OTHER} -X k8s.io/component-base/version.gitMajor=1`);
      expect(line).toContain('version.gitMinor=30');
    }
  });
});
