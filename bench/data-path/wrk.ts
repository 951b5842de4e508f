import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { BROWSER, type Contender, LOAD_CORE } from './contender.ts';
import type { Load } from './rounds.ts';

const run = promisify(execFile);

export interface WrkLoad {
  readonly seconds: number;
  readonly connections: number;
  /** Instead of the contender's own. */
  readonly url?: string;
  /** A Lua script. */
  readonly script?: string;
}

/** One bounded run of wrk; throws where an answer wasn't 2xx or 3xx or a connection broke. Loopback only. */
export async function wrk({ url, headers, breaks = 0 }: Contender, load: WrkLoad): Promise<Load> {
  const to = load.url ?? url;
  if (!/^https?:\/\/localhost:/.test(to)) throw new Error(`load goes to loopback only, not to ${to}`);
  const { seconds, connections, script } = load;
  const { stdout } = await run('taskset', [
    ...['-c', LOAD_CORE, 'wrk', '-t1', `-c${connections}`, `-d${seconds}s`, '--latency', '--timeout', '20s'],
    ...(script === undefined ? [] : ['-s', script]),
    ...[...BROWSER, ...headers].flatMap((header) => ['-H', header]),
    to,
  ]);
  const errors = /Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)/.exec(stdout)?.slice(1) ?? [];
  const broken = errors.reduce((sum, count) => sum + Number(count), 0);
  if (/Non-2xx/.test(stdout) || broken > breaks) throw new Error(`not every request succeeded:\n${stdout}`);
  const count = Number(/([0-9]+) requests in/.exec(stdout)?.[1]);
  return { count, seconds, p50Ms: latency(stdout, '50'), p99Ms: latency(stdout, '99') };
}

function latency(stdout: string, percentile: string): number {
  const match = new RegExp(`^\\s*${percentile}%\\s+([0-9.]+)(us|ms|s)$`, 'm').exec(stdout);
  const unit = match?.[2] === 's' ? 1000 : match?.[2] === 'ms' ? 1 : 0.001;
  return Number(match?.[1]) * unit;
}
