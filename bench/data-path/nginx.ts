import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../../test/support/gateway.ts';
import { untilListening } from '../listening.ts';
import { type Pinned, startPinned } from '../process.ts';
import { type Contender, LOAD_CORE, PROXY_CORE } from './contender.ts';

const MIB = 1024 * 1024;

export interface Upstream {
  readonly port: number;
  stop(): Promise<void>;
}

/** What every contender forwards to: 1 KiB from memory, 1 MiB at /app/large, and a sink that reads what is sent to /app/sink. */
export async function startBodies(): Promise<Upstream> {
  const port = await freePort();
  const files = mkdtempSync(join(tmpdir(), 'postern-bench-'));
  writeFileSync(join(files, 'large'), Buffer.alloc(MIB, 'x'));
  const small = `default_type text/plain; return 200 "${'x'.repeat(1024)}";`;
  const server = `listen 127.0.0.1:${port} backlog=1024;
    location / { ${small} }
    location = /app/large { default_type text/plain; alias ${files}/large; }
    location = /app/sink { client_body_buffer_size 2m; client_max_body_size 4m; proxy_pass http://127.0.0.1:${port}/app/sunk; }`;
  const nginx = await startNginx(LOAD_CORE, port, server, '');
  return { port, stop: () => nginx.stop() };
}

export interface Tls {
  /** Files, PEM. */
  readonly certificate: string;
  readonly key: string;
}

/** nginx as a plain proxy that checks nothing: the yardstick. `tls`: over TLS with HTTP/2. */
export async function startPlain(upstreamPort: number, tls?: Tls): Promise<Contender> {
  const port = await freePort();
  const over = tls === undefined ? '' : ` ssl http2; ${certificateOf(tls)}`;
  const server = `listen 127.0.0.1:${port}${over === '' ? ' backlog=1024;' : over} ${forwards('/', 'up')}`;
  const nginx = await startNginx(PROXY_CORE, port, server, upstreamOf('up', upstreamPort));
  const url = `${tls === undefined ? 'http' : 'https'}://localhost:${port}/app`;
  return contender('nginx, plain proxy', url, nginx);
}

/** nginx that asks a checker, which always says yes, before each request. */
export async function startAuthRequest(upstreamPort: number): Promise<Contender> {
  const [port, checkerPort] = [await freePort(), await freePort()];
  const checker = await startNginx(
    LOAD_CORE,
    checkerPort,
    `listen 127.0.0.1:${checkerPort}; location / { return 204; }`,
    '',
  );
  const server = `listen 127.0.0.1:${port} backlog=1024; auth_request /check;
    ${forwards('/', 'up')}
    ${forwards('= /check', 'checker', 'internal; proxy_pass_request_body off; proxy_set_header Content-Length "";')}`;
  const upstreams = upstreamOf('up', upstreamPort) + upstreamOf('checker', checkerPort);
  const nginx = await startNginx(PROXY_CORE, port, server, upstreams);
  return contender('nginx, auth_request', `http://localhost:${port}/app`, nginx, checker);
}

const upstreamOf = (name: string, port: number): string =>
  `upstream ${name} { server 127.0.0.1:${port}; keepalive 128; keepalive_requests 1000000000; } `;

const forwards = (location: string, upstream: string, more = ''): string =>
  `location ${location} { proxy_pass http://${upstream}; proxy_http_version 1.1; proxy_set_header Connection $connection_upgrade;
     proxy_set_header Upgrade $http_upgrade; proxy_request_buffering off; client_max_body_size 4m; ${more} }`;

const certificateOf = ({ certificate, key }: Tls): string =>
  `ssl_certificate ${certificate}; ssl_certificate_key ${key}; ssl_protocols TLSv1.2 TLSv1.3; ssl_session_cache shared:s:1m;`;

const contender = (name: string, url: string, nginx: Pinned, beside?: Pinned): Contender => ({
  name,
  url,
  pid: nginx.pid,
  headers: [],
  async stop() {
    await Promise.all([nginx.stop(), beside?.stop()]);
  },
});

async function startNginx(cores: string, port: number, server: string, upstreams: string): Promise<Pinned> {
  const directory = mkdtempSync(join(tmpdir(), 'postern-bench-'));
  const config = join(directory, 'nginx.conf');
  writeFileSync(
    config,
    `daemon off; master_process off; worker_processes 1; pid ${directory}/pid; error_log ${directory}/error.log;
events { worker_connections 8192; }
http {
  access_log off; keepalive_requests 1000000000; keepalive_timeout 300s; http2_max_concurrent_streams 1000;
  client_body_temp_path ${directory}/body; proxy_temp_path ${directory}/proxy; fastcgi_temp_path ${directory}/f;
  uwsgi_temp_path ${directory}/u; scgi_temp_path ${directory}/s;
  map $http_upgrade $connection_upgrade { default upgrade; '' ''; }
  ${upstreams}
  server { ${server} }
}`,
  );
  const started = startPinned(cores, ['/usr/sbin/nginx', '-c', config, '-e', join(directory, 'error.log')]);
  await untilListening(port);
  return started;
}
