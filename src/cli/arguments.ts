import { nearest } from '../resources/nearest.ts';
import { type Option, variableOf } from './option.ts';

/** What was written, and where, for the words of a complaint. */
export interface Written {
  readonly text: string;
  /** `--listen` or `POSTERN_LISTEN`. */
  readonly where: string;
}

export interface Arguments {
  /** By flag. */
  readonly values: ReadonlyMap<string, Written>;
  readonly positionals: readonly string[];
  readonly problems: readonly string[];
}

export type Environment = Readonly<Record<string, string | undefined>>;

/** Kubernetes puts these into every container, for a Service named `postern` or `postern-…` of the namespace. */
const SERVICE_LINK = /_SERVICE_(HOST|PORT)(_[A-Z0-9_]+)?$|_PORT(_[0-9]+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)?$/;

/** Flags win over variables; an empty variable is an unset one. Collects everything that is wrong. */
export function readArguments(
  args: readonly string[],
  environment: Environment,
  options: readonly Option[],
  allOptions: readonly Option[],
): Arguments {
  const values = new Map<string, Written>();
  const problems: string[] = [];
  for (const [variable, text] of Object.entries(environment)) {
    if (!variable.startsWith('POSTERN_') || text === undefined || text === '') continue;
    const option = options.find(({ flag }) => variableOf(flag) === variable);
    if (option !== undefined) values.set(option.flag, { text, where: variable });
    else if (!SERVICE_LINK.test(variable) && !allOptions.some(({ flag }) => variableOf(flag) === variable))
      problems.push(
        unknown(
          variable,
          allOptions.map(({ flag }) => variableOf(flag)),
          'variable',
        ),
      );
  }
  const positionals: string[] = [];
  const given = new Set<string>();
  for (let at = 0; at < args.length; at++) {
    const argument = args[at] ?? '';
    if (argument === '--') {
      positionals.push(...args.slice(at + 1));
      break;
    }
    if (!argument.startsWith('-') || argument === '-') {
      positionals.push(argument);
      continue;
    }
    const [name = '', inline] = cut(argument);
    const option = options.find(({ flag }) => `--${flag}` === name);
    if (option === undefined) {
      problems.push(unknown(name, [...options.map(({ flag }) => `--${flag}`), '--help'], 'flag'));
      // Its value, most likely.
      if (inline === undefined && args[at + 1]?.startsWith('-') === false) at += 1;
      continue;
    }
    const next = option.value === undefined ? 'true' : args[at + 1];
    if (inline === undefined && (next === undefined || next.startsWith('--'))) {
      problems.push(`${name}: write a value after it: ${name} ${option.value}`);
      continue;
    }
    if (inline === undefined && option.value !== undefined) at += 1;
    if (given.has(name)) problems.push(`${name}: this is here twice: write it once`);
    given.add(name);
    values.set(option.flag, { text: inline ?? next ?? '', where: name });
  }
  return { values, positionals, problems };
}

function cut(argument: string): readonly [string, string?] {
  const at = argument.indexOf('=');
  return at < 0 ? [argument] : [argument.slice(0, at), argument.slice(at + 1)];
}

function unknown(written: string, known: readonly string[], what: string): string {
  const meant = nearest(written, known);
  return `${written}: there is no such ${what}${meant === undefined ? '' : `; did you mean ${meant}?`}`;
}
