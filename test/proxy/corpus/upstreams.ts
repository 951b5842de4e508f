import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { apache, haproxy, lighttpd, nginx, type Part } from '../../support/parts.ts';
import { type PeerCommand, type PeerProcess, startPeer } from '../../support/peer-process.ts';

/** A server that answers every request, and writes down the line of each, as it read it. */
export interface CorpusUpstream {
  readonly name: string;
  /** Undefined: nothing has to be installed for it. */
  readonly part: Part | undefined;
  start(): Promise<PeerProcess>;
}

const LOG = 'requests.log';
/** haproxy's word for a request that the proxy broke off before its body was whole; what haproxy itself can't read is `PR`. */
const NEVER_WHOLE = '<BADREQ>|CR|';

/** Lines of requests, in the order in which they were answered. Ends the server first: some write late. */
export async function requestLines(peer: PeerProcess): Promise<readonly string[]> {
  await peer.end();
  const file = join(peer.directory, LOG);
  const text = existsSync(file) ? readFileSync(file, 'latin1') : peer.output();
  return text
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith(NEVER_WHOLE))
    .map((line) => (line.startsWith('<') ? line : line.replace(/\|..\|\d+$/, '')));
}

const configured =
  (program: string, config: (directory: string, port: number) => string, args: (file: string) => readonly string[]) =>
  (): Promise<PeerProcess> =>
    startPeer((directory, port): PeerCommand => {
      const file = join(directory, 'server.conf');
      writeFileSync(file, config(directory, port));
      return { program, args: args(file) };
    });

const NGINX = (directory: string, port: number): string => `
daemon off; master_process off; pid ${directory}/pid; error_log ${directory}/error.log;
events { worker_connections 512; }
http {
  log_format line escape=none '$request';
  access_log ${directory}/${LOG} line; keepalive_requests 100000; keepalive_timeout 60s; client_max_body_size 0;
  client_body_temp_path ${directory}/body; proxy_temp_path ${directory}/proxy; fastcgi_temp_path ${directory}/f;
  uwsgi_temp_path ${directory}/u; scgi_temp_path ${directory}/s;
  server { listen 127.0.0.1:${port}; merge_slashes off; location / { default_type text/plain; return 200 "ok"; } }
}`;

const HAPROXY = (_directory: string, port: number): string => `
global
  maxconn 400
  log stdout format raw local0
defaults
  mode http
  log global
  log-format "%r|%ts|%ST"
  option http-buffer-request
  timeout client 60s
  timeout http-request 20s
  timeout http-keep-alive 60s
frontend all
  bind 127.0.0.1:${port}
  http-request return status 200 content-type text/plain string ok
`;

const APACHE = (directory: string, port: number): string => `
ServerRoot /usr/lib/apache2
LoadModule mpm_event_module modules/mod_mpm_event.so
LoadModule authz_core_module modules/mod_authz_core.so
DefaultRuntimeDir ${directory}
PidFile ${directory}/pid
ServerName app.example
Listen 127.0.0.1:${port}
User www-data
Group www-data
DocumentRoot ${directory}
StartServers 1
ServerLimit 1
ThreadsPerChild 64
MaxRequestWorkers 64
KeepAliveTimeout 60
MaxKeepAliveRequests 0
ErrorLog ${directory}/error.log
LogFormat "%r" line
CustomLog ${directory}/${LOG} line
ErrorDocument 404 ok
`;

const LIGHTTPD = (directory: string, port: number): string => `
server.modules = ("mod_accesslog")
server.document-root = "${directory}"
server.bind = "127.0.0.1"
server.port = ${port}
server.pid-file = "${directory}/pid"
server.errorlog = "${directory}/error.log"
server.max-keep-alive-requests = 65535
server.max-keep-alive-idle = 60
accesslog.filename = "${directory}/${LOG}"
accesslog.format = "%r"
`;

/** node:http with everything that it forgives by default; what it can't read is a line too. */
const NODE = `
const { appendFileSync } = require('node:fs');
const { join } = require('node:path');
const [directory, port] = process.argv.slice(1);
const tell = (line) => appendFileSync(join(directory, '${LOG}'), line + '\\n');
const tellBody = (of, body) => appendFileSync(join(directory, 'bodies.log'), JSON.stringify([of, body]) + '\\n');
const server = require('node:http').createServer((request, response) => {
  const { method, url, httpVersion } = request;
  const body = [];
  tell(method + ' ' + url + ' HTTP/' + httpVersion);
  request.on('data', (chunk) => body.push(chunk));
  request.on('end', () => {
    tellBody(url, Buffer.concat(body).toString('latin1'));
    response.end('ok');
  });
});
server.on('clientError', (error, socket) => {
  if (error.code.startsWith('HPE_') && error.code !== 'HPE_INVALID_EOF_STATE') tell('BAD ' + error.code);
  socket.destroy();
});
server.keepAliveTimeout = 60000;
server.listen(Number(port), '127.0.0.1');
`;

/** By URL, what Node read as the body of each request; only of its own upstream. */
export function bodiesOf({ directory }: PeerProcess): ReadonlyMap<string, string> {
  const lines = readFileSync(join(directory, 'bodies.log'), 'latin1').split('\n').slice(0, -1);
  return new Map(
    lines.map((line): [string, string] => {
      const [url, body]: readonly string[] = [JSON.parse(line)].flat();
      return [url ?? '', body ?? ''];
    }),
  );
}

export const UPSTREAMS: readonly CorpusUpstream[] = [
  {
    name: 'Node',
    part: undefined,
    start: () =>
      startPeer((directory, port) => ({ program: process.execPath, args: ['-e', NODE, directory, String(port)] })),
  },
  { name: 'nginx', part: nginx, start: configured(nginx.path, NGINX, (file) => ['-c', file, '-e', `${file}.log`]) },
  { name: 'haproxy', part: haproxy, start: configured(haproxy.path, HAPROXY, (file) => ['-db', '-f', file]) },
  { name: 'Apache', part: apache, start: configured(apache.path, APACHE, (file) => ['-f', file, '-DFOREGROUND']) },
  { name: 'lighttpd', part: lighttpd, start: configured(lighttpd.path, LIGHTTPD, (file) => ['-D', '-f', file]) },
];
