import { own } from '../../../../src/resources/plain.ts';
import type { ApiRequest, ApiResponse, KubernetesApi } from '../../../../src/sources/kubernetes/api.ts';
import type { StoredObject } from '../../../../src/sources/kubernetes/objects.ts';

/** Objects as an API server keeps them, as far as their statuses go; one field manager. */
export interface FakeCluster {
  readonly api: KubernetesApi;
  /** A new object, or a change of its spec. */
  put(key: string): void;
  /** Deletes it, and makes it anew under another uid. */
  renew(key: string): void;
  remove(key: string): void;
  /** Somebody else's status. */
  setStatus(key: string, status: unknown): void;
  /** As a source knows it; `lag` holds it back. */
  lookup(key: string): StoredObject | undefined;
  status(key: string): unknown;
  condition(key: string, type: string): unknown;
  /** The watch is late from now on, until it is called again. */
  lag(late: boolean): void;
  /** Every status write, as `key`. */
  readonly writes: string[];
  /** Bodies of Events that were made, and of series. */
  readonly events: { readonly method: string; readonly path: string; readonly body: unknown }[];
  /** Answers instead, where it gives one; may reject. */
  interfere: (request: ApiRequest) => Promise<ApiResponse> | undefined;
}

const KINDS: Readonly<Record<string, string>> = { services: 'Service', routes: 'Route', oidcplugins: 'OidcPlugin' };

export function fakeCluster(): FakeCluster {
  const stored = new Map<string, StoredObject>();
  let seen: ReadonlyMap<string, StoredObject> | undefined;
  let version = 0;
  const next = () => {
    version += 1;
    return String(version);
  };
  const answer = (status: number, body: unknown): ApiResponse => ({ status, body, retryAfter: undefined });
  const writes: string[] = [];
  const events: { method: string; path: string; body: unknown }[] = [];

  function apply({ path, body }: ApiRequest): ApiResponse {
    const [, namespace, plural = '', name] = /namespaces\/([^/]+)\/([^/]+)\/([^/]+)\/status$/.exec(path) ?? [];
    const key = `${KINDS[plural]}/${namespace}/${name}`;
    writes.push(key);
    const object = stored.get(key);
    if (object === undefined) return answer(404, { message: 'not found' });
    if (own(own(body, 'metadata'), 'resourceVersion') !== object.resourceVersion) return answer(409, {});
    const status: unknown = JSON.parse(JSON.stringify(own(body, 'status') ?? {}));
    const same = JSON.stringify(status) === JSON.stringify(object.status);
    const after = same ? object : { ...object, status, resourceVersion: next() };
    stored.set(key, after);
    const { uid, resourceVersion, generation } = after;
    return answer(200, { metadata: { uid, resourceVersion, generation }, status });
  }

  const cluster: FakeCluster = {
    api: {
      async call(request) {
        const interfered = cluster.interfere(request);
        if (interfered !== undefined) return await interfered;
        if (request.path.endsWith('/status')) return apply(request);
        events.push({ method: request.method, path: request.path, body: request.body });
        return answer(request.method === 'POST' ? 201 : 200, request.body);
      },
      watch: () => Promise.reject(new Error('no watches here')),
      close: () => Promise.resolve(),
    },
    put(key) {
      const before = stored.get(key);
      const generation = (before?.generation ?? 0) + 1;
      stored.set(key, { uid: `uid of ${key}`, status: undefined, ...before, generation, resourceVersion: next() });
    },
    renew(key) {
      stored.set(key, { uid: `new ${key} ${version}`, status: undefined, generation: 1, resourceVersion: next() });
    },
    remove(key) {
      stored.delete(key);
    },
    setStatus(key, status) {
      const before = stored.get(key);
      if (before !== undefined) stored.set(key, { ...before, status, resourceVersion: next() });
    },
    lookup: (key) => (seen ?? stored).get(key),
    status: (key) => stored.get(key)?.status,
    condition(key, type) {
      const list = own(stored.get(key)?.status, 'conditions');
      return Array.isArray(list) ? list.find((entry: unknown) => own(entry, 'type') === type) : undefined;
    },
    lag(late) {
      seen = late ? new Map(stored) : undefined;
    },
    writes,
    events,
    interfere: () => undefined,
  };
  return cluster;
}
