import { type DemoProvider, startProvider } from '../../demo/provider.ts';
import { type DemoService, startService } from '../../demo/service.ts';
import { USERS } from '../../demo/users.ts';
import { freePort, type Gateway, startGateway } from './gateway.ts';
import { startTlsTerminator } from './tls-terminator.ts';

/** Gateway (the real command line), a certified provider and a service, joined as a user would. */
export interface World {
  /** Where a browser finds the gateway: `http://localhost:P` or `https://shop.example.test:P`. */
  readonly site: string;
  readonly gateway: Gateway;
  readonly provider: DemoProvider;
  readonly service: DemoService;
  stop(): Promise<void>;
}

const CLIENT_SECRET = 'planted-client-secret-7f3a';

export interface WorldOptions {
  /** Undefined: plain http on localhost. */
  readonly tlsName?: string;
  readonly routes?: string;
  /** Lines of the OidcPlugin's spec, besides issuer and client. */
  readonly plugin?: string;
}

const ROUTES = `
apiVersion: postern.dev/v1alpha1
kind: Route
metadata: {name: open, namespace: shop}
spec: {hosts: [HOST], paths: [{type: Prefix, value: /open}], serviceRef: {name: shop}, access: Public}
---
apiVersion: postern.dev/v1alpha1
kind: Route
metadata: {name: orders, namespace: shop}
spec: {hosts: [HOST], paths: [{type: Prefix, value: /orders}], serviceRef: {name: shop}, plugins: [{kind: OidcPlugin, name: idp}]}
---
apiVersion: postern.dev/v1alpha1
kind: Route
metadata: {name: admin, namespace: shop}
spec:
  hosts: [HOST]
  paths: [{type: Prefix, value: /admin}]
  serviceRef: {name: shop}
  plugins: [{kind: OidcPlugin, name: idp}]
  authorization: {rules: [{name: admins only, groups: [admins]}]}
`;

export async function startWorld(options: WorldOptions = {}): Promise<World> {
  const port = await freePort();
  const outside = options.tlsName === undefined ? port : await freePort();
  const host = options.tlsName ?? 'localhost';
  const site = options.tlsName === undefined ? `http://localhost:${port}` : `https://${host}:${outside}`;
  const provider = await startProvider({
    port: 0,
    client: {
      clientId: 'shop',
      clientSecret: CLIENT_SECRET,
      redirectUris: [`${site}/_oidc/idp/callback`],
      postLogoutRedirectUris: [`${site}/`, `${site}/open`],
    },
    resource: site,
    users: USERS,
  });
  const service = await startService({ port: 0, logoutPath: '/_oidc/idp/logout' });
  const insecure = options.tlsName === undefined ? 'httpCookies: true, httpProvider: true' : 'httpProvider: true';
  const gateway = await startGateway({
    port,
    args: options.tlsName === undefined ? [] : ['--external-scheme', 'https', '--external-port', String(outside)],
    objects: {
      'routes.yaml': (options.routes ?? ROUTES).replaceAll('HOST', host),
      'rest.yaml': `
apiVersion: postern.dev/v1alpha1
kind: Service
metadata: {name: shop, namespace: shop}
spec: {url: ${service.url}}
---
apiVersion: v1
kind: Secret
metadata: {name: idp, namespace: shop}
stringData: {client-secret: ${CLIENT_SECRET}}
---
apiVersion: postern.dev/v1alpha1
kind: OidcPlugin
metadata: {name: idp, namespace: shop}
spec:
  issuer: ${provider.issuer}
  clientID: shop
  clientSecretRef: {name: idp}
  scopes: [openid, profile, email, groups]
  upstream: {claims: [{claim: email, header: X-Forwarded-Email}]}
  insecure: {${insecure}}
${options.plugin ?? ''}
`,
    },
  });
  const stopTls = options.tlsName === undefined ? undefined : await startTlsTerminator(outside, options.tlsName, port);
  return {
    site,
    gateway,
    provider,
    service,
    async stop() {
      stopTls?.();
      await gateway.stop();
      await provider.close();
      await service.close();
    },
  };
}
