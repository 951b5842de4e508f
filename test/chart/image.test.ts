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
