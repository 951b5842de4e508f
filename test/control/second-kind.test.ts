import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Control, createControl } from '../../src/control/control.ts';
import { createMetrics, type Metrics } from '../../src/observe/metrics.ts';
import { createProxyListener, type ProxyListener } from '../../src/proxy/listener.ts';
import { identityHeaders } from '../../src/resources/identity-headers.ts';
import { openFiles } from '../../src/sources/files/source.ts';
import { filesForwarder } from '../proxy/support/files-forwarder.ts';
import { until } from '../support/gateway.ts';
import { type TinyLife, tinyKind } from '../support/tiny-plugin.ts';
import { pipeline, world } from './harness.ts';

/**
 * A kind that only test/support/tiny-plugin.ts knows, through the real source of files, compiler, control loop and proxy:
 * nothing in routing/, sources/, control/ or proxy/ is there for it.
 */
describe('a second plugin kind', () => {
  const life: TinyLife = { instances: [] };
  const kinds = [tinyKind(life)];
  const directory = mkdtempSync(join(tmpdir(), 'postern-second-kind-'));
  const upstream = createServer((incoming, response) => {
    response.end(JSON.stringify(incoming.headers));
  });
  const log = { info: () => {}, warn: () => {}, error: () => {} };
  let metrics: Metrics;
  let control: Control;
  let proxy: ProxyListener;
  let port = 0;

  const write = (file: string, ...documents: readonly object[]): void => {
    writeFileSync(join(directory, file), documents.map((document) => JSON.stringify(document)).join('\n---\n'));
  };
  const object = (kind: string, name: string, spec: object) => ({
    apiVersion: 'postern.dev/v1alpha1',
    kind,
    metadata: { name },
    spec,
  });
  const plugin = (secretName: string) =>
    object('SharedToken', 'door', { user: 'ann', tokenSecretRef: { name: secretName } });
  const secret = (name: string, token: string) => ({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name },
    stringData: { token },
  });

  beforeAll(async () => {
    upstream.listen(0, '127.0.0.1');
    await once(upstream, 'listening');
    const address = upstream.address();
    if (address === null || typeof address === 'string') throw new Error('no port');
    const paths = [{ type: 'Prefix', value: '/' }];
    write('service.yaml', object('Service', 'app', { url: `http://127.0.0.1:${address.port}` }));
    write(
      'route.yaml',
      object('Route', 'app', {
        hosts: ['app.example'],
        paths,
        serviceRef: { name: 'app' },
        plugins: [{ kind: 'SharedToken', name: 'door' }],
      }),
    );
    write('plugin.yaml', plugin('door'), secret('door', 'open-sesame'));
    const { check, parse, compile } = pipeline(kinds);
    const opened = await openFiles({ directory, check, report: { broken: () => {}, mended: () => {} } });
    if (!opened.ok) throw new Error(JSON.stringify(opened.problems));
    metrics = createMetrics({ version: '1', now: Date.now });
    control = createControl({
      source: opened.source,
      kinds,
      parse,
      compile,
      world: () => world(log),
      nextTurn: (run) => setImmediate(run),
      timers: {
        after(ms, run) {
          const timer = setTimeout(run, ms);
          return () => {
            clearTimeout(timer);
          };
        },
      },
      now: () => performance.now(),
      log,
      metrics: metrics.control,
      onPublished: () => {},
    });
    metrics.follow(control.instances);
    await control.start();
    proxy = createProxyListener({
      acquire: control.acquire,
      forwarder: filesForwarder(),
      observer: metrics.requests,
      external: { scheme: 'http', port: 80 },
      identityHeaders: identityHeaders([]),
      log,
      now: () => performance.now(),
    });
    ({ port } = await proxy.listen({ host: '127.0.0.1', port: 0 }));
  });

  afterAll(async () => {
    await proxy.close(0);
    await control.stop();
    upstream.close();
    upstream.closeAllConnections();
    rmSync(directory, { recursive: true, force: true });
  });

  const ask = (
    headers: Readonly<Record<string, string>>,
  ): Promise<{ readonly status: number; readonly body: string }> =>
    new Promise((resolve, reject) => {
      const sent = request({
        host: '127.0.0.1',
        port,
        path: '/',
        headers: { host: 'app.example', ...headers },
        agent: false,
      });
      sent.on('error', reject);
      sent.on('response', (response) => {
        let body = '';
        response.on('data', (chunk: Buffer) => (body += chunk.toString()));
        response.on('end', () => {
          resolve({ status: response.statusCode ?? 0, body });
        });
      });
      sent.end();
    });

  it('guards a Route', async () => {
    expect(await ask({})).toMatchObject({ status: 401 });
    expect(await ask({ 'x-token': 'wrong', 'x-remote-user': 'root' })).toMatchObject({ status: 401 });
  });

  it('lets in whom it knows, and its identity headers alone reach the service', async () => {
    const answer = await ask({ 'x-token': 'open-sesame', 'x-remote-user': 'root', remote_user: 'root' });
    expect(answer.status).toBe(200);
    const seen: unknown = JSON.parse(answer.body);
    expect(seen).toMatchObject({ 'x-remote-user': 'ann' });
    expect(answer.body).not.toContain('root');
  });

  it('is seen in metrics and verdicts', async () => {
    const text = await metrics.scrape();
    expect(text).toContain('postern_plugin_ready{kind="SharedToken",plugin="default/door"} 1\n');
    expect(text).toContain('route="default/app",service="default/app",code="2xx",method="GET"} 1\n');
    const types = [...control.verdicts().values()].flatMap(({ conditions }) => conditions.map(({ type }) => type));
    expect(types).toContain('ProviderReady');
  });

  it('follows a change of its Secret, and closes its Route when it is broken', async () => {
    write('plugin.yaml', plugin('door'), secret('door', 'changed'));
    await until(async () => (await ask({ 'x-token': 'changed' })).status === 200, 'the new token to be let in');
    expect(await ask({ 'x-token': 'open-sesame' })).toMatchObject({ status: 401 });
    expect(life.instances.map(({ stops }) => stops)).toEqual([1, 0]);
    write('plugin.yaml', plugin('elsewhere'), secret('door', 'changed'));
    await until(async () => (await ask({ 'x-token': 'changed' })).status === 503, 'the Route to be refused');
    expect(life.instances.map(({ stops }) => stops)).toEqual([1, 1]);
  });
});
