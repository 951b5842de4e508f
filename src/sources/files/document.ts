import { createHash } from 'node:crypto';
import { isAlias, isMap, isNode, isScalar, isSeq, LineCounter } from 'yaml';
import type { FieldPath } from '../../resources/problem.ts';
import { compose, faultOf, toValue } from './compose.ts';
import type { ObjectCheck } from './problem.ts';

/** Part of a file between two `---` lines. */
export interface Chunk {
  readonly text: string;
  /** Line of the file (from 1) at which it begins. */
  readonly line: number;
}

/** Lines are counted from 0 at the beginning of the chunk, so that a chunk which only moved needn't be read again. */
export interface ChunkObject {
  readonly value: unknown;
  readonly version: string;
  line(path: FieldPath): number;
}

export interface ChunkProblem {
  readonly line: number;
  readonly message: string;
}

export type ReadChunk =
  | { readonly ok: true; readonly objects: readonly ChunkObject[] }
  | { readonly ok: false; readonly problems: readonly ChunkProblem[] };

const MAX_LIST_NESTING = 4;

/**
 * Cuts a stream into its documents. A line that begins with `---` ends a document wherever it stands, inside of block
 * and quoted scalars too (YAML 1.2.2, section 9.1.2, c-forbidden), so this needs no parser.
 */
export function splitDocuments(text: string): readonly Chunk[] {
  const chunks: Chunk[] = [];
  let line = 1;
  for (const part of text.split(/^(?=---(?:[ \t\r\n]|$))/m)) {
    chunks.push({ text: part, line });
    line += part.split('\n').length - 1;
  }
  return chunks;
}

/** YAML 1.2 core schema, of which JSON is a part. No merge keys, no custom tags, no directives, bounded aliases. */
export function readChunk(text: string, check: ObjectCheck): ReadChunk {
  try {
    return read(text, check);
  } catch (error) {
    // The composer is recursive, so hostile nesting can use up the stack.
    if (error instanceof RangeError) return failed(0, 'this is nested too deeply');
    throw error;
  }
}

function read(text: string, check: ObjectCheck): ReadChunk {
  const lines = new LineCounter();
  // In the documents that are read here, mappings, no content can stand in the first column and begin with a percent sign.
  const directive = text.split('\n').findIndex((line) => line.startsWith('%'));
  if (directive >= 0) return failed(directive, 'directives (%YAML, %TAG) are not used here: remove this line');
  const documents = compose(text, lines);
  const problems: ChunkProblem[] = [];
  const objects: ChunkObject[] = [];
  const version = createHash('sha256').update(text).digest('hex').slice(0, 32);
  for (const [at, document] of documents.entries()) {
    const fault = faultOf(document);
    if (fault !== undefined) {
      problems.push({ line: lineAt(lines, fault.offset), message: fault.message });
      continue;
    }
    const value = toValue(document);
    if (!value.ok) problems.push({ line: lineAt(lines, document.range[0]), message: value.message });
    else if (value.value !== null) {
      for (const { path, value: item } of items(value.value, [], MAX_LIST_NESTING)) {
        const line = (field: FieldPath): number => lineOf(text, at, [...path, ...field]);
        if (typeof item !== 'object' || item === null || Array.isArray(item)) {
          problems.push({ line: line([]), message: 'this is no object: write apiVersion, kind, metadata and spec' });
          continue;
        }
        const unreadable = check(item);
        if (unreadable === undefined) objects.push({ value: item, version: `${version}-${objects.length}`, line });
        else problems.push({ line: line(unreadable.path), message: unreadable.message });
      }
    }
  }
  return problems.length > 0 ? { ok: false, problems } : { ok: true, objects };
}

const failed = (line: number, message: string): ReadChunk => ({ ok: false, problems: [{ line, message }] });

interface Item {
  readonly path: FieldPath;
  readonly value: unknown;
}

/** The members of a `kind: List`, as `kubectl get -o yaml` writes it; any other object is itself the one item. */
function items(value: unknown, path: FieldPath, depth: number): readonly Item[] {
  if (depth === 0 || !isList(value)) return [{ path, value }];
  return value.items.flatMap((item, at) => items(item, [...path, 'items', at], depth - 1));
}

function isList(value: unknown): value is { readonly items: readonly unknown[] } {
  if (typeof value !== 'object' || value === null) return false;
  const list: { apiVersion?: unknown; kind?: unknown; items?: unknown } = value;
  return list.apiVersion === 'v1' && list.kind === 'List' && Array.isArray(list.items);
}

const lineAt = (lines: LineCounter, offset: number): number => Math.max(0, lines.linePos(offset).line - 1);

interface Recomposed {
  readonly text: string;
  readonly documents: ReturnType<typeof compose>;
  readonly lines: LineCounter;
}

/** The text that was composed again last, for as long as the collector leaves it there. */
let last: WeakRef<Recomposed> | undefined;

/**
 * Lines are asked for only where there is a problem, and keeping every node would cost memory for ever, so the text is
 * composed again; once for all problems that are told in one go, for a List may have thousands.
 */
function recompose(text: string): Recomposed {
  const known = last?.deref();
  if (known?.text === text) return known;
  const lines = new LineCounter();
  const recomposed = { text, documents: compose(text, lines), lines };
  last = new WeakRef(recomposed);
  return recomposed;
}

function lineOf(text: string, at: number, path: FieldPath): number {
  const { documents, lines } = recompose(text);
  const document = documents[at];
  let node: unknown = document?.contents;
  let offset = isNode(node) ? (node.range?.[0] ?? 0) : 0;
  for (const part of path) {
    if (isAlias(node) && document !== undefined) node = node.resolve(document);
    if (isMap(node)) {
      const pair = node.items.find((item) => isScalar(item.key) && item.key.value === String(part));
      if (pair === undefined) break;
      if (isNode(pair.key)) offset = pair.key.range?.[0] ?? offset;
      node = pair.value;
    } else if (isSeq(node) && typeof part === 'number') {
      node = node.items[part];
      if (!isNode(node)) break;
      offset = node.range?.[0] ?? offset;
    } else break;
  }
  return lineAt(lines, offset);
}
