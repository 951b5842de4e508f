import { readdirSync } from 'node:fs';
import { residentBytes } from '../../bench/process.ts';
import type { Replica } from './replica.ts';
import type { Tally } from './tally.ts';

/** One look at a replica. */
export interface Sample {
  readonly at: number;
  readonly residentMiB: number;
  readonly heapMiB: number;
  /** Of the heap what has outlived two collections: the young generation is let grow by V8 as there is more to do. */
  readonly oldMiB: number;
  readonly fds: number;
  readonly connections: number;
  readonly tunnels: number;
  readonly inFlight: number;
  readonly upstreamConnections: number;
  /** Milliseconds, since the look before. */
  readonly loopP99: number;
}

/** Series that may never count anything. */
const NEVER: readonly RegExp[] = [
  /^postern_http_outcomes_total\{outcome="internal_error"\} ([0-9.e+]+)$/m,
  /^postern_control_reconcile_total\{result="failed"\} ([0-9.e+]+)$/m,
];

const OLD = /^nodejs_heap_space_size_used_bytes\{space="old"\} ([0-9.e+]+)$/m;

/** From outside (/proc) and by its own metrics. */
export async function look(replica: Replica, tally: Tally): Promise<Sample> {
  const response = await fetch(`${replica.adminUrl}/metrics`, { signal: AbortSignal.timeout(20_000) });
  const text = await response.text();
  if (response.status !== 200) throw new Error(`/metrics answered ${response.status}`);
  for (const series of NEVER) {
    const count = Number(series.exec(text)?.[1] ?? 0);
    if (count > 0) tally.unexpected(`${replica.name} counts ${count} of ${series.source}`);
  }
  return {
    at: performance.now(),
    residentMiB: residentBytes(replica.pid) / 2 ** 20,
    heapMiB: sum(text, 'nodejs_heap_size_used_bytes') / 2 ** 20,
    oldMiB: Number(OLD.exec(text)?.[1]) / 2 ** 20,
    fds: readdirSync(`/proc/${replica.pid}/fd`).length,
    connections: sum(text, 'postern_open_connections'),
    tunnels: sum(text, 'postern_open_tunnels'),
    inFlight: sum(text, 'postern_http_requests_in_flight'),
    upstreamConnections: sum(text, 'postern_upstream_connections'),
    loopP99: sum(text, 'nodejs_eventloop_lag_p99_seconds') * 1000,
  };
}

/** All series of a family together. */
function sum(text: string, family: string): number {
  let total = 0;
  for (const line of text.split('\n')) {
    if (line.startsWith(family) && (line[family.length] === ' ' || line[family.length] === '{'))
      total += Number(line.slice(line.lastIndexOf(' ') + 1));
  }
  return total;
}
