import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { openssl } from '../../support/parts.ts';
import { eventually, type Gateway, type GatewayOptions, startGateway } from '../support/gateway.ts';
import { H2Client } from '../support/h2-client.ts';
import { END_HEADERS, END_STREAM, FRAME, FrameClient, frame, GET, hpack, POST } from '../support/h2-frames.ts';
import { type TestCertificates, testCertificates } from '../support/secure.ts';
import { ok, startUpstream, type Upstream } from '../support/upstream.ts';

const CALM = 11;
const u32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
};
const setting = (id: number, value: number): Buffer => Buffer.concat([Buffer.from([0, id]), u32(value)]);
const reset = (stream: number, code = 8): Buffer => frame(FRAME.RST_STREAM, 0, stream, u32(code));

describe.skipIf(openssl.missing)(`one connection that asks for too much ${openssl.why}`, () => {
  let certificates: TestCertificates;
  let upstream: Upstream;
  let gateway: Gateway;
  /** Another client, who must never notice. */
  let honest: H2Client;
  beforeAll(() => {
    certificates = testCertificates();
  });
  afterAll(() => certificates.remove());
  const start = async (
    options: Partial<GatewayOptions> = {},
    respond: Parameters<typeof startUpstream>[0] = () => ok(),
  ) => {
    upstream = await startUpstream(respond);
    gateway = await startGateway({
      port: upstream.port,
      https: { certificates: certificates.store, plain: 'Redirect', http2: true },
      ...options,
    });
    honest = await H2Client.connect(gateway.tlsPort);
    expect((await honest.ask({ path: '/honest' })).status).toBe(200);
  };
  afterEach(async () => {
    expect((await honest.ask({ path: '/honest' })).status).toBe(200);
    honest.close();
    await gateway.close();
    await upstream.close();
    expect(gateway.errors).toEqual([]);
    await eventually(() => gateway.leases === 0, 'leases are released');
    await eventually(() => gateway.connections === 0, 'connections are gone');
  });
  const counted = (reason: string): number => gateway.rejected.filter((each) => each === reason).length;

  it('A161 more streams at once than allowed are refused, and hold no request up', async () => {
    let finish: (() => void)[] = [];
    await start({}, (request, socket) => {
      if (request.target !== '/slow') return ok();
      finish.push(() => socket.write(ok('slow')));
      return undefined;
    });
    const client = await FrameClient.connect(gateway.tlsPort, undefined, { acknowledges: false });
    for (let i = 0; i < 120; i++)
      client.headers(
        2 * i + 1,
        GET.map(([name, value]) => [name, name === ':path' ? '/slow' : value]),
      );
    await client.until(() => client.of(FRAME.RST_STREAM).length === 20);
    expect(client.of(FRAME.RST_STREAM).map(({ payload }) => payload.readUInt32BE(0))).toEqual(
      Array.from({ length: 20 }, () => 7),
    );
    await eventually(() => finish.length === 100, 'a hundred are under way');
    for (const each of finish) each();
    finish = [];
    await client.until(() => client.of(FRAME.HEADERS).length === 100);
    expect(client.of(FRAME.HEADERS).length).toBe(100);
    client.destroy();
    // Who has been told how many there may be loses the connection.
    const told = await FrameClient.connect(gateway.tlsPort);
    for (let i = 0; i < 120; i++)
      told.headers(
        2 * i + 1,
        GET.map(([name, value]) => [name, name === ':path' ? '/slow' : value]),
      );
    await told.closed;
    expect(counted('h2_protocol')).toBe(1);
  });

  it.each([
    ['in one write', 1],
    ['one by one', 50],
  ])('A161 rapid reset %s ends the connection (CVE-2023-44487)', async (_name, writes) => {
    await start();
    const client = await FrameClient.connect(gateway.tlsPort);
    const streams = 4000;
    let id = 1;
    for (let at = 0; at < writes && !client.ended; at++) {
      const frames: Buffer[] = [];
      for (let i = 0; i < streams / writes; i++, id += 2)
        frames.push(frame(FRAME.HEADERS, END_STREAM | END_HEADERS, id, hpack(GET)), reset(id));
      client.send(...frames);
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    await client.closed;
    expect(counted('h2_stream_resets') + counted('h2_refused_streams')).toBe(1);
    expect(upstream.seen.length).toBeLessThan(1500);
  });

  it('A161 streams that the gateway itself has to reset end the connection too (CVE-2025-8671)', async () => {
    await start();
    const client = await FrameClient.connect(gateway.tlsPort);
    for (let i = 0; i < 5000 && !client.ended; i++) {
      client.headers(2 * i + 1, POST, END_HEADERS);
      // An increment of zero is a stream error.
      client.send(frame(FRAME.WINDOW_UPDATE, 0, 2 * i + 1, u32(0)));
      if (i % 100 === 0) await new Promise((resolve) => setTimeout(resolve, 1));
    }
    await client.closed;
    expect(gateway.rejected.length).toBeGreaterThanOrEqual(1);
  });

  it('A161 CONTINUATION without end ends the connection (CVE-2024-27983)', async () => {
    await start();
    const client = await FrameClient.connect(gateway.tlsPort);
    client.headers(1, GET, END_STREAM);
    for (let i = 0; i < 1000 && !client.ended; i++) {
      client.send(frame(FRAME.CONTINUATION, 0, 1, hpack([[`x-${i}`, 'a'.repeat(100)]])));
      if (i % 10 === 0) await new Promise((resolve) => setTimeout(resolve, 1));
    }
    await client.closed;
    expect(gateway.records.length).toBe(1);
    expect(gateway.rejected.length).toBe(1);
    expect(gateway.rejected[0]).toMatch(/^h2_/);
  });

  it.each([
    ['PING', true, () => frame(FRAME.PING, 0, 0, Buffer.alloc(8))],
    ['PING', false, () => frame(FRAME.PING, 0, 0, Buffer.alloc(8))],
    ['SETTINGS', true, () => frame(FRAME.SETTINGS, 0, 0, setting(4, 70_000))],
    ['SETTINGS', false, () => frame(FRAME.SETTINGS, 0, 0)],
  ])('A161 %s without end ends the connection, whether acknowledgements are read: %s', async (_name, reads, flood) => {
    await start();
    const client = await FrameClient.connect(gateway.tlsPort);
    if (!reads) client.socket.pause();
    for (let i = 0; i < 200 && !client.ended; i++) {
      client.send(...Array.from({ length: 50 }, flood));
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    client.socket.resume();
    await client.closed;
    expect(counted('h2_control_frames') + counted('h2_flood')).toBe(1);
  });

  it('A161 DATA frames without data end the connection', async () => {
    await start({}, ({ method }) => (method === 'POST' ? undefined : ok()));
    const client = await FrameClient.connect(gateway.tlsPort);
    client.headers(1, POST, END_HEADERS);
    client.send(...Array.from({ length: 2000 }, () => frame(FRAME.DATA, 0, 1)));
    await client.closed;
    expect(counted('h2_invalid_frames')).toBe(1);
  });

  it('A161 a window that overflows ends the connection', async () => {
    await start();
    const client = await FrameClient.connect(gateway.tlsPort);
    client.send(frame(FRAME.WINDOW_UPDATE, 0, 0, u32(0x7fffffff)), frame(FRAME.WINDOW_UPDATE, 0, 0, u32(0x7fffffff)));
    await client.closed;
    expect(gateway.rejected).toEqual(['h2_flow_control']);
  });

  it('A074 too many fields, or too large ones, are 431, and far too many are refused', async () => {
    await start();
    const client = await FrameClient.connect(gateway.tlsPort);
    client.headers(1, [...GET, ...Array.from({ length: 200 }, (_, i): [string, string] => [`x-${i}`, 'a'])]);
    await client.until(() => client.status(1) !== undefined);
    expect(client.status(1)).toBe(431);
    const split = (stream: number, block: Buffer): void => {
      client.send(frame(FRAME.HEADERS, END_STREAM, stream, block.subarray(0, 16_000)));
      for (let at = 16_000; at < block.length; at += 16_000)
        client.send(
          frame(
            FRAME.CONTINUATION,
            at + 16_000 >= block.length ? END_HEADERS : 0,
            stream,
            block.subarray(at, at + 16_000),
          ),
        );
    };
    split(3, hpack([...GET, ['x-a', 'a'.repeat(20_000)], ['x-b', 'a'.repeat(20_000)]]));
    await client.until(() => client.status(3) !== undefined);
    expect(client.status(3)).toBe(431);
    split(5, hpack([...GET, ...Array.from({ length: 3000 }, (_, i): [string, string] => [`x-${i}`, 'a'])]));
    await client.until(() => client.resetCode(5) !== undefined);
    expect(client.resetCode(5)).toBe(CALM);
    client.headers(7, GET);
    await client.until(() => client.status(7) !== undefined);
    expect(client.status(7)).toBe(200);
    client.destroy();
    await eventually(() => counted('h2_refused_stream') === 1, 'it is counted');
    expect(gateway.records.map(({ reason }) => reason).slice(1, 3)).toEqual(['too_many_headers', 'headers_too_large']);
  });

  it('A161 a small block that unfolds to a large one is refused', async () => {
    await start();
    const client = await FrameClient.connect(gateway.tlsPort);
    // One entry of 3900 bytes in the dynamic table, then a byte for each time that it is said again.
    const entry = Buffer.concat([Buffer.from([0x40]), hpack([['x-bomb', 'b'.repeat(3900)]]).subarray(1)]);
    const bomb = Buffer.concat([hpack(GET), entry, Buffer.alloc(10_000, 0xbe)]);
    client.send(frame(FRAME.HEADERS, END_STREAM | END_HEADERS, 1, bomb));
    await client.until(() => client.resetCode(1) !== undefined || client.ended);
    expect(client.resetCode(1)).toBe(CALM);
    client.headers(3, GET);
    await client.until(() => client.status(3) !== undefined);
    expect(client.status(3)).toBe(200);
    client.destroy();
    await eventually(() => counted('h2_refused_stream') === 1, 'it is counted');
  });

  it('A160 a reader with a window of nothing loses its stream, others of its connection go on', async () => {
    await start({ limits: { sendTimeout: 300, checkInterval: 50 } }, ({ target }) =>
      target === '/big' ? ok('b'.repeat(300_000)) : ok(),
    );
    const client = await FrameClient.connect(gateway.tlsPort, setting(4, 0));
    client.headers(
      1,
      GET.map(([name, value]) => [name, name === ':path' ? '/big' : value]),
    );
    client.headers(3, GET);
    await client.until(() => client.resetCode(1) !== undefined && client.resetCode(3) !== undefined);
    expect([client.status(1), client.resetCode(1), client.status(3)]).toEqual([200, 2, 200]);
    expect(counted('slow_reader')).toBe(2);
    client.headers(
      5,
      GET.map(([name, value]) => [name, name === ':method' ? 'HEAD' : value]),
    );
    await client.until(() => client.status(5) !== undefined);
    expect(client.status(5)).toBe(200);
    expect(gateway.records.filter(({ outcome }) => outcome === 'client_gone').length).toBe(2);
    client.destroy();
  });

  it('A160 a connection from which nothing is read at all ends', async () => {
    await start({ limits: { sendTimeout: 300, checkInterval: 50, headTimeout: 60_000 } }, ({ target }) =>
      target === '/big' ? ok('b'.repeat(3_000_000)) : ok(),
    );
    const client = await FrameClient.connect(gateway.tlsPort, setting(4, 0x7ffffff));
    client.socket.pause();
    client.send(frame(FRAME.WINDOW_UPDATE, 0, 0, u32(0x7fff0000 - 65_535)));
    for (let i = 0; i < 20; i++)
      client.headers(
        2 * i + 1,
        GET.map(([name, value]) => [name, name === ':path' ? '/big' : value]),
      );
    await eventually(() => counted('slow_reader') >= 1, 'it is noticed');
    await eventually(() => gateway.leases === 0, 'nothing is held');
    await eventually(() => gateway.connections === 1, 'it is gone', 30_000);
    client.destroy();
  });

  it('A160 a request body that stops ends with 408', async () => {
    await start({ routes: [{ path: '/', exposure: 'Public', timeouts: { idle: 300 } }] }, ({ method }) =>
      method === 'POST' ? undefined : ok(),
    );
    const client = await FrameClient.connect(gateway.tlsPort);
    client.headers(1, POST, END_HEADERS);
    client.data(1, 'abc');
    await client.until(() => client.resetCode(1) !== undefined);
    expect([client.status(1), client.resetCode(1)]).toEqual([408, 0]);
    client.destroy();
  });

  it('A160 a connection that asks for nothing ends at the time of heads, one that has asked at the idle time', async () => {
    await start({ limits: { headTimeout: 300, keepAliveTimeout: 600, checkInterval: 50 } });
    const silent = await FrameClient.connect(gateway.tlsPort);
    const half = await FrameClient.connect(gateway.tlsPort);
    half.headers(1, GET, END_STREAM);
    const idle = await FrameClient.connect(gateway.tlsPort);
    idle.headers(1, GET);
    await Promise.all([silent.closed, half.closed]);
    expect(idle.ended).toBe(false);
    expect(counted('head_timeout')).toBe(2);
    await idle.closed;
    expect(idle.goawayCode).toBe(0);
    honest = await H2Client.connect(gateway.tlsPort);
  });

  it('A161 bytes that are no HTTP/2 end the connection', async () => {
    await start();
    const client = await FrameClient.connect(gateway.tlsPort);
    client.send(Buffer.from('GET / HTTP/1.1\r\nHost: app.example\r\n\r\n'.repeat(50)));
    await client.closed;
    expect(gateway.rejected.length).toBe(1);
    expect(upstream.seen.length).toBe(1);
  });

  it('a connection that has had its number of requests is told to go, and which were not taken', async () => {
    await start({ limits: { streamsPerConnection: 5 } });
    const client = await H2Client.connect(gateway.tlsPort);
    const seen = upstream.seen.length;
    const answers = await Promise.all(Array.from({ length: 8 }, () => client.ask()));
    const taken = answers.filter(({ status }) => status === 200).length;
    expect(taken).toBeGreaterThanOrEqual(5);
    // REFUSED_STREAM: nothing was done about them.
    expect(answers.filter(({ status, code }) => status !== 200 && code !== 7)).toEqual([]);
    expect(upstream.seen.length - seen).toBe(taken);
    await client.closed;
    expect(client.goaway).toMatchObject({ code: 0 });
  });

  it('T27 F46 ten thousand streams that are taken back leave nothing behind (CVE-2026-21714)', async () => {
    await start({ limits: { streamResets: { burst: 1e9, perSecond: 1e9 } } }, ({ target }) =>
      target === '/honest' ? ok() : undefined,
    );
    const client = await H2Client.connect(gateway.tlsPort);
    const round = async (): Promise<void> => {
      for (let i = 0; i < 50; i++) {
        const streams = Array.from({ length: 50 }, (_, at) =>
          client.open({
            method: at % 2 === 0 ? 'GET' : 'POST',
            path: '/hang',
            ...(at % 2 === 0 ? {} : { body: 'abc' }),
          }),
        );
        await new Promise((resolve) => setTimeout(resolve, 1));
        for (const stream of streams) stream.close(8);
        await Promise.all(
          streams.map(
            (stream) =>
              stream.closed &&
              new Promise<void>((resolve) => {
                if (stream.destroyed) resolve();
                else stream.once('close', resolve);
              }),
          ),
        );
      }
      await eventually(() => gateway.leases === 0 && upstream.open <= 1, 'all are over');
      globalThis.gc?.();
    };
    await round();
    const before = process.memoryUsage();
    for (let i = 0; i < 3; i++) await round();
    const after = process.memoryUsage();
    expect(after.heapUsed - before.heapUsed).toBeLessThan(60 * 1024 * 1024);
    expect(after.external - before.external).toBeLessThan(20 * 1024 * 1024);
    client.close();
  }, 60_000);
});
