import { mkdtempSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Pinned, startPinned } from './process.ts';

/** What every contender forwards to: nginx with one worker that answers 1 KiB from memory. */
export async function startUpstream(port: number, cores: string): Promise<Pinned> {
  const body = 'x'.repeat(1024);
  return startNginx(port, cores, `location / { default_type text/plain; return 200 "${body}"; }`, '');
}

/** nginx as a plain proxy that checks nothing, with connections to the upstream kept alive: the yardstick. */
export async function startPlainProxy(port: number, upstreamPort: number, cores: string): Promise<Pinned> {
  const location = 'location / { proxy_pass http://up; proxy_http_version 1.1; proxy_set_header Connection ""; }';
  return startNginx(port, cores, location, `upstream up { server 127.0.0.1:${upstreamPort}; keepalive 128; }`);
}

async function startNginx(port: number, cores: string, location: string, upstream: string): Promise<Pinned> {
  const directory = mkdtempSync(join(tmpdir(), 'postern-bench-'));
  const config = join(directory, 'nginx.conf');
  writeFileSync(
    config,
    `daemon off; master_process off; worker_processes 1; pid ${directory}/pid; error_log ${directory}/error.log;
events { worker_connections 4096; }
http {
  access_log off; keepalive_requests 1000000000; keepalive_timeout 300s;
  client_body_temp_path ${directory}/body; proxy_temp_path ${directory}/proxy; fastcgi_temp_path ${directory}/f;
  uwsgi_temp_path ${directory}/u; scgi_temp_path ${directory}/s;
  ${upstream}
  server { listen 127.0.0.1:${port} backlog=1024; ${location} }
}`,
  );
  const started = startPinned(cores, ['/usr/sbin/nginx', '-c', config, '-e', join(directory, 'error.log')]);
  await untilListening(port);
  return started;
}

/** Resolves when something accepts connections on the port; gives up after 15 s. */
export async function untilListening(port: number): Promise<void> {
  for (const deadline = Date.now() + 15_000; Date.now() < deadline; ) {
    const open = await new Promise<boolean>((resolve) => {
      const socket = connect(port, '127.0.0.1', () => resolve(true)).on('error', () => resolve(false));
      socket.on('connect', () => socket.destroy());
    });
    if (open) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`nothing listens on port ${port}`);
}
