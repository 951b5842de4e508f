import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Authority } from '../../support/certificates.ts';
import { freePort } from '../../support/gateway.ts';
import { nginx } from '../../support/parts.ts';

export interface TlsNginx {
  readonly port: number;
  stop(): Promise<void>;
}

/** An nginx over TLS that says what it makes of the client's certificate. `demand`: without one it answers 400. */
export async function startTlsNginx(
  authority: Authority,
  { names, demand }: { readonly names: readonly string[]; readonly demand: boolean },
): Promise<TlsNginx> {
  const directory = mkdtempSync(join(tmpdir(), 'postern-nginx-tls-'));
  const port = await freePort();
  const { cert, key } = authority.issue(names);
  writeFileSync(join(directory, 'server.pem'), cert);
  writeFileSync(join(directory, 'server.key'), key);
  writeFileSync(join(directory, 'ca.pem'), authority.ca);
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
    .map((kind) => `${kind}_temp_path ${directory}/${kind};`)
    .join(' ');
  writeFileSync(
    join(directory, 'nginx.conf'),
    `daemon off; master_process off; pid ${directory}/pid; error_log ${directory}/error.log;
     events {}
     http { access_log off; ${temporary}
       server {
         listen 127.0.0.1:${port} ssl;
         ssl_certificate ${directory}/server.pem; ssl_certificate_key ${directory}/server.key;
         ssl_client_certificate ${directory}/ca.pem; ssl_verify_client ${demand ? 'on' : 'optional'};
         location / { return 200 "verified $ssl_client_verify"; }
       } }`,
  );
  const child = spawn(
    nginx.path,
    ['-p', directory, '-e', `${directory}/error.log`, '-c', join(directory, 'nginx.conf')],
    {
      stdio: 'ignore',
    },
  );
  const exited = new Promise<void>((resolve) => child.on('exit', () => resolve()));
  for (let tries = 0; tries < 200 && !(await isListening(port)); tries++) await sleep(50);
  return {
    port,
    async stop() {
      child.kill();
      await exited;
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

const isListening = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1' }, () => {
      socket.destroy();
      resolve(true);
    });
    socket.on('error', () => resolve(false));
  });
