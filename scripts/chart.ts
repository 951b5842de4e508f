import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { chartReadme } from './chart/readme.ts';

/**
 * `npm run chart` writes what the chart has from elsewhere: crds/ of the repository, and its README from values.yaml;
 * `npm run chart -- --check` only says which differ, and exits with 1 if any does.
 */
const ROOT = join(import.meta.dirname, '..');
const CHART = join(ROOT, 'charts', 'postern');

/** Every generated file of the chart as it has to be, by its path in the chart. */
function chartFiles(): ReadonlyMap<string, string> {
  const crds = readdirSync(join(ROOT, 'crds'))
    .filter((name) => name.endsWith('.yaml'))
    .map((name) => [join('crds', name), readFileSync(join(ROOT, 'crds', name), 'utf8')] as const);
  const readme = chartReadme(readFileSync(join(CHART, 'values.yaml'), 'utf8'));
  return new Map([...crds, ['README.md', readme] as const]);
}

/** Paths in the chart that differ, are missing, or shouldn't be there. */
export function chartDifferences(): readonly string[] {
  const wanted = chartFiles();
  const changed = [...wanted].filter(([path, text]) => read(join(CHART, path)) !== text).map(([path]) => path);
  const foreign = readdirSync(join(CHART, 'crds')).map((name) => join('crds', name));
  return [...changed, ...foreign.filter((path) => !wanted.has(path))];
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
    const paths = chartDifferences();
    for (const path of paths) process.stderr.write(`charts/postern/${path} is outdated: run npm run chart\n`);
    process.exitCode = paths.length === 0 ? 0 : 1;
  } else {
    for (const [path, text] of chartFiles()) writeFileSync(join(CHART, path), text);
  }
}
