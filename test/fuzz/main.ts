import { parseArgs } from 'node:util';
import { seededRandom } from './mutate.ts';
import { tryResponse } from './response-cases.ts';

const USAGE = 'npm run fuzz -- --minutes N [--seed N]';
/** Cases between two looks at the clock. */
const BATCH = 10_000;
const MOST_FOUND = 10;

const { values } = parseArgs({ options: { minutes: { type: 'string', default: '5' }, seed: { type: 'string' } } });
const minutes = Number(values.minutes);
const seed = values.seed === undefined ? Date.now() % 2 ** 32 : Number(values.seed);
if (!(minutes > 0) || !Number.isInteger(seed)) {
  process.stderr.write(`${USAGE}\n`);
  process.exit(2);
}

process.stdout.write(
  `responses, ours against llhttp ${process.versions['llhttp']}: seed ${seed}, ${minutes} minutes\n`,
);
const random = seededRandom(seed);
const until = performance.now() + minutes * 60_000;
let cases = 0;
let told = performance.now();
const found: string[] = [];
while (performance.now() < until && found.length < MOST_FOUND) {
  for (let i = 0; i < BATCH; i++) {
    const problem = tryResponse(random);
    if (problem !== undefined) {
      found.push(problem);
      process.stdout.write(`${problem}\n`);
    }
  }
  cases += BATCH;
  if (performance.now() - told > 30_000) {
    told = performance.now();
    process.stdout.write(`${cases} cases, ${found.length} found\n`);
  }
}
process.stdout.write(`${cases} cases, ${found.length} found\n`);
process.exit(found.length === 0 ? 0 : 1);
