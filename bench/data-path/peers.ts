import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CookieJar } from '../../test/support/cookie-jar.ts';
import { freePort } from '../../test/support/gateway.ts';
import { followLogin, startHonestProvider } from '../../test/support/honest-provider.ts';
import { untilListening } from '../listening.ts';
import { startPinned } from '../process.ts';
import { type Contender, PROXY_CORE } from './contender.ts';

/** haproxy as a plain proxy. */
export async function startHaproxy(upstreamPort: number): Promise<Contender> {
  const port = await freePort();
  const config = join(mkdtempSync(join(tmpdir(), 'postern-bench-')), 'haproxy.cfg');
  writeFileSync(
    config,
    `global
  nbthread 1
defaults
  mode http
  timeout connect 5s
  timeout client 300s
  timeout server 60s
frontend in
  bind 127.0.0.1:${port}
  default_backend up
backend up
  http-reuse always
  server a 127.0.0.1:${upstreamPort}
`,
  );
  const haproxy = startPinned(PROXY_CORE, ['/usr/sbin/haproxy', '-db', '-q', '-f', config]);
  await untilListening(port);
  return {
    name: 'haproxy, plain proxy',
    url: `http://localhost:${port}/app`,
    pid: haproxy.pid,
    headers: [],
    stop: () => haproxy.stop(),
  };
}

const MODULES = ['mpm_event', 'authn_core', 'authz_core', 'authz_user', 'proxy', 'proxy_http', 'auth_openidc'];

/** apache with mod_auth_openidc and its session in the client's cookie, logged in for real. */
export async function startModAuthOpenidc(upstreamPort: number): Promise<Contender> {
  const port = await freePort();
  const url = `http://localhost:${port}/app`;
  const provider = await startHonestProvider({ redirectUris: [`http://localhost:${port}/redirect_uri`] });
  const directory = mkdtempSync(join(tmpdir(), 'postern-bench-'));
  const config = join(directory, 'apache.conf');
  writeFileSync(
    config,
    `ServerRoot ${directory}
PidFile ${directory}/pid
DefaultRuntimeDir ${directory}
Mutex file:${directory}
Listen 127.0.0.1:${port}
ServerName localhost:${port}
ErrorLog ${directory}/error.log
LogLevel warn
${MODULES.map((name) => `LoadModule ${name}_module /usr/lib/apache2/modules/mod_${name}.so`).join('\n')}
User ${process.getuid?.() === 0 ? 'www-data' : `#${process.getuid?.()}`}
KeepAlive On
MaxKeepAliveRequests 0
KeepAliveTimeout 300
ThreadsPerChild 64
StartServers 2
MaxRequestWorkers 256
OIDCProviderMetadataURL ${provider.issuer}/.well-known/openid-configuration
OIDCClientID ${provider.clientId}
OIDCClientSecret ${provider.clientSecret}
OIDCRedirectURI http://localhost:${port}/redirect_uri
OIDCCryptoPassphrase ${'p'.repeat(32)}
OIDCSessionType client-cookie
OIDCPKCEMethod S256
OIDCScope "openid profile email"
OIDCSSLValidateServer Off
ProxyPass / http://127.0.0.1:${upstreamPort}/ keepalive=On
<Location />
  AuthType openid-connect
  Require valid-user
</Location>
`,
  );
  const apache = startPinned(PROXY_CORE, ['/usr/sbin/apache2', '-DFOREGROUND', '-f', config]);
  const stop = async (): Promise<void> => {
    await Promise.all([apache.stop(), provider.close()]);
  };
  try {
    await untilListening(port);
    const jar = new CookieJar();
    await followLogin(url, url, jar);
    const headers = [`Cookie: ${jar.header(new URL(url))}`];
    // Its children come and go.
    return { name: 'apache, mod_auth_openidc', url, pid: apache.pid, headers, breaks: 20, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}
