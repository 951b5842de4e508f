import type { Problem } from '../../resources/problem.ts';

/** Why a file can't be used at all: it can't be read, isn't YAML, or holds an object that can't be told apart. */
export interface FileProblem {
  readonly file: string;
  /** From 1; undefined where the file as a whole is meant. */
  readonly line: number | undefined;
  /** What is wrong and what to do, one sentence. */
  readonly message: string;
}

/** `dir/route.yaml:3: not YAML: ...`, the form that editors and terminals make a link of. */
export const formatFileProblem = (problem: FileProblem): string =>
  `${problem.file}${problem.line === undefined ? '' : `:${problem.line}`}: ${problem.message}`;

/**
 * Says why an object can't be told apart from others (its kind, namespace or name can't be read), which makes its file
 * count as one that isn't YAML. Undefined for every other object, valid, invalid or not ours. Doesn't throw.
 */
export type ObjectCheck = (value: unknown) => Problem | undefined;
