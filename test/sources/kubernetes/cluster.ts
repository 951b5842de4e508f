import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { isPlain, own } from '../../../src/resources/plain.ts';
import type { KubernetesApi } from '../../../src/sources/kubernetes/api.ts';
import { PACE } from '../../../src/sources/kubernetes/backoff.ts';
import { openApi } from '../../../src/sources/kubernetes/client.ts';
import {
  createKubernetesSource,
  type KubernetesOptions,
  type KubernetesSource,
} from '../../../src/sources/kubernetes/source.ts';
import type { ApiServer } from '../../support/apiserver.ts';

const REAL_TIMERS = {
  after(ms: number, run: () => void): () => void {
    const timer = setTimeout(run, ms);
    return () => clearTimeout(timer);
  },
};

/** As the CRDs that are committed. */
export async function applyCrds(server: ApiServer): Promise<void> {
  await server.apply(
    readdirSync('crds')
      .map((file) => readFileSync(`crds/${file}`, 'utf8'))
      .join('\n---\n'),
  );
  const established = await server.kubectl(['wait', '--for=condition=Established', 'crd', '--all', '--timeout=60s']);
  if (established.code !== 0) throw new Error(established.stderr);
}

export const namespaces = (...names: readonly string[]): object[] =>
  names.map((name) => ({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } }));

export const service = (namespace: string, name: string, url = 'https://example.com'): object => ({
  apiVersion: 'postern.dev/v1alpha1',
  kind: 'Service',
  metadata: { namespace, name },
  spec: { url },
});

export const plugin = (namespace: string, name: string, secret: string): object => ({
  apiVersion: 'postern.dev/v1alpha1',
  kind: 'OidcPlugin',
  metadata: { namespace, name },
  spec: { issuer: 'https://example.com', clientID: 'id', clientSecretRef: { name: secret } },
});

export interface SecretOptions {
  readonly labelled?: boolean;
  readonly type?: string;
  readonly data?: Readonly<Record<string, string>>;
}

export const secret = (namespace: string, name: string, options: SecretOptions = {}): object => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { namespace, name, ...(options.labelled === false ? {} : { labels: { 'postern.dev/secret': 'true' } }) },
  type: options.type ?? 'Opaque',
  stringData: options.data ?? { 'client-secret': 'sesame' },
});

export const manifests = (...objects: readonly object[]): string =>
  objects.map((object) => JSON.stringify(object)).join('\n---\n');

/** As main.ts hands it in, for what these tests use: the client secret of a plugin, the certificate of a Route. */
function referencedSecrets(value: unknown): readonly string[] {
  const namespace = own(own(value, 'metadata'), 'namespace');
  const refs = [own(own(value, 'spec'), 'clientSecretRef'), own(own(own(value, 'spec'), 'tls'), 'secretRef')];
  return refs.flatMap((ref) => {
    const name = own(ref, 'name');
    return typeof name === 'string' ? [`${String(namespace)}/${name}`] : [];
  });
}

export interface StartedSource {
  readonly source: KubernetesSource;
  readonly api: KubernetesApi;
  /** Resolves when `start` does. */
  readonly started: Promise<void>;
  hasStarted(): boolean;
  /** Level and message of what was logged. */
  readonly lines: string[];
  readonly slices: Map<string, unknown>;
  readonly services: Map<string, unknown>;
  dirtyCount(): number;
  readonly restarts: string[];
  readonly events: string[];
  stop(): Promise<void>;
}

const running: StartedSource[] = [];
export const stopSources = async (): Promise<void> => {
  await Promise.all(running.splice(0).map((one) => one.stop()));
};

/** Pauses short enough for tests; those between lists as they are. */
export const FAST = { ...PACE, first: 50, reach: 300, refused: 500, absent: 500 };

export async function startSource(
  kubeconfig: string,
  options: Partial<KubernetesOptions> = {},
  onDirty: (source: KubernetesSource) => void = () => {},
): Promise<StartedSource> {
  const opened = await openApi({ kubeconfig });
  if (!opened.ok) throw new Error(opened.message);
  const { api } = opened;
  const lines: string[] = [];
  const [restarts, events]: [string[], string[]] = [[], []];
  const slices = new Map<string, unknown>();
  const services = new Map<string, unknown>();
  const keep = (map: Map<string, unknown>) => (name: string, value: unknown) => {
    if (value === undefined) map.delete(name);
    else map.set(name, value);
  };
  let dirty = 0;
  let done = false;
  const say = (level: string) => (fields: Readonly<Record<string, unknown>>, message: string) => {
    lines.push(`${level} ${message}${fields['err'] instanceof Error ? ` ${fields['err'].message}` : ''}`);
  };
  const source = createKubernetesSource({
    api,
    namespaces: 'All',
    pluginKinds: [{ kind: 'OidcPlugin', plural: 'oidcplugins' }],
    referencedSecrets,
    endpoints: { service: keep(services), slice: keep(slices) },
    log: { info: say('info'), warn: say('warn'), error: say('error') },
    metrics: {
      event: (kind, type) => void events.push(`${kind} ${type}`),
      restart: (kind, reason) => void restarts.push(`${kind} ${reason}`),
      fresh() {},
    },
    timers: REAL_TIMERS,
    now: () => performance.now(),
    random: Math.random,
    pace: FAST,
    ...options,
  });
  const started = source
    .start(() => {
      dirty += 1;
      onDirty(source);
    })
    .then(() => {
      done = true;
    });
  const one: StartedSource = {
    source,
    api,
    started,
    hasStarted: () => done,
    lines,
    slices,
    services,
    dirtyCount: () => dirty,
    restarts,
    events,
    async stop() {
      await source.stop();
      await api.close();
    },
  };
  running.push(one);
  return one;
}

/** Waits until it is so, at most so many milliseconds. */
export async function eventually(what: string, isSo: () => boolean | Promise<boolean>, most = 20_000): Promise<void> {
  const end = Date.now() + most;
  while (!(await isSo())) {
    if (Date.now() > end) throw new Error(`after ${most} ms it was not so: ${what}`);
    await sleep(25);
  }
}

/** Values by key, without what the API server chooses. */
export const specs = ({ source }: StartedSource): Record<string, unknown> =>
  Object.fromEntries([...source.objects()].map(([key, { value }]) => [key, own(value, 'spec') ?? own(value, 'data')]));

/** What the API server has of our Services now, in the form of `specs`. */
export async function listedSpecs(server: ApiServer): Promise<Record<string, unknown>> {
  const { body } = await server.call('GET', '/apis/postern.dev/v1alpha1/services');
  const items = own(body, 'items');
  const found: Record<string, unknown> = {};
  for (const item of Array.isArray(items) ? items : []) {
    const metadata = own(item, 'metadata');
    if (isPlain(metadata))
      found[`Service/${String(metadata['namespace'])}/${String(metadata['name'])}`] = own(item, 'spec');
  }
  return found;
}
