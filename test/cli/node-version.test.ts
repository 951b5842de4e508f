import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';

/** Runs the check as a Node of that version would. */
async function check(version: string): Promise<string> {
  const pretend = `Object.defineProperty(process,"versions",{value:{node:${JSON.stringify(version)}}})`;
  const args = [
    '--import',
    `data:text/javascript,${encodeURIComponent(pretend)}`,
    '--import',
    './scripts/require-node.mjs',
  ];
  const run = promisify(execFile)(process.execPath, [...args, '-e', 'console.log("ran")'], { env: {} });
  return await run.then(
    ({ stdout }) => stdout.trim(),
    ({ code, stderr }: { readonly code: number; readonly stderr: string }) => `${code} ${stderr}`,
  );
}

describe('a version of Node.js that is too old', () => {
  it.each(['18.20.0', '20.19.4', '22.18.9'])('is refused in words: %s', async (version) => {
    expect(await check(version)).toMatch(/^1 Postern needs Node\.js 22\.19 or newer, and this is v.*npm rebuild node/s);
  });

  it.each(['22.19.0', '24.0.0', '26.1.0'])('is none of: %s', async (version) => {
    expect(await check(version)).toBe('ran');
  });

  it('agrees with package.json', () => {
    expect(readFileSync('package.json', 'utf8')).toContain('"node": ">=22.19"');
  });
});
