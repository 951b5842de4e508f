import { once } from 'node:events';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { createServer as createTlsServer, getCACertificates, setDefaultCACertificates } from 'node:tls';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { CertificateStore } from '../../src/proxy/tls/certificate-store.ts';
import { namespacedName } from '../../src/resources/keys.ts';
import { Redacted } from '../../src/resources/redacted.ts';
import type { Decision } from '../../src/routing/decision.ts';
import { privateAuthority } from '../support/certificates.ts';
import { openssl } from '../support/parts.ts';
import { RawClient } from '../support/raw-client.ts';
import { ALICE, eventually, type Gateway, type GatewayOptions, startGateway } from './support/gateway.ts';
import { echo, headOf, openTunnel, switching, switchingUpstream, upgradeRequest } from './support/switching.ts';
import { type Respond, startUpstream, type Upstream } from './support/upstream.ts';

const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

interface Joined {
  readonly upstream: Upstream;
  readonly gateway: Gateway;
  /** Of the upstream, switched, in order. */
  readonly switched: readonly Socket[];
}

async function world(
  options: Omit<GatewayOptions, 'port'> = {},
  then: (socket: Socket) => void = echo,
): Promise<Joined> {
  const switched: Socket[] = [];
  const respond: Respond = switchingUpstream((socket) => {
    switched.push(socket);
    then(socket);
  });
  const upstream = await startUpstream(respond);
  closing.push(() => upstream.close());
  const gateway = await startGateway({ port: upstream.port, ...options });
  closing.push(() => gateway.close());
  return { upstream, gateway, switched };
}

/** Nothing is left of any tunnel, and all have ended like this. */
async function allOver({ upstream, gateway }: Joined, ends: readonly string[]): Promise<void> {
  await eventually(() => gateway.connections === 0 && upstream.open === 0, 'both connections to end');
  await eventually(() => gateway.records.length === ends.length, 'the records');
  expect(gateway.records.map(({ tunnel }) => tunnel)).toEqual(ends);
  expect(gateway.leases).toBe(0);
  expect(gateway.errors).toEqual([]);
}

describe('the end of a tunnel', () => {
  it('A085 the client’s end is passed on, and what the upstream still has to say comes through', async () => {
    const joined = await world({}, (socket) => {
      socket.on('data', () => {});
      socket.on('end', () => socket.end('the last word'));
    });
    const tunnel = await openTunnel(joined.gateway);
    tunnel.client.socket.end('hello');
    await tunnel.client.closed;
    expect(tunnel.received).toBe('the last word');
    await allOver(joined, ['client_closed']);
  });

  it('A085 the upstream’s end is passed on, after all that it said', async () => {
    const joined = await world({}, (socket) => {
      socket.on('data', () => {});
      socket.end('x'.repeat(3_000_000));
    });
    const tunnel = await openTunnel(joined.gateway);
    await tunnel.client.closed;
    expect(tunnel.received.length).toBe(3_000_000);
    await allOver(joined, ['upstream_closed']);
  });

  it('A085 who doesn’t go with the other side is left five seconds of silence', { timeout: 30_000 }, async () => {
    const routes = [{ path: '/', exposure: 'Public', timeouts: { idle: 3_600_000 } }] as const;
    const joined = await world({ routes }, (socket) => {
      socket.allowHalfOpen = true;
      socket.on('data', () => {});
    });
    const tunnel = await openTunnel(joined.gateway);
    const since = performance.now();
    tunnel.client.socket.end('hello');
    await eventually(() => joined.gateway.connections === 0, 'the tunnel to end', 20_000);
    expect(performance.now() - since).toBeGreaterThan(4000);
    // That nobody listens any more is only heard by whoever speaks.
    joined.switched[0]?.destroy();
    await allOver(joined, ['client_closed']);
  });

  it('A085 a reset of the client ends the upstream', async () => {
    const joined = await world();
    const tunnel = await openTunnel(joined.gateway);
    tunnel.client.socket.resetAndDestroy();
    await allOver(joined, ['client_reset']);
  });

  it('A085 a reset of the upstream ends the client', async () => {
    const joined = await world();
    const tunnel = await openTunnel(joined.gateway);
    joined.switched[0]?.resetAndDestroy();
    await tunnel.client.closed;
    await allOver(joined, ['upstream_reset']);
  });

  it.each([
    ['the client ends', (client: RawClient) => void client.socket.end()],
    ['the client resets', (client: RawClient) => void client.socket.resetAndDestroy()],
  ])('A085 before the 101 %s: so does the upstream’s connection', async (_what, leave) => {
    const upstream = await startUpstream(() => undefined);
    closing.push(() => upstream.close());
    const gateway = await startGateway({ port: upstream.port });
    closing.push(() => gateway.close());
    const client = await RawClient.connect(gateway.port);
    await client.send(upgradeRequest('/'));
    await eventually(() => upstream.seen.length === 1, 'the upgrade at the upstream');
    leave(client);
    await eventually(() => upstream.open === 0 && gateway.connections === 0, 'both connections to end');
    await eventually(() => gateway.records.length === 1, 'the record');
    expect(gateway.records[0]?.outcome).toBe('client_gone');
  });

  it('A085 before the 101 the upstream resets: 502', async () => {
    const upstream = await startUpstream((_request, socket) => {
      socket.resetAndDestroy();
      return undefined;
    });
    closing.push(() => upstream.close());
    const gateway = await startGateway({ port: upstream.port });
    closing.push(() => gateway.close());
    const client = await RawClient.connect(gateway.port);
    await client.send(upgradeRequest('/'));
    expect((await client.answer())?.status).toBe(502);
    await client.closed;
  });

  it('A085 is silent for longer than the idle time', async () => {
    const routes = [{ path: '/', exposure: 'Public', timeouts: { idle: 1000 } }] as const;
    const joined = await world({ routes });
    const tunnel = await openTunnel(joined.gateway);
    for (let i = 0; i < 8; i++) {
      await tunnel.client.send(`${i};`);
      await tunnel.until(`${i};`);
      await new Promise((resolve) => setTimeout(resolve, 300));
    }
    expect(tunnel.client.ended).toBe(false);
    await tunnel.client.closed;
    await allOver(joined, ['idle']);
  });

  it('A084 comes with the end of the session that opened it, however much moves', async () => {
    const until = Date.now() + 1500;
    const plugin = {
      decide: (): Decision => ({ kind: 'continue', identity: ALICE, headers: [], cookies: [], until }),
    };
    const joined = await world({ plugin }, (socket) => {
      echo(socket);
      const ticking = setInterval(() => socket.write('tick'), 20);
      socket.on('close', () => clearInterval(ticking));
    });
    const tunnel = await openTunnel(joined.gateway, upgradeRequest('/private'));
    await tunnel.client.closed;
    expect(Date.now()).toBeGreaterThanOrEqual(until);
    expect(Date.now()).toBeLessThan(until + 5000);
    await allOver(joined, ['session_end']);
  });

  it('A084 a stream of no said length ends with the session, one of a said length doesn’t', async () => {
    const until = Date.now() + 1500;
    const plugin = {
      decide: (): Decision => ({ kind: 'continue', identity: ALICE, headers: [], cookies: [], until }),
    };
    const upstream = await startUpstream((request, socket) => {
      const endless = request.target.endsWith('/events');
      const framing = endless ? 'Content-Type: text/event-stream' : 'Content-Length: 30000';
      let left = 3000;
      const ticking = setInterval(() => {
        if (!endless && left-- === 0) clearInterval(ticking);
        else if (endless) socket.write('data: xxxxxx\n\n');
        else socket.write('xxxxxxxxxx');
      }, 1);
      socket.on('close', () => clearInterval(ticking));
      return `HTTP/1.1 200 OK\r\n${framing}\r\n\r\n`;
    });
    closing.push(() => upstream.close());
    const gateway = await startGateway({ port: upstream.port, plugin });
    closing.push(() => gateway.close());
    const ask = async (path: string): Promise<RawClient> => {
      const client = await RawClient.connect(gateway.port);
      await client.send(`GET ${path} HTTP/1.1\r\nHost: app.example\r\n\r\n`);
      return client;
    };
    const events = await ask('/private/events');
    const download = await ask('/private/file');
    await events.closed;
    expect(Date.now()).toBeGreaterThanOrEqual(until);
    expect(Date.now()).toBeLessThan(until + 5000);
    await eventually(() => gateway.records.length === 1, 'the record');
    expect(gateway.records[0]).toMatchObject({ outcome: 'session_ended', reason: 'session_end' });
    const whole = await download.answer();
    expect(whole?.complete).toBe(true);
    download.destroy();
  });
});

describe('many tunnels', () => {
  it('no byte of one comes out of another', { timeout: 60_000 }, async () => {
    const joined = await world();
    const marks = Array.from({ length: 50 }, (_, i) => `<${i}>`);
    const tunnels = await Promise.all(marks.map(() => openTunnel(joined.gateway)));
    await Promise.all(
      tunnels.map(async ({ client }, i) => {
        for (let round = 0; round < 40; round++) {
          // Larger than any buffer now and then, so that bytes queue.
          const size = round % 10 === 0 ? 60_000 : 1 + ((round * 37 + i * 11) % 3000);
          await client.send((marks[i] ?? '').repeat(size));
          if (round % 7 === i % 7) await new Promise((resolve) => setTimeout(resolve, 1));
        }
        await client.send('END');
      }),
    );
    await Promise.all(
      tunnels.map(async (tunnel, i) => {
        await tunnel.until('END');
        const mark = marks[i] ?? '';
        const wrong = tunnel.received.slice(0, -3).replaceAll(mark, '');
        expect(wrong).toBe('');
        tunnel.client.destroy();
      }),
    );
    await eventually(() => joined.gateway.records.length === 50, 'the records');
  });

  it('what waits for a slow reader stays its own while others are read', { timeout: 60_000 }, async () => {
    const SIZE = 16_000_000;
    let turn = 0;
    const joined = await world({}, (socket) => {
      socket.end(Buffer.alloc(SIZE, turn++ === 0 ? 'a' : 'b'));
    });
    const open = async (): Promise<Socket> => {
      const socket = connect(joined.gateway.port, '127.0.0.1').pause();
      socket.write(upgradeRequest('/'));
      const count = joined.switched.length;
      await eventually(() => joined.switched.length > count, 'the tunnel');
      await new Promise((resolve) => setTimeout(resolve, 300));
      return socket;
    };
    const read = async (socket: Socket): Promise<string> => {
      const all: Buffer[] = [];
      for await (const bytes of socket) all.push(bytes as Buffer);
      const whole = Buffer.concat(all);
      return whole.toString('latin1', whole.indexOf('\r\n\r\n') + 4);
    };
    const slow = await open();
    expect((await read(await open())) === 'b'.repeat(SIZE)).toBe(true);
    expect((await read(slow)) === 'a'.repeat(SIZE)).toBe(true);
  });

  it.each(['client', 'upstream'])(
    'a %s that doesn’t read holds the other side back, in flat memory',
    { timeout: 60_000 },
    async (slow) => {
      const block = Buffer.alloc(256 * 1024, 'x');
      let sent = 0;
      const pour = (socket: Socket): void => {
        const more = (): void => {
          if (socket.destroyed) return;
          socket.write(block, () => {
            sent += block.length;
            more();
          });
        };
        more();
      };
      const joined = await world({}, (socket) => {
        if (slow === 'client') pour(socket);
        else socket.pause();
      });
      const socket = connect(joined.gateway.port, '127.0.0.1');
      socket.on('error', () => {});
      socket.write(upgradeRequest('/'));
      if (slow === 'client') socket.pause();
      else socket.once('data', () => pour(socket));
      await eventually(() => joined.switched.length === 1, 'the tunnel');
      const before = process.memoryUsage();
      let held = -1;
      while (held !== sent) {
        held = sent;
        await new Promise((resolve) => setTimeout(resolve, 500));
      }
      const after = process.memoryUsage();
      expect(sent).toBeGreaterThan(0);
      // What both systems hold of it, far from what was poured at an open tap.
      expect(sent).toBeLessThan(32 * 1024 * 1024);
      expect(after.arrayBuffers - before.arrayBuffers).toBeLessThan(8 * 1024 * 1024);
      const reader = slow === 'client' ? socket : joined.switched[0];
      let read = 0;
      reader?.on('data', (bytes: Buffer) => {
        read += bytes.length;
      });
      reader?.resume();
      await eventually(() => read > 64 * 1024 * 1024, 'it to go on', 30_000);
      socket.destroy();
      await eventually(() => joined.upstream.open === 0, 'the end');
    },
  );

  it('F46 a thousand that break off anywhere leave no socket and no timer', { timeout: 120_000 }, async () => {
    const joined = await world({}, (socket) => {
      echo(socket);
      const random = Math.random();
      if (random < 0.2) socket.resetAndDestroy();
      else if (random < 0.4) socket.end('bye');
      else if (random < 0.6) setTimeout(() => socket.destroy(), Math.random() * 20);
    });
    const round = async (): Promise<void> => {
      const client = await RawClient.connect(joined.gateway.port);
      const request = `${upgradeRequest('/')}${'x'.repeat(Math.random() * 5000)}`;
      const cut = Math.random() < 0.3 ? Math.floor(Math.random() * request.length) : request.length;
      await client.send(request.slice(0, cut));
      if (Math.random() < 0.7) await new Promise((resolve) => setTimeout(resolve, Math.random() * 20));
      if (Math.random() < 0.5) client.socket.resetAndDestroy();
      else client.destroy();
      await client.closed;
    };
    const some = async (count: number): Promise<void> => {
      for (let i = 0; i < count; i += 20) await Promise.all(Array.from({ length: 20 }, round));
      await eventually(() => joined.gateway.connections === 0 && joined.upstream.open === 0, 'all to end', 30_000);
    };
    const resources = (): string =>
      process
        .getActiveResourcesInfo()
        .filter((name) => /TCP|Timeout/.test(name))
        .sort()
        .join();
    await some(100);
    await new Promise((resolve) => setTimeout(resolve, 1000));
    const before = resources();
    await some(1000);
    await new Promise((resolve) => setTimeout(resolve, 1000));
    expect(resources()).toBe(before);
    expect(joined.gateway.leases).toBe(0);
    expect(joined.gateway.errors).toEqual([]);
  });
});

describe('the process ends', () => {
  it('F23 F26 tunnels stay open through the drain, and are closed with its deadline', async () => {
    const joined = await world();
    const tunnels = await Promise.all([1, 2, 3].map(() => openTunnel(joined.gateway)));
    joined.gateway.front.drain();
    await tunnels[0]?.client.send('still here');
    await tunnels[0]?.until('still here');
    const since = performance.now();
    const over = joined.gateway.front.close(1000);
    await tunnels[1]?.client.send('here as well');
    await tunnels[1]?.until('here as well');
    expect(await over).toEqual({ requests: 0, tunnels: 3 });
    expect(performance.now() - since).toBeGreaterThan(900);
    expect(performance.now() - since).toBeLessThan(5000);
    await Promise.all(tunnels.map(({ client }) => client.closed));
    await allOver(joined, ['drain', 'drain', 'drain']);
  });

  it('F26 a tunnel whose client doesn’t read holds nothing up', async () => {
    const joined = await world({}, (socket) => {
      socket.on('data', () => {});
      for (let i = 0; i < 100; i++) socket.write(Buffer.alloc(256 * 1024));
    });
    const socket = connect(joined.gateway.port, '127.0.0.1');
    socket.pause();
    socket.on('error', () => {});
    socket.write(upgradeRequest('/'));
    await eventually(() => joined.switched.length === 1, 'the tunnel');
    const since = performance.now();
    await joined.gateway.front.close(500);
    expect(performance.now() - since).toBeLessThan(5000);
    await allOver(joined, ['drain']);
    socket.destroy();
  });

  it('a server that closes waits for no tunnel that is over', async () => {
    const joined = await world();
    const tunnel = await openTunnel(joined.gateway);
    const over = joined.gateway.front.close(30_000);
    tunnel.client.socket.end();
    await over;
    await allOver(joined, ['client_closed']);
  });
});

describe.skipIf(openssl.missing)(`over TLS ${openssl.why}`, () => {
  const authority = privateAuthority('postern tunnel test');
  const before = getCACertificates('default');
  afterAll(() => {
    authority.remove();
    setDefaultCACertificates(before);
  });

  it('of the client and of the upstream, bytes and ends go both ways', async () => {
    setDefaultCACertificates([...before, authority.ca]);
    const pair = authority.issue(['DNS:app.example', 'IP:127.0.0.1']);
    const ends: Promise<unknown>[] = [];
    const server = createTlsServer({ ...pair, allowHalfOpen: true }, (socket) => {
      socket.on('error', () => {});
      ends.push(once(socket, 'close'));
      socket.once('data', () => {
        socket.write(switching());
        echo(socket);
        socket.on('end', () => socket.end('bye'));
      });
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const port = (server.address() as AddressInfo).port;
    closing.push(async () => void server.close());
    const store = new CertificateStore({ now: () => performance.now(), onBroken: () => {} });
    const secret = namespacedName('infra', 'default');
    store.update(new Map(), { secret, certificate: pair.cert, key: new Redacted(pair.key) });
    const gateway = await startGateway({
      port,
      routes: [{ path: '/', exposure: 'Public', scheme: 'https' }],
      https: { certificates: store, plain: 'Redirect' },
    });
    closing.push(() => gateway.close());
    const client = await RawClient.connectTls(gateway.tlsPort, { servername: 'app.example' });
    const text = 'x'.repeat(500_000);
    await client.send(`${upgradeRequest('/')}early`);
    await client.send(text);
    await headOf(client);
    while (!client.received.endsWith(`early${text}`)) await client.more();
    client.socket.end();
    await client.closed;
    expect(client.received.endsWith('xbye')).toBe(true);
    await Promise.all(ends);
    await eventually(() => gateway.records.length === 1, 'the record');
    expect(gateway.records[0]).toMatchObject({ status: 101, tunnel: 'client_closed', requestBytes: 500_005 });
  });
});
