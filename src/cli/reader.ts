import { type Arguments, type Environment, readArguments } from './arguments.ts';
import { type Option, variableOf } from './option.ts';
import { SERVE, VALIDATE } from './options.ts';
import { type Endpoint, oneOf, type Reading } from './values.ts';

/** Takes values one by one and remembers everything that is wrong. */
export class Reader {
  readonly problems: string[];
  readonly #arguments: Arguments;

  constructor(args: readonly string[], environment: Environment, options: readonly Option[]) {
    this.#arguments = readArguments(args, environment, options, [...SERVE, ...VALIDATE]);
    this.problems = [...this.#arguments.problems];
  }

  get positionals(): readonly string[] {
    return this.#arguments.positionals;
  }

  /** `--listen` or `POSTERN_LISTEN`; undefined where it isn't written. */
  where(flag: string): string | undefined {
    return this.#arguments.values.get(flag)?.where;
  }

  value<T>(flag: string, read: (text: string) => Reading<T>, fallback: T): T {
    const written = this.#arguments.values.get(flag);
    if (written === undefined) return fallback;
    const reading = read(written.text);
    if (reading.ok) return reading.value;
    this.problems.push(`${written.where}: ${JSON.stringify(written.text)} can't be used: write ${reading.write}`);
    return fallback;
  }

  required(flag: string, read: (text: string) => Reading<string>, what: string): string {
    if (this.where(flag) === undefined) this.missing(flag, what);
    return this.value(flag, read, '');
  }

  missing(flag: string, what: string): void {
    const complained = this.problems.some((problem) => problem.startsWith(`--${flag}:`));
    if (!complained) this.problems.push(`--${flag}: this is missing: write ${what} (or set ${variableOf(flag)})`);
  }

  /** A flag that is written alone. */
  flag(flag: string): boolean | undefined {
    const word = this.value<'true' | 'false' | undefined>(flag, oneOf('true', 'false'), undefined);
    return word === undefined ? undefined : word === 'true';
  }

  noPositionals(hint: string): void {
    for (const written of this.positionals) this.problems.push(`${written}: nothing is expected here; ${hint}`);
  }

  /** What would be read by nobody is an error, so that nobody relies on it. */
  only(origin: 'files' | 'kubernetes', options: readonly Option[]): void {
    for (const { flag, only } of options) {
      const where = this.where(flag);
      if (where !== undefined && only !== undefined && only !== origin)
        this.problems.push(`${where}: this is for --${only} and does nothing with --${origin}: leave it out`);
    }
  }

  different(listeners: readonly (readonly [string, Endpoint | undefined])[]): void {
    for (const [at, [flag, one]] of listeners.entries())
      for (const [otherFlag, other] of listeners.slice(at + 1))
        if (one !== undefined && one.host === other?.host && one.port === other.port)
          this.problems.push(`--${otherFlag}: ${one.host}:${one.port} is that of --${flag}: write another port`);
  }
}
