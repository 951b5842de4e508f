import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CookieJar } from '../test/support/cookie-jar.ts';
import { freePort } from '../test/support/gateway.ts';
import { followLogin, type HonestProvider, startHonestProvider } from '../test/support/honest-provider.ts';
import { untilListening } from './nginx.ts';
import { type Pinned, startPinned } from './process.ts';

export interface BenchGateway {
  readonly url: string;
  readonly objects: string;
  readonly process: Pinned;
  readonly provider: HonestProvider;
  /** Cookie line of a session that was logged in for real. */
  readonly cookie: string;
  stop(): Promise<void>;
}

/** The real command line on the given core, with log and metrics on, and one session. */
export async function startGateway(upstreamPort: number, cores: string): Promise<BenchGateway> {
  const [port, admin, debug] = [await freePort(), await freePort(), await freePort()];
  const url = `http://localhost:${port}`;
  const provider = await startHonestProvider({ redirectUris: [`${url}/_oidc/idp/callback`] });
  const objects = mkdtempSync(join(tmpdir(), 'postern-bench-'));
  writeFileSync(join(objects, 'objects.yaml'), objectsOf(provider, upstreamPort));
  const listeners = ['--listen', `127.0.0.1:${port}`, '--admin', `127.0.0.1:${admin}`, '--debug', `127.0.0.1:${debug}`];
  const process_ = startPinned(
    cores,
    [process.execPath, 'src/main.ts', 'serve', '--files', objects, ...listeners],
    join(objects, 'gateway.log'),
  );
  const stop = async (): Promise<void> => {
    await process_.stop();
    await provider.close();
  };
  const jar = new CookieJar();
  try {
    await untilListening(port);
    await followLogin(`${url}/app`, `${url}/app`, jar);
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    url,
    objects,
    process: process_,
    provider,
    cookie: jar.header(new URL(`${url}/app`)),
    stop,
  };
}

const objectsOf = (provider: HonestProvider, upstreamPort: number): string => `
apiVersion: postern.dev/v1alpha1
kind: Service
metadata: {name: up}
spec: {url: 'http://127.0.0.1:${upstreamPort}'}
---
apiVersion: postern.dev/v1alpha1
kind: Route
metadata: {name: app}
spec: {hosts: [localhost], paths: [{type: Prefix, value: /app}], serviceRef: {name: up}, plugins: [{kind: OidcPlugin, name: idp}]}
---
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
