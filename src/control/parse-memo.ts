import type { ObjectKey } from '../resources/keys.ts';
import type { Parsed } from '../resources/resource.ts';
import type { ParsedChange, ParsedObjects } from '../routing/changes.ts';
import { headOf } from '../routing/indexed.ts';
import type { Steps } from '../routing/steps.ts';
import type { Origin, Source, SourceObject } from './source.ts';

/** Where a person finds each object, if the source can tell; several places where it is there several times. */
export type Origins = ReadonlyMap<ObjectKey, readonly Origin[]>;

/** Objects that are looked at between two steps, where each was parsed before. */
const STRIDE = 128;

/** Undefined: not one of ours (another kind, another class). Never throws. */
export type Parse = (value: unknown) => Parsed | undefined;

export interface Parsing {
  readonly objects: ParsedObjects;
  readonly origins: Origins;
}

interface Entry {
  readonly version: string;
  readonly origin: Origin | undefined;
  readonly parsed: Parsed | undefined;
}

/**
 * Parses what a source holds at the first step: only what it says is another, and of that only what has another version
 * (A163). What is given is true until the next run begins.
 */
export function createParseMemo(parse: Parse): (source: Pick<Source, 'objects' | 'changes'>) => Steps<Parsing> {
  const entries = new Map<string, Entry>();
  const origins = new Map<ObjectKey, readonly Origin[]>();
  const all = { values: () => parsedOf(entries) };
  let moment = 0;
  /** Since the last run that came to its end. */
  let changes = new Map<string, ParsedChange>();
  /** The run before came to its end, so that only what the source says is another has to be looked at. */
  let whole = false;

  return function* (source) {
    const ids = source.changes();
    // The source goes on while this waits for its next turn.
    const now = whole && ids !== undefined ? membersOf(source.objects(), ids) : [...source.objects()];
    const gone = whole && ids !== undefined ? [] : missingIn(source.objects(), entries);
    // What was parsed in a run that failed on its way is told by the next.
    if (whole) changes = new Map();
    whole = false;
    // Whoever remembers the moment before a run that failed isn't told what changed in it.
    moment += 1;
    const put = (id: string, entry: Entry | undefined): void => {
      const before = entries.get(id);
      if (entry === undefined) entries.delete(id);
      else entries.set(id, entry);
      move(origins, before, entry);
      noteChange(changes, id, { before: before?.parsed, after: entry?.parsed });
    };
    let looked = 0;
    for (const [id, object] of [...now, ...gone]) {
      if (looked++ % STRIDE === 0) yield;
      const before = entries.get(id);
      if (object === undefined) put(id, undefined);
      else if (before?.version !== object.version) {
        yield;
        put(id, { version: object.version, origin: object.origin, parsed: parse(object.value) });
      } else if (before.origin !== object.origin) put(id, { ...before, origin: object.origin });
    }
    whole = true;
    return { objects: { all, changes, moment }, origins };
  };
}

/** What is as it was before all of it is no change any more, as of an object that came and went. */
export function noteChanges(noted: Map<string, ParsedChange>, changes: ReadonlyMap<string, ParsedChange>): void {
  for (const [id, change] of changes) noteChange(noted, id, change);
}

function noteChange(noted: Map<string, ParsedChange>, id: string, change: ParsedChange): void {
  const { before } = noted.get(id) ?? change;
  if (before === change.after) noted.delete(id);
  else noted.set(id, { before, after: change.after });
}

type Member = readonly [string, SourceObject | undefined];

const membersOf = (objects: ReadonlyMap<string, SourceObject>, ids: Iterable<string>): readonly Member[] =>
  Array.from(ids, (id) => [id, objects.get(id)]);

const missingIn = (
  objects: ReadonlyMap<string, SourceObject>,
  entries: ReadonlyMap<string, Entry>,
): readonly Member[] => [...entries.keys()].flatMap((id) => (objects.has(id) ? [] : [[id, undefined]]));

function* parsedOf(entries: ReadonlyMap<string, Entry>): Generator<Parsed> {
  for (const { parsed } of entries.values()) if (parsed !== undefined) yield parsed;
}

function move(origins: Map<ObjectKey, readonly Origin[]>, before: Entry | undefined, after: Entry | undefined): void {
  const [from, to] = [before?.parsed && headOf(before.parsed).key, after?.parsed && headOf(after.parsed).key];
  if (from !== undefined && before?.origin !== undefined) {
    const left = (origins.get(from) ?? []).filter((origin) => origin !== before.origin);
    if (left.length === 0) origins.delete(from);
    else origins.set(from, left);
  }
  if (to !== undefined && after?.origin !== undefined) origins.set(to, [...(origins.get(to) ?? []), after.origin]);
}
