import type { Command } from '../settings.ts';
import { type Option, SERVE, VALIDATE, variableOf } from './options.ts';

const WIDTH = 100;
const INDENT = 6;

const EXIT_CODES = `Exit codes:
  0  done; of validate: no problems (warnings are none)
  1  problems: objects that are wrong, files that can't be read, an address that is taken
  2  the command line or the environment is wrong
`;

const OVERVIEW = `Postern puts a login in front of services: an OpenID Connect gateway, configured by objects.

Usage:
  postern serve --kubernetes         run the gateway from the objects of a cluster
  postern serve --files DIR          run the gateway from a directory of objects
  postern validate DIR|FILE...       check objects, and show what each Route compiles to
  postern validate --kubernetes DIR|FILE...
                                     the same for manifests, before they are applied to a cluster
  postern version                    print the version
  postern COMMAND --help             all about one command

${EXIT_CODES}`;

const SERVE_INTRO = `Usage: postern serve --kubernetes|--files DIR [flags]

${wrap(
  'Runs the gateway. It reads Services, Routes, plugins (OidcPlugin) and Secrets, serves what they say, and takes over every change within a second. An object that is wrong closes its own place (503) and nothing else; the log says so once, and in a cluster its status does.',
  0,
)}

${wrap(
  'The objects are those of a cluster (--kubernetes, which nobody has to write in a Pod), or YAML and JSON files (--files); there, a file that is not YAML keeps the whole last good state.',
  0,
)}

Every flag can also be set by the environment variable next to it; the flag wins.

`;

const SERVE_OUTRO = `${wrap(
  'SIGTERM or SIGINT (Ctrl-C) ends it: /readyz says no, requests under way may finish, exit code 0. A second one ends it at once.',
  0,
)}

`;

const VALIDATE_INTRO = `Usage: postern validate DIR|FILE... [flags]

${wrap(
  'Checks objects with the same code as the server. Prints every problem with file, line, object, field and what to do, then what each Route compiles to: Protected (by which plugin; by rules, or for any account), Public (everybody, without login) or Denied (503, and why). Directories are read as serve reads them.',
  0,
)}

${wrap('Everything that belongs together has to be named together: a Route whose Service is in another directory refers to nothing.', 0)}

`;

const VERSION_HELP = `Usage: postern version

Prints the version of Postern and of Node.js.

`;

/** What `postern --help` and `postern COMMAND --help` print. */
export function helpText(command: Command | undefined): string {
  switch (command) {
    case undefined:
      return OVERVIEW;
    case 'serve':
      return `${SERVE_INTRO}${flags(SERVE, 'files', 'kubernetes')}${SERVE_OUTRO}${EXIT_CODES}`;
    case 'validate':
      return `${VALIDATE_INTRO}${flags(VALIDATE, 'kubernetes')}${EXIT_CODES}`;
    case 'version':
      return `${VERSION_HELP}${EXIT_CODES}`;
  }
}

/** Those for both first, then those that only mean something with one of `sources`. */
function flags(options: readonly Option[], ...sources: readonly NonNullable<Option['only']>[]): string {
  const of = (only: Option['only']): string =>
    options
      .filter((option) => option.only === only)
      .map(describe)
      .join('');
  const more = sources.map((source) => `\nFlags with --${source}:\n${of(source)}`);
  return `Flags:\n${of(undefined)}${more.join('')}\n`;
}

function describe(option: Option): string {
  const head = `  --${option.flag}${option.value === undefined ? '' : ` ${option.value}`}`;
  const fallback = option.fallback === undefined ? '' : ` Default: ${option.fallback}.`;
  const shell = option.shell === undefined ? '' : `${' '.repeat(INDENT)}To make one: ${option.shell}\n`;
  return `${head.padEnd(WIDTH / 2)} ${variableOf(option.flag)}\n${wrap(option.help + fallback, INDENT)}\n${shell}`;
}

/** Breaks at spaces, so that no line is longer than the width. */
function wrap(text: string, indent: number): string {
  const margin = ' '.repeat(indent);
  const lines: string[] = [];
  let line = margin;
  for (const word of text.split(' ')) {
    if (line.length > indent && line.length + 1 + word.length > WIDTH) {
      lines.push(line);
      line = margin;
    }
    line += line.length > indent ? ` ${word}` : word;
  }
  return [...lines, line].join('\n');
}
