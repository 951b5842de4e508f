import { constants, type Dirent } from 'node:fs';
import { open, readdir, realpath, stat } from 'node:fs/promises';
import { dirname, extname, join } from 'node:path';
import type { FileProblem } from './problem.ts';

const MAX_FILES = 10_000;
const MAX_DEPTH = 16;
const MAX_FILE_BYTES = 4 * 1024 * 1024;
const MAX_TOTAL_BYTES = 64 * 1024 * 1024;

const EXTENSIONS: ReadonlySet<string> = new Set(['.yaml', '.yml', '.json']);
const PARALLEL_READS = 8;
const utf8 = new TextDecoder('utf-8', { fatal: true });

/** What stands in a tree at one moment. */
export interface Tree {
  /** Path, as named on the way there, to text; in order of path. */
  readonly files: ReadonlyMap<string, string>;
  readonly problems: readonly FileProblem[];
  /** Every directory in which a change may mean another tree. */
  readonly directories: readonly string[];
}

/**
 * Reads the files at `paths`, and those below that are directories. Files are named by extension; what begins with a dot
 * is not seen: editors keep their own there, and a mounted ConfigMap its `..data`. Symbolic links are followed.
 */
export async function readTree(paths: readonly string[]): Promise<Tree> {
  const found = new Finding();
  for (const path of paths) await found.root(path);
  const names = [...found.files].sort();
  const texts = new Map<string, string>();
  let total = 0;
  await inParallel(names, async (name) => {
    const text = await readText(name);
    if (typeof text !== 'string') {
      if (text !== undefined) found.problems.push(text);
      return;
    }
    total += text.length;
    if (total <= MAX_TOTAL_BYTES) texts.set(name, text);
    else found.problem(name, `all files together are larger than ${MAX_TOTAL_BYTES / 1024 / 1024} MiB`);
  });
  const files = new Map<string, string>();
  for (const name of names) {
    const text = texts.get(name);
    if (text !== undefined) files.set(name, text);
  }
  return { files, problems: found.problems, directories: [...found.directories] };
}

class Finding {
  readonly files = new Set<string>();
  readonly directories = new Set<string>();
  readonly problems: FileProblem[] = [];

  problem(file: string, message: string): void {
    this.problems.push({ file, line: undefined, message });
  }

  async root(path: string): Promise<void> {
    const kind = await kindOf(path);
    if (kind === 'Directory') await this.#directory(path, []);
    else if (kind === 'File') this.files.add(path);
    else this.problem(path, kind === 'Other' ? 'this is neither a file nor a directory' : explain(kind));
  }

  async #directory(path: string, above: readonly string[]): Promise<void> {
    this.directories.add(path);
    try {
      const real = await realpath(path);
      if (above.includes(real)) return this.problem(path, 'this symbolic link leads back to a directory around it');
      if (above.length >= MAX_DEPTH) return this.problem(path, `directories are nested deeper than ${MAX_DEPTH}`);
      for (const entry of await readdir(path, { withFileTypes: true }))
        await this.#entry(path, entry, [...above, real]);
    } catch (error) {
      this.problem(path, explain(codeOf(error)));
    }
  }

  async #entry(directory: string, entry: Dirent, above: readonly string[]): Promise<void> {
    if (entry.name.startsWith('.')) return;
    const path = join(directory, entry.name);
    const named = EXTENSIONS.has(extname(entry.name).toLowerCase());
    if (entry.isDirectory()) return await this.#directory(path, above);
    if (entry.isSymbolicLink()) {
      const kind = await kindOf(path);
      if (kind === 'Directory') return await this.#directory(path, above);
      if (!named) return;
      if (kind === 'File') await this.#followed(path);
      else if (kind !== 'Other') return this.problem(path, `this symbolic link can't be followed: ${explain(kind)}`);
    }
    if (!named) return;
    if (this.files.size >= MAX_FILES && !this.files.has(path)) {
      if (this.files.size === MAX_FILES) this.problem(path, `there are more than ${MAX_FILES} files`);
      return;
    }
    this.files.add(path);
  }

  /** A change of what a link leads to shows in the directory where that is. */
  async #followed(path: string): Promise<void> {
    try {
      this.directories.add(dirname(await realpath(path)));
    } catch {
      // Gone since: reading it says so.
    }
  }
}

async function kindOf(path: string): Promise<'Directory' | 'File' | 'Other' | (string & {})> {
  try {
    const stats = await stat(path);
    return stats.isDirectory() ? 'Directory' : stats.isFile() ? 'File' : 'Other';
  } catch (error) {
    return codeOf(error);
  }
}

/** Text; a problem; or undefined where the file vanished meanwhile. */
async function readText(file: string): Promise<string | FileProblem | undefined> {
  const problem = (message: string): FileProblem => ({ file, line: undefined, message });
  try {
    // Without O_NONBLOCK, opening a pipe would wait for a writer.
    const handle = await open(file, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      const stats = await handle.stat();
      if (!stats.isFile()) return problem('this is not a regular file');
      if (stats.size > MAX_FILE_BYTES) return problem(`this is larger than ${MAX_FILE_BYTES / 1024 / 1024} MiB`);
      const buffer = Buffer.alloc(stats.size);
      const { bytesRead } = await handle.read(buffer, 0, stats.size, 0);
      return decode(buffer.subarray(0, bytesRead), problem);
    } finally {
      await handle.close();
    }
  } catch (error) {
    const code = codeOf(error);
    return code === 'ENOENT' ? undefined : problem(explain(code));
  }
}

function decode(bytes: Uint8Array, problem: (message: string) => FileProblem): string | FileProblem {
  let text: string;
  try {
    text = utf8.decode(bytes);
  } catch {
    return problem('not YAML: this is not UTF-8 text');
  }
  // biome-ignore lint/suspicious/noControlCharactersInRegex: that is what is looked for (YAML 1.2.2, section 5.1).
  return /[\0-\x08\x0b\x0c\x0e-\x1f]/.test(text) ? problem('not YAML: it holds control characters') : text;
}

async function inParallel<T>(all: readonly T[], work: (one: T) => Promise<void>): Promise<void> {
  let next = 0;
  const worker = async (): Promise<void> => {
    for (let one = all[next++]; one !== undefined; one = all[next++]) await work(one);
  };
  await Promise.all(Array.from({ length: PARALLEL_READS }, worker));
}

const codeOf = (error: unknown): string => {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return typeof code === 'string' ? code : 'unknown error';
};

const EXPLAINED: Readonly<Record<string, string>> = {
  ENOENT: 'no such file or directory',
  EACCES: 'permission denied: this user may not read it',
  EPERM: 'permission denied: this user may not read it',
  ELOOP: 'symbolic links lead round in a circle',
  ENOTDIR: 'this is not a directory',
  EMFILE: 'too many files are open',
  ENFILE: 'too many files are open',
  EIO: 'the disk reports an error',
};
const explain = (code: string): string => EXPLAINED[code] ?? `it can't be read (${code})`;
