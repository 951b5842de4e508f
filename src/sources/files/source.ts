import { setTimeout as sleep } from 'node:timers/promises';
import type { Source, SourceObject } from '../../control/source.ts';
import { ObjectReader } from './objects.ts';
import { type FileProblem, formatFileProblem, type ObjectCheck } from './problem.ts';
import { readTree, type Tree } from './walk.ts';
import { type DirectoryWatcher, watchDirectories } from './watcher.ts';

/** What operators hear of the directory. Neither can throw. */
export interface FilesReport {
  /** Once for each state of the directory that can't be used; the last good one stays. */
  broken(problems: readonly FileProblem[]): void;
  mended(): void;
}

export interface FilesOptions {
  readonly directory: string;
  readonly check: ObjectCheck;
  readonly report: FilesReport;
}

export type OpenedFiles =
  | { readonly ok: true; readonly source: Source }
  | { readonly ok: false; readonly problems: readonly FileProblem[] };

/** Milliseconds. A burst of events is one change. */
const BURST = 10;
/** A file that looks the same after this time was written to its end: writers that truncate first pause for less. */
const SETTLE = 50;
/** The same for a file that is gone: some editors delete before they create. */
const SETTLE_GONE = 150;
/** A file that held something and is blank now was most likely caught between truncation and writing. */
const SETTLE_BLANK = 1000;
/** What never comes to rest is taken as it is. */
const CEILING = 3000;
/** Finds what watching doesn't: network file systems, links, a directory made anew. */
const POLL = 2000;
const POLL_IMPAIRED = 250;

/** Reads the directory once. What can't be used at the start is no state to serve from. */
export async function openFiles(options: FilesOptions): Promise<OpenedFiles> {
  const source = new FilesSource(options);
  const problems = await source.open();
  return problems.length > 0 ? { ok: false, problems } : { ok: true, source };
}

/**
 * The objects of a directory, reloaded on change. Where a file can't be used the whole last good state stays: with one
 * file missing, what it guarded might be open.
 */
class FilesSource implements Source {
  readonly #options: FilesOptions;
  readonly #reader: ObjectReader;
  readonly #watcher: DirectoryWatcher;
  #objects: ReadonlyMap<string, SourceObject> = new Map();
  #seen: Tree = { files: new Map(), problems: [], directories: [] };
  #good: Tree = this.#seen;
  #said = '';
  #dirty: () => void = () => {};
  #refreshing: Promise<void> | undefined;
  /** Counts wishes for a look at the directory. */
  #wishes = 0;
  readonly #stopping = new AbortController();
  #poll: NodeJS.Timeout | undefined;

  constructor(options: FilesOptions) {
    this.#options = options;
    this.#reader = new ObjectReader(options.check);
    this.#watcher = watchDirectories(() => this.#wake());
  }

  async open(): Promise<readonly FileProblem[]> {
    const tree = await this.#settledTree();
    const read = await this.#reader.read(tree);
    this.#seen = tree;
    this.#good = tree;
    this.#objects = read.objects;
    return read.problems;
  }

  async start(dirty: () => void): Promise<void> {
    this.#dirty = dirty;
    this.#wake();
    await this.#refreshing;
  }

  objects(): ReadonlyMap<string, SourceObject> {
    return this.#objects;
  }

  changes(): undefined {
    return undefined;
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    clearTimeout(this.#poll);
    this.#watcher.close();
    await this.#refreshing;
  }

  #wake(): void {
    this.#wishes += 1;
    if (this.#stopping.signal.aborted || this.#refreshing !== undefined) return;
    this.#refreshing = this.#refresh().finally(() => {
      this.#refreshing = undefined;
    });
  }

  async #refresh(): Promise<void> {
    clearTimeout(this.#poll);
    let poll = POLL;
    for (let granted = 0; granted !== this.#wishes && !this.#stopping.signal.aborted; ) {
      granted = this.#wishes;
      await sleep(BURST);
      const began = performance.now();
      const tree = await this.#settledTree();
      const watching = await this.#watcher.follow(new Set([this.#options.directory, ...tree.directories]));
      if (!sameTree(tree, this.#seen)) await this.#take(tree);
      poll = watching && this.#said === '' ? Math.max(POLL, 20 * (performance.now() - began)) : POLL_IMPAIRED;
    }
    if (!this.#stopping.signal.aborted) this.#poll = setTimeout(() => this.#wake(), poll);
  }

  /** Reads until two looks at the directory, some time apart, agree or show nothing new. */
  async #settledTree(): Promise<Tree> {
    const began = performance.now();
    let since = began;
    let tree = await readTree([this.#options.directory]);
    while (!sameTree(tree, this.#seen)) {
      const needed = settleTime(tree, this.#good);
      const now = performance.now();
      if (this.#stopping.signal.aborted || now - since >= needed || now - began >= CEILING) break;
      await sleep(SETTLE);
      const next = await readTree([this.#options.directory]);
      if (!sameTree(next, tree)) since = performance.now();
      tree = next;
    }
    return tree;
  }

  async #take(tree: Tree): Promise<void> {
    const read = await this.#reader.read(tree);
    this.#seen = tree;
    const problems = read.problems.map(formatFileProblem).join('\n');
    if (problems !== '') {
      if (problems !== this.#said) this.#options.report.broken(read.problems);
      this.#said = problems;
      return;
    }
    if (this.#said !== '') this.#options.report.mended();
    this.#said = '';
    this.#good = tree;
    this.#objects = read.objects;
    this.#dirty();
  }
}

function sameTree(a: Tree, b: Tree): boolean {
  if (a.files.size !== b.files.size || a.problems.length !== b.problems.length) return false;
  for (const [file, text] of a.files) if (b.files.get(file) !== text) return false;
  return a.problems.every((problem, at) => {
    const other = b.problems[at];
    return other !== undefined && formatFileProblem(problem) === formatFileProblem(other);
  });
}

function settleTime(tree: Tree, before: Tree): number {
  let time = SETTLE;
  for (const [file, text] of before.files) {
    const now = tree.files.get(file);
    if (now === undefined) time = Math.max(time, SETTLE_GONE);
    else if (now.trim() === '' && text.trim() !== '') time = Math.max(time, SETTLE_BLANK);
  }
  return time;
}
