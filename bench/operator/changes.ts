import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ApiServer } from '../../test/support/apiserver.ts';
import { atMost, type Figure, told } from '../statistics.ts';
import { apply } from './apply.ts';
import { control, controlPath, installControl } from './control.ts';
import { inParallel, route, routeCount, routePath } from './objects.ts';
import { type Paced, paced } from './paced.ts';
import type { BenchOperator, Scrape } from './process.ts';
import { SIZE } from './size.ts';

const PER_SECOND = 100;

/** The same load while objects change that the operator doesn't watch, and while Routes do. */
export async function allAtOnce(api: ApiServer, operator: BenchOperator): Promise<readonly Figure[]> {
  console.log(`  ${PER_SECOND} changes a second …`);
  const quiet = await under(operator, (n) => apply(api, controlPath(nth(n)), control(nth(n), n + 1)));
  // Each scrape begins a new window.
  const before = await operator.scrape();
  const busy = await under(operator, (n) => apply(api, routePath(nth(n)), route(nth(n), n + 1)));
  const after = await operator.scrape();
  for (const [name, { p50Ms, p95Ms, p99Ms }] of Object.entries({ 'in quiet': quiet, 'with changes': busy }))
    console.log(`  proxy ${name}: p50 ${p50Ms.toFixed(1)}, p95 ${p95Ms.toFixed(1)}, p99 ${p99Ms.toFixed(1)} ms`);
  console.log(`  the core of everything else: ${quiet.otherCore} busy in quiet, ${busy.otherCore} with changes`);
  const lag = (which: string): number => after.sum(`nodejs_eventloop_lag_${which}_seconds`) * 1000;
  console.log(`  event loop held up: p99 ${lag('p99').toFixed(1)} ms; ${pauses(before, after)}`);
  return [
    atMost(`event loop held up, ${PER_SECOND} changes a second, at most`, lag('max'), 'ms', 50),
    told(`event loop held up, ${PER_SECOND} changes a second, p99`, lag('p99'), 'ms'),
    atMost('p99 of the proxy meanwhile, against quiet', busy.p99Ms / quiet.p99Ms, '×', 4 / 3),
    atMost('failed requests meanwhile', busy.failed + quiet.failed, '', 0),
  ];
}

/** Creates what is changed in quiet. */
export async function createControls(api: ApiServer): Promise<void> {
  await installControl(api);
  const numbers = Array.from({ length: Math.min(PER_SECOND * SIZE.seconds, routeCount) }, (_, n) => nth(n));
  await inParallel(numbers, (i) => apply(api, controlPath(i), control(i, 0)));
}

/** Of the object that the nth change is of. */
const nth = (n: number): number => (n * 7919) % routeCount;

/** Of the garbage collector, by its kinds: `minor 412, 3 over 30 ms`. */
function pauses(before: Scrape, after: Scrape): string {
  const since = (name: string, labels: string): number =>
    after.sum(`nodejs_gc_duration_seconds_${name}`, labels) - before.sum(`nodejs_gc_duration_seconds_${name}`, labels);
  const kinds = ['minor', 'major', 'incremental'].map((kind) => {
    const all = since('count', `kind="${kind}"`);
    return `${kind} ${all}, ${all - since('bucket', `le="0.03",kind="${kind}"`)} over 30 ms`;
  });
  return `pauses of the collector: ${kinds.join('; ')}`;
}

/** `otherCore`: how busy the core was on which the load, the API server and the upstream are; near 100 % it is what is measured. */
type Measured = Paced & { readonly otherCore: string };

async function under(operator: BenchOperator, change: (n: number) => Promise<void>): Promise<Measured> {
  const { seconds } = SIZE;
  const before = otherCore();
  const measured = paced({ port: operator.port, host: 'live.bench', path: '/app', perSecond: 500, seconds });
  const changes = (async () => {
    const start = performance.now();
    const open: Promise<void>[] = [];
    for (let n = 0; n < PER_SECOND * seconds; ) {
      const due = Math.floor(((performance.now() - start) / 1000) * PER_SECOND);
      for (; n < due && n < PER_SECOND * seconds; n++) open.push(change(n));
      await sleep(5);
    }
    await Promise.all(open);
  })();
  await changes;
  const requests = await measured;
  const after = otherCore();
  const busy = 1 - (after.idle - before.idle) / (after.all - before.all);
  return { ...requests, otherCore: `${Math.round(busy * 100)} %` };
}

/** Ticks of core 1 (proc(5), /proc/stat). */
function otherCore(): { readonly idle: number; readonly all: number } {
  const ticks = /^cpu1 (.+)$/m.exec(readFileSync('/proc/stat', 'utf8'))?.[1]?.split(' ').map(Number) ?? [];
  return { idle: (ticks[3] ?? 0) + (ticks[4] ?? 0), all: ticks.reduce((sum, count) => sum + count, 0) };
}
