import { type Arguments, type Environment, readArguments } from './cli/arguments.ts';
import { type Option, SERVE, VALIDATE, variableOf } from './cli/options.ts';
import * as values from './cli/values.ts';
import { type Milliseconds, milliseconds } from './resources/duration.ts';
import type { ExternalAddress } from './resources/external.ts';
import { DEFAULT_CLASS } from './resources/metadata.ts';
import { nearest } from './resources/nearest.ts';

/** Everything that the process was told at its start. Frozen. */
export type Settings = ServeSettings | ValidateSettings | VersionSettings | HelpSettings;

export interface ServeSettings {
  readonly command: 'serve';
  readonly files: string;
  readonly listen: values.Endpoint;
  readonly admin: values.Endpoint;
  /** Undefined: off. Always a loopback address. */
  readonly debug: values.Endpoint | undefined;
  readonly external: ExternalAddress;
  /** Names, or prefixes that end in `*`. */
  readonly identityHeaders: readonly string[];
  readonly keysFile: string | undefined;
  readonly class: string;
  readonly logLevel: 'debug' | 'info' | 'warn' | 'error';
  readonly logFormat: 'json' | 'text';
  /** Whether text may be coloured: on a terminal, and NO_COLOR isn't set. */
  readonly colour: boolean;
  readonly grace: Milliseconds;
  readonly drain: Milliseconds;
}

export interface ValidateSettings {
  readonly command: 'validate';
  readonly paths: readonly string[];
  readonly output: 'text' | 'json';
  readonly class: string;
  readonly external: ExternalAddress;
  readonly identityHeaders: readonly string[];
  readonly colour: boolean;
}

export interface VersionSettings {
  readonly command: 'version';
}

export interface HelpSettings {
  readonly command: 'help';
  readonly of: Command | undefined;
}

export const COMMANDS = ['serve', 'validate', 'version'] as const;
export type Command = (typeof COMMANDS)[number];

export type ReadSettings =
  | { readonly ok: true; readonly settings: Settings }
  | { readonly ok: false; readonly command: Command | undefined; readonly problems: readonly string[] };

/** `terminal`: whether standard output is one. The only reader of the environment. */
export function readSettings(
  args: readonly string[],
  terminal: boolean,
  environment: Environment = process.env,
): ReadSettings {
  const [first, ...rest] = args;
  const colour = terminal && (environment['NO_COLOR'] ?? '') === '';
  if (first === undefined || first === 'help' || isHelp(first))
    return done({ command: 'help', of: commandOf(rest[0]) });
  if (first === '--version') return done({ command: 'version' });
  const command = commandOf(first);
  if (command === undefined) {
    const meant = nearest(first, COMMANDS);
    const hint = meant === undefined ? `write one of ${COMMANDS.join(', ')}` : `did you mean ${meant}?`;
    return { ok: false, command, problems: [`${first}: there is no such command; ${hint}`] };
  }
  const end = rest.indexOf('--');
  if (rest.slice(0, end < 0 ? undefined : end).some(isHelp)) return done({ command: 'help', of: command });
  const reader = new Reader(rest, environment, OPTIONS[command]);
  const settings = READ[command](reader, { terminal, colour });
  return reader.problems.length > 0 ? { ok: false, command, problems: reader.problems } : done(settings);
}

const OPTIONS: Readonly<Record<Command, readonly Option[]>> = { serve: SERVE, validate: VALIDATE, version: [] };

interface Output {
  readonly terminal: boolean;
  readonly colour: boolean;
}

const READ: Readonly<Record<Command, (reader: Reader, output: Output) => Settings>> = {
  serve: readServe,
  validate: readValidate,
  version(reader) {
    reader.noPositionals('version takes none');
    return { command: 'version' };
  },
};

function readServe(reader: Reader, output: Output): ServeSettings {
  reader.noPositionals('the directory of the objects is named with --files DIR');
  const listen = reader.value('listen', values.endpoint, { host: '127.0.0.1', port: 8080 });
  const settings: ServeSettings = {
    command: 'serve',
    files: reader.required('files', values.path, 'the directory of the objects'),
    listen,
    admin: reader.value('admin', values.endpoint, { host: '127.0.0.1', port: 9090 }),
    debug: reader.value('debug', values.loopbackEndpoint, { host: '127.0.0.1', port: 9091 }),
    external: readExternal(reader, listen.port),
    identityHeaders: reader.value('identity-headers', values.headerNames, []),
    keysFile: reader.value<string | undefined>('keys-file', values.path, undefined),
    class: reader.value('class', values.className, DEFAULT_CLASS),
    logLevel: reader.value('log-level', values.oneOf('debug', 'info', 'warn', 'error'), 'info'),
    logFormat: reader.value('log-format', values.oneOf('json', 'text'), output.terminal ? 'text' : 'json'),
    colour: output.colour,
    grace: reader.value('grace', values.duration, DEFAULT_GRACE),
    drain: reader.value('drain', values.duration, DEFAULT_DRAIN),
  };
  reader.different([
    ['listen', settings.listen],
    ['admin', settings.admin],
    ['debug', settings.debug],
  ]);
  return settings;
}

function readValidate(reader: Reader, output: Output): ValidateSettings {
  const paths = reader.positionals;
  if (paths.length === 0)
    reader.problems.push('validate: name the directory or the files to check: postern validate DIR');
  return {
    command: 'validate',
    paths,
    output: reader.value('output', values.oneOf('text', 'json'), 'text'),
    class: reader.value('class', values.className, DEFAULT_CLASS),
    external: readExternal(reader, 8080),
    identityHeaders: reader.value('identity-headers', values.headerNames, []),
    colour: output.colour,
  };
}

/** Where https is spoken, somebody else ends TLS, and at the usual port. */
function readExternal(reader: Reader, ownPort: number): ExternalAddress {
  const scheme = reader.value('external-scheme', values.oneOf('http', 'https'), 'http');
  return { scheme, port: reader.value('external-port', values.port, scheme === 'https' ? 443 : ownPort) };
}

/** Takes values one by one and remembers everything that is wrong. */
class Reader {
  readonly problems: string[];
  readonly #arguments: Arguments;

  constructor(args: readonly string[], environment: Environment, options: readonly Option[]) {
    this.#arguments = readArguments(args, environment, options, [...SERVE, ...VALIDATE]);
    this.problems = [...this.#arguments.problems];
  }

  get positionals(): readonly string[] {
    return this.#arguments.positionals;
  }

  value<T>(flag: string, read: (text: string) => values.Reading<T>, fallback: T): T {
    const written = this.#arguments.values.get(flag);
    if (written === undefined) return fallback;
    const reading = read(written.text);
    if (reading.ok) return reading.value;
    this.problems.push(`${written.where}: ${JSON.stringify(written.text)} can't be used: write ${reading.write}`);
    return fallback;
  }

  required(flag: string, read: (text: string) => values.Reading<string>, what: string): string {
    const complained = this.problems.some((problem) => problem.startsWith(`--${flag}:`));
    if (!this.#arguments.values.has(flag) && !complained)
      this.problems.push(`--${flag}: this is missing: write ${what} (or set ${variableOf(flag)})`);
    return this.value(flag, read, '');
  }

  noPositionals(hint: string): void {
    for (const written of this.positionals) this.problems.push(`${written}: nothing is expected here; ${hint}`);
  }

  different(listeners: readonly (readonly [string, values.Endpoint | undefined])[]): void {
    for (const [at, [flag, one]] of listeners.entries())
      for (const [otherFlag, other] of listeners.slice(at + 1))
        if (one !== undefined && one.host === other?.host && one.port === other.port)
          this.problems.push(`--${otherFlag}: ${one.host}:${one.port} is that of --${flag}: write another port`);
  }
}

const DEFAULT_GRACE = milliseconds(0);
const DEFAULT_DRAIN = milliseconds(30_000);

const isHelp = (word: string): boolean => word === '--help' || word === '-h';
const commandOf = (word: string | undefined): Command | undefined => COMMANDS.find((command) => command === word);
const done = (settings: Settings): ReadSettings => ({ ok: true, settings: Object.freeze(settings) });
