import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { PluginLog } from '../plugins/contract.ts';

export interface Endpoint {
  readonly host: string;
  /** 0: any that is free. */
  readonly port: number;
}

export interface Page {
  readonly status: number;
  readonly type: string;
  readonly body: string;
}

export interface PageServer {
  /** Where it listens, with the real port. */
  readonly endpoint: Endpoint;
  close(): Promise<void>;
}

export interface PageServerOptions {
  readonly endpoint: Endpoint;
  /** By exact path. Everything else is 404. */
  readonly pages: ReadonlyMap<string, (query: URLSearchParams) => Page | Promise<Page>>;
  /** A page: the request is answered with that instead. */
  refuse?(request: IncomingMessage): Page | undefined;
  readonly log: PluginLog;
}

/** Connections that are held at one time; a scraper that stalls keeps one. */
const MOST_CONNECTIONS = 256;

/**
 * Serves a handful of pages to be read, GET and HEAD only: nothing can be written and no body is looked at (A171).
 * @throws the error of `listen`: the address is taken, or not ours.
 */
export async function servePages(options: PageServerOptions): Promise<PageServer> {
  const server = createServer(
    { maxHeaderSize: 8192, headersTimeout: 5000, requestTimeout: 10_000, keepAliveTimeout: 30_000 },
    (request, response) => {
      // A peer that is gone is no error of ours.
      response.on('error', () => {});
      answer(request)
        .catch((error: unknown) => {
          options.log.error({ err: error }, 'a page could not be made, which is a bug');
          return FAILED;
        })
        .then((page) => {
          send(request, response, page);
        })
        .catch(() => request.destroy());
    },
  );
  server.maxConnections = MOST_CONNECTIONS;
  server.setTimeout(60_000);
  server.on('clientError', (_error, socket) => {
    socket.destroy();
  });

  const answer = async (request: IncomingMessage): Promise<Page> => {
    if (request.method !== 'GET' && request.method !== 'HEAD') return NOT_ALLOWED;
    const refused = options.refuse?.(request);
    if (refused !== undefined) return refused;
    const target = request.url ?? '';
    const mark = target.indexOf('?');
    const page = options.pages.get(mark < 0 ? target : target.slice(0, mark));
    return page === undefined ? NOT_FOUND : await page(new URLSearchParams(mark < 0 ? '' : target.slice(mark)));
  };

  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host: options.endpoint.host, port: options.endpoint.port }, () => {
      server.off('error', reject);
      resolve();
    });
  });
  server.on('error', (error) => {
    options.log.error({ err: error }, 'listener failed');
  });
  return {
    endpoint: { host: options.endpoint.host, port: portOf(server.address()) },
    close: () =>
      new Promise((resolve) => {
        server.close(() => {
          resolve();
        });
        server.closeAllConnections();
      }),
  };
}

export const textPage = (status: number, body: string): Page => ({ status, type: 'text/plain; charset=utf-8', body });
export const jsonPage = (status: number, value: unknown): Page => ({
  status,
  type: 'application/json; charset=utf-8',
  body: `${JSON.stringify(value, null, 2)}\n`,
});

const NOT_FOUND = textPage(404, 'not found\n');
const NOT_ALLOWED = textPage(405, 'only GET and HEAD\n');
const FAILED = textPage(500, 'failed; the log has the cause\n');

function send(request: IncomingMessage, response: ServerResponse, page: Page): void {
  const body = Buffer.from(page.body);
  // The body of a request isn't read: the connection can't be used again after one.
  const hasBody =
    request.headers['transfer-encoding'] !== undefined || Number(request.headers['content-length'] ?? 0) !== 0;
  response.writeHead(page.status, {
    'content-type': page.type,
    'content-length': body.length,
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    'cross-origin-resource-policy': 'same-origin',
    ...(page.status === 405 ? { allow: 'GET, HEAD' } : {}),
    ...(hasBody ? { connection: 'close' } : {}),
  });
  response.end(request.method === 'HEAD' ? undefined : body);
}

const portOf = (address: AddressInfo | string | null): number =>
  address === null || typeof address === 'string' ? 0 : address.port;
