/** One setting: a flag, the environment variable of the same name, and what `--help` says of it. */
export interface Option {
  /** Without dashes. The variable is `POSTERN_` and this in upper case with underscores. */
  readonly flag: string;
  /** Placeholder of the value in `--help`; undefined: the flag alone means yes (the variable: `true` or `false`). */
  readonly value: string | undefined;
  /** Sentences for somebody who sees it for the first time. */
  readonly help: string;
  /** As written in `--help`; undefined where there is none. */
  readonly fallback: string | undefined;
  /** Where the objects have to come from for it to mean anything; undefined: both. */
  readonly only?: 'files' | 'kubernetes';
  /** A line for a shell that makes what is needed; printed on a line of its own, to be copied. */
  readonly shell?: string;
}

export const option = (
  flag: string,
  value: string | undefined,
  fallback: string | undefined,
  help: string,
): Option => ({
  flag,
  value,
  help,
  fallback,
});

export const variableOf = (flag: string): string => `POSTERN_${flag.toUpperCase().replaceAll('-', '_')}`;
