import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Forwarder } from '../../src/proxy/forwarder.ts';
import { askOnce, RawClient } from '../support/raw-client.ts';
import { FORWARDERS } from './support/forwarders.ts';
import { eventually, type GatewayOptions, startGateway } from './support/gateway.ts';
import { ok, startRawUpstream, startUpstream } from './support/upstream.ts';

const MIB = 1024 * 1024;
const SIZE = 256 * MIB;
/** What garbage may stand about of client, proxy and upstream in one process, and far from what a buffering proxy needs. */
const FLAT = 128 * MIB;
const BLOCK = Buffer.alloc(64 * 1024, 'x');
const GET = 'GET /x HTTP/1.1\r\nHost: app.example\r\n\r\n';

setFlagsFromString('--expose-gc');
const collect: unknown = runInNewContext('gc');

/** Bytes of heap and buffers that are in use. */
function memory(): number {
  if (typeof collect !== 'function') throw new Error('no garbage collection on demand');
  collect();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

describe.each(FORWARDERS)('streaming and broken connections, forwarder on %s', (_name, make) => {
  let forwarder: Forwarder;
  const closing: (() => Promise<void>)[] = [];
  beforeEach(() => {
    forwarder = make();
  });
  afterEach(async () => {
    for (const close of closing.splice(0).reverse()) await close();
  });

  const gatewayTo = async (port: number, more: Partial<GatewayOptions> = {}) => {
    const gateway = await startGateway({ port, forwarder, ...more });
    closing.push(() => gateway.close());
    return gateway;
  };

  /** Sends 256 MiB to whoever asks, as fast as it is taken. */
  const bigUpstream = async (head: string) => {
    const upstream = await startRawUpstream((socket) => {
      socket.once('data', () => {
        let left = SIZE;
        socket.write(head);
        const pump = (): void => {
          while (left > 0) {
            left -= BLOCK.length;
            if (!socket.write(BLOCK)) {
              socket.once('drain', pump);
              return;
            }
          }
          socket.end();
        };
        pump();
      });
    });
    closing.push(() => upstream.close());
    return upstream;
  };

  it.each([`Content-Length: ${SIZE}\r\n`, ''])('F47 256 MiB come down whole, with flat memory (%j)', async (length) => {
    const upstream = await bigUpstream(`HTTP/1.1 200 OK\r\n${length}\r\n`);
    const gateway = await gatewayTo(upstream.port);
    const client = await RawClient.connect(gateway.port);
    client.socket.removeAllListeners('data');
    let bytes = 0;
    let peak = 0;
    const before = memory();
    client.socket.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes % 97 === 0) peak = Math.max(peak, memory() - before);
    });
    await client.send(GET);
    await eventually(() => gateway.records.length === 1, 'the response is sent', 30_000);
    expect(gateway.records[0]).toMatchObject({ outcome: 'forwarded', responseBytes: SIZE });
    await eventually(() => bytes >= SIZE, 'the client has it');
    expect(peak).toBeLessThan(FLAT);
    client.destroy();
  });

  it('F47 256 MiB go up whole, with flat memory', async () => {
    let received = 0;
    const upstream = await startRawUpstream((socket) => {
      let headSeen = false;
      socket.on('data', (chunk: Buffer) => {
        received += chunk.length;
        if (!headSeen) {
          headSeen = true;
          received -= chunk.indexOf('\r\n\r\n') + 4;
        }
        if (received === SIZE) socket.write(ok('thanks'));
      });
    });
    closing.push(() => upstream.close());
    const gateway = await gatewayTo(upstream.port);
    const client = await RawClient.connect(gateway.port);
    await client.send(`POST /x HTTP/1.1\r\nHost: app.example\r\nContent-Length: ${SIZE}\r\n\r\n`);
    let peak = 0;
    const before = memory();
    for (let i = 0; i < SIZE; i += BLOCK.length) {
      await client.send(BLOCK);
      if (i % (8 * MIB) === 0) peak = Math.max(peak, memory() - before);
    }
    expect((await client.answer())?.body).toBe('thanks');
    expect(gateway.records[0]?.requestBytes).toBe(SIZE);
    expect(peak).toBeLessThan(FLAT);
    client.destroy();
  });

  it('F47 a client that reads nothing holds its upstream up, not the memory', async () => {
    let taken = 0;
    const upstream = await startRawUpstream((socket) => {
      socket.once('data', () => {
        socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${1024 * MIB}\r\n\r\n`);
        const pump = (): void => {
          while (socket.writable && socket.write(BLOCK)) taken += BLOCK.length;
          socket.once('drain', pump);
        };
        pump();
      });
    });
    closing.push(() => upstream.close());
    const gateway = await gatewayTo(upstream.port);
    const client = await RawClient.connect(gateway.port);
    client.socket.pause();
    await client.send(GET);
    let last = -1;
    await eventually(() => {
      const still = taken > 0 && taken === last;
      last = taken;
      return still;
    }, 'the upstream is held up');
    expect(taken).toBeLessThan(64 * MIB);
    client.destroy();
    await eventually(() => upstream.sockets.size === 0 && gateway.leases === 0, 'everything is let go');
  });

  it('F47 an upstream that reads nothing holds its client up', async () => {
    const upstream = await startRawUpstream((socket) => socket.pause());
    closing.push(() => upstream.close());
    // While nothing is read of the client, it isn't seen to go away either: the idle time ends what it left.
    const gateway = await gatewayTo(upstream.port, {
      routes: [{ path: '/', exposure: 'Public', timeouts: { idle: 1500 } }],
    });
    const client = await RawClient.connect(gateway.port);
    await client.send(`POST /x HTTP/1.1\r\nHost: app.example\r\nContent-Length: ${1024 * MIB}\r\n\r\n`);
    let sent = 0;
    while (client.socket.write(BLOCK)) sent += BLOCK.length;
    for (let i = 0; i < 200; i++) {
      if (client.socket.writableLength === 0) {
        client.socket.write(BLOCK);
        sent += BLOCK.length;
      }
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    expect(sent).toBeLessThan(64 * MIB);
    client.destroy();
    await eventually(() => gateway.connections === 0 && gateway.leases === 0, 'everything is let go');
  });

  it('A068 an early answer is passed on, and a connection with unsent bytes is never used again', async () => {
    let nth = 0;
    const upstream = await startRawUpstream((socket) => {
      let seen = '';
      let answered = false;
      socket.on('data', (chunk: Buffer) => {
        seen += chunk.toString('latin1');
        if (answered || !seen.includes('\r\n\r\n')) return;
        answered = true;
        nth += 1;
        socket.write(nth === 1 ? 'HTTP/1.1 413 Content Too Large\r\nContent-Length: 4\r\n\r\nlate' : ok('two'));
      });
    });
    closing.push(() => upstream.close());
    const gateway = await gatewayTo(upstream.port);
    const client = await RawClient.connect(gateway.port);
    await client.send('POST /x HTTP/1.1\r\nHost: app.example\r\nContent-Length: 100\r\n\r\nabc');
    const first = await client.answer();
    expect([first?.status, first?.body]).toEqual([413, 'late']);
    await client.send('d'.repeat(97) + GET);
    expect((await client.answer())?.body).toBe('two');
    expect(upstream.connections).toBe(2);
    client.destroy();
  });

  it('A068 after an early answer of ours no more than the cap is read', async () => {
    const gateway = await gatewayTo(1, { limits: { discardBytes: 100_000 } });
    const small = await RawClient.connect(gateway.port);
    const head = (length: number): string =>
      `POST /private HTTP/1.1\r\nHost: app.example\r\nContent-Length: ${length}\r\n\r\n`;
    await small.send(head(50_000));
    expect((await small.answer())?.status).toBe(401);
    await small.send('a'.repeat(50_000) + head(0));
    expect((await small.answer())?.status).toBe(401);
    small.destroy();
    const big = await RawClient.connect(gateway.port);
    await big.send(head(50_000_000));
    expect((await big.answer())?.status).toBe(401);
    for (let i = 0; i < 200 && !big.ended; i++) await big.send(BLOCK);
    await big.closed;
    expect(big.socket.bytesWritten).toBeLessThan(20 * MIB);
  });

  it('A068 A160 a body that nobody wants and that never comes ends its connection', async () => {
    const gateway = await gatewayTo(1, { limits: { discardTimeout: 100 } });
    const client = await RawClient.connect(gateway.port);
    await client.send('POST /private HTTP/1.1\r\nHost: app.example\r\nContent-Length: 5\r\n\r\na');
    expect((await client.answer())?.status).toBe(401);
    await client.closed;
  });

  it('F46 aborts at random points leave no socket, no lease and no error', async () => {
    const upstream = await startRawUpstream((socket) => {
      socket.on('data', () => {
        if (socket.writable) socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${4 * MIB}\r\n\r\n`);
        for (let i = 0; i < 64 && socket.writable; i++) socket.write(BLOCK);
      });
    });
    closing.push(() => upstream.close());
    const gateway = await gatewayTo(upstream.port);
    const bytes = Buffer.concat([
      Buffer.from(`POST /x HTTP/1.1\r\nHost: app.example\r\nContent-Length: ${MIB}\r\n\r\n`),
      Buffer.alloc(MIB, 'y'),
    ]);
    const one = async (i: number): Promise<void> => {
      const client = await RawClient.connect(gateway.port);
      client.socket.removeAllListeners('data');
      // A fixed walk over the points where an abort can hit, so that a failure can be repeated.
      const cut = i % 3 === 0 ? (i * 37) % 120 : (i * 7919) % bytes.length;
      await client.send(bytes.subarray(0, cut));
      if (i % 2 === 0) client.socket.resume();
      for (let turn = 0; turn < i % 7; turn++) await new Promise((resolve) => setImmediate(resolve));
      if (i % 5 === 0) client.socket.resetAndDestroy();
      else client.destroy();
    };
    for (let round = 0; round < 30; round++) {
      await Promise.all(Array.from({ length: 10 }, (_, i) => one(round * 10 + i)));
    }
    await eventually(() => gateway.connections === 0, 'no client connection is left');
    await eventually(() => gateway.leases === 0, 'no lease is left');
    await eventually(() => upstream.sockets.size === 0, 'no upstream connection is left');
    expect(gateway.errors).toEqual([]);
  });

  it('F46 a client that goes away while the upstream thinks takes the upstream request with it', async () => {
    const upstream = await startUpstream(() => undefined);
    closing.push(() => upstream.close());
    const gateway = await gatewayTo(upstream.port, { limits: { halfClosedTimeout: 100 } });
    const client = await RawClient.connect(gateway.port);
    await client.send(GET);
    await eventually(() => upstream.seen.length === 1, 'the upstream has the request');
    client.destroy();
    await eventually(() => upstream.open === 0 && gateway.leases === 0, 'all is let go');
    expect(gateway.records[0]).toMatchObject({ outcome: 'client_gone', status: 0 });
  });

  it('F42 many requests at once over one upstream keep apart', async () => {
    const upstream = await startUpstream((request, socket) => {
      setTimeout(() => socket.write(ok(request.target)), request.target.length % 7);
      return undefined;
    });
    closing.push(() => upstream.close());
    const gateway = await gatewayTo(upstream.port);
    const answers = await Promise.all(
      Array.from({ length: 200 }, (_, i) =>
        askOnce(gateway.port, `GET /${'n'.repeat(i % 9)}${i} HTTP/1.1\r\nHost: app.example\r\n\r\n`),
      ),
    );
    expect(answers.map(({ body }) => body)).toEqual(answers.map((_, i) => `/${'n'.repeat(i % 9)}${i}`));
  });
});
