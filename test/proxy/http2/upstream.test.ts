import type { Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { askOnce, RawClient } from '../../support/raw-client.ts';
import { filesForwarder } from '../support/files-forwarder.ts';
import { eventually, type Gateway, startGateway } from '../support/gateway.ts';
import { END_HEADERS, END_STREAM, type Fields, FRAME, frame, hpack } from '../support/h2-frames.ts';
import { type FrameUpstream, startFrameUpstream } from '../support/h2-upstream.ts';
import { startUpstream } from '../support/upstream.ts';

const OK: Fields = [[':status', '200']];
const u32 = (...values: readonly number[]): Buffer => {
  const bytes = Buffer.alloc(4 * values.length);
  for (const [at, value] of values.entries()) bytes.writeUInt32BE(value, 4 * at);
  return bytes;
};
const headers = (stream: number, fields: Fields, flags = END_HEADERS): Buffer =>
  frame(FRAME.HEADERS, flags, stream, hpack(fields));
const data = (stream: number, text: string, flags = 0): Buffer => frame(FRAME.DATA, flags, stream, Buffer.from(text));
const whole = (stream: number, text = 'ok'): Buffer =>
  Buffer.concat([headers(stream, OK), data(stream, text, END_STREAM)]);
const reset = (stream: number, code: number): Buffer => frame(FRAME.RST_STREAM, 0, stream, u32(code));
const goaway = (last: number, code = 0): Buffer => frame(FRAME.GOAWAY, 0, 0, u32(last, code));

describe('an upstream over HTTP/2, as strange as can be', () => {
  let upstream: FrameUpstream;
  let gateway: Gateway;
  const start = async (
    answer: (stream: number, socket: Socket, nth: number) => Buffer | undefined,
    settings?: Buffer,
  ): Promise<void> => {
    upstream = await startFrameUpstream(({ type, stream }, socket, nth) => {
      if (type !== FRAME.HEADERS) return;
      const bytes = answer(stream, socket, nth);
      if (bytes !== undefined && socket.writable) socket.write(bytes);
    }, settings);
    gateway = await startGateway({
      port: upstream.port,
      routes: [
        { path: '/', exposure: 'Public', protocol: 'h2c', timeouts: { connect: 2000, response: 2000, idle: 2000 } },
      ],
    });
  };
  afterEach(async () => {
    expect(gateway.errors).toEqual([]);
    await eventually(() => gateway.leases === 0, 'leases are released');
    await gateway.close();
    await upstream.close();
  });
  const get = (method = 'GET') => askOnce(gateway.port, `${method} /x HTTP/1.1\r\nHost: app.example\r\n\r\n`, method);

  it('answers a client over HTTP/1.1, whose connection goes on', async () => {
    await start((stream) =>
      Buffer.concat([
        headers(stream, [...OK, ['content-length', '5'], ['x-a', 'ä']]),
        data(stream, 'hello', END_STREAM),
      ]),
    );
    const client = await RawClient.connect(gateway.port);
    for (let i = 0; i < 3; i++) {
      await client.send('GET /x HTTP/1.1\r\nHost: app.example\r\nX-B: \xe4\r\n\r\n');
      const answer = await client.answer();
      expect([answer?.status, answer?.body, answer?.header('content-length')]).toEqual([200, 'hello', '5']);
    }
    client.destroy();
    expect(upstream.connections).toBe(1);
  });

  it('a body without a length is chunked, and trailers stay behind over HTTP/1.1', async () => {
    await start((stream) =>
      Buffer.concat([
        headers(stream, OK),
        data(stream, 'a'),
        headers(stream, [['x-t', 'trail']], END_HEADERS | END_STREAM),
      ]),
    );
    const answer = await get();
    expect([answer.status, answer.body, answer.header('transfer-encoding'), answer.complete]).toEqual([
      200,
      'a',
      'chunked',
      true,
    ]);
  });

  it('HEAD, 204 and 304', async () => {
    let status = '200';
    await start((stream) =>
      headers(
        stream,
        [
          [':status', status],
          ['etag', '"a"'],
        ],
        END_HEADERS | END_STREAM,
      ),
    );
    expect((await get('HEAD')).status).toBe(200);
    for (status of ['204', '304']) expect((await get()).status).toBe(Number(status));
    status = '200';
    expect(await get()).toMatchObject({ status: 200, body: '', complete: true });
  });

  it.each<[string, (stream: number) => Buffer]>([
    ['no status', (stream) => headers(stream, [['x-a', 'b']])],
    ['two', (stream) => headers(stream, [...OK, ...OK])],
    ['a status that is none', (stream) => headers(stream, [[':status', '20']])],
    ['101', (stream) => headers(stream, [[':status', '101']])],
    ['a pseudo-header of a request', (stream) => headers(stream, [...OK, [':path', '/']])],
    ['connection', (stream) => headers(stream, [...OK, ['connection', 'close']])],
    ['transfer-encoding', (stream) => headers(stream, [...OK, ['transfer-encoding', 'chunked']])],
    ['upper case', (stream) => headers(stream, [...OK, ['X-A', 'b']])],
    ['two lengths', (stream) => headers(stream, [...OK, ['content-length', '1'], ['content-length', '1']])],
    ['a length that is none', (stream) => headers(stream, [...OK, ['content-length', '+1']])],
    ['a length and no body', (stream) => headers(stream, [...OK, ['content-length', '5']], END_HEADERS | END_STREAM)],
    ['data before the head', (stream) => data(stream, 'a')],
    [
      'a thousand 1xx',
      (stream) => Buffer.concat(Array.from({ length: 1000 }, () => headers(stream, [[':status', '103']]))),
    ],
    ['a push', (stream) => frame(FRAME.PUSH_PROMISE, END_HEADERS, stream, Buffer.concat([u32(2), hpack(OK)]))],
    ['bytes that are no frames', () => Buffer.alloc(1000, 0xff)],
  ])('A070 %s is 502', async (_name, answer) => {
    await start(answer);
    const got = await get('POST');
    expect(got.status).toBe(502);
    expect(['bad_response', 'reset']).toContain(gateway.records[0]?.reason);
    expect(upstream.frames.flat().filter(({ type }) => type === FRAME.HEADERS).length).toBe(1);
  });

  it.each<[string, (stream: number) => Buffer]>([
    ['reset with CANCEL', (stream) => Buffer.concat([headers(stream, OK), data(stream, 'part'), reset(stream, 8)])],
    ['reset with NO_ERROR', (stream) => Buffer.concat([headers(stream, OK), data(stream, 'part'), reset(stream, 0)])],
    [
      'shorter than said',
      (stream) => Buffer.concat([headers(stream, [...OK, ['content-length', '9']]), data(stream, 'part', END_STREAM)]),
    ],
    [
      'the connection gone with GOAWAY',
      (stream) => Buffer.concat([headers(stream, OK), data(stream, 'part'), goaway(stream, 2)]),
    ],
  ])('A070 a body that breaks off is never whole: %s', async (_name, answer) => {
    await start(answer);
    const client = await RawClient.connect(gateway.port);
    await client.send('GET /x HTTP/1.1\r\nHost: app.example\r\n\r\n');
    const got = await client.answer();
    // Where the connection is reset the client may not even see what came before.
    expect(got === undefined || got.status === 502 || !got.complete).toBe(true);
    await client.closed;
    expect(client.received).not.toContain('\r\n0\r\n\r\n');
    await eventually(() => gateway.records.length === 1, 'it is recorded');
    expect(gateway.records[0]).toMatchObject({ outcome: 'upstream_failed' });
  });

  it('T19 GOAWAY: what is under way finishes, and what comes next has another connection', async () => {
    const open: (() => void)[] = [];
    await start((stream, socket, nth) => {
      if (nth > 1) return whole(stream, 'second');
      open.push(() => socket.write(whole(stream, 'first')));
      return goaway(stream);
    });
    const first = get();
    await eventually(() => open.length === 1, 'it is under way');
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect((await get()).body).toBe('second');
    open[0]?.();
    expect((await first).body).toBe('first');
    expect(upstream.connections).toBe(2);
  });

  it.each<[string, (stream: number) => Buffer]>([
    ['refused', (stream) => reset(stream, 7)],
    ['after the last that GOAWAY names', () => goaway(0)],
  ])('T19 a stream that the upstream did nothing about is tried once more: %s', async (_name, answer) => {
    await start((stream, _socket, nth) => (nth === 1 ? answer(stream) : whole(stream)));
    expect((await get('POST')).status).toBe(200);
    expect(upstream.connections).toBe(2);
  });

  it('T19 one that it may have done something about is not, unless it may be sent twice', async () => {
    await start((stream, _socket, nth) => (nth === 1 ? reset(stream, 2) : whole(stream)));
    expect((await get('POST')).status).toBe(502);
    expect(upstream.frames.flat().filter(({ type }) => type === FRAME.HEADERS).length).toBe(1);
  });

  it('no more streams at once than the upstream allows', async () => {
    let most = 0;
    const perConnection = new Map<Socket, number>();
    await start(
      (stream, socket) => {
        const mine = (perConnection.get(socket) ?? 0) + 1;
        perConnection.set(socket, mine);
        most = Math.max(most, mine);
        setTimeout(() => {
          perConnection.set(socket, (perConnection.get(socket) ?? 0) - 1);
          socket.write(whole(stream));
        }, 100);
        return undefined;
      },
      Buffer.concat([Buffer.from([0, 3]), u32(2)]),
    );
    const answers = await Promise.all(Array.from({ length: 7 }, () => get()));
    expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 7 }, () => 200));
    expect([most, upstream.connections]).toEqual([2, 4]);
  });

  it('an upstream that allows none, or speaks HTTP/1.1, is 502', async () => {
    await start(() => undefined, Buffer.concat([Buffer.from([0, 3]), u32(0)]));
    expect((await get()).status).toBe(502);
    await gateway.close();
    const old = await startUpstream();
    gateway = await startGateway({ port: old.port, routes: [{ path: '/', exposure: 'Public', protocol: 'h2c' }] });
    expect((await get()).status).toBe(502);
    expect(gateway.records[0]?.reason).toMatch(/^connect_|reset/);
    await old.close();
  });

  it('A174 a listener of our own is not reached over HTTP/2 either, and no byte is sent to it', async () => {
    await start((stream) => whole(stream));
    await gateway.close();
    gateway = await startGateway({
      port: upstream.port,
      forwarder: filesForwarder(new Set([upstream.port])),
      routes: [{ path: '/', exposure: 'Public', protocol: 'h2c' }],
    });
    expect((await get()).status).toBe(502);
    expect(gateway.records[0]?.reason).toBe('address_not_allowed');
    expect(upstream.frames.flat().length).toBe(0);
  });

  it('F42 an upstream that is silent is left after its time, and its connection takes nothing new', async () => {
    await start((stream, _socket, nth) => (nth === 1 ? undefined : whole(stream)));
    await gateway.close();
    gateway = await startGateway({
      port: upstream.port,
      routes: [{ path: '/', exposure: 'Public', protocol: 'h2c', timeouts: { response: 300 } }],
    });
    const answer = await get();
    expect([answer.status, gateway.records[0]?.reason]).toEqual([504, 'response_timeout']);
    await eventually(() => upstream.frames[0]?.some(({ type }) => type === FRAME.RST_STREAM) === true, 'it was told');
  });
});
