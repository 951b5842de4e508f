import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { KubernetesApi } from '../../../src/sources/kubernetes/api.ts';
import { openApi } from '../../../src/sources/kubernetes/client.ts';
import { type ApiServer, startApiServer } from '../../support/apiserver.ts';
import { programPath } from '../../support/assets.ts';
import { privateAuthority } from '../../support/certificates.ts';

const TIMEOUT = 60_000;

describe.skipIf(programPath('kube-apiserver') === '')('client of the API server (npm run test:assets)', () => {
  let server: ApiServer;
  const apis: KubernetesApi[] = [];
  const open = async (config: Parameters<typeof openApi>[0] = {}) => {
    const opened = await openApi({ kubeconfig: server.kubeconfig, ...config });
    if (!opened.ok) throw new Error(opened.message);
    apis.push(opened.api);
    return opened;
  };
  beforeAll(async () => {
    server = await startApiServer();
  }, TIMEOUT);
  afterAll(async () => {
    await Promise.all(apis.map((api) => api.close()));
    await server?.stop();
  }, TIMEOUT);

  it('calls with the credentials of a kubeconfig, and tells what each call cost', async () => {
    const called: unknown[] = [];
    const { api } = await open({
      observer: {
        called(verb, code, bytes) {
          called.push([verb, code, bytes > 0]);
        },
      },
    });
    const answer = await api.call({ method: 'GET', path: '/api/v1/namespaces', query: { limit: '1' } });
    expect(answer.status).toBe(200);
    expect(answer.body).toMatchObject({ kind: 'NamespaceList' });
    expect((await api.call({ method: 'GET', path: '/api/v1/namespaces/none' })).status).toBe(404);
    expect(called).toEqual([
      ['get', 200, true],
      ['get', 404, true],
    ]);
  });

  it('keeps its connection from call to call', async () => {
    const { hostname, port } = new URL(server.url);
    let connections = 0;
    const counting = createServer((client) => {
      connections += 1;
      const upstream = connect(Number(port), hostname);
      client.pipe(upstream).pipe(client);
      for (const socket of [client, upstream]) socket.on('error', () => socket.destroy());
    }).listen(0, '127.0.0.1');
    await once(counting, 'listening');
    const address = counting.address();
    if (address === null || typeof address === 'string') throw new Error('no port');
    const directory = mkdtempSync(join(tmpdir(), 'postern-client-'));
    const kubeconfig = join(directory, 'kubeconfig');
    const counted = `https://127.0.0.1:${address.port}`;
    writeFileSync(kubeconfig, readFileSync(server.kubeconfig, 'utf8').replaceAll(server.url, counted), { mode: 0o600 });
    const { api } = await open({ kubeconfig });
    for (let call = 0; call < 20; call += 1)
      expect((await api.call({ method: 'GET', path: '/api/v1/namespaces/default' })).status).toBe(200);
    expect(connections).toBeGreaterThan(0);
    expect(connections).toBeLessThan(4);
    await api.close();
    counting.close();
    rmSync(directory, { recursive: true });
  });

  it('applies on the server', async () => {
    const { api } = await open();
    const answer = await api.call({
      method: 'PATCH',
      path: '/api/v1/namespaces/default/configmaps/applied',
      query: { fieldManager: 'test', force: 'true' },
      contentType: 'application/apply-patch+yaml',
      body: { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'applied' }, data: { a: 'ä' } },
    });
    expect(answer).toMatchObject({ status: 201, body: { data: { a: 'ä' } } });
  });

  it('watches line by line, and ends when the caller does', async () => {
    const { api } = await open();
    const stop = new AbortController();
    const stream = await api.watch({
      method: 'GET',
      path: '/api/v1/namespaces',
      query: { watch: '1' },
      idle: 30_000,
      timeout: 60_000,
      signal: stop.signal,
    });
    const kinds: unknown[] = [];
    const reading = (async () => {
      for await (const line of stream.lines) {
        kinds.push(JSON.parse(line).type);
        stop.abort();
      }
    })();
    await expect(reading).rejects.toMatchObject({ name: 'ApiUnreachable', reason: 'Closed' });
    expect(kinds.slice(0, 1)).toEqual(['ADDED']);
  });

  it('F04 a watch without a byte for as long as was said is over', async () => {
    const { api } = await open();
    const stream = await api.watch({
      method: 'GET',
      path: '/api/v1/namespaces/default/configmaps',
      query: { watch: '1', fieldSelector: 'metadata.name=none' },
      idle: 1000,
      timeout: 60_000,
    });
    const read = async () => {
      for await (const _ of stream.lines) expect.unreachable();
    };
    await expect(read()).rejects.toMatchObject({ reason: 'Idle' });
  });

  it('gives up in time, and names no token', async () => {
    const { api } = await open();
    const late = api.call({ method: 'GET', path: '/api/v1/namespaces', query: { watch: '1' }, timeout: 300 });
    await expect(late).rejects.toMatchObject({ name: 'ApiUnreachable', reason: 'Timeout' });
    await api.close();
    const closed = await api.call({ method: 'GET', path: '/api' }).catch((error: unknown) => error);
    expect(String(closed)).not.toContain(server.token);
    expect(closed).toMatchObject({ reason: 'Closed' });
  });

  it('trusts no other CA', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'postern-client-'));
    const kubeconfig = join(directory, 'kubeconfig');
    writeFileSync(kubeconfig, JSON.stringify(configOf(server.url, server.token)));
    const { api } = await open({ kubeconfig });
    const refused = await api.call({ method: 'GET', path: '/api' }).catch((error: unknown) => error);
    expect(refused).toMatchObject({ name: 'ApiUnreachable', reason: 'Connection' });
    expect(String(refused)).not.toContain(server.token);
    rmSync(directory, { recursive: true });
  });

  it('says what is wrong with a kubeconfig', async () => {
    expect(await openApi({ kubeconfig: '/nowhere/kubeconfig' })).toMatchObject({
      ok: false,
      message: expect.stringContaining('/nowhere/kubeconfig'),
    });
    expect(await openApi({ root: '/nowhere' })).toMatchObject({
      ok: false,
      message: expect.stringContaining('KUBERNETES_SERVICE_HOST'),
    });
  });

  it('F08 a new token is used, a missing or empty file is a retry with the one from before', async () => {
    const pod = serviceAccount(server);
    const stale: string[] = [];
    let now = 0;
    const { api, namespace } = await pod.inside(() =>
      open({
        kubeconfig: undefined,
        root: pod.root,
        now: () => now,
        observer: { called() {}, credentialsStale: (cause) => void stale.push(cause) },
      }),
    );
    expect(namespace).toBe('shop');
    const status = async () => (await api.call({ method: 'GET', path: '/api/v1/namespaces' })).status;
    expect(await status()).toBe(200);

    rmSync(pod.token);
    now += 20_000;
    expect(await status()).toBe(200);
    writeFileSync(pod.token, '');
    now += 20_000;
    expect(await status()).toBe(200);
    expect(stale).toHaveLength(1);
    expect(stale.join()).not.toContain(server.token);

    writeFileSync(pod.token, 'expired');
    now += 20_000;
    expect(await status()).toBe(401);
    writeFileSync(pod.token, `${server.token}\n`);
    // After a 401 the file is read again, long before its time.
    now += 2000;
    expect(await status()).toBe(200);
    pod.remove();
  });

  it('F08 a new CA is used for new connections', async () => {
    const pod = serviceAccount(server);
    writeFileSync(pod.ca, server.ca);
    let now = 0;
    const { api } = await pod.inside(() => open({ kubeconfig: undefined, root: pod.root, now: () => now }));
    const get = () => api.call({ method: 'GET', path: '/api/v1/namespaces' }).then(({ status }) => status);
    expect(await get()).toBe(200);
    rmSync(pod.ca);
    now += 20_000;
    expect(await get()).toBe(200);
    const other = privateAuthority('other');
    writeFileSync(pod.ca, other.ca);
    other.remove();
    now += 20_000;
    await expect(get()).rejects.toMatchObject({ reason: 'Connection' });
    writeFileSync(pod.ca, server.ca);
    now += 20_000;
    expect(await get()).toBe(200);
    pod.remove();
  });
});

const configOf = (url: string, token: string) => ({
  clusters: [{ name: 'a', cluster: { server: url } }],
  users: [{ name: 'a', user: { token } }],
  contexts: [{ name: 'a', context: { cluster: 'a', user: 'a' } }],
  'current-context': 'a',
});

/** What the kubelet mounts into a Pod, and the variables that it sets. */
function serviceAccount(server: ApiServer) {
  const root = mkdtempSync(join(tmpdir(), 'postern-pod-'));
  const directory = join(root, 'var/run/secrets/kubernetes.io/serviceaccount');
  mkdirSync(directory, { recursive: true });
  const file = (name: string, text: string): string => {
    writeFileSync(join(directory, name), text);
    return join(directory, name);
  };
  const { hostname, port } = new URL(server.url);
  return {
    root,
    token: file('token', server.token),
    ca: file('ca.crt', server.ca),
    namespace: file('namespace', 'shop'),
    async inside<T>(run: () => Promise<T>): Promise<T> {
      process.env['KUBERNETES_SERVICE_HOST'] = hostname;
      process.env['KUBERNETES_SERVICE_PORT'] = port;
      try {
        return await run();
      } finally {
        delete process.env['KUBERNETES_SERVICE_HOST'];
        delete process.env['KUBERNETES_SERVICE_PORT'];
      }
    },
    remove: () => rmSync(root, { recursive: true }),
  };
}
