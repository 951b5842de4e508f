import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { residentBytes } from '../process.ts';
import { atMost, type Figure } from '../statistics.ts';
import { startGateway } from './gateway.ts';
import type { Upstream } from './nginx.ts';
import { wrk } from './wrk.ts';

const CONNECTIONS = 4000;
const KIB = 1024;

/** What a connection costs that had one request and waits for the next. */
export async function idleConnections(upstream: Upstream): Promise<readonly Figure[]> {
  const gateway = await startGateway({ upstreamPort: upstream.port });
  const { hostname, port } = new URL(gateway.url);
  const head = ['GET /app HTTP/1.1', `Host: ${hostname}:${port}`, ...gateway.headers, '', ''].join('\r\n');
  const sockets: Socket[] = [];
  try {
    // The young generation finds its size first.
    for (let i = 0; i < 4; i++) await wrk(gateway, { seconds: 3, connections: 64 });
    await sleep(2000);
    const before = residentBytes(gateway.pid);
    for (let i = 0; i < CONNECTIONS; i++) {
      const socket = connect(Number(port), '127.0.0.1');
      sockets.push(socket);
      socket.write(head);
      await once(socket, 'data');
    }
    await sleep(3000);
    const each = (residentBytes(gateway.pid) - before) / CONNECTIONS / KIB;
    return [atMost('memory per idle keep-alive connection', each, 'KiB', 16)];
  } finally {
    for (const socket of sockets) socket.destroy();
    await gateway.stop();
  }
}
