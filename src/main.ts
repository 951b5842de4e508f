#!/usr/bin/env node
import { isatty } from 'node:tty';
import { helpText } from './cli/help.ts';
import { outliveReaders } from './cli/lifecycle.ts';
import { serve } from './cli/serve.ts';
import { validate } from './cli/validate.ts';
import { VERSION } from './cli/version.ts';
import { PLUGIN_KINDS } from './plugins/kinds.ts';
import { readSettings, type Settings } from './settings.ts';

/** The command line: gives the exit code (docs: 0 done, 1 problems, 2 wrong usage). */
async function main(args: readonly string[]): Promise<number> {
  outliveReaders();
  const read = readSettings(args, isatty(1));
  if (read.ok) return await run(read.settings);
  const help = `postern ${read.command === undefined ? '' : `${read.command} `}--help`;
  process.stderr.write(`${read.problems.map((problem) => `postern: ${problem}\n`).join('')}See ${help}.\n`);
  return 2;
}

async function run(settings: Settings): Promise<number> {
  switch (settings.command) {
    case 'help':
      process.stdout.write(helpText(settings.of));
      return 0;
    case 'version':
      process.stdout.write(`postern ${VERSION} (Node.js ${process.version})\n`);
      return 0;
    case 'validate': {
      const { text, ok } = await validate(settings, PLUGIN_KINDS);
      process.stdout.write(text);
      return ok ? 0 : 1;
    }
    case 'serve':
      return await serve(settings);
  }
}

process.exitCode = await main(process.argv.slice(2));
