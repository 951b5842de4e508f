import { execFile } from 'node:child_process';
import { expect, it } from 'vitest';

interface Run {
  readonly code: number;
  readonly lines: readonly string[];
}

/** A run of its own over the fixtures that are named, with or without CI. */
async function run(fixtures: readonly string[], ci: boolean): Promise<Run> {
  const args = [
    'node_modules/vitest/vitest.mjs',
    'run',
    '--config',
    'test/summary/fixture/vitest.config.ts',
    ...fixtures,
  ];
  const { CI: _, ...env } = process.env;
  return await new Promise((resolve) => {
    const options = { env: { ...env, ...(ci ? { CI: 'true' } : {}), NO_COLOR: '1' }, maxBuffer: 2 ** 24 };
    execFile(process.execPath, args, options, (error, stdout) => {
      const code = typeof error?.code === 'number' ? error.code : 0;
      resolve({ code, lines: stdout.trimEnd().split('\n') });
    });
  });
}

it('with CI set anything that is skipped fails the run, by name', async () => {
  const { code, lines } = await run(['good', 'skips'], true);
  expect([code, lines.slice(-4)]).toEqual([
    1,
    [
      'Skipped, by name:',
      '  test/summary/fixture/skips.fixture.ts > a suite [skipped: needs a part] > would pass',
      'CI has every part, so nothing may be skipped there.',
      '1 passed, 0 failed, 1 skipped',
    ],
  ]);
});

it('without CI what is skipped is told, and fails nothing', async () => {
  const { code, lines } = await run(['good', 'skips'], false);
  expect([code, lines.slice(-3, -1), lines.at(-1)]).toEqual([
    0,
    ['Skipped, by name:', expect.stringContaining('would pass')],
    '1 passed, 0 failed, 1 skipped',
  ]);
});

it('with CI set a run in which nothing is skipped is good', async () => {
  const { code, lines } = await run(['good'], true);
  expect([code, lines.at(-1)]).toEqual([0, '1 passed, 0 failed, 0 skipped']);
});

it('ends with what failed, each by name with the first lines of why', async () => {
  const { code, lines } = await run(['fails', 'broken', 'good'], true);
  expect(code).toBe(1);
  expect(lines.at(-1)).toMatch(/^2 passed, 4 failed, \d skipped$/);
  const told = lines.slice(lines.lastIndexOf('Failed, by name:') + 1, -1);
  const file = '  test/summary/fixture/fails.fixture.ts';
  expect(told.filter((line) => !line.startsWith('      ')).toSorted()).toEqual([
    '  test/summary/fixture/broken.fixture.ts',
    `${file} > a suite > compares`,
    `${file} > a suite > says much`,
    `${file} > a suite that does not begin`,
  ]);
  expect(told).toEqual(expect.arrayContaining(['      -     3,', '      +     2,', '      the first line']));
  expect(told).toEqual(expect.arrayContaining(['      the hook threw', '      the file threw']));
  expect(told).toContainEqual(expect.stringMatching(/^ {6}at test\/summary\/fixture\/fails\.fixture\.ts:\d+$/));
  expect(told.length).toBeLessThanOrEqual(4 * 7);
  expect(Math.max(...told.map((line) => line.length))).toBeLessThan(320);
});
