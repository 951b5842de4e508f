import { execFileSync } from 'node:child_process';
import { renameSync, statSync, utimesSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Source } from '../../src/control/source.ts';
import { type FileProblem, formatFileProblem, type ObjectCheck } from '../../src/sources/files/problem.ts';
import { type OpenedFiles, openFiles } from '../../src/sources/files/source.ts';
import { until } from '../support/gateway.ts';
import { Directory, route } from './directory.ts';

let directory: Directory;
let source: Source | undefined;
let told: string[];
let dirty: number;

beforeEach(() => {
  directory = new Directory();
  told = [];
  dirty = 0;
});

afterEach(async () => {
  await source?.stop();
  source = undefined;
  directory.remove();
});

const strip = (problem: FileProblem): string => formatFileProblem(problem).replaceAll(directory.path, 'DIR');

const open = async (check: ObjectCheck = () => undefined): Promise<OpenedFiles> =>
  await openFiles({
    directory: directory.path,
    check,
    report: {
      broken: (problems) => told.push(`broken ${problems.map(strip).join('; ')}`),
      mended: () => told.push('mended'),
    },
  });

async function started(check?: ObjectCheck): Promise<void> {
  const opened = await open(check);
  if (!opened.ok) throw new Error(opened.problems.map(strip).join('\n'));
  source = opened.source;
  await source.start(() => {
    dirty += 1;
  });
}

const nameOf = (value: unknown): string => {
  const object = value as { metadata?: { name?: string } };
  return object.metadata?.name ?? '?';
};
const names = (): string[] => [...(source?.objects().values() ?? [])].map(({ value }) => nameOf(value)).sort();
const paths = (): string => JSON.stringify([...(source?.objects().values() ?? [])].map(({ value }) => value));
const has = async (...expected: string[]): Promise<void> =>
  await until(
    () => names().join() === expected.join(),
    `objects ${expected.join()}`,
    () => names().join(),
  );
const tells = async (pattern: RegExp): Promise<void> =>
  await until(
    () => told.some((line) => pattern.test(line)),
    `${pattern}`,
    () => told.join('\n'),
  );
/** Longer than the source takes to notice anything, by watching or by polling. */
const rest = async (): Promise<void> => await new Promise((resolve) => setTimeout(resolve, 2600));

describe('a directory of objects', () => {
  it('is read whole: below directories, several documents in a file, JSON; nothing that an editor left', async () => {
    directory.write('a.yaml', `${route('a1')}---\n${route('a2')}`);
    directory.write('deep/er/b.YML', route('b'));
    directory.write('c.json', JSON.stringify({ kind: 'Route', metadata: { name: 'c' } }));
    for (const name of ['.a.yaml.swp', '.hidden.yaml', 'a.yaml~', '#a.yaml#', 'a.yaml.bak', 'note.txt', '.git/x.yaml'])
      directory.write(name, 'not: [yaml');
    await started();
    expect(names()).toEqual(['a1', 'a2', 'b', 'c']);
    const origins = [...(source?.objects().values() ?? [])].map(({ origin }) => [
      origin?.file.replace(directory.path, 'DIR'),
      origin?.line(['metadata', 'name']),
    ]);
    expect(origins).toEqual([
      ['DIR/a.yaml', 4],
      ['DIR/a.yaml', 15],
      ['DIR/c.json', 1],
      ['DIR/deep/er/b.YML', 4],
    ]);
  });

  it('an object that did not change keeps its version, a changed one gets another', async () => {
    directory.write('a.yaml', `${route('a1')}---\n${route('a2')}`);
    await started();
    const before = [...(source?.objects().values() ?? [])].map(({ version }) => version);
    directory.write('a.yaml', `${route('a1')}---\n${route('a2', '/other')}`);
    await until(() => paths().includes('/other'), 'the change');
    const after = [...(source?.objects().values() ?? [])].map(({ version }) => version);
    expect(after[0]).toBe(before[0]);
    expect(after[1]).not.toBe(before[1]);
  });

  it.each([
    ['what is not YAML', 'a: [1\nb: 2', /^DIR\/a\.yaml:2: not YAML: /],
    ['what is not UTF-8', Buffer.from([0x61, 0x3a, 0x20, 0xff]), /^DIR\/a\.yaml: not YAML: this is not UTF-8 text$/],
    ['control characters', 'a: "\u0000"', /^DIR\/a\.yaml: not YAML: it holds control characters$/],
    ['a file beyond the bound', `# ${'x'.repeat(5 * 1024 * 1024)}`, /^DIR\/a\.yaml: this is larger than 4 MiB$/],
  ])('does not open over %s', async (_, text, expected) => {
    directory.write('a.yaml', text);
    const opened = await open();
    expect(opened.ok ? [] : opened.problems.map(strip)).toEqual([expect.stringMatching(expected)]);
  });

  it('does not open where there is none, over a pipe, a dangling link or a circle of links', async () => {
    execFileSync('mkfifo', [directory.at('pipe.yaml')]);
    directory.link('gone.yaml', '/nonexistent/x.yaml');
    directory.link('round', '.');
    const opened = await open();
    expect(opened.ok ? [] : opened.problems.map(strip).sort()).toEqual([
      "DIR/gone.yaml: this symbolic link can't be followed: no such file or directory",
      'DIR/pipe.yaml: this is not a regular file',
      'DIR/round: this symbolic link leads back to a directory around it',
    ]);
    directory.remove();
    const none = await open();
    expect(none.ok ? [] : none.problems.map(strip)).toEqual(['DIR: no such file or directory']);
  });

  it('does not open over an object that can not be told apart, and names its line', async () => {
    directory.write('a.yaml', `${route('good')}---\n${route('bad')}`);
    const opened = await open((value) =>
      nameOf(value) === 'bad' ? { reason: 'Invalid', path: ['metadata', 'namespace'], message: 'no' } : undefined,
    );
    expect(opened.ok ? [] : opened.problems.map(strip)).toEqual(['DIR/a.yaml:16: no']);
  });
});

describe('a change', () => {
  const writers: readonly [string, (name: string, text: string) => void][] = [
    ['truncates and writes', (name, text) => directory.write(name, text)],
    ['renames over', (name, text) => directory.replace(name, text)],
    [
      'deletes and creates',
      (name, text) => {
        directory.delete(name);
        directory.write(name, text);
      },
    ],
    [
      'keeps a backup and creates',
      (name, text) => {
        renameSync(directory.at(name), directory.at(`${name}~`));
        directory.write(name, text);
      },
    ],
  ];
  it.each(writers)('is taken over from an editor that %s, without an empty state between', async (_, save) => {
    directory.write('a.yaml', route('a'));
    await started();
    for (const path of ['/one', '/two', '/three']) {
      save('a.yaml', route('a', path));
      await until(() => paths().includes(path), path);
      expect(names()).toEqual(['a']);
    }
    expect(told).toEqual([]);
    expect(dirty).toBe(3);
  });

  it('of the same size and time is noticed', async () => {
    directory.write('a.yaml', route('a', '/one'));
    const { atime, mtime } = statSync(directory.at('a.yaml'));
    await started();
    directory.write('a.yaml', route('a', '/two'));
    utimesSync(directory.at('a.yaml'), atime, mtime);
    await until(() => paths().includes('/two'), '/two');
  });

  it('comes and goes with files and directories', async () => {
    await started();
    expect(names()).toEqual([]);
    directory.write('new/a.yaml', route('a'));
    await has('a');
    directory.write('new/b.yaml', route('b'));
    await has('a', 'b');
    directory.delete('new/a.yaml');
    await has('b');
  });

  it('that was only touched tells nothing', async () => {
    directory.write('a.yaml', route('a'));
    await started();
    directory.write('a.yaml', route('a'));
    await rest();
    expect(dirty).toBe(0);
  });

  it('of a mounted ConfigMap (..data is swapped) is taken over whole', async () => {
    directory.write('..v1/a.yaml', route('a', '/one'));
    directory.write('..v1/b.yaml', route('b', '/one'));
    directory.link('..data', '..v1');
    directory.link('a.yaml', '..data/a.yaml');
    directory.link('b.yaml', '..data/b.yaml');
    await started();
    expect(names()).toEqual(['a', 'b']);
    directory.write('..v2/a.yaml', route('a', '/two'));
    directory.write('..v2/b.yaml', route('b', '/two'));
    directory.swap('..data', '..v2');
    await until(() => paths().includes('/two'), '/two');
    expect(paths()).not.toContain('/one');
    expect(names()).toEqual(['a', 'b']);
  });

  it('behind a link out of the directory is noticed', async () => {
    const elsewhere = new Directory();
    try {
      elsewhere.write('real.yaml', route('a', '/one'));
      directory.link('a.yaml', elsewhere.at('real.yaml'));
      await started();
      elsewhere.write('real.yaml', route('a', '/two'));
      await until(() => paths().includes('/two'), '/two');
    } finally {
      elsewhere.remove();
    }
  });
});

describe('what can not be used', () => {
  it('keeps the whole last good state, is said once, again when it changes, and when it is mended', async () => {
    directory.write('a.yaml', route('a', '/one'));
    directory.write('b.yaml', route('b'));
    await started();
    directory.write('a.yaml', 'a: [1\n');
    await tells(/^broken DIR\/a\.yaml:\d: not YAML/);
    directory.delete('b.yaml');
    await rest();
    expect(names()).toEqual(['a', 'b']);
    expect(told).toHaveLength(1);
    directory.write('a.yaml', 'x: 1\nx: 2\n');
    await tells(/the key "x" is here twice/);
    expect(told).toHaveLength(2);
    directory.write('a.yaml', route('a', '/two'));
    await has('a');
    expect(told.at(-1)).toBe('mended');
    expect(paths()).toContain('/two');
    expect(dirty).toBe(1);
  });

  it('is also an object that can not be told apart', async () => {
    directory.write('a.yaml', route('a'));
    await started((value) =>
      nameOf(value) === '?' ? { reason: 'Invalid', path: ['metadata', 'name'], message: 'no name' } : undefined,
    );
    directory.write('a.yaml', `${route('a', '/new')}---\nkind: Route\nmetadata: {}\n`);
    await tells(/^broken DIR\/a\.yaml:\d+: no name$/);
    expect(paths()).not.toContain('/new');
  });

  it('is a directory that vanished; one made anew is read again', async () => {
    directory.write('a.yaml', route('a'));
    await started();
    directory.rename(`${directory.path}-away`);
    await tells(/^broken DIR: no such file or directory$/);
    expect(names()).toEqual(['a']);
    directory.make();
    directory.write('b.yaml', route('b'));
    await has('b');
    expect(told.at(-1)).toBe('mended');
    directory.write('b.yaml', route('b', '/after'));
    await until(() => paths().includes('/after'), 'a change in the new directory');
    execFileSync('rm', ['-r', `${directory.path}-away`]);
  });

  it('is a file that was cut to nothing, for a second', async () => {
    directory.write('a.yaml', route('a'));
    await started();
    directory.write('a.yaml', '');
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(names()).toEqual(['a']);
    directory.write('a.yaml', route('a', '/again'));
    await until(() => paths().includes('/again'), '/again');
    directory.write('a.yaml', '# nothing here any more\n');
    await has();
    directory.write('a.yaml', route('a', '/third'));
    await has('a');
    directory.write('a.yaml', '\n');
    await has();
  });

  it('is a file that may not be read', async () => {
    directory.write('a.yaml', route('a'));
    await started();
    const root = process.getuid?.() === 0;
    directory.forbid('a.yaml');
    // Nothing is forbidden to root, but to everybody else that it can be.
    if (root) process.seteuid?.(65_534);
    try {
      await tells(/permission denied/);
      expect(names()).toEqual(['a']);
    } finally {
      if (root) process.seteuid?.(0);
      directory.allow('a.yaml');
    }
    await until(() => told.at(-1) === 'mended', 'mended');
  });

  it('is a file that is written slowly, until it is whole', async () => {
    directory.write('a.yaml', route('a', '/one'));
    await started();
    const text = `${route('a', '/two')}---\n${route('b')}---\n${route('c')}`;
    const seen = new Set<string>();
    for (let end = 0; end < text.length; end += 60) {
      directory.write('a.yaml', text.slice(0, end));
      await new Promise((resolve) => setTimeout(resolve, 10));
      seen.add(names().join());
    }
    directory.write('a.yaml', text);
    await has('a', 'b', 'c');
    expect([...seen].filter((list) => list === '')).toEqual([]);
  });
});

it('stops: no event or timer is left that calls back', async () => {
  directory.write('a.yaml', route('a'));
  await started();
  await source?.stop();
  directory.write('a.yaml', route('a', '/late'));
  await rest();
  expect(dirty).toBe(0);
  expect(paths()).not.toContain('/late');
});
