import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { open } from '../client.ts';
import { bytesAt, isAt, newSeed } from '../pattern.ts';
import { between, oneIn, pause } from '../random.ts';
import type { Replica } from '../replica.ts';
import type { Load, SoakWorld } from '../world.ts';

const KEY = Buffer.alloc(16).toString('base64');
/** For what was sent to come back. */
const BACK_WITHIN = 30_000;
/** Milliseconds that the answer to an upgrade may take on a busy machine. */
const SERVER_AHEAD = 3000;

/** WebSockets: opened, talked over for a while, closed by either side; every byte has to come back. */
export const tunnels: Load = {
  kind: 'tunnels',
  workers: 12,
  pause: 1000,
  async once(world) {
    const long = oneIn(10);
    const milliseconds = long ? between(20_000, 120_000) : between(0, 8000);
    const byServer = oneIn(3);
    const { socket, replica, head } = await upgrade(world, byServer ? `close=${milliseconds}` : '');
    const talk = new Talk(socket, head);
    const until = performance.now() + milliseconds;
    while (!talk.over && !world.over() && (byServer || performance.now() < until)) {
      // What is on its way when the other side closes may be lost: then nothing is said in the last moments.
      if (!byServer || performance.now() < until - 2000) talk.say(between(1, 64 * 1024));
      await pause(between(20, 400));
      if (byServer && performance.now() > until + BACK_WITHIN) break;
    }
    // Closed by neither of the two that talk. The clock of the server began before ours.
    const early = talk.over && performance.now() < until - (byServer ? SERVER_AHEAD : 0);
    if (!byServer || world.over()) socket.end();
    await talk.ended();
    if (talk.received === talk.sent && talk.right && !talk.broken && !early)
      return byServer ? 'closed by server' : 'closed by client';
    if (replica.mayCut && talk.right) return 'cut at the end of a drain';
    throw new Error(
      `a tunnel of ${replica.name}${replica.ending ? ' (ending)' : ''} ${talk.broken ? `broke (${talk.broken})` : early ? 'ended early,' : 'ended'} after ${talk.received} of ${talk.sent} bytes, ${talk.right ? 'right' : 'WRONG'}`,
    );
  },
};

/** Gone in the middle of a word, or before the answer (F46). */
export const abortedTunnels: Load = {
  kind: 'tunnels aborted',
  workers: 2,
  pause: 500,
  async once(world) {
    if (oneIn(4)) {
      const { asked } = begin(world, '');
      asked.on('upgrade', (_response, socket: Socket) => socket.on('error', () => {}).destroy());
      asked.end();
      await pause(between(0, 10));
      asked.destroy();
      return 'aborted early';
    }
    const { socket, head } = await upgrade(world, '');
    const talk = new Talk(socket, head);
    for (let words = between(0, 10); words > 0; words--) {
      talk.say(64 * 1024);
      await pause(between(0, 20));
    }
    if (oneIn(2)) socket.resetAndDestroy();
    else socket.destroy();
    return 'aborted';
  },
};

/** Says known bytes and compares what comes back. */
class Talk {
  sent = 0;
  received = 0;
  right = true;
  over = false;
  broken: string | undefined;
  readonly #seed = newSeed();
  readonly #socket: Socket;
  readonly #closed: Promise<void>;

  constructor(socket: Socket, head: Buffer) {
    this.#socket = socket;
    this.#closed = new Promise((resolve) => socket.once('close', () => resolve()));
    socket.setTimeout(0);
    socket.on('error', (error: NodeJS.ErrnoException) => {
      this.broken = error.code ?? error.message;
    });
    socket.on('end', () => {
      this.over = true;
      socket.end();
    });
    socket.on('close', () => {
      this.over = true;
    });
    this.#hear(head);
    socket.on('data', (part: Buffer) => this.#hear(part));
  }

  say(bytes: number): void {
    if (!this.#socket.writable) return;
    const part = bytesAt(this.#seed, this.sent, bytes);
    this.sent += part.length;
    this.#socket.write(part);
  }

  async ended(): Promise<void> {
    const late = setTimeout(() => {
      this.broken = `still open ${BACK_WITHIN} ms after its end`;
      this.#socket.destroy();
    }, BACK_WITHIN);
    await this.#closed;
    clearTimeout(late);
  }

  #hear(part: Buffer): void {
    this.right &&= isAt(this.#seed, this.received, part);
    this.received += part.length;
  }
}

async function upgrade(world: SoakWorld, query: string) {
  const { asked, replica } = begin(world, query);
  const refused = new Promise<never>((_resolve, reject) => {
    asked.once('response', (response) => {
      response.resume();
      reject(new Error(`${response.statusCode} instead of an upgrade`));
    });
  });
  const joined = once(asked, 'upgrade') as Promise<[IncomingMessage, Socket, Buffer]>;
  asked.end();
  refused.catch(() => {});
  const [, socket, head] = await Promise.race([joined, refused]);
  return { socket, head, replica };
}

function begin(world: SoakWorld, query: string) {
  const path = `/app/echo?${query}`;
  const replica: Replica = world.replicas.pick();
  const cookie = world.sessions.cookie(world.sessions.any(), path);
  const headers = {
    connection: 'Upgrade',
    upgrade: 'websocket',
    'sec-websocket-version': '13',
    'sec-websocket-key': KEY,
    origin: `http://${world.host}`,
  };
  return { replica, asked: open(replica, { host: world.host, path, cookie, headers, alone: true }) };
}
