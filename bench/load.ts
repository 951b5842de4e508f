import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);

export interface Load {
  readonly url: string;
  readonly headers: readonly string[];
  readonly seconds: number;
  readonly connections: number;
  readonly cores: string;
}

export interface LoadResult {
  readonly requests: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

/** One bounded run of wrk; throws where an answer wasn't 2xx or 3xx or a connection broke, for such a figure means nothing. */
export async function load(spec: Load): Promise<LoadResult> {
  if (!/^http:\/\/(127\.0\.0\.1|localhost):/.test(spec.url))
    throw new Error(`load goes to loopback only, not to ${spec.url}`);
  const { stdout } = await run('taskset', [
    ...['-c', spec.cores, 'wrk', '-t1', `-c${spec.connections}`, `-d${spec.seconds}s`, '--latency', '--timeout', '10s'],
    ...spec.headers.flatMap((header) => ['-H', header]),
    spec.url,
  ]);
  if (/Non-2xx|Socket errors/.test(stdout)) throw new Error(`not every request succeeded:\n${stdout}`);
  const requests = Number(/([0-9]+) requests in/.exec(stdout)?.[1]);
  return { requests, p50Ms: latency(stdout, '50'), p99Ms: latency(stdout, '99') };
}

function latency(stdout: string, percentile: string): number {
  const match = new RegExp(`^\\s*${percentile}%\\s+([0-9.]+)(us|ms|s)$`, 'm').exec(stdout);
  const unit = match?.[2] === 's' ? 1000 : match?.[2] === 'ms' ? 1 : 0.001;
  return Number(match?.[1]) * unit;
}
