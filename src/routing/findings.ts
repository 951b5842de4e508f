import type { ObjectKey } from '../resources/keys.ts';
import type { Metadata } from '../resources/metadata.ts';
import { type Problem, sentences } from '../resources/problem.ts';
import type { Certificates } from './certificates.ts';
import type { PlacedEntry } from './entries.ts';
import type { Known } from './references.ts';
import type { PlacedDraft, Reservations } from './reserved.ts';
import type { Verdict } from './snapshot.ts';
import type { Warnings } from './warnings.ts';

/** What compiling found, as far as verdicts tell it. */
export interface Findings {
  readonly known: Known;
  readonly placed: readonly PlacedDraft[];
  readonly entries: readonly PlacedEntry[];
  readonly reservations: Reservations;
  readonly certificates: Certificates;
  readonly warnings: Warnings;
}

/** A verdict on an object that says nothing but what `rest` says. */
export function verdict(of: { readonly key: ObjectKey; readonly meta: Metadata }, rest: Partial<Verdict>): Verdict {
  return {
    key: of.key,
    observedGeneration: of.meta.generation,
    conditions: [],
    problems: [],
    warnings: [],
    exposure: undefined,
    authorization: undefined,
    redirectURIs: [],
    routes: undefined,
    ...rest,
  };
}

export const messages = (problems: readonly Problem[]): string => sentences(problems.map(({ message }) => message));
