import type { FieldPath } from '../resources/problem.ts';

/** An object as its source has it: not parsed, not believed. */
export interface SourceObject {
  /** The whole object: apiVersion, kind, metadata, spec. */
  readonly value: unknown;
  /** Another text whenever `value` is another: what was parsed once isn't parsed again. */
  readonly version: string;
  /** Where a person finds it; undefined on an API server. */
  readonly origin: Origin | undefined;
}

export interface Origin {
  readonly file: string;
  /** Line (from 1) of the field, or of the nearest field around it that is written down. */
  line(path: FieldPath): number;
}

/** Where objects come from. Ids are the source's own and only have to be stable. */
export interface Source {
  /** `dirty` can be called at any time, any number of times, and doesn't throw. Resolves when everything was read once. */
  start(dirty: () => void): Promise<void>;
  objects(): ReadonlyMap<string, SourceObject>;
  /** Ids that were put or removed since this was asked last; undefined: any may have been. */
  changes(): ReadonlySet<string> | undefined;
  stop(): Promise<void>;
}
