import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { constants, getPriority, setPriority } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ApiServer } from '../../test/support/apiserver.ts';
import { freePort } from '../../test/support/gateway.ts';
import { type Pinned, startPinned } from '../process.ts';

export interface BenchOperator {
  readonly port: number;
  readonly process: Pinned;
  /** Seconds from the start of the process to `/readyz`. */
  readonly readyAfter: number;
  /** All metrics as of now; the event loop's begin anew with each. */
  scrape(): Promise<Scrape>;
  stop(): Promise<void>;
}

export interface Scrape {
  /** Sum of the series of a metric; what has other labels than `labels` doesn't count. */
  sum(name: string, labels?: string): number;
}

/** Everything else shares the other core: this process, the API server and etcd, which inherit it, nginx. */
export function leaveCore(): void {
  execFileSync('taskset', ['-cp', '1', String(process.pid)], { stdio: 'ignore' });
}

/**
 * What `start` starts runs when this process and the upstream let it: else the time that requests wait for the load and the
 * upstream, whose core the API server fills under changes, would be measured as the operator's. The load comes first and is small.
 */
export async function yieldingCore<T>(start: () => Promise<T>): Promise<T> {
  const usual = getPriority();
  setPriority(constants.priority.PRIORITY_LOW);
  try {
    return await start();
  } finally {
    // Without the right to take it back the figures are only worse.
    try {
      setPriority(usual);
    } catch {}
  }
}

/** The image's program, `postern serve --kubernetes`, with the image's environment, on core 0. */
export async function startOperator(
  api: ApiServer,
  log: string,
  flags: readonly string[] = [],
): Promise<BenchOperator> {
  const [port, admin, debug] = [await freePort(), await freePort(), await freePort()];
  execFileSync(process.execPath, ['scripts/bundle.ts']);
  const start = performance.now();
  const pinned = startPinned(
    '0',
    [
      process.execPath,
      'dist/postern.mjs',
      'serve',
      '--kubernetes',
      ...['--kubeconfig', api.kubeconfig, '--pod-namespace', 'postern-system', '--pod-name', 'bench'],
      ...['--listen', `127.0.0.1:${port}`, '--listen-https', 'off', '--plain-http', 'Serve', '--url-backends', 'Any'],
      ...['--admin', `127.0.0.1:${admin}`, '--debug', `127.0.0.1:${debug}`],
      ...flags,
    ],
    log,
    imageEnvironment(),
  );
  const get = async (path: string): Promise<Response> => await fetch(`http://127.0.0.1:${admin}${path}`);
  try {
    await until(60_000, async () => (await get('/readyz')).status === 200);
  } catch (error) {
    await pinned.stop();
    throw error;
  }
  return {
    port,
    process: pinned,
    readyAfter: (performance.now() - start) / 1000,
    scrape: async () => scraped(await (await get('/metrics')).text()),
    stop: () => pinned.stop(),
  };
}

const scraped = (text: string): Scrape => ({
  sum: (name, labels = '') =>
    text
      .split('\n')
      .filter((line) => (line.startsWith(`${name}{`) || line.startsWith(`${name} `)) && line.includes(labels))
      .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0),
});

async function until(milliseconds: number, attempt: () => Promise<boolean>): Promise<void> {
  const end = performance.now() + milliseconds;
  while (!(await attempt().catch(() => false))) {
    if (performance.now() > end) throw new Error('it never became ready');
    await sleep(20);
  }
}

/** What the Dockerfile's ENV lines say, with the share of memory as it comes out under the memory limit of the chart. */
function imageEnvironment(): Readonly<Record<string, string>> {
  const [, mebibytes] =
    /^ {2}limits:\n {4}memory: (\d+)Mi$/m.exec(readFileSync('charts/postern/values.yaml', 'utf8')) ?? [];
  const env = dockerfileEnvironment();
  const options = env['NODE_OPTIONS']?.replace(
    /--max-old-space-size-percentage=(\d+)/,
    (_, percentage: string) => `--max-old-space-size=${Math.floor((Number(mebibytes) * Number(percentage)) / 100)}`,
  );
  if (mebibytes === undefined || options === undefined)
    throw new Error('the chart has no memory limit, or the image no options');
  return { ...env, NODE_OPTIONS: options };
}

function dockerfileEnvironment(): Readonly<Record<string, string>> {
  const lines = readFileSync('Dockerfile', 'utf8').matchAll(/^ENV (.+)$/gm);
  const pairs = [...lines].flatMap(([, line = '']) => [...line.matchAll(/(\w+)=(?:"([^"]*)"|(\S+))/g)]);
  return Object.fromEntries(pairs.map(([, name = '', quoted, plain]) => [name, quoted ?? plain ?? '']));
}
