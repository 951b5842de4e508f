import { setTimeout as sleep } from 'node:timers/promises';
import { type Figure, told } from '../statistics.ts';
import type { BenchOperator } from './process.ts';
import { SIZE } from './size.ts';
import { type ApiCost, apiCost, count, memory } from './start.ts';

/** So long without a write, and all are written: longer than providers, whose first answers come by and by, leave between two. */
const STILL = 20_000;
const LONGEST = 1_200_000;

/**
 * What one replica costs the API server when all first statuses are written and nothing changes, and its memory then.
 * `writtenBefore`: by another process.
 */
export async function inQuiet(operator: BenchOperator, writtenBefore: number): Promise<readonly Figure[]> {
  console.log('  the first statuses …');
  const written = await untilWritten(operator);
  const resident = memory(`memory with ${count(SIZE.routes)} Routes, their statuses written`, operator);
  console.log(`  ${SIZE.quietMinutes} minutes of quiet …`);
  await sleep(SIZE.quietMinutes * 60_000);
  const after = await apiCost(operator);
  for (const [verb, calls] of Object.entries(after.verbs)) {
    const before = written.verbs[verb] ?? 0;
    if (calls > before) console.log(`  ${calls - before} calls in quiet: ${verb}`);
  }
  const hour = 60 / SIZE.quietMinutes;
  const from = `per hour of quiet (from ${SIZE.quietMinutes} minutes)`;
  return [
    resident,
    told('API requests that write the first statuses and Events', writtenBefore + written.writes, ''),
    told(`API requests ${from}`, (after.requests - written.requests) * hour, ''),
    told(`API answers ${from}`, ((after.bytes - written.bytes) * hour) / 1024, 'KiB'),
  ];
}

async function untilWritten(operator: BenchOperator): Promise<ApiCost> {
  let last = await apiCost(operator);
  for (let [start, changed] = [performance.now(), performance.now()]; performance.now() - changed < STILL; ) {
    if (performance.now() - start > LONGEST) throw new Error('statuses are written without end');
    await sleep(1000);
    const now = await apiCost(operator);
    if (now.writes > last.writes) changed = performance.now();
    last = now;
  }
  return last;
}
