import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isPlain, own } from '../../src/resources/plain.ts';
import type { ApiServer } from '../support/apiserver.ts';
import { freePort, type PosternProcess, startProcess, until } from '../support/gateway.ts';

const ROOT = join(import.meta.dirname, '..', '..');

/** The three CustomResourceDefinitions. */
export const CRDS: string = readdirSync(join(ROOT, 'crds'))
  .filter((file) => file.endsWith('.yaml'))
  .map((file) => readFileSync(join(ROOT, 'crds', file), 'utf8'))
  .join('\n---\n');

/** Applies them, and waits until the API server serves the kinds. */
export async function installCrds(server: ApiServer): Promise<void> {
  await server.apply(CRDS);
  await until(async () => {
    const answers = await Promise.all(
      ['services', 'routes', 'oidcplugins'].map((plural) => server.call('GET', `/apis/postern.dev/v1alpha1/${plural}`)),
    );
    return answers.every(({ status }) => status === 200);
  }, 'the kinds to be served');
}

export async function createNamespaces(server: ApiServer, ...names: readonly string[]): Promise<void> {
  for (const name of names) await server.call('POST', '/api/v1/namespaces', { metadata: { name } });
}

/** A Secret that plugins may use. */
export const labelled = (value: unknown): unknown => {
  const metadata = own(value, 'metadata');
  const labels = { 'postern.dev/secret': 'true' };
  return isPlain(value) && isPlain(metadata) ? { ...value, metadata: { ...metadata, labels } } : value;
};

export interface OperatorOptions {
  readonly kubeconfig: string;
  readonly namespace?: string;
  readonly args?: readonly string[];
  readonly port?: number;
  /** Default: there is none, and browsers are told http. */
  readonly https?: number;
  /** Default: Any, for upstreams are on loopback here. */
  readonly urlBackends?: string;
  readonly env?: Readonly<Record<string, string>>;
}

export interface Operator extends PosternProcess {
  /** As a browser names it. */
  readonly site: string;
}

/** `postern serve --kubernetes`, reached over plain http on loopback, with upstreams and providers there too. */
export async function startOperator(options: OperatorOptions): Promise<Operator> {
  const port = options.port ?? (await freePort());
  const operator = await startProcess({
    port,
    // A variable, which a flag of a test wins over.
    env: { POSTERN_GRACE: '0s', ...options.env },
    args: [
      '--kubernetes',
      '--kubeconfig',
      options.kubeconfig,
      '--pod-namespace',
      options.namespace ?? 'edge',
      ...(options.https === undefined
        ? ['--listen-https=off', '--external-scheme=http']
        : [`--listen-https=127.0.0.1:${options.https}`]),
      `--url-backends=${options.urlBackends ?? 'Any'}`,
      ...(options.args ?? []),
    ],
  });
  return { ...operator, site: `http://localhost:${port}` };
}

/** Value of a series in the text of a scrape; 0 where it isn't there. */
export async function metric(operator: PosternProcess, series: string): Promise<number> {
  const text = await (await fetch(`${operator.adminUrl}/metrics`)).text();
  const line = text.split('\n').find((each) => each.startsWith(`${series} `));
  return line === undefined ? 0 : Number(line.slice(series.length + 1));
}
