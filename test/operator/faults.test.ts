import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { own } from '../../src/resources/plain.ts';
import { postern } from '../cli/run.ts';
import { type ApiServer, startApiServer } from '../support/apiserver.ts';
import { type FaultyApi, startFaultyApi } from '../support/faulty-api.ts';
import { freePort, until } from '../support/gateway.ts';
import { type HonestProvider, startHonestProvider } from '../support/honest-provider.ts';
import { apiserver } from '../support/parts.ts';
import { type Echo, plugin, route, secret, service, startEcho, yaml } from '../support/shop.ts';
import { Visitor } from '../support/visitor.ts';
import { CRDS, createNamespaces, installCrds, labelled, metric, type Operator, startOperator } from './operator.ts';

describe.skipIf(apiserver.missing)(`the operator and its API server ${apiserver.why}`, { timeout: 120_000 }, () => {
  let server: ApiServer;
  let faulty: FaultyApi;
  let echo: Echo;
  let provider: HonestProvider;
  let port: number;
  let operator: Operator | undefined;

  beforeAll(async () => {
    server = await startApiServer();
    await createNamespaces(server, 'edge', 'shop');
    faulty = await startFaultyApi(server);
    echo = await startEcho();
    port = await freePort();
    provider = await startHonestProvider({ redirectUris: [`http://localhost:${port}/_oidc/okta/callback`] });
  }, 120_000);
  afterEach(async () => {
    faulty.set({});
    await operator?.stop();
    operator = undefined;
  });
  afterAll(async () => {
    await faulty?.stop();
    await provider?.close();
    echo?.close();
    await server?.stop();
  });

  const begin = async (...args: readonly string[]): Promise<Operator> => {
    operator = await startOperator({ kubeconfig: faulty.kubeconfig, port, args });
    return operator;
  };
  const status = async (path: string): Promise<number> =>
    (await new Visitor().ask(`http://localhost:${port}${path}`)).status;
  const becomes = async (path: string, expected: number): Promise<void> =>
    await until(
      async () => (await status(path)) === expected,
      `${path} to answer ${expected}`,
      () => operator?.log() ?? '',
    );
  const readiness = async (of: Operator): Promise<{ readonly status: number; readonly text: string }> => {
    const answer = await fetch(`${of.adminUrl}/readyz?verbose`);
    return { status: answer.status, text: await answer.text() };
  };
  const holder = async (): Promise<unknown> => {
    const lease = await server.call('GET', '/apis/coordination.k8s.io/v1/namespaces/edge/leases/postern');
    return own(own(lease.body, 'spec'), 'holderIdentity');
  };

  it('F09 without the CRDs it is not ready, says what to do, and goes on by itself when they appear', async () => {
    const started = await begin();
    await started.logged(/kubectl apply --server-side -f crds\//);
    const before = await readiness(started);
    expect(before.status).toBe(503);
    expect(before.text).toMatch(/\[-\]routes\.postern\.dev failed: .*crds\//);
    expect(before.text).toContain('[+]keys ok');
    expect((await fetch(`${started.adminUrl}/livez`)).status).toBe(200);
    expect((await fetch(`${started.debugUrl}/debug/snapshot`)).status).toBe(503);
    await server.apply(CRDS);
    await started.ready();
    expect((await readiness(started)).text).toContain('[+]routes.postern.dev ok');
  });

  it('F28 where the API server can not be reached at the start it is alive and not ready, and waits', async () => {
    await installCrds(server);
    await server.apply(yaml(service(echo.url), route('open')));
    faulty.set({ refuse: true });
    const started = await begin();
    await started.logged(/can't be reached/);
    const { status: code, text } = await readiness(started);
    expect(code).toBe(503);
    expect(text).toMatch(/\[-\]keys failed: Secret edge\/postern-keys can't be read: /);
    expect((await fetch(`${started.adminUrl}/livez`)).status).toBe(200);
    await expect(fetch(started.url)).rejects.toThrow();
    faulty.set({});
    await started.ready();
    expect(await status('/open')).toBe(200);
  });

  it('ends with 0 on SIGTERM while it still waits', async () => {
    faulty.set({ refuse: true });
    const started = await begin();
    await started.logged(/can't be reached/);
    expect(await started.stop()).toBe(0);
  });

  it('F01 F02 goes on serving and logging in without an API server, and then sees what changed', async () => {
    await installCrds(server);
    const secrets = labelled(secret('okta', { 'client-secret': provider.clientSecret }));
    const orders = route('orders', { plugins: ['okta'] });
    await server.apply(
      yaml(service(echo.url), route('open'), route('gone'), orders, plugin('okta', provider), secrets),
    );
    const started = await begin();
    await started.ready();
    await becomes('/orders', 302);
    await until(
      async () => (await metric(started, 'postern_plugin_ready{kind="OidcPlugin",plugin="shop/okta"}')) === 1,
      'it',
    );
    const failures: number[] = [];
    let asked = 0;
    const stop = new AbortController();
    const load = (async () => {
      while (!stop.signal.aborted) {
        const answer = await status('/open').catch(() => 0);
        asked += 1;
        if (answer !== 200) failures.push(answer);
        await sleep(5);
      }
    })();

    faulty.set({ refuse: true });
    faulty.cut();
    await server.call('DELETE', '/apis/postern.dev/v1alpha1/namespaces/shop/routes/gone');
    await server.apply(yaml(route('fresh')));
    await sleep(3000);
    expect((await fetch(`${started.adminUrl}/readyz`)).status).toBe(200);
    expect((await new Visitor().open(`${started.site}/orders`)).status).toBe(200);
    expect(await status('/gone')).toBe(200);
    expect(await status('/fresh')).toBe(404);

    faulty.set({});
    await becomes('/fresh', 200);
    await becomes('/gone', 404);
    stop.abort();
    await load;
    expect(failures).toEqual([]);
    expect(asked).toBeGreaterThan(10);
    expect(await metric(started, 'postern_watch_restarts_total{kind="Route",reason="unreachable"}')).toBeGreaterThan(0);
    await until(
      async () => (await metric(started, 'postern_leader')) === 1,
      'to lead again',
      () => started.log(),
    );
  });

  it('F23 on SIGTERM it loses no request, gives the Lease back, and ends with 0', async () => {
    await installCrds(server);
    await server.apply(yaml(service(echo.url), route('open')));
    // Longer than a busy machine takes to see that readiness fails, and to send no more.
    const started = await begin('--grace=6s');
    await started.ready();
    await until(async () => typeof (await holder()) === 'string' && (await holder()) !== '', 'the Lease');
    const failures: unknown[] = [];
    let asked = 0;
    let sending = true;
    const client = async (): Promise<void> => {
      while (sending) {
        await fetch(`${started.site}/open`)
          .then(async (answer) => {
            if (answer.status !== 200) failures.push(answer.status);
            await answer.text();
          })
          .catch((error: unknown) => failures.push(error));
        asked += 1;
      }
    };
    const clients = Array.from({ length: 8 }, client);
    const more = async (): Promise<void> => {
      const before = asked;
      await until(() => asked >= before + 40, 'requests to be answered');
    };
    await more();
    started.child.kill('SIGTERM');
    await until(async () => (await fetch(`${started.adminUrl}/readyz`)).status === 503, 'readiness to fail');
    // Until a load balancer has heard of it.
    await more();
    sending = false;
    await Promise.all(clients);
    if (started.child.exitCode === null) await once(started.child, 'exit');
    expect(started.child.exitCode).toBe(0);
    expect(failures).toEqual([]);
    expect(await holder()).toBe('');
  });
});

describe('a configuration of the API server that can not be right', { timeout: 60_000 }, () => {
  let directory: string;
  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), 'postern-kubeconfig-'));
  });
  afterAll(() => {
    rmSync(directory, { recursive: true, force: true });
  });

  it.each([
    ['is not there', undefined, /ENOENT/],
    ['is no YAML', 'a: [', /can't be used/],
    ['names no cluster', 'apiVersion: v1\nkind: Config\n', /no current context that names a cluster/],
  ])('ends the start where the kubeconfig %s, and says so', async (_, text, expected) => {
    const file = join(directory, 'kubeconfig');
    rmSync(file, { force: true });
    if (text !== undefined) writeFileSync(file, text);
    const ran = await postern(['serve', '--kubernetes', '--kubeconfig', file, '--pod-namespace', 'edge']);
    expect(ran.code).toBe(1);
    expect(ran.stderr).toMatch(/^postern: --kubernetes: /);
    expect(ran.stderr).toMatch(expected);
  });

  it('ends the start in a Pod without a ServiceAccount', async () => {
    const ran = await postern(['serve'], { KUBERNETES_SERVICE_HOST: '127.0.0.1', KUBERNETES_SERVICE_PORT: '1' });
    expect(ran.code).toBe(1);
    expect(ran.stderr).toMatch(/^postern: --kubernetes: .*serviceaccount/);
  });
});
