import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { compileFigure } from './compile.ts';
import { cpuFigures } from './cpu.ts';
import { memoryFigure } from './memory.ts';
import { reloadFigure } from './reload.ts';
import { type Figure, table } from './statistics.ts';

/**
 * `npm run bench [-- NAME…]`: figures with their goals, as a table and in bench/results/first-light.json. Needs nginx, wrk
 * and taskset, and a machine that does nothing else: of two cores one is the proxy's, the other the load's and upstream's.
 */
const ALL: Readonly<Record<string, () => Promise<readonly Figure[]>>> = {
  cpu: cpuFigures,
  memory: memoryFigure,
  compile: compileFigure,
  reload: reloadFigure,
};

const names = process.argv.slice(2);
const unknown = names.filter((name) => !(name in ALL));
if (unknown.length > 0) {
  console.error(`There is no figure ${unknown.join(', ')}; write ${Object.keys(ALL).join(', ')}, or nothing for all.`);
  process.exit(2);
}

const figures: Figure[] = [];
for (const [name, measure] of Object.entries(ALL)) {
  if (names.length > 0 && !names.includes(name)) continue;
  console.log(`measuring ${name} …`);
  figures.push(...(await measure()));
}
console.log(`\n${table(figures)}`);
mkdirSync('bench/results', { recursive: true });
const versions = { node: process.version, nginx: version('/usr/sbin/nginx', '-v'), wrk: version('wrk', '-v') };
if (names.length === 0) {
  writeFileSync('bench/results/first-light.json', `${JSON.stringify({ versions, figures }, null, 2)}\n`);
}

function version(program: string, flag: string): string {
  try {
    return execFileSync('sh', ['-c', `${program} ${flag} 2>&1 | head -n 1`], { encoding: 'utf8' }).trim();
  } catch {
    return 'unknown';
  }
}
