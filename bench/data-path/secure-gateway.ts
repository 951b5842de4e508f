import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startApiServer } from '../../test/support/apiserver.ts';
import { privateAuthority } from '../../test/support/certificates.ts';
import { CookieJar } from '../../test/support/cookie-jar.ts';
import { freePort } from '../../test/support/gateway.ts';
import { followLogin, type HonestProvider, startHonestProvider } from '../../test/support/honest-provider.ts';
import { untilListening } from '../listening.ts';
import { startPinned } from '../process.ts';
import { type Contender, PROXY_CORE } from './contender.ts';
import type { Tls } from './nginx.ts';

export interface SecureGateway extends Contender {
  /** Its certificate, for others to have the same. */
  readonly tls: Tls;
}

/** Certificates come from Secrets of a cluster, so it is `postern serve --kubernetes` on a real API server. */
export async function startSecureGateway(upstreamPort: number): Promise<SecureGateway> {
  const [port, plain, admin, debug] = [await freePort(), await freePort(), await freePort(), await freePort()];
  const site = `https://localhost:${port}`;
  const authority = privateAuthority('bench');
  const pair = authority.issue(['DNS:localhost']);
  const provider = await startHonestProvider({ redirectUris: [`${site}/_oidc/idp/callback`] });
  const directory = mkdtempSync(join(tmpdir(), 'postern-bench-'));
  const tls = { certificate: join(directory, 'tls.crt'), key: join(directory, 'tls.key') };
  writeFileSync(tls.certificate, pair.cert);
  writeFileSync(tls.key, pair.key, { mode: 0o600 });
  const api = await startApiServer();
  const ends: (() => Promise<void>)[] = [() => api.stop(), () => provider.close()];
  const stop = async (): Promise<void> => {
    for (const end of ends.splice(0).reverse()) await end();
    authority.remove();
  };
  try {
    await api.kubectl(['apply', '--server-side', '-f', 'crds/']);
    await sleep(2000);
    await api.apply(objectsOf(provider, upstreamPort, pair));
    const flags = [
      ...['--kubeconfig', api.kubeconfig, '--pod-namespace', 'shop', '--pod-name', 'bench'],
      ...['--listen', `127.0.0.1:${plain}`, '--listen-https', `127.0.0.1:${port}`, '--external-port', String(port)],
      ...['--admin', `127.0.0.1:${admin}`, '--debug', `127.0.0.1:${debug}`, '--url-backends', 'Any'],
    ];
    const command = [process.execPath, 'src/main.ts', 'serve', '--kubernetes', ...flags];
    const started = startPinned(PROXY_CORE, command, join(directory, 'gateway.log'));
    ends.push(() => started.stop());
    await untilListening(port);
    const url = `${site}/app`;
    const jar = new CookieJar();
    await followLogin(url, url, jar, { ca: authority.ca });
    return { name: 'postern', url, pid: started.pid, headers: [`Cookie: ${jar.header(new URL(url))}`], tls, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

const indented = (text: string): string => text.trimEnd().replaceAll('\n', '\n    ');

const objectsOf = (
  provider: HonestProvider,
  upstreamPort: number,
  { cert, key }: { readonly cert: string; readonly key: string },
): string => `
apiVersion: v1
kind: Namespace
metadata: {name: shop}
---
apiVersion: v1
kind: Secret
metadata: {name: site, namespace: shop}
type: kubernetes.io/tls
stringData:
  tls.crt: |
    ${indented(cert)}
  tls.key: |
    ${indented(key)}
---
apiVersion: v1
kind: Secret
metadata: {name: idp, namespace: shop, labels: {postern.dev/secret: 'true'}}
stringData: {client-secret: ${provider.clientSecret}}
---
apiVersion: postern.dev/v1alpha1
kind: OidcPlugin
metadata: {name: idp, namespace: shop}
spec:
  issuer: ${provider.issuer}
  clientID: ${provider.clientId}
  clientSecretRef: {name: idp}
  insecure: {httpProvider: true}
  upstream: {claims: [{claim: email, header: X-Forwarded-Email}]}
---
apiVersion: postern.dev/v1alpha1
kind: Service
metadata: {name: up, namespace: shop}
spec: {url: 'http://127.0.0.1:${upstreamPort}'}
---
apiVersion: postern.dev/v1alpha1
kind: Route
metadata: {name: app, namespace: shop}
spec:
  hosts: [localhost]
  paths: [{type: Prefix, value: /app}]
  serviceRef: {name: up}
  plugins: [{kind: OidcPlugin, name: idp}]
  tls: {secretRef: {name: site}}
`;
