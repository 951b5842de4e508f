import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { wantsJson } from '../src/proxy/pages/wants-json.ts';
import { echo } from './echo.ts';
import { listen } from './listen.ts';
import { renderService, SERVICE_POLICY } from './service-page.ts';

export interface DemoService {
  /** `http://127.0.0.1:8082` */
  readonly url: string;
  close(): Promise<void>;
}

export interface ServiceOptions {
  /** 0: any free one. */
  readonly port: number;
  /** Where the gateway ends a session; a path of the site that the service is published at. */
  readonly logoutPath: string;
}

/** The service that the demo puts a login in front of: it shows what reached it, as a page or as JSON. */
export async function startService(options: ServiceOptions): Promise<DemoService> {
  const server: Server = createServer((request, response) => {
    answer(request, response, options.logoutPath).catch(() => response.destroy());
  });
  const port = await listen(server, options.port);
  return {
    url: `http://127.0.0.1:${port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function answer(request: IncomingMessage, response: ServerResponse, logoutPath: string): Promise<void> {
  const seen = await echo(request);
  const json = wantsJson((name) => {
    const value = request.headers[name];
    return Array.isArray(value) ? value.join(', ') : value;
  });
  const body = json ? `${JSON.stringify(seen, null, 2)}\n` : renderService(seen, { logoutPath, now: Date.now() });
  response.writeHead(200, {
    'Content-Type': json ? 'application/json' : 'text/html; charset=utf-8',
    'Content-Length': Buffer.byteLength(body),
    'Content-Security-Policy': SERVICE_POLICY,
    'X-Content-Type-Options': 'nosniff',
    'Referrer-Policy': 'same-origin',
    'Cache-Control': 'no-store',
  });
  response.end(request.method === 'HEAD' ? undefined : body);
}
