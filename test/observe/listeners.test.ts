import { request } from 'node:http';
import { connect } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { type Check, startAdmin } from '../../src/observe/admin.ts';
import { startDebug } from '../../src/observe/debug.ts';
import type { PageServer } from '../../src/observe/pages.ts';
import type { PluginLog } from '../../src/plugins/contract.ts';

const ENDPOINT = { host: '127.0.0.1', port: 0 };
const errors: string[] = [];
const log: PluginLog = {
  info: () => {},
  warn: () => {},
  error: (_, message) => {
    errors.push(message);
  },
};
const open: PageServer[] = [];
afterEach(async () => {
  errors.length = 0;
  for (const server of open.splice(0)) await server.close();
});

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body: string;
}

function ask(
  server: PageServer,
  path: string,
  over: { method?: string; host?: string; body?: string } = {},
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const { port } = server.endpoint;
    const headers = {
      host: over.host ?? `127.0.0.1:${port}`,
      ...(over.body === undefined ? {} : { 'content-length': over.body.length }),
    };
    const sent = request(
      { host: '127.0.0.1', port, path, method: over.method ?? 'GET', headers, agent: false },
      (response) => {
        let body = '';
        response.setEncoding('utf8');
        response.on('data', (chunk: string) => (body += chunk));
        response.on('end', () => {
          resolve({ status: response.statusCode ?? 0, headers: response.headers, body });
        });
      },
    );
    sent.on('error', reject);
    sent.end(over.body);
  });
}

async function admin(checks: readonly Check[] = [], scrape = () => Promise.resolve('x 1\n')): Promise<PageServer> {
  const server = await startAdmin({
    endpoint: ENDPOINT,
    metrics: { scrape, contentType: 'text/plain; version=0.0.4; charset=utf-8' },
    ready: checks,
    log,
  });
  open.push(server);
  return server;
}

describe('admin listener', () => {
  it('serves metrics with the type of the text format', async () => {
    const answer = await ask(await admin(), '/metrics');
    expect(answer).toMatchObject({ status: 200, body: 'x 1\n' });
    expect(answer.headers['content-type']).toBe('text/plain; version=0.0.4; charset=utf-8');
  });

  it('F28 is ready when every check holds, and says which one does not', async () => {
    let table: string | undefined = 'no table has been published yet';
    const server = await admin([
      { name: 'table', failure: () => table },
      { name: 'draining', failure: () => undefined },
    ]);
    const lines = '[-]table failed: no table has been published yet\n[+]draining ok\nreadyz check failed\n';
    expect(await ask(server, '/readyz')).toMatchObject({ status: 503, body: lines });
    table = undefined;
    expect(await ask(server, '/readyz')).toMatchObject({ status: 200, body: 'ok' });
    const verbose = '[+]table ok\n[+]draining ok\nreadyz check passed\n';
    expect(await ask(server, '/readyz?verbose')).toMatchObject({ status: 200, body: verbose });
  });

  it.each(['/livez', '/healthz'])('F29 %s depends on nothing: not on readiness, nor on metrics', async (path) => {
    const server = await admin([{ name: 'table', failure: () => 'none' }], () => Promise.reject(new Error('x')));
    expect(await ask(server, path)).toMatchObject({ status: 200, body: 'ok' });
    expect(await ask(server, `${path}?verbose`)).toMatchObject({ body: '[+]ping ok\nlivez check passed\n' });
  });

  it.each(['POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'TRACE', 'PROPFIND'])(
    'A171 %s changes nothing: 405',
    async (method) => {
      const server = await admin();
      for (const path of ['/metrics', '/livez', '/readyz', '/nothing']) {
        const answer = await ask(server, path, { method });
        expect(answer.status).toBe(405);
        expect(answer.headers['allow']).toBe('GET, HEAD');
      }
    },
  );

  it.each([
    '/',
    '/metrics/',
    '/Metrics',
    '//metrics',
    '/metrics/../livez',
    '/%6detrics',
    '/debug/snapshot',
    '/livez/x',
    '/readyz;x',
    'http://127.0.0.1/metrics',
  ])('A171 paths are exact: %s is 404', async (path) => {
    expect(await ask(await admin(), path)).toMatchObject({ status: 404 });
  });

  it('answers HEAD without a body and does not keep a connection on which a body was announced', async () => {
    const server = await admin();
    const head = await ask(server, '/metrics', { method: 'HEAD' });
    expect(head).toMatchObject({ status: 200, body: '' });
    expect(head.headers['content-length']).toBe('4');
    expect((await ask(server, '/livez', { body: 'x' })).headers['connection']).toBe('close');
  });

  it('F55 a page that fails is 500 without the cause, which is logged', async () => {
    const server = await admin([], () => Promise.reject(new Error('secret cause')));
    const answer = await ask(server, '/metrics');
    expect(answer.status).toBe(500);
    expect(answer.body).not.toContain('cause\n\n');
    expect(answer.body).not.toContain('secret');
    expect(errors).toEqual(['a page could not be made, which is a bug']);
    expect(await ask(server, '/livez')).toMatchObject({ status: 200 });
  });

  it('bytes that are no request end their connection and nothing else', async () => {
    const server = await admin();
    const socket = connect(server.endpoint.port, '127.0.0.1');
    socket.on('error', () => {});
    socket.write('\u0000\u0001garbage\r\n\r\n');
    await new Promise((resolve) => socket.once('close', resolve));
    expect(await ask(server, '/livez')).toMatchObject({ status: 200 });
  });

  it('F52 scrapers that read nothing keep nobody else waiting', async () => {
    const server = await admin([], () => Promise.resolve('x 1\n'.repeat(500_000)));
    const stalled = Array.from({ length: 20 }, () => {
      const socket = connect(server.endpoint.port, '127.0.0.1');
      socket.on('error', () => {});
      socket.pause();
      socket.write('GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n');
      return socket;
    });
    expect((await ask(server, '/metrics')).body).toHaveLength(2_000_000);
    expect(await ask(server, '/livez')).toMatchObject({ status: 200 });
    for (const socket of stalled) socket.destroy();
  });

  it('says that the address is taken', async () => {
    const server = await admin();
    const again = startAdmin({
      endpoint: server.endpoint,
      metrics: { scrape: () => Promise.resolve(''), contentType: 'text/plain' },
      ready: [],
      log,
    });
    await expect(again).rejects.toMatchObject({ code: 'EADDRINUSE' });
  });
});

describe('debug listener', () => {
  const asked: unknown[] = [];
  async function debug(snapshot: unknown = { generation: 1 }): Promise<PageServer> {
    asked.length = 0;
    const server = await startDebug({
      endpoint: ENDPOINT,
      snapshot: () => snapshot,
      explain: (question) => {
        asked.push(question);
        return { answer: 'Public' };
      },
      log,
    });
    open.push(server);
    return server;
  }

  it('shows the snapshot as indented JSON', async () => {
    const answer = await ask(await debug(), '/debug/snapshot');
    expect(answer).toMatchObject({ status: 200, body: '{\n  "generation": 1\n}\n' });
    expect(answer.headers).toMatchObject({
      'content-type': 'application/json; charset=utf-8',
      'cache-control': 'no-store',
    });
  });

  it('says when there is none yet', async () => {
    const server = await startDebug({ endpoint: ENDPOINT, snapshot: () => undefined, explain: () => undefined, log });
    open.push(server);
    expect(await ask(server, '/debug/snapshot')).toMatchObject({ status: 503 });
    expect(await ask(server, '/debug/routes/match?host=a&path=/')).toMatchObject({ status: 503 });
  });

  it('explains a request by method, host, path and headers', async () => {
    const server = await debug();
    const answer = await ask(
      server,
      '/debug/routes/match?method=POST&host=shop.example.com&path=/a%2520b&header=X-A:%201',
    );
    expect(answer.status).toBe(200);
    expect(asked).toEqual([
      { method: 'POST', host: 'shop.example.com', path: '/a%20b', headers: new Map([['x-a', '1']]) },
    ]);
    for (const query of ['', '?host=a', '?path=/', '?host=a&path=/&header=x']) {
      expect(await ask(server, `/debug/routes/match${query}`)).toMatchObject({ status: 400 });
    }
  });

  it.each([
    'evil.example',
    'evil.example:9091',
    '127.0.0.1.nip.io',
    'localhost.evil.example',
    '[::2]',
    '10.0.0.1',
    '0.0.0.0',
    'user@127.0.0.1',
  ])('A171 a page of a browser that came by the name %s sees nothing', async (host) => {
    expect(await ask(await debug(), '/debug/snapshot', { host })).toMatchObject({ status: 403 });
  });

  it('A171 a request that names no host sees nothing', async () => {
    const server = await debug();
    for (const head of ['GET /debug/snapshot HTTP/1.1\r\nHost:\r\n', 'GET /debug/snapshot HTTP/1.0\r\n']) {
      const socket = connect(server.endpoint.port, '127.0.0.1');
      let text = '';
      socket.on('data', (chunk) => (text += chunk.toString()));
      socket.write(`${head}Connection: close\r\n\r\n`);
      await new Promise((resolve) => socket.once('close', resolve));
      expect(text).toMatch(/^HTTP\/1\.1 403 /);
    }
  });

  it.each(['localhost', 'localhost:9091', '127.0.0.1:1', '127.8.8.8', '[::1]:9091'])(
    'answers by the name %s',
    async (host) => {
      expect(await ask(await debug(), '/debug/snapshot', { host })).toMatchObject({ status: 200 });
    },
  );

  it.each(['0.0.0.0', '::', '10.0.0.1', 'example.com', ''])('A171 does not listen on %s', async (host) => {
    const start = startDebug({ endpoint: { host, port: 0 }, snapshot: () => 1, explain: () => 1, log });
    await expect(start).rejects.toThrow('loopback');
  });

  it('A171 has nothing that can be written', async () => {
    const server = await debug();
    for (const method of ['POST', 'PUT', 'DELETE']) {
      expect(await ask(server, '/debug/snapshot', { method })).toMatchObject({ status: 405 });
    }
  });
});
