import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { nginx } from '../support/parts.ts';
import { askOnce, askRaw, RawClient } from '../support/raw-client.ts';
import { FORWARDERS } from './support/forwarders.ts';
import { eventually, startGateway } from './support/gateway.ts';
import { startUpstream } from './support/upstream.ts';

/*
 * Why no proxy library: http-proxy 1.18.1 (T10, the class of CVE-2026-29057) forwards the body of a chunked DELETE without
 * any framing, so that an upstream reads it as a second request; and a Trailer header ends its process (http-party #1647).
 */

const SMUGGLED = 'GET /smuggled HTTP/1.1\r\nHost: app.example\r\n\r\n';
const DELETE = `DELETE /x HTTP/1.1\r\nHost: app.example\r\nTransfer-Encoding: chunked\r\n\r\n${SMUGGLED.length.toString(16)}\r\n${SMUGGLED}\r\n0\r\n\r\n`;
const TRAILER = 'GET /x HTTP/1.1\r\nHost: app.example\r\nTrailer: x\r\n\r\n';

/** http-proxy in a process of its own: it may die. */
async function startHttpProxy(port: number) {
  const program = `
    const proxy = require('http-proxy').createProxyServer({target: 'http://127.0.0.1:${port}'});
    proxy.on('error', (error, request, response) => response.destroy());
    const server = require('http').createServer((request, response) => proxy.web(request, response));
    server.listen(0, '127.0.0.1', () => console.log(server.address().port));`;
  const child = spawn(process.execPath, ['--no-deprecation', '-e', program], { stdio: ['ignore', 'pipe', 'ignore'] });
  const exited = new Promise<number | null>((resolve) => child.on('exit', (code) => resolve(code)));
  const listening = await new Promise<number>((resolve) => {
    child.stdout.once('data', (line: Buffer) => resolve(Number(line.toString())));
  });
  return { port: listening, exited, stop: () => child.kill() };
}

describe('http-proxy 1.18.1', () => {
  it('A064 lets a chunked DELETE smuggle a second request to the upstream', async () => {
    const upstream = await startUpstream();
    const proxy = await startHttpProxy(upstream.port);
    const client = await RawClient.connect(proxy.port);
    await client.send(DELETE);
    await eventually(() => upstream.seen.length === 2, 'the upstream sees two requests');
    expect(upstream.seen.map(({ line }) => line)).toEqual(['DELETE /x HTTP/1.1', 'GET /smuggled HTTP/1.1']);
    client.destroy();
    proxy.stop();
    await proxy.exited;
    await upstream.close();
  });

  it('A045 dies of a Trailer header', async () => {
    const upstream = await startUpstream();
    const proxy = await startHttpProxy(upstream.port);
    const client = await RawClient.connect(proxy.port);
    await client.send(TRAILER);
    expect(await proxy.exited).not.toBe(0);
    client.destroy();
    await upstream.close();
  });
});

describe.each(FORWARDERS)('Postern with the same input, forwarder on %s', (_name, forwarder) => {
  it('A064 A045 sends one request for one, and lives', async () => {
    const upstream = await startUpstream();
    const gateway = await startGateway({ port: upstream.port, forwarder: forwarder() });
    expect((await askOnce(gateway.port, DELETE)).status).toBe(200);
    expect((await askOnce(gateway.port, TRAILER)).status).toBe(200);
    expect(upstream.seen.map(({ line, body }) => [line, body])).toEqual([
      ['DELETE /x HTTP/1.1', SMUGGLED],
      ['GET /x HTTP/1.1', ''],
    ]);
    await gateway.close();
    await upstream.close();
  });
});

describe.skipIf(nginx.missing).each(FORWARDERS)(
  `nginx as upstream ${nginx.why}, forwarder on %s`,
  (_name, forwarder) => {
    it('A064 A065 A060 never logs a request that nobody sent', async () => {
      const directory = mkdtempSync(join(tmpdir(), 'postern-nginx-'));
      const { port, stop } = await startNginx(directory);
      const gateway = await startGateway({ port, forwarder: forwarder() });
      const sent: string[] = [];
      for (const method of ['GET', 'DELETE', 'OPTIONS', 'POST', 'PUT', 'HEAD']) {
        const path = `/${method.toLowerCase()}`;
        sent.push(`${method} ${path}`);
        const chunked = `${SMUGGLED.length.toString(16)}\r\n${SMUGGLED}\r\n0\r\n\r\n`;
        const bytes = `${method} ${path} HTTP/1.1\r\nHost: app.example\r\nTransfer-Encoding: chunked\r\nTrailer: x\r\n\r\n${chunked}`;
        expect((await askOnce(gateway.port, bytes, method)).status, method).toBeLessThan(500);
      }
      for (const headers of [
        'Content-Length: 5\r\nTransfer-Encoding: chunked\r\n',
        'Transfer-Encoding: xchunked\r\n',
        'Content-Length: 5\r\nContent-Length: 50\r\n',
      ]) {
        await askRaw(gateway.port, `POST /refused HTTP/1.1\r\nHost: app.example\r\n${headers}\r\n0\r\n\r\n${SMUGGLED}`);
      }
      sent.push('GET /last');
      expect((await askOnce(gateway.port, 'GET /last HTTP/1.1\r\nHost: app.example\r\n\r\n')).status).toBe(200);
      const log = join(directory, 'access.log');
      await eventually(() => readFileSync(log, 'utf8').includes('GET /last'), 'nginx has logged all');
      expect(readFileSync(log, 'utf8').trim().split('\n')).toEqual(sent);
      await gateway.close();
      await stop();
      rmSync(directory, { recursive: true });
    });
  },
);

async function startNginx(directory: string): Promise<{ readonly port: number; stop(): Promise<void> }> {
  const free = await startUpstream();
  const { port } = free;
  await free.close();
  const config = join(directory, 'nginx.conf');
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
    .map((kind) => `${kind}_temp_path ${directory}/${kind};`)
    .join(' ');
  writeFileSync(
    config,
    `daemon off; pid ${directory}/pid; error_log ${directory}/error.log; worker_processes 1; events {}
    http { ${temporary} log_format lines '$request_method $request_uri'; access_log ${directory}/access.log lines;
      server { listen 127.0.0.1:${port}; location / { return 200 "ok"; } } }`,
  );
  execFileSync(nginx.path, ['-t', '-q', '-c', config, '-p', directory], { stdio: 'ignore' });
  const child = spawn(nginx.path, ['-c', config, '-p', directory], { stdio: 'ignore' });
  const exited = new Promise<void>((resolve) => child.on('exit', () => resolve()));
  for (;;) {
    try {
      (await RawClient.connect(port)).destroy();
      break;
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
  return {
    port,
    async stop() {
      child.kill('SIGTERM');
      await exited;
    },
  };
}
