import type { z } from 'zod';
import type { Identity } from './object-identity.ts';
import { isBounded, own } from './plain.ts';
import { type Problem, problem } from './problem.ts';
import type { Claim, Parsed } from './resource.ts';
import { schemaProblems } from './schema-problems.ts';

export interface ReadSpec<Spec> {
  /** Undefined where it isn't of the schema's shape. */
  readonly spec: Spec | undefined;
  readonly problems: readonly Problem[];
}

/** The first step of parsing: the shape. What schemas can't say is checked by who calls. */
export function readSpec<Spec>(identity: Identity, schema: z.ZodType<Spec>): ReadSpec<Spec> {
  const value = own(identity.object, 'spec');
  const tooLarge = sizeProblem(value);
  if (tooLarge !== undefined) return { spec: undefined, problems: [tooLarge] };
  const parsed = schema.safeParse(value);
  return parsed.success
    ? { spec: parsed.data, problems: [] }
    : { spec: undefined, problems: schemaProblems(parsed.error, ['spec'], schema) };
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
