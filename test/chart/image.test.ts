import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { totalmem } from 'node:os';
import { describe, expect, it } from 'vitest';

const DOCKERFILE = readFileSync('Dockerfile', 'utf8');

describe("the image's settings of Node", () => {
  it('are taken by the Node of its version, and hold the heap to half of the memory there is', () => {
    const options = /^ENV NODE_OPTIONS="([^"]+)"/m.exec(DOCKERFILE)?.[1] ?? '';
    const version = /^ARG NODE_VERSION=(\d+)$/m.exec(DOCKERFILE)?.[1] ?? '';
    const script = 'console.log(JSON.stringify([process.versions.node, v8.getHeapStatistics().heap_size_limit]))';
    // Without the variables of npm and vitest: in the image there are none.
    const said = execFileSync('node', ['-e', script], {
      encoding: 'utf8',
      env: { PATH: process.env['PATH'], NODE_OPTIONS: options },
    });
    const [running, limit]: readonly [string, number] = JSON.parse(said);
    expect(running.split('.')[0]).toBe(version);
    const young = 3 * 8 * 2 ** 20;
    const all = Math.min(process.constrainedMemory() || totalmem(), totalmem());
    expect((limit - young) / all).toBeCloseTo(0.5, 2);
  });
});

describe('the image', () => {
  /** From each FROM to the next; what stands before the first, too. */
  const [before = '', ...stages] = DOCKERFILE.split(/^FROM /m);
  const last = stages.at(-1) ?? '';

  it('has its bases and its version as arguments, and what is public of it as labels of the Open Container Initiative', () => {
    const bases = stages.map((stage) => /\$\{(\w+)\}/.exec(stage.split('\n')[0] ?? '')?.[1]);
    expect(bases).toEqual(['BUILD_IMAGE', 'RUNTIME_IMAGE']);
    for (const base of bases) expect(before).toMatch(new RegExp(`^ARG ${base}=\\S*\\$\\{NODE_VERSION\\}`, 'm'));
    const label = (name: string): string | undefined =>
      new RegExp(`org\\.opencontainers\\.image\\.${name}="([^"]+)"`).exec(last)?.[1];
    expect(['title', 'licenses'].map(label)).toEqual(['Postern', 'Apache-2.0']);
    for (const name of ['VERSION', 'REVISION', 'CREATED']) {
      expect(last).toMatch(new RegExp(`^ARG ${name}=`, 'm'));
      expect(label(name.toLowerCase())).toBe(['$', '{', name, '}'].join(''));
    }
  });

  it('runs as nobody, by a number that Kubernetes can check, and has nothing of the stage before but the program', () => {
    expect(last).toMatch(/^USER 65532:65532$/m);
    expect(last.match(/^COPY .*/gm)).toEqual([
      'COPY --from=build /src/dist/postern.mjs /src/dist/licenses.txt /app/',
      'COPY LICENSE /app/',
    ]);
    expect(last).not.toMatch(/^RUN /m);
  });
});
