import type { PluginLog } from '../plugins/contract.ts';
import type { Metrics } from './metrics.ts';
import { type Endpoint, type Page, type PageServer, servePages, textPage } from './pages.ts';

/** One thing that readiness depends on. */
export interface Check {
  readonly name: string;
  /** Why not, in a few words; undefined: ready. */
  failure(): string | undefined;
}

export interface AdminOptions {
  readonly endpoint: Endpoint;
  readonly metrics: Pick<Metrics, 'scrape' | 'contentType'>;
  /** What has to hold for this process to be sent traffic: a table is published (F28), it isn't draining. */
  readonly ready: readonly Check[];
  /** What only a new process helps against; default: nothing. Never what another process does or doesn't do. */
  readonly live?: readonly Check[];
  readonly log: PluginLog;
}

/**
 * The admin listener: metrics and health, for Prometheus and the kubelet. Nothing can be written, nothing is secret (A171).
 * `/livez` (and `/healthz`) depends on nothing but that the process can answer, in time: a provider, an API server or a store
 * that is down must not get it restarted (F29).
 */
export function startAdmin(options: AdminOptions): Promise<PageServer> {
  const live = (query: URLSearchParams): Page => health('livez', [PING, ...(options.live ?? [])], query);
  return servePages({
    endpoint: options.endpoint,
    log: options.log,
    pages: new Map<string, (query: URLSearchParams) => Page | Promise<Page>>([
      ['/livez', live],
      ['/healthz', live],
      ['/readyz', (query) => health('readyz', options.ready, query)],
      [
        '/metrics',
        async () => ({ status: 200, type: options.metrics.contentType, body: await options.metrics.scrape() }),
      ],
    ]),
  });
}

const PING: Check = { name: 'ping', failure: () => undefined };

/** As kube-apiserver answers: `ok`, or a line for each check where one failed or `?verbose` asks. */
function health(name: string, checks: readonly Check[], query: URLSearchParams): Page {
  const results = checks.map((check) => ({ name: check.name, failure: check.failure() }));
  const failed = results.some(({ failure }) => failure !== undefined);
  if (!failed && !query.has('verbose')) return textPage(200, 'ok');
  const lines = results.map((result) =>
    result.failure === undefined ? `[+]${result.name} ok` : `[-]${result.name} failed: ${result.failure}`,
  );
  return textPage(failed ? 503 : 200, `${lines.join('\n')}\n${name} check ${failed ? 'failed' : 'passed'}\n`);
}
