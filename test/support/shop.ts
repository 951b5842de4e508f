import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import { freePort, type Gateway, startGateway } from './gateway.ts';

/** Documents of one file; JSON is YAML. */
export const yaml = (...documents: readonly unknown[]): string =>
  documents.map((document) => JSON.stringify(document)).join('\n---\n');

const meta = (name: string, namespace: string) => ({ name, namespace });
const API = 'postern.dev/v1alpha1';

export interface RouteOptions {
  readonly namespace?: string;
  readonly host?: string;
  readonly path?: string;
  /** Names of OidcPlugins; undefined: Public. */
  readonly plugins?: readonly (string | { readonly name: string; readonly namespace: string })[];
  readonly service?: string;
  readonly spec?: Readonly<Record<string, unknown>>;
}

export function route(name: string, options: RouteOptions = {}): unknown {
  const guard =
    options.plugins === undefined
      ? { access: 'Public' }
      : {
          plugins: options.plugins.map((plugin) => ({
            kind: 'OidcPlugin',
            ...(typeof plugin === 'string' ? { name: plugin } : plugin),
          })),
        };
  return {
    apiVersion: API,
    kind: 'Route',
    metadata: meta(name, options.namespace ?? 'shop'),
    spec: {
      hosts: [options.host ?? 'localhost'],
      paths: [{ type: 'Prefix', value: options.path ?? `/${name}` }],
      serviceRef: { name: options.service ?? 'shop' },
      ...guard,
      ...options.spec,
    },
  };
}

export const service = (url: string, name = 'shop', namespace = 'shop'): unknown => ({
  apiVersion: API,
  kind: 'Service',
  metadata: meta(name, namespace),
  spec: { url },
});

export const secret = (name: string, stringData: Readonly<Record<string, string>>, namespace = 'shop'): unknown => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: meta(name, namespace),
  stringData,
});

/** An OidcPlugin for a fake provider, over plain http; its client secret is in the Secret of the same name. */
export const plugin = (
  name: string,
  provider: { readonly issuer: string; readonly clientId: string },
  spec: Readonly<Record<string, unknown>> = {},
  namespace = 'shop',
): unknown => ({
  apiVersion: API,
  kind: 'OidcPlugin',
  metadata: meta(name, namespace),
  spec: {
    issuer: provider.issuer,
    clientID: provider.clientId,
    clientSecretRef: { name },
    insecure: { httpCookies: true, httpProvider: true },
    ...spec,
  },
});

export interface SeenByService {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
}

/** A service that says where it was asked, and remembers what it was sent. */
export interface Echo {
  readonly url: string;
  readonly seen: SeenByService[];
  close(): void;
}

export async function startEcho(): Promise<Echo> {
  const seen: SeenByService[] = [];
  const server = createServer((request, response) => {
    request.resume();
    seen.push({ method: request.method ?? '', url: request.url ?? '', headers: request.headers });
    response.end(`service saw ${request.url}`);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return {
    url: `http://127.0.0.1:${address.port}`,
    seen,
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}

export interface Shop {
  readonly gateway: Gateway;
  readonly echo: Echo;
  /** `http://localhost:P` */
  readonly site: string;
  stop(): Promise<void>;
}

/** Gateway (the real command line) and an echo. `objects`: given the URL of the echo, the files. */
export async function startShop(
  objects: (service: string) => Readonly<Record<string, string>>,
  args: readonly string[] = [],
  env: Readonly<Record<string, string>> = {},
): Promise<Shop> {
  const echo = await startEcho();
  const port = await freePort();
  const gateway = await startGateway({ port, objects: objects(echo.url), args, env });
  return {
    gateway,
    echo,
    site: `http://localhost:${port}`,
    async stop() {
      await gateway.stop();
      echo.close();
    },
  };
}
