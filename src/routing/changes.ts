import type { Parsed } from '../resources/resource.ts';

/** What was parsed under one id of the source; undefined: nothing of ours is, or was, there. */
export interface ParsedChange {
  readonly before: Parsed | undefined;
  readonly after: Parsed | undefined;
}

/**
 * All objects of one moment, and, by their source's ids, which of them are others than in the moment before. A memory that
 * doesn't know that moment takes all.
 */
export interface ParsedObjects {
  readonly all: { values(): Iterable<Parsed> };
  readonly changes: ReadonlyMap<string, ParsedChange>;
  /** Counts moments, one by one. */
  readonly moment: number;
}

/** Objects that nothing is known of yet. The same object twice is there twice. */
export const parsedObjects = (parsed: Iterable<Parsed>): ParsedObjects => ({
  all: { values: () => parsed },
  changes: new Map(),
  moment: 0,
});
