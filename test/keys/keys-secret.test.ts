import { randomBytes } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type ClusterKeys, openClusterKeys } from '../../src/cli/keys-cluster.ts';
import { formatKeyList, generateKey } from '../../src/keys/key-list.ts';
import type { PluginLog } from '../../src/plugins/contract.ts';
import type { ApiRequest, KubernetesApi } from '../../src/sources/kubernetes/api.ts';
import { openApi } from '../../src/sources/kubernetes/client.ts';
import { type ApiServer, startApiServer } from '../support/apiserver.ts';
import { until } from '../support/gateway.ts';
import { apiserver } from '../support/parts.ts';

const NAME = 'postern-keys';
const OLD = Date.parse('2026-01-01T00:00:00Z');

describe.skipIf(apiserver.missing)(`keys in a Secret ${apiserver.why}`, () => {
  let server: ApiServer;
  let api: KubernetesApi;
  let namespace: string;
  let count = 0;
  let open: ClusterKeys[];
  let said: string[];

  const say =
    (level: string) =>
    (fields: Readonly<Record<string, unknown>>, message: string): void => {
      said.push(`${level} ${message} ${JSON.stringify(fields)}`);
    };
  const log: PluginLog = { info: say('info'), warn: say('warn'), error: say('error') };

  beforeAll(async () => {
    server = await startApiServer();
    const opened = await openApi({ kubeconfig: server.kubeconfig });
    if (!opened.ok) throw new Error(opened.message);
    api = opened.api;
  }, 120_000);
  afterAll(async () => {
    await api?.close();
    await server?.stop();
  });
  beforeEach(async () => {
    count += 1;
    namespace = `keys-${count}`;
    open = [];
    said = [];
    await server.call('POST', '/api/v1/namespaces', { metadata: { name: namespace } });
  });
  afterEach(() => {
    for (const keys of open) keys.close();
  });

  const replica = (through: KubernetesApi = api): ClusterKeys => {
    const keys = openClusterKeys({ api: through, namespace, name: NAME, now: () => Date.now(), log });
    open.push(keys);
    return keys;
  };
  const path = (): string => `/api/v1/namespaces/${namespace}/secrets`;
  const line = (id: string, added = OLD): string => {
    const { secret } = generateKey(0, randomBytes);
    return formatKeyList([{ id, secret, added }]);
  };
  const body = (data: Readonly<Record<string, string>>) => ({
    metadata: { name: NAME },
    data: Object.fromEntries(Object.entries(data).map(([key, text]) => [key, Buffer.from(text).toString('base64')])),
  });
  const write = async (data: Readonly<Record<string, string>>): Promise<void> => {
    const put = await server.call('PUT', `${path()}/${NAME}`, body(data));
    const answer = put.status === 404 ? await server.call('POST', path(), body(data)) : put;
    expect([200, 201]).toContain(answer.status);
  };
  const stored = async (): Promise<string | undefined> => {
    const answer = await server.call('GET', `${path()}/${NAME}`);
    const text = /"keys":"([^"]+)"/.exec(JSON.stringify(answer.body))?.[1];
    return text === undefined ? undefined : Buffer.from(text, 'base64').toString();
  };
  const says = async (pattern: RegExp): Promise<void> =>
    await until(
      () => said.some((text) => pattern.test(text)),
      `${pattern}`,
      () => said.join('\n'),
    );

  it('are made by whoever comes first; three that start together have the same one', async () => {
    const rings = await Promise.all([replica(), replica(), replica()].map(({ ring }) => ring));
    const ids = rings.map((ring) => ring.sealing().id);
    expect(new Set(ids).size).toBe(1);
    const sealed = rings.map((ring) => ring.sealing().deriveBytes('test', 'x', 16).toString('hex'));
    expect(new Set(sealed).size).toBe(1);
    expect((await stored())?.split(' ')[0]).toBe(ids[0]);
    const answer = await server.call('GET', `${path()}/${NAME}`);
    expect(answer.body).toMatchObject({
      type: 'Opaque',
      metadata: { labels: { 'app.kubernetes.io/managed-by': 'postern' } },
    });
    expect(JSON.stringify(answer.body)).not.toContain('postern.dev/secret');
    expect(said.filter((text) => text.includes('was made'))).toHaveLength(1);
  });

  it('A149 are taken over within seconds: an old one opens while it is listed, and no longer', async () => {
    const old = line('old');
    await write({ keys: old });
    const ring = await replica().ring;
    expect(ring.sealing().id).toBe('old');
    const added = line('new', OLD + 1000);
    await write({ keys: old + added });
    await until(() => ring.opening('new') !== undefined, 'the new key');
    expect(ring.opening('old')?.id).toBe('old');
    expect(ring.sealing().id).toBe('new');
    await write({ keys: added });
    await until(() => ring.opening('old') === undefined, 'the old key to go');
    expect(ring.sealing().id).toBe('new');
  });

  it('F41 stay when the Secret becomes malformed, loses its key, or is deleted; deleted, it is made again from them', async () => {
    await write({ keys: line('good') });
    const keys = replica();
    const ring = await keys.ring;
    await write({ keys: 'good bm90aGluZw== 2026-01-01T00:00:00Z\n' });
    await says(/^error Secret keys-\d+\/postern-keys can't be used: Line 1: .*from before stay in use/);
    await write({ other: 'x' });
    await says(/has no key keys\. The keys from before stay/);
    expect(ring.sealing().id).toBe('good');
    expect(keys.failure()).toBeUndefined();

    await server.call('DELETE', `${path()}/${NAME}`);
    await until(async () => (await stored()) !== undefined, 'the Secret to be made again');
    expect((await stored())?.startsWith('good ')).toBe(true);
    expect(ring.sealing().id).toBe('good');
    await write({ keys: line('next') });
    await until(() => ring.opening('next') !== undefined, 'the rotation after that');
    expect(said.join('\n')).not.toContain('bm90aGluZw');
  });

  it('F41 malformed at the start: not ready, says where and what to do, goes on by itself when it is put right', async () => {
    await write({ keys: 'nonsense' });
    const keys = replica();
    await says(/^error Secret .* can't be used: Line 1: .*Put it right; or delete it/);
    expect(keys.failure()).toMatch(/^Secret keys-\d+\/postern-keys can't be used: Line 1: /);
    await write({ keys: line('fixed') });
    expect((await keys.ring).sealing().id).toBe('fixed');
    expect(keys.failure()).toBeUndefined();
  });

  it('F41 malformed at the start and deleted: a new one is made', async () => {
    await write({ keys: 'nonsense' });
    const keys = replica();
    await says(/can't be used/);
    await server.call('DELETE', `${path()}/${NAME}`);
    const ring = await keys.ring;
    expect((await stored())?.startsWith(`${ring.sealing().id} `)).toBe(true);
  });

  it('count only once they were read back: an answer that got lost makes nobody seal with a key of his own', async () => {
    let lost = 0;
    const lossy: KubernetesApi = {
      ...bound(api),
      async call(request: ApiRequest) {
        const answer = await api.call(request);
        if (request.method !== 'POST' || lost > 0) return answer;
        lost += 1;
        return { status: 500, retryAfter: undefined, body: undefined };
      },
    };
    const ring = await replica(lossy).ring;
    expect(lost).toBe(1);
    expect((await stored())?.startsWith(`${ring.sealing().id} `)).toBe(true);
  });

  it('wait for a permission, and say which', async () => {
    const denied: KubernetesApi = {
      ...bound(api),
      async call(request: ApiRequest) {
        if (request.method !== 'POST') return await api.call(request);
        return { status: 403, retryAfter: undefined, body: { message: 'secrets is forbidden' } };
      },
    };
    const keys = replica(denied);
    await says(/^warn .*can't be made: 403 secrets is forbidden; the ServiceAccount needs create on it/);
    expect(keys.failure()).toMatch(/needs create/);
    await write({ keys: line('given') });
    expect((await keys.ring).sealing().id).toBe('given');
  });
});

const bound = (api: KubernetesApi): KubernetesApi => ({
  call: (request) => api.call(request),
  watch: (request) => api.watch(request),
  close: () => api.close(),
});
