import { request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ApiServer } from '../../test/support/apiserver.ts';
import { atMost, type Figure, percentile, told } from '../statistics.ts';
import { LIVE_PATH, liveRoute } from './objects.ts';
import type { BenchOperator } from './process.ts';
import { SIZE } from './size.ts';
import { count } from './start.ts';

/** From the answer of the API server to the first request that the changed Route answers. */
export async function oneByOne(
  api: ApiServer,
  operator: BenchOperator,
  { routes, goal }: { readonly routes: number; readonly goal: number },
): Promise<readonly Figure[]> {
  console.log(`  applies of one Route among ${count(routes)} …`);
  const times: number[] = [];
  for (let n = 1; n <= SIZE.applies; n++) {
    await apply(api, LIVE_PATH, liveRoute(routes + n));
    const start = performance.now();
    while ((await status(operator.port, 'live.bench', `/live-${routes + n}`)) !== 200) {
      if (performance.now() - start > 30_000) throw new Error('the change never went live');
      await sleep(2);
    }
    times.push(performance.now() - start);
  }
  const slowest = [...times.entries()].sort(([, a], [, b]) => b - a).slice(0, 3);
  console.log(`  slowest: ${slowest.map(([at, ms]) => `${ms.toFixed(0)} ms (apply ${at + 1})`).join(', ')}`);
  times.sort((a, b) => a - b);
  const name = `apply of one Route among ${count(routes)} to live`;
  return [
    told(`${name}, p50`, percentile(times, 0.5), 'ms'),
    told(`${name}, p95`, percentile(times, 0.95), 'ms'),
    atMost(`${name}, p99`, percentile(times, 0.99), 'ms', goal),
  ];
}

export async function apply(api: ApiServer, path: string, object: unknown): Promise<void> {
  const to = `${path}?fieldManager=bench&force=true`;
  const answer = await api.call('PATCH', to, object, 'application/apply-patch+yaml');
  if (answer.status > 299) throw new Error(`${path}: ${JSON.stringify(answer.body)}`);
}

const status = (port: number, host: string, path: string): Promise<number> =>
  new Promise((resolve, reject) => {
    const outgoing = request({ host: '127.0.0.1', port, path, headers: { host } }, (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    });
    outgoing.on('error', reject);
    outgoing.end();
  });
