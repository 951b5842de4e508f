import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { HonestProvider } from '../support/honest-provider.ts';

export const CALLBACK = '/_oidc/idp/callback';
/** Largest body that `/app/limited` takes. */
export const LIMITED = 64 * 1024;

/** A directory of objects that is rewritten by rename, as docs/files.md says. */
export class ObjectFiles {
  readonly directory: string;

  constructor(directory: string) {
    this.directory = directory;
    mkdirSync(directory);
  }

  write(file: string, text: string): void {
    const aside = join(this.directory, `.${file}.new`);
    writeFileSync(aside, text);
    renameSync(aside, join(this.directory, file));
  }

  remove(file: string): void {
    rmSync(join(this.directory, file), { force: true });
  }
}

/** What is there all the time. */
export const baseObjects = (upstreamPort: number): string => `
apiVersion: postern.dev/v1alpha1
kind: Service
metadata: {name: up}
spec: {url: 'http://127.0.0.1:${upstreamPort}'}
---
apiVersion: postern.dev/v1alpha1
kind: Service
metadata: {name: faulty}
spec: {url: 'http://127.0.0.1:${upstreamPort}', timeouts: {response: 2s, idle: 2s}}
---
${route('app', '/app', 'up', 'plugins: [{kind: OidcPlugin, name: idp}]')}
---
${route('limited', '/app/limited', 'up', 'plugins: [{kind: OidcPlugin, name: idp}], maxRequestBody: 64Ki')}
---
${route('faulty', '/faulty', 'faulty', 'plugins: [{kind: OidcPlugin, name: idp}]')}
---
${publicRoute('open', '/open')}
`;

export const pluginObject = ({ issuer, clientId }: HonestProvider, idleTimeout: string): string => `
apiVersion: postern.dev/v1alpha1
kind: OidcPlugin
metadata: {name: idp}
spec:
  issuer: ${issuer}
  clientID: ${clientId}
  clientSecretRef: {name: idp}
  insecure: {httpCookies: true, httpProvider: true}
  session: {idleTimeout: ${idleTimeout}}
  upstream: {claims: [{claim: email, header: X-Forwarded-Email}]}
`;

export const secretObject = (current: string, previous?: string): string => `
apiVersion: v1
kind: Secret
metadata: {name: idp}
stringData:
  client-secret: ${current}
${previous === undefined ? '' : `  client-secret-previous: ${previous}\n`}`;

export const publicRoute = (name: string, path: string, service = 'up'): string =>
  route(name, path, service, 'access: Public');

const route = (name: string, path: string, service: string, more: string): string =>
  `apiVersion: postern.dev/v1alpha1
kind: Route
metadata: {name: ${name}}
spec: {hosts: [localhost], paths: [{type: Prefix, value: ${path}}], serviceRef: {name: ${service}}, ${more}}`;
