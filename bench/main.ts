import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { changeFigures } from './change.ts';
import { compileFigure } from './compile.ts';
import { EXTERNAL_USAGE } from './data-path/external.ts';
import { dataPathFigures } from './data-path/figures.ts';
import { memoryFigure } from './memory.ts';
import { operatorFigures } from './operator/figures.ts';
import { isWhole, SIZE_USAGE } from './operator/size.ts';
import { reloadFigure } from './reload.ts';
import { type Figure, table } from './statistics.ts';

/**
 * `npm run bench [-- NAME…]`: figures with their goals, as a table and in bench/results/. Needs nginx, wrk and taskset, for
 * `operator` the test assets too, and a machine that does nothing else: of two cores one is the proxy's, the other the load's and
 * upstream's. operator/size.ts has the variables that say how much is measured.
 */
const ALL: Readonly<Record<string, Group>> = {
  memory: { file: 'first-light', measure: memoryFigure },
  compile: { file: 'first-light', measure: compileFigure },
  change: { file: 'first-light', measure: changeFigures },
  reload: { file: 'first-light', measure: reloadFigure },
  operator: { file: 'operator', measure: operatorFigures },
  'data-path': { file: 'data-path', measure: dataPathFigures },
};

interface Group {
  /** The file of results; written when all of its groups were measured in one run. */
  readonly file: string;
  measure(): Promise<readonly Figure[]>;
}

const names = process.argv.slice(2);
const unknown = names.filter((name) => !(name in ALL));
if (unknown.length > 0) {
  console.error(
    `There is no figure ${unknown.join(', ')}; write ${Object.keys(ALL).join(', ')}, or nothing for all. ${SIZE_USAGE} ${EXTERNAL_USAGE}`,
  );
  process.exit(2);
}

const measured = new Map<string, readonly Figure[]>();
for (const [name, { measure }] of Object.entries(ALL)) {
  if (names.length > 0 && !names.includes(name)) continue;
  console.log(`measuring ${name} …`);
  measured.set(name, await measure());
}
console.log(`\n${table([...measured.values()].flat())}`);
mkdirSync('bench/results', { recursive: true });
const versions = { node: process.version, nginx: version('/usr/sbin/nginx', '-v'), wrk: version('wrk', '-v') };
for (const file of new Set(Object.values(ALL).map((group) => group.file))) {
  const groups = Object.keys(ALL).filter((name) => ALL[name]?.file === file);
  if (!isWhole || !groups.every((name) => measured.has(name))) continue;
  // Of the data path nearly all are ratios; what has another unit says so.
  const figures = groups
    .flatMap((name) => measured.get(name) ?? [])
    .map(({ value, ...rest }) => (file === 'data-path' ? { ...rest, ratio: value } : { ...rest, value }));
  writeFileSync(`bench/results/${file}.json`, `${JSON.stringify({ versions, figures }, null, 2)}\n`);
}

function version(program: string, flag: string): string {
  try {
    return execFileSync('sh', ['-c', `${program} ${flag} 2>&1 | head -n 1`], { encoding: 'utf8' }).trim();
  } catch {
    return 'unknown';
  }
}
