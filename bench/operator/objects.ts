import type { ApiServer } from '../../test/support/apiserver.ts';
import { SIZE } from './size.ts';

const NAMESPACES = 50;
const ROUTES = SIZE.routes;
const SERVICES = Math.ceil(ROUTES / 10);
const PLUGINS = SERVICES;
/** Half of the Services have a backendRef, with ten endpoints each. */
const ENDPOINTS = 10;

const GROUP = '/apis/postern.dev/v1alpha1';
const namespaceOf = (i: number): string => `team-${i % NAMESPACES}`;

/** What is created, in order: the path of its collection, and the object. */
interface Creation {
  readonly path: string;
  readonly object: Readonly<Record<string, unknown>>;
}

export interface BenchWorld {
  /** Where the answer to every discovery is: http://127.0.0.1:<port>. */
  readonly provider: string;
  /** http://127.0.0.1:<port>, for the Route whose requests are measured. */
  readonly upstream: string;
}

/** 10,000 Routes on 5,000 hosts, 1,000 Services, 1,000 OidcPlugins with Secrets and 5,000 endpoints, in 50 namespaces. */
export async function createObjects(api: ApiServer, world: BenchWorld): Promise<void> {
  const stages = [namespaces(), secrets(), coreServices(), slices(), plugins(world), services(world), routes()];
  for (const stage of stages) await createAll(api, stage);
}

/** All but the first so many Routes. */
export async function deleteRoutes(api: ApiServer, kept: number): Promise<void> {
  await inParallel(pathsFrom(kept), async (path) => {
    const { status, body } = await api.call('DELETE', path);
    if (status !== 200) throw new Error(`${path}: ${JSON.stringify(body)}`);
  });
}

function* pathsFrom(first: number): Generator<string> {
  for (let i = first; i < ROUTES; i++) yield routePath(i);
}

/** The same as an API server would give them, as far as the table depends on them. */
export function* storedObjects(world: BenchWorld): Generator<Readonly<Record<string, unknown>>> {
  for (const { path, object } of [...secrets(), ...coreServices(), ...plugins(world), ...services(world), ...routes()])
    yield stored(object, /namespaces\/([^/]+)/.exec(path)?.[1]);
}

/** `data` in place of `stringData`, and what every object has. */
export function stored(
  { stringData, metadata, ...rest }: Readonly<Record<string, unknown>>,
  namespace?: string,
): Readonly<Record<string, unknown>> {
  const base = { namespace, uid: JSON.stringify(metadata), generation: 1, creationTimestamp: '2026-01-01T00:00:00Z' };
  const data = Object.entries({ ...Object(stringData) }).map(([key, value]) => [key, btoa(String(value))]);
  return {
    ...rest,
    ...(stringData === undefined ? {} : { type: 'Opaque', data: Object.fromEntries(data) }),
    metadata: { ...base, ...Object(metadata) },
  };
}

/** The Route that is changed, and asked for: `/live-<n>` on host `live.bench`. */
export const liveRoute = (n: number): Readonly<Record<string, unknown>> => ({
  apiVersion: 'postern.dev/v1alpha1',
  kind: 'Route',
  metadata: { name: 'live', namespace: 'team-0' },
  spec: {
    hosts: ['live.bench'],
    paths: [
      { type: 'Prefix', value: '/app' },
      { type: 'Prefix', value: `/live-${n}` },
    ],
    serviceRef: { name: 'live' },
    access: 'Public',
  },
});

/** Route i, as it is after its nth change: another path, which nobody asks for. */
export const route = (i: number, n: number): Readonly<Record<string, unknown>> => ({
  apiVersion: 'postern.dev/v1alpha1',
  kind: 'Route',
  metadata: { name: `route-${i}`, namespace: namespaceOf(i) },
  spec: {
    hosts: [`host-${Math.floor(i / (NAMESPACES * 2)) * NAMESPACES + (i % NAMESPACES)}.bench`],
    paths: [{ type: 'Prefix', value: `/route-${i}${n === 0 ? '' : `-${n}`}` }],
    serviceRef: { name: `service-${i % SERVICES}` },
    plugins: [{ kind: 'OidcPlugin', name: `plugin-${i % PLUGINS}` }],
  },
});

export const routePath = (i: number): string => `${GROUP}/namespaces/${namespaceOf(i)}/routes/route-${i}`;
export const LIVE_PATH = `${GROUP}/namespaces/team-0/routes/live`;
export const routeCount = ROUTES;

function* namespaces(): Generator<Creation> {
  for (let i = 0; i < NAMESPACES; i++) yield namespace(namespaceOf(i));
  yield namespace('postern-system');
}

const namespace = (name: string): Creation => ({
  path: '/api/v1/namespaces',
  object: { apiVersion: 'v1', kind: 'Namespace', metadata: { name } },
});

function* secrets(): Generator<Creation> {
  for (let i = 0; i < PLUGINS; i++)
    yield {
      path: `/api/v1/namespaces/${namespaceOf(i)}/secrets`,
      object: {
        apiVersion: 'v1',
        kind: 'Secret',
        metadata: { name: `client-${i}`, labels: { 'postern.dev/secret': 'true' } },
        stringData: { 'client-secret': `secret-${i}-0123456789` },
      },
    };
}

function* coreServices(): Generator<Creation> {
  for (let i = 0; i < SERVICES; i += 2)
    yield {
      path: `/api/v1/namespaces/${namespaceOf(i)}/services`,
      object: {
        apiVersion: 'v1',
        kind: 'Service',
        metadata: { name: `web-${i}` },
        spec: { clusterIP: 'None', ports: [{ name: 'http', port: 80, targetPort: 8080 }] },
      },
    };
}

function* slices(): Generator<Creation> {
  for (let i = 0; i < SERVICES; i += 2)
    yield {
      path: `/apis/discovery.k8s.io/v1/namespaces/${namespaceOf(i)}/endpointslices`,
      object: {
        apiVersion: 'discovery.k8s.io/v1',
        kind: 'EndpointSlice',
        metadata: { name: `web-${i}-a`, labels: { 'kubernetes.io/service-name': `web-${i}` } },
        addressType: 'IPv4',
        ports: [{ name: 'http', port: 8080, protocol: 'TCP' }],
        endpoints: Array.from({ length: ENDPOINTS }, (_, n) => ({
          addresses: [`10.${Math.floor(i / 250)}.${i % 250}.${n + 1}`],
          conditions: { ready: true, serving: true, terminating: false },
        })),
      },
    };
}

function* plugins({ provider }: BenchWorld): Generator<Creation> {
  for (let i = 0; i < PLUGINS; i++)
    yield {
      path: `${GROUP}/namespaces/${namespaceOf(i)}/oidcplugins`,
      object: {
        apiVersion: 'postern.dev/v1alpha1',
        kind: 'OidcPlugin',
        metadata: { name: `plugin-${i}` },
        spec: {
          issuer: `${provider}/${i}`,
          clientID: `client-${i}`,
          clientSecretRef: { name: `client-${i}` },
          insecure: { httpProvider: true },
        },
      },
    };
}

function* services({ upstream }: BenchWorld): Generator<Creation> {
  const service = (name: string, namespaceName: string, spec: object): Creation => ({
    path: `${GROUP}/namespaces/${namespaceName}/services`,
    object: { apiVersion: 'postern.dev/v1alpha1', kind: 'Service', metadata: { name }, spec },
  });
  for (let i = 0; i < SERVICES; i++) {
    const spec = i % 2 === 0 ? { backendRef: { name: `web-${i}`, port: 80 } } : { url: upstream };
    yield service(`service-${i}`, namespaceOf(i), spec);
  }
  yield service('live', 'team-0', { url: upstream });
}

function* routes(): Generator<Creation> {
  for (let i = 0; i < ROUTES; i++) yield { path: routePath(i).slice(0, -`/route-${i}`.length), object: route(i, 0) };
  yield { path: LIVE_PATH.slice(0, -'/live'.length), object: liveRoute(0) };
}

const PARALLEL = 8;

const createAll = (api: ApiServer, creations: Iterable<Creation>): Promise<void> =>
  inParallel(creations, async ({ path, object }) => {
    const answer = await api.call('POST', path, object);
    if (answer.status !== 201) throw new Error(`${path}: ${JSON.stringify(answer.body)}`);
  });

export async function inParallel<T>(values: Iterable<T>, run: (value: T) => Promise<void>): Promise<void> {
  const queue = values[Symbol.iterator]();
  const worker = async (): Promise<void> => {
    for (let next = queue.next(); next.done !== true; next = queue.next()) await run(next.value);
  };
  await Promise.all(Array.from({ length: PARALLEL }, worker));
}
