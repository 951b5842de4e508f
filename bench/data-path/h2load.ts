import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { percentile } from '../statistics.ts';
import { BROWSER, type Contender, LOAD_CORE } from './contender.ts';
import type { Load } from './rounds.ts';

const run = promisify(execFile);

export interface H2Load {
  readonly seconds: number;
  readonly connections: number;
  /** Requests side by side on one connection; 1 with HTTP/1.1. */
  readonly streams: number;
  readonly http1: boolean;
  /** Requests a second in all; undefined: as many as go. */
  readonly rate?: number;
}

/** One bounded run of h2load; throws where an answer wasn't 2xx or a connection broke. Loopback only. */
export async function h2load({ url, headers }: Contender, load: H2Load): Promise<Load> {
  if (!/^https?:\/\/localhost:/.test(url)) throw new Error(`load goes to loopback only, not to ${url}`);
  const directory = mkdtempSync(join(tmpdir(), 'postern-bench-'));
  const log = join(directory, 'log');
  const { seconds, connections, streams, http1, rate } = load;
  const { stdout } = await run(
    'taskset',
    [
      ...['-c', LOAD_CORE, 'h2load', '-t1', '-c', String(connections), '-m', String(streams), '-D', String(seconds)],
      ...(http1 ? ['--h1'] : []),
      ...(rate === undefined ? [] : ['--rps', String(rate / connections)]),
      ...['--log-file', log],
      ...[...BROWSER, ...headers].flatMap((header) => ['-H', header]),
      url,
    ],
    { maxBuffer: 16 * 1024 * 1024 },
  );
  const times: number[] = [];
  for (const line of readFileSync(log, 'utf8').split('\n')) {
    const [, status, microseconds] = line.split('\t');
    if (microseconds === undefined) continue;
    if (status === undefined || !/^2/.test(status))
      throw new Error(`not every request succeeded (${status}):\n${stdout}`);
    times.push(Number(microseconds) / 1000);
  }
  rmSync(directory, { recursive: true });
  if (times.length === 0 || / [1-9][0-9]* (failed|errored|timeout)/.test(stdout)) throw new Error(stdout);
  times.sort((a, b) => a - b);
  return { count: times.length, seconds, p50Ms: percentile(times, 0.5), p99Ms: percentile(times, 0.99) };
}
