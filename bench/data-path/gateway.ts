import { randomBytes } from 'node:crypto';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { KeyEntry } from '../../src/keys/key.ts';
import { formatKeyList, generateKey } from '../../src/keys/key-list.ts';
import { CookieJar } from '../../test/support/cookie-jar.ts';
import { freePort } from '../../test/support/gateway.ts';
import { followLogin, type HonestProvider, startHonestProvider } from '../../test/support/honest-provider.ts';
import { untilListening } from '../listening.ts';
import { startPinned } from '../process.ts';
import { type Contender, PROXY_CORE } from './contender.ts';

export interface GatewayOptions {
  readonly upstreamPort: number;
  /** Of a server that echoes what comes after an upgrade. */
  readonly echoPort?: number;
  /** Routes besides, of other hosts, that nobody asks for. */
  readonly routes?: number;
  readonly name?: string;
  /** Flags besides. */
  readonly flags?: readonly string[];
}

export interface Gateway extends Contender {
  readonly provider: HonestProvider;
  readonly key: KeyEntry;
  /** Its directory of objects. */
  readonly objects: string;
}

/** The real command line with log and metrics on, and a session that was logged in for real. */
export async function startGateway(options: GatewayOptions): Promise<Gateway> {
  const [port, admin, debug] = [await freePort(), await freePort(), await freePort()];
  const site = `http://localhost:${port}`;
  const provider = await startHonestProvider({ redirectUris: [`${site}/_oidc/idp/callback`] });
  const directory = mkdtempSync(join(tmpdir(), 'postern-bench-'));
  const objects = mkdtempSync(join(directory, 'objects-'));
  writeFileSync(join(objects, 'objects.yaml'), objectsOf(provider, options));
  const key = generateKey(Date.now() - 3_600_000, randomBytes);
  const keysFile = join(directory, 'keys');
  writeFileSync(keysFile, formatKeyList([key]), { mode: 0o600 });
  const started = startPinned(
    PROXY_CORE,
    [
      ...[process.execPath, 'src/main.ts', 'serve', '--files', objects, '--keys-file', keysFile],
      ...['--listen', `127.0.0.1:${port}`, '--admin', `127.0.0.1:${admin}`, '--debug', `127.0.0.1:${debug}`],
      ...(options.flags ?? []),
    ],
    join(directory, 'gateway.log'),
  );
  const stop = async (): Promise<void> => {
    await Promise.all([started.stop(), provider.close()]);
  };
  try {
    await untilListening(port);
    const jar = new CookieJar();
    const url = `${site}/app`;
    await followLogin(url, url, jar);
    const headers = [`Cookie: ${jar.header(new URL(url))}`];
    return { name: options.name ?? 'postern', url, pid: started.pid, headers, stop, provider, key, objects };
  } catch (error) {
    await stop();
    throw error;
  }
}

function objectsOf(provider: HonestProvider, { upstreamPort, echoPort, routes = 0 }: GatewayOptions): string {
  const guarded = (name: string, path: string, service: string): string => `
apiVersion: postern.dev/v1alpha1
kind: Route
metadata: {name: ${name}}
spec: {hosts: [localhost], paths: [{type: Prefix, value: ${path}}], serviceRef: {name: ${service}}, plugins: [{kind: OidcPlugin, name: idp}]}
---`;
  const service = (name: string, port: number): string => `
apiVersion: postern.dev/v1alpha1
kind: Service
metadata: {name: ${name}}
spec: {url: 'http://127.0.0.1:${port}'}
---`;
  const others = Array.from(
    { length: routes },
    (_, i) => `
apiVersion: postern.dev/v1alpha1
kind: Route
metadata: {name: other-${i}}
spec: {hosts: [host-${i % 1000}.example], paths: [{type: Prefix, value: /team-${i}/orders}], serviceRef: {name: up}, access: Public}
---`,
  );
  return `${service('up', upstreamPort)}${guarded('app', '/app', 'up')}${
    echoPort === undefined ? '' : service('echo', echoPort) + guarded('ws', '/app/ws', 'echo')
  }${others.join('')}
apiVersion: postern.dev/v1alpha1
kind: OidcPlugin
metadata: {name: idp}
spec:
  issuer: ${provider.issuer}
  clientID: ${provider.clientId}
  clientSecretRef: {name: idp}
  insecure: {httpCookies: true, httpProvider: true}
  upstream: {claims: [{claim: email, header: X-Forwarded-Email}]}
---
apiVersion: v1
kind: Secret
metadata: {name: idp}
stringData: {client-secret: ${provider.clientSecret}}
`;
}
