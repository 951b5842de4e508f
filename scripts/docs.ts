import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pages } from './docs/pages.ts';

/** Writes the pages of docs/ that come from the code; with `--check` only says which differ, and exits with 1 if any does. */
const DIRECTORY = join(import.meta.dirname, '..', 'docs');

/** Names of pages that aren't what the code says. */
export function outdatedPages(directory = DIRECTORY): readonly string[] {
  return [...pages()].filter(([name, text]) => read(join(directory, name)) !== text).map(([name]) => name);
}

function read(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}

if (import.meta.main) {
  if (process.argv.includes('--check')) {
    const names = outdatedPages();
    for (const name of names) process.stderr.write(`docs/${name} is not what the code says: run npm run docs\n`);
    process.exitCode = names.length === 0 ? 0 : 1;
  } else {
    for (const [name, text] of pages()) writeFileSync(join(DIRECTORY, name), text);
  }
}
