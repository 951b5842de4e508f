import { once } from 'node:events';
import { createServer, request } from 'node:http';
import type { Socket } from 'node:net';
import type { Figure } from '../statistics.ts';
import type { Contender } from './contender.ts';
import { startGateway } from './gateway.ts';
import { startPlain, type Upstream } from './nginx.ts';
import { interleaved, type Load, ratio, ratioFigure } from './rounds.ts';

const CONNECTIONS = 64;
const SECONDS = 3;
/** A text frame of RFC 6455 with 120 bytes, masked with zeros. */
const FRAME = Buffer.concat([Buffer.from([0x81, 0x80 | 120, 0, 0, 0, 0]), Buffer.alloc(120, 'x')]);

/** A message to an echo and back, over connections that are there already. */
export async function webSockets(upstream: Upstream): Promise<readonly Figure[]> {
  const echo = await startEcho();
  const nginx = await startPlain(echo.port);
  const gateway = await startGateway({ upstreamPort: upstream.port, echoPort: echo.port });
  try {
    const rounds = await interleaved([nginx, gateway], pingPong);
    return [
      ratioFigure('CPU per WebSocket message, each way', nginx.name, ratio(rounds, gateway.name, nginx.name), 1.25),
    ];
  } finally {
    echo.close();
    await Promise.all([nginx.stop(), gateway.stop()]);
  }
}

/** In this process, which the load's core is for. */
async function startEcho(): Promise<{ readonly port: number; close(): void }> {
  const sockets = new Set<Socket>();
  const server = createServer();
  server.on('upgrade', (_request, socket: Socket) => {
    sockets.add(socket);
    socket.setNoDelay(true);
    socket.on('error', () => {});
    socket.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n');
    socket.on('data', (chunk) => socket.write(chunk));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the echo has no port');
  return {
    port: address.port,
    close() {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}

async function pingPong({ url, headers }: Contender): Promise<Load> {
  const sockets = await Promise.all(Array.from({ length: CONNECTIONS }, () => open(`${url}/ws`, headers)));
  let messages = 0;
  let going = true;
  for (const socket of sockets) {
    let awaited = FRAME.length;
    socket.on('data', (chunk: Buffer) => {
      awaited -= chunk.length;
      if (awaited > 0) return;
      awaited = FRAME.length;
      messages += 1;
      if (going) socket.write(FRAME);
    });
    socket.write(FRAME);
  }
  await new Promise((resolve) => setTimeout(resolve, SECONDS * 1000));
  going = false;
  for (const socket of sockets) socket.destroy();
  return { count: messages, seconds: SECONDS, p50Ms: 0, p99Ms: 0 };
}

function open(url: string, lines: readonly string[]): Promise<Socket> {
  const given = Object.fromEntries(lines.map((line) => line.split(/: (.*)/s, 2)));
  const key = Buffer.alloc(16, 'k').toString('base64');
  const headers = {
    ...given,
    Connection: 'Upgrade',
    Upgrade: 'websocket',
    'Sec-WebSocket-Version': '13',
    'Sec-WebSocket-Key': key,
  };
  return new Promise((resolve, reject) => {
    const asked = request(url, { agent: false, headers });
    asked.on('upgrade', (_response, socket: Socket) => {
      socket.setNoDelay(true);
      socket.on('error', () => {});
      resolve(socket);
    });
    asked.on('response', (response) => reject(new Error(`${url} answered ${response.statusCode}`)));
    asked.on('error', reject);
    asked.end();
  });
}
