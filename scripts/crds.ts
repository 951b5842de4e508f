import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { definitions } from './crd/definitions.ts';

/**
 * `npm run crds` writes crds/*.yaml from the schemas in src; `npm run crds -- --check` only says which differ, and exits
 * with 1 if any does.
 */
const DIRECTORY = join(import.meta.dirname, '..', 'crds');
const HEADER = '# Written by `npm run crds` from the schemas in src/; changes here are lost.\n';

/** Every file of crds/ as it has to be, by name. */
export function crdFiles(): ReadonlyMap<string, string> {
  const files = [...definitions()].map(([name, crd]) => [name, HEADER + stringify(crd, WRITING)] as const);
  return new Map(files);
}

/** Long texts stay on their line, so that a change of one word is a change of one line. */
const WRITING = { lineWidth: 0, aliasDuplicateObjects: false } as const;

/** Names of files in `directory` that differ, are missing, or shouldn't be there. */
export function differences(directory = DIRECTORY): readonly string[] {
  const wanted = crdFiles();
  const there = new Set(readdirSync(directory).filter((name) => name.endsWith('.yaml')));
  const changed = [...wanted].filter(
    ([name, text]) => !there.has(name) || readFileSync(join(directory, name), 'utf8') !== text,
  );
  const foreign = [...there].filter((name) => !wanted.has(name));
  return [...changed.map(([name]) => name), ...foreign];
}

function write(): void {
  mkdirSync(DIRECTORY, { recursive: true });
  for (const [name, text] of crdFiles()) writeFileSync(join(DIRECTORY, name), text);
}

if (import.meta.main) {
  if (process.argv.includes('--check')) {
    const names = differences();
    for (const name of names) process.stderr.write(`crds/${name} is not what the schemas say: run npm run crds\n`);
    process.exitCode = names.length === 0 ? 0 : 1;
  } else {
    write();
  }
}
