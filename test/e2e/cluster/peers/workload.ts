import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { echo } from '../../../../demo/echo.ts';

interface WorkloadOptions {
  readonly port: number;
  readonly pod: string;
}

/**
 * A service as it should be: `/…` answers in JSON what reached it and which Pod it is; `?slow=ms` takes that long. On SIGTERM
 * it finishes what is under way and goes. (That nobody sends it anything new before that is the preStop of its Pod.)
 */
export function startWorkload({ port, pod }: WorkloadOptions): void {
  const server = createServer((request, response) => {
    answer(request, response, pod).catch(() => response.destroy());
  });
  server.listen(port, () => console.log(`workload ${pod} listens on ${port}`));
  process.on('SIGTERM', () => {
    server.close(() => process.exit(0));
    server.closeIdleConnections();
  });
}

async function answer(request: IncomingMessage, response: ServerResponse, pod: string): Promise<void> {
  const seen = await echo(request);
  const slow = Number(seen.query.find(([name]) => name === 'slow')?.[1] ?? 0);
  if (slow > 0) await sleep(Math.min(slow, 60_000));
  const body = `${JSON.stringify({ pod, ...seen })}\n`;
  response.writeHead(200, { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(body) });
  response.end(body);
}
