import type { z } from 'zod';
import { nearest } from './nearest.ts';
import { isBounded, isPlain, own, type Plain } from './plain.ts';
import type { FieldPath, Problem } from './problem.ts';
import { fieldsAt } from './schema-problems.ts';

/** A value of a schema's shape that was left when what the schema refuses was taken out of another one. */
export interface Remains<T> {
  readonly value: T;
  /**
   * What a check of `value` found, as problems of the original: with the numbers that members of lists have there, and
   * without those that are only there because something was taken out. Paths as the check wrote them, below `prefix`.
   */
  told(problems: readonly Problem[], prefix: FieldPath): readonly Problem[];
}

/** Each round takes out what the one before laid bare; a value within the bounds of our schemas needs two or three. */
const MAX_ROUNDS = 8;
/** What is larger than any object of ours should be isn't looked through again and again (invariant 7). */
const MAX_VALUES = 5000;

/**
 * Takes out of a value all that a schema refuses, so that the rest can be checked too and a person hears of every mistake
 * at once. `standIns`: values for required fields of the outermost object. For messages only: what is left says less, or
 * something else, than what was written, and must never be served. Undefined where nothing useful is left.
 */
export function remainsOf<T>(value: unknown, schema: z.ZodType<T>, standIns: Plain): Remains<T> | undefined {
  if (!isBounded(value, MAX_VALUES)) return undefined;
  const taken = new Taken(schema);
  for (let round = 0; round < MAX_ROUNDS; round++) {
    const rest = taken.from(value);
    if (!isPlain(rest)) return undefined;
    const parsed = schema.safeParse({ ...standInsFor(rest, taken, standIns), ...rest });
    if (parsed.success) return { value: parsed.data, told: (problems, prefix) => taken.told(problems, prefix) };
    for (const issue of parsed.error.issues) if (!taken.takeOut(issue, rest)) return undefined;
  }
  return undefined;
}

/** Comparing names costs; who misspells more fields than this hears of some of them later. */
const MAX_MEANT = 16;

/** Stand-ins count as wrong: nothing that is said of them is about the original. */
function standInsFor(rest: Plain, taken: Taken, standIns: Plain): Plain {
  const missing = Object.entries(standIns).filter(([name]) => own(rest, name) === undefined);
  for (const [name] of missing) taken.wrong.push([name]);
  return Object.fromEntries(missing);
}

/** What was taken out, by its path in the original. */
class Taken {
  /** Fields with wrong values, and those that a misspelt one was meant for. */
  readonly wrong: FieldPath[] = [];
  readonly #schema: z.ZodType;
  readonly #out = new Set<string>();
  /** Of lists that lost members, by their path in what is left: the number in the original of each member. */
  #numbers = new Map<string, readonly number[]>();

  constructor(schema: z.ZodType) {
    this.#schema = schema;
  }

  from(value: unknown): unknown {
    this.#numbers = new Map();
    return this.#copy(value, [], []);
  }

  #copy(value: unknown, path: FieldPath, shorter: FieldPath): unknown {
    if (Array.isArray(value)) {
      const members: readonly unknown[] = value;
      const kept = [...members.keys()].filter((at) => !this.#out.has(keyOf([...path, at])));
      this.#numbers.set(keyOf(shorter), kept);
      return kept.map((at, now) => this.#copy(members[at], [...path, at], [...shorter, now]));
    }
    if (!isPlain(value)) return value;
    const fields = Object.entries(value).filter(([name]) => !this.#out.has(keyOf([...path, name])));
    return Object.fromEntries(
      fields.map(([name, field]) => [name, this.#copy(field, [...path, name], [...shorter, name])]),
    );
  }

  /** What is missing takes what it is missing in with it. False: that would be everything. */
  takeOut(issue: z.core.$ZodIssue, rest: Plain): boolean {
    const at = issue.path.map((part) => (typeof part === 'number' ? part : String(part)));
    if (issue.code === 'unrecognized_keys') {
      const object = this.#original(at);
      const fields = fieldsAt(this.#schema, at);
      for (const [index, name] of issue.keys.entries()) {
        this.#out.add(keyOf([...object, name]));
        const meant = index < MAX_MEANT ? nearest(name, fields) : undefined;
        if (meant !== undefined) this.wrong.push([...object, meant]);
      }
      return true;
    }
    const there = at.length > 0 && valueAt(rest, at) !== undefined;
    const path = this.#original(there ? at : at.slice(0, -1));
    if (path.length === 0) return false;
    this.#out.add(keyOf(path));
    this.wrong.push(path);
    return true;
  }

  told(problems: readonly Problem[], prefix: FieldPath): readonly Problem[] {
    return problems.flatMap((problem) => {
      const path = this.#original(problem.path.slice(prefix.length));
      // A whole that lacks something is told of only where it lacks nothing that was taken out.
      const owed = this.wrong.some((wrong) => path.length === 0 || isBelow(path, wrong));
      return owed ? [] : { ...problem, path: [...prefix, ...path] };
    });
  }

  #original(path: FieldPath): FieldPath {
    return path.map((part, at) =>
      typeof part === 'number' ? (this.#numbers.get(keyOf(path.slice(0, at)))?.[part] ?? part) : part,
    );
  }
}

const keyOf = (path: FieldPath): string => JSON.stringify(path);
const isBelow = (path: FieldPath, above: FieldPath): boolean => above.every((part, at) => path[at] === part);

function valueAt(value: unknown, path: FieldPath): unknown {
  let here = value;
  for (const part of path) {
    if (typeof part === 'string') here = own(here, part);
    else if (Array.isArray(here)) here = here[part];
    else return undefined;
  }
  return here;
}
