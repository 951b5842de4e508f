import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { bytesAt, isAt } from './pattern.ts';
import { pause } from './random.ts';

export interface SoakUpstream {
  readonly port: number;
  /** Exchanges that haven't ended: 0 once all clients are gone. */
  busy(): number;
  close(): void;
}

type Answer = (url: URL, request: IncomingMessage, response: ServerResponse) => Promise<void> | void;

/** What is behind the gateway: says who it was told the person is, takes and gives known bytes, and fails in every way. */
export async function startUpstream(): Promise<SoakUpstream> {
  let busy = 0;
  const leaves = (): void => {
    busy -= 1;
  };
  const server = createServer((request, response) => {
    busy += 1;
    response.once('close', leaves);
    const url = new URL(request.url ?? '/', 'http://upstream');
    const answer = ANSWERS[url.pathname.slice(url.pathname.lastIndexOf('/') + 1)] ?? small;
    // A client that went away in the middle is what this is for.
    void Promise.resolve(answer(url, request, response)).catch(() => response.destroy());
  });
  server.requestTimeout = 0;
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    busy += 1;
    socket.once('close', leaves);
    echo(request, socket, head);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the upstream has no port');
  return {
    port: address.port,
    busy: () => busy,
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}

/** The number that was asked with, and who asks by what the gateway says. */
const small: Answer = (url, request, response) => {
  request.resume();
  response.end(`${url.searchParams.get('n')} ${String(request.headers['x-forwarded-email'])}`);
};

const ANSWERS: Readonly<Record<string, Answer>> = {
  small,
  async up(url, request, response) {
    const seed = Number(url.searchParams.get('seed'));
    const slow = url.searchParams.has('slow');
    let bytes = 0;
    let right = true;
    for await (const chunk of request) {
      const part: Buffer = Buffer.isBuffer(chunk) ? chunk : Buffer.from(String(chunk));
      right &&= isAt(seed, bytes, part);
      bytes += part.length;
      if (slow) await pause(5);
    }
    response.end(`${bytes} ${right}`);
  },
  async down(url, request, response) {
    request.resume();
    const seed = Number(url.searchParams.get('seed'));
    const bytes = Number(url.searchParams.get('bytes'));
    response.writeHead(200, url.searchParams.has('chunked') ? {} : { 'content-length': bytes });
    for (let sent = 0; sent < bytes && !response.destroyed; ) {
      const part = bytesAt(seed, sent, bytes - sent);
      sent += part.length;
      if (!response.write(part)) await drained(response);
    }
    response.end();
  },
  reset(_url, request) {
    request.socket.resetAndDestroy();
  },
  half(_url, request, response) {
    response.writeHead(200, { 'content-length': 100_000 });
    response.write(Buffer.alloc(1000), () => setTimeout(() => request.socket.resetAndDestroy(), 20));
  },
  stall(_url, request) {
    request.resume();
  },
  pauses(_url, request, response) {
    request.resume();
    response.writeHead(200, { 'content-length': 100_000 });
    response.write(Buffer.alloc(1000));
  },
  garbage(_url, request) {
    request.socket.end('HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx');
  },
};

const drained = (response: ServerResponse): Promise<void> =>
  new Promise((resolve) => {
    const on = (): void => {
      response.off('drain', on);
      response.off('close', on);
      resolve();
    };
    response.on('drain', on);
    response.on('close', on);
  });

/** Every byte back, and with `close` the end after so many milliseconds. */
function echo(request: IncomingMessage, socket: Duplex, head: Buffer): void {
  const close = new URL(request.url ?? '/', 'http://upstream').searchParams.get('close');
  socket.on('error', () => socket.destroy());
  socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
  socket.write(head);
  socket.pipe(socket);
  if (close === null) return;
  const timer = setTimeout(() => socket.end(), Number(close));
  socket.once('close', () => clearTimeout(timer));
}
