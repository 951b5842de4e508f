import { setImmediate as nextTurn } from 'node:timers/promises';
import type { SourceObject } from '../../control/source.ts';
import { type ReadChunk, readChunk, splitDocuments } from './document.ts';
import type { FileProblem, ObjectCheck } from './problem.ts';
import { readTree, type Tree } from './walk.ts';

const MAX_OBJECTS = 50_000;
/** Longest stretch of parsing, in milliseconds, before requests get their turn. */
const TURN = 10;

export interface ReadObjects {
  /** By `file#n`, n counting the objects of a file from 0. Without those of files that have a problem. */
  readonly objects: ReadonlyMap<string, SourceObject>;
  readonly problems: readonly FileProblem[];
}

/** Objects of files and of directories, for those who ask once (`postern validate`). Never rejects for what is on disk. */
export async function readObjects(paths: readonly string[], check: ObjectCheck): Promise<ReadObjects> {
  return await new ObjectReader(check).read(await readTree(paths));
}

/** Reads trees again and again; a document that it saw in the tree before isn't parsed again, wherever it stands now. */
export class ObjectReader {
  readonly #check: ObjectCheck;
  #known: ReadonlyMap<string, ReadChunk> = new Map();

  constructor(check: ObjectCheck) {
    this.#check = check;
  }

  async read(tree: Tree): Promise<ReadObjects> {
    const objects = new Map<string, SourceObject>();
    const problems: FileProblem[] = [...tree.problems];
    const known = new Map<string, ReadChunk>();
    let turnEnds = performance.now() + TURN;
    for (const [file, text] of tree.files) {
      let count = 0;
      for (const chunk of splitDocuments(text)) {
        const read = known.get(chunk.text) ?? this.#known.get(chunk.text) ?? readChunk(chunk.text, this.#check);
        known.set(chunk.text, read);
        if (read.ok) {
          for (const { value, version, line } of read.objects) {
            const origin = { file, line: (path: Parameters<typeof line>[0]) => chunk.line + line(path) };
            objects.set(`${file}#${count++}`, { value, version, origin });
          }
        } else {
          for (const { line, message } of read.problems) problems.push({ file, line: chunk.line + line, message });
        }
        if (performance.now() > turnEnds) {
          await nextTurn();
          turnEnds = performance.now() + TURN;
        }
      }
    }
    if (objects.size > MAX_OBJECTS) {
      const file = [...tree.files.keys()].at(-1) ?? '';
      problems.push({ file, line: undefined, message: `there are more than ${MAX_OBJECTS} objects` });
    }
    this.#known = known;
    return { objects, problems };
  }
}
