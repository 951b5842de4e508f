import type { z } from 'zod';
import type { Identity } from './object-identity.ts';
import { isBounded, own, type Plain } from './plain.ts';
import { type Problem, problem } from './problem.ts';
import { remainsOf } from './remains.ts';
import type { Claim, Parsed } from './resource.ts';
import { schemaProblems } from './schema-problems.ts';

export interface ReadSpec<Spec> {
  /** Whether `spec` is what was written. Otherwise it is what is left of it, and there are problems. */
  readonly whole: boolean;
  /** Undefined where nothing is left that could be checked. */
  readonly spec: Spec | undefined;
  readonly problems: readonly Problem[];
  /** Problems that checking `spec` gave, as problems of what was written. */
  told(problems: readonly Problem[]): readonly Problem[];
}

/**
 * The first step of parsing: the shape. What schemas can't say is checked by who calls. `standIns`: for required fields,
 * so that the rest of an object in which they are missing can be checked.
 */
export function readSpec<Spec>(identity: Identity, schema: z.ZodType<Spec>, standIns: Plain = {}): ReadSpec<Spec> {
  const value = own(identity.object, 'spec');
  const tooLarge = sizeProblem(value);
  if (tooLarge !== undefined) return { whole: false, spec: undefined, problems: [tooLarge], told: () => [] };
  const parsed = schema.safeParse(value);
  if (parsed.success) return { whole: true, spec: parsed.data, problems: [], told: (problems) => problems };
  const remains = remainsOf(value, schema, standIns);
  return {
    whole: false,
    spec: remains?.value,
    problems: schemaProblems(parsed.error, ['spec'], schema),
    told: (problems) => remains?.told(problems, ['spec']) ?? [],
  };
}

export function sizeProblem(spec: unknown): Problem | undefined {
  return isBounded(spec)
    ? undefined
    : problem('Invalid', ['spec'], 'is too large or too deeply nested; split the object');
}

export function invalidObject(identity: Identity, problems: readonly Problem[], claim: Claim): Parsed {
  const { key, name, meta } = identity;
  return { ok: false, key, name, meta, problems, claim };
}
