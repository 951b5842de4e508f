import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type ApiServer, startApiServer } from '../../test/support/apiserver.ts';
import { startBodies } from '../data-path/nginx.ts';
import type { Figure } from '../statistics.ts';
import { oneByOne } from './apply.ts';
import { allAtOnce, createControls } from './changes.ts';
import { createObjects, deleteRoutes } from './objects.ts';
import { type BenchOperator, leaveCore, startOperator, yieldingCore } from './process.ts';
import { startProviders } from './providers.ts';
import { inQuiet } from './quiet.ts';
import { SIZE } from './size.ts';
import { atStart } from './start.ts';

/** Not what is measured, and ten minutes at 20 a second; not more, for each costs memory for a while. */
const FAST_WRITES = ['--status-writes', '100'];
const FEW = SIZE.routes / 10;

/** The operator against a real API server with 10,000 Routes, at last with 1,000. Needs the test assets, nginx and taskset. */
export async function operatorFigures(): Promise<readonly Figure[]> {
  leaveCore();
  const upstream = await startBodies();
  const providers = await startProviders();
  const api = await yieldingCore(startApiServer);
  try {
    await api.kubectl(['apply', '--server-side', '-f', 'crds/']);
    await sleep(2000);
    console.log('  creating the objects …');
    await createObjects(api, { provider: providers.url, upstream: `http://127.0.0.1:${upstream.port}` });
    await createControls(api);
    const start = await during(api, [], (operator) => atStart(operator, SIZE.routes));
    const quiet = await during(api, FAST_WRITES, (operator) => inQuiet(operator, start.writes));
    const many = await during(api, [], async (operator) => [
      ...(await oneByOne(api, operator, { routes: SIZE.routes, goal: 500 })),
      ...(await allAtOnce(api, operator)),
    ]);
    await deleteRoutes(api, FEW);
    const few = await during(api, [], (operator) => oneByOne(api, operator, { routes: FEW, goal: 250 }));
    return [...start.figures, ...quiet, ...few, ...many];
  } finally {
    await api.stop();
    providers.close();
    await upstream.stop();
  }
}

/** A process of its own for each part. */
async function during<T>(
  api: ApiServer,
  flags: readonly string[],
  run: (operator: BenchOperator) => Promise<T>,
): Promise<T> {
  const log = join(mkdtempSync(join(tmpdir(), 'postern-bench-')), 'operator.log');
  const operator = await startOperator(api, log, flags);
  try {
    return await run(operator);
  } finally {
    await operator.stop();
  }
}
