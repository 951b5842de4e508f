import type { ObjectKey } from '../resources/keys.ts';
import type { Parsed } from '../resources/resource.ts';
import type { Steps } from '../routing/steps.ts';
import type { Origin, SourceObject } from './source.ts';

/** Where a person finds each object, if the source can tell; several places where it is there several times. */
export type Origins = ReadonlyMap<ObjectKey, readonly Origin[]>;

/** Objects that are looked at between two steps, where each was parsed before. */
const STRIDE = 64;

/** Undefined: not one of ours (another kind, another class). Never throws. */
export type Parse = (value: unknown) => Parsed | undefined;

export interface ParsedObjects {
  /** In the source's order; the same object twice is there twice. */
  readonly parsed: readonly Parsed[];
  readonly origins: Origins;
}

/**
 * Parses what a source holds at the first step; what was parsed once in the same version isn't parsed again (A163).
 */
export function createParseMemo(parse: Parse): (objects: ReadonlyMap<string, SourceObject>) => Steps<ParsedObjects> {
  let memo = new Map<string, { readonly version: string; readonly parsed: Parsed | undefined }>();
  return function* (objects) {
    // The source goes on while this waits for its next turn.
    const moment = [...objects];
    const next: typeof memo = new Map();
    const parsed: Parsed[] = [];
    const origins = new Map<ObjectKey, Origin[]>();
    for (const [id, object] of moment) {
      if (next.size % STRIDE === 0) yield;
      let entry = memo.get(id);
      if (entry?.version !== object.version) {
        yield;
        entry = { version: object.version, parsed: parse(object.value) };
      }
      next.set(id, entry);
      if (entry.parsed === undefined) continue;
      parsed.push(entry.parsed);
      const key = entry.parsed.ok ? entry.parsed.value.key : entry.parsed.key;
      if (object.origin === undefined) continue;
      const places = origins.get(key) ?? [];
      origins.set(key, places);
      places.push(object.origin);
    }
    // Only now: if parsing threw, what was known before still is.
    memo = next;
    return { parsed, origins };
  };
}
