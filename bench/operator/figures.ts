import { mkdtempSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type ApiServer, startApiServer } from '../../test/support/apiserver.ts';
import { freePort } from '../../test/support/gateway.ts';
import { startUpstream } from '../nginx.ts';
import { residentBytes } from '../process.ts';
import type { Figure } from '../statistics.ts';
import { createObjects, LIVE_PATH, liveRoute, route, routeCount, routePath } from './objects.ts';
import { type Paced, paced } from './paced.ts';
import { type BenchOperator, leaveCore, startOperator } from './process.ts';
import { startProviders } from './providers.ts';

const MIB = 1024 * 1024;
const APPLIES = 100;
const CHANGES_PER_SECOND = 100;
const SECONDS = 60;

/** The operator against a real API server with 10,000 Routes. Needs the test assets, nginx and taskset. */
export async function operatorFigures(): Promise<readonly Figure[]> {
  leaveCore();
  const upstreamPort = await freePort();
  const upstream = await startUpstream(upstreamPort, '1');
  const providers = await startProviders();
  const api = await startApiServer();
  let operator: BenchOperator | undefined;
  try {
    await api.kubectl(['apply', '--server-side', '-f', 'crds/']);
    await sleep(2000);
    console.log('  creating the objects …');
    await createObjects(api, { provider: providers.url, upstream: `http://127.0.0.1:${upstreamPort}` });
    operator = await startOperator(api, join(mkdtempSync(join(tmpdir(), 'postern-bench-')), 'operator.log'));
    return [...(await atStart(operator)), ...(await oneByOne(api, operator)), ...(await allAtOnce(api, operator))];
  } finally {
    await operator?.stop();
    await api.stop();
    providers.close();
    await upstream.stop();
  }
}

async function atStart(operator: BenchOperator): Promise<readonly Figure[]> {
  const calls = await operator.metric('postern_kube_api_requests_total');
  const bytes = await operator.metric('postern_kube_api_received_bytes_total');
  console.log(`  cost at start: ${calls} calls, ${(bytes / MIB).toFixed(1)} MiB`);
  await sleep(30_000);
  const resident = residentBytes(operator.process.pid) / MIB;
  return [
    goal('first table with 10,000 Routes', operator.readyAfter, 's', 15),
    goal('memory with 10,000 Routes', resident, 'MiB', 350),
  ];
}

/** From the answer of the API server to the first request that the changed Route answers. */
async function oneByOne(api: ApiServer, operator: BenchOperator): Promise<readonly Figure[]> {
  const times: number[] = [];
  for (let n = 1; n <= APPLIES; n++) {
    await apply(api, LIVE_PATH, liveRoute(n));
    const start = performance.now();
    while ((await status(operator.port, 'live.bench', `/live-${n}`)) !== 200) {
      if (performance.now() - start > 30_000) throw new Error('the change never went live');
      await sleep(2);
    }
    times.push(performance.now() - start);
  }
  times.sort((a, b) => a - b);
  return [goal('apply of one Route to live, p99', times[Math.floor(APPLIES * 0.99)] ?? Number.NaN, 'ms', 500)];
}

/** The same load while ConfigMaps change, which costs the API server as much, and while Routes do. */
async function allAtOnce(api: ApiServer, operator: BenchOperator): Promise<readonly Figure[]> {
  const configMaps = '/api/v1/namespaces/team-0/configmaps';
  await api.call('POST', configMaps, { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'idle' } });
  const quiet = await under(operator, (n) =>
    apply(api, `${configMaps}/idle`, {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'idle', namespace: 'team-0' },
      data: { n: String(n) },
    }),
  );
  // Each scrape begins a new window.
  await operator.metric('nodejs_eventloop_lag_max_seconds');
  const busy = await under(operator, (n) => {
    const i = (n * 7919) % routeCount;
    return apply(api, routePath(i), route(i, n + 1));
  });
  const lag = (await operator.metric('nodejs_eventloop_lag_max_seconds')) * 1000;
  console.log(`  p99 ${quiet.p99Ms.toFixed(1)} ms in quiet, ${busy.p99Ms.toFixed(1)} ms with 100 changes a second`);
  return [
    goal('event loop held up, 100 changes a second, at most', lag, 'ms', 50),
    goal('p99 of the proxy meanwhile, against quiet', busy.p99Ms / quiet.p99Ms, '×', 4 / 3),
    goal('failed requests meanwhile', busy.failed + quiet.failed, '', 0),
  ];
}

async function under(operator: BenchOperator, change: (n: number) => Promise<void>): Promise<Paced> {
  const measured = paced({ port: operator.port, host: 'live.bench', path: '/app', perSecond: 500, seconds: SECONDS });
  const changes = (async () => {
    const start = performance.now();
    const open: Promise<void>[] = [];
    for (let n = 0; n < CHANGES_PER_SECOND * SECONDS; ) {
      const due = Math.floor(((performance.now() - start) / 1000) * CHANGES_PER_SECOND);
      for (; n < due && n < CHANGES_PER_SECOND * SECONDS; n++) open.push(change(n));
      await sleep(5);
    }
    await Promise.all(open);
  })();
  await changes;
  return await measured;
}

async function apply(api: ApiServer, path: string, object: unknown): Promise<void> {
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

const goal = (figure: string, value: number, unit: string, most: number): Figure => ({
  figure,
  against: '',
  value,
  unit,
  goal: `≤ ${Number.isInteger(most) ? most : most.toFixed(2)} ${unit}`.trim(),
  met: value <= most,
});
