import type { Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import type { BodySource } from '../../../src/proxy/body.ts';
import type { OutgoingRequest } from '../../../src/proxy/forwarder.ts';
import { RetryBudget } from '../../../src/proxy/upstream/retry-budget.ts';
import { milliseconds } from '../../../src/resources/duration.ts';
import type { UpstreamPolicy } from '../../../src/resources/upstream.ts';
import { freePort, until } from '../../support/gateway.ts';
import { RawClient } from '../../support/raw-client.ts';
import { startGateway } from '../support/gateway.ts';
import { startRawUpstream } from '../support/upstream.ts';
import { upstreamSettings } from '../support/upstream-settings.ts';
import { observedForwarder } from './observed.ts';
import { answer, ORDERS, request, type TestUpstream, testUpstream, text } from './support.ts';

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

async function upstream(name: string, handle?: (socket: Socket, head: string) => void): Promise<TestUpstream> {
  const created = await testUpstream(name, handle);
  closers.push(created.close);
  return created;
}

const IMPATIENT = { connect: milliseconds(5000), response: milliseconds(300), idle: milliseconds(5000) };

/** One that never leaves anybody out, so that it can be seen who is asked. */
function forwarder(policy: Partial<UpstreamPolicy> = {}) {
  const made = observedForwarder();
  closers.push(() => made.up.close());
  const settings = upstreamSettings({}, { passive: undefined, ...policy });
  const ask = async (more: Partial<OutgoingRequest> = {}): Promise<string> =>
    await text(await made.up.forward(request(ORDERS, { upstream: settings, timeouts: IMPATIENT, ...more })));
  return { ...made, ask };
}

const body = (): BodySource => ({
  start(sink) {
    sink.data(Buffer.from('a'));
    sink.end();
  },
  resume: () => undefined,
  cancel: () => undefined,
});
const POST: Partial<OutgoingRequest> = { method: 'POST', framing: { kind: 'Length', bytes: 1 }, body: body() };

/** How an upstream fails once a request has come, what the client hears, and whether something was received. */
const CAUSES: readonly (readonly [string, (socket: Socket) => void, string, boolean])[] = [
  ['resets', (socket) => socket.resetAndDestroy(), 'reset', false],
  ['closes its side', (socket) => socket.end(), 'reset', false],
  ['says nothing', () => undefined, 'response_timeout', false],
  ['sends garbage', (socket) => socket.write('SSH-2.0-OpenSSH_9.6\r\n\r\n'), 'bad_response', true],
  ['breaks off in the head', (socket) => socket.end('HTTP/1.1 200 OK\r\nContent-'), 'reset', true],
  ['resets after an interim response', interim, 'reset', true],
  ['trickles its head', trickle, 'response_timeout', true],
];

function interim(socket: Socket): void {
  socket.write('HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n', () =>
    setTimeout(() => socket.resetAndDestroy(), 100).unref(),
  );
}

function trickle(socket: Socket): void {
  const head = 'HTTP/1.1 200 OK\r\nX-Padding: ';
  let at = 0;
  const timer = setInterval(() => socket.write(head[at++] ?? 'x'), 20);
  socket.on('close', () => clearInterval(timer));
}

describe('F42 an upstream that', () => {
  it.each(CAUSES)('%s: its connection is not used again, and the next request is served', async (_how, fail, code) => {
    let nth = 0;
    const sick = await upstream('well', (socket) => {
      nth += 1;
      if (nth === 1) fail(socket);
      else socket.write(answer('well'));
    });
    const made = forwarder();
    made.directory.set(sick);
    expect([code, 'bad_response']).toContain(await made.ask());
    await until(() => sick.connections.size === 0, 'its connection is closed');
    expect(await made.ask()).toBe('well');
    expect(sick.accepted).toBe(2);
    expect(made.told).toEqual([]);
  });

  it.each(CAUSES)('%s: a GET is sent elsewhere only where nothing came back', async (_how, fail, code, received) => {
    const sick = await upstream('sick', fail);
    const well = await upstream('well');
    const made = forwarder();
    made.directory.set(sick, well);
    const first = await made.ask();
    if (code === 'reset' && !received) expect([first, ...made.told]).toEqual(['well', 'retried reset']);
    else {
      expect([code, 'bad_response']).toContain(first);
      expect(made.told).toEqual([]);
    }
    expect(well.requests).toHaveLength(code === 'reset' && !received ? 1 : 0);
  });

  it('resets: neither a POST nor anything with a body is sent twice', async () => {
    const sick = await upstream('sick', (socket) => void socket.resetAndDestroy());
    const well = await upstream('well');
    for (const more of [POST, { ...POST, method: 'PUT', body: body() }, { method: 'POST' }, { method: 'PATCH' }]) {
      const made = forwarder();
      made.directory.set(sick, well);
      expect(await made.ask(more)).toBe('reset');
      expect(made.told).toEqual([]);
    }
    expect(well.requests).toEqual([]);
  });

  it('resets wherever a GET comes: it is sent no third time', async () => {
    const all = [];
    for (const name of ['a', 'b', 'c']) all.push(await upstream(name, (socket) => void socket.resetAndDestroy()));
    const made = forwarder();
    made.directory.set(...all);
    expect(await made.ask()).toBe('reset');
    expect(all.flatMap(({ requests }) => requests)).toHaveLength(2);
  });
});

describe('F25 an endpoint that refuses', () => {
  const nobody = async (): Promise<{ readonly port: number }> => ({ port: await freePort() });

  it('is passed over for any request, for nothing of it was sent', async () => {
    const well = await upstream('well');
    const made = forwarder();
    made.directory.set(await nobody(), well);
    expect(await made.ask(POST)).toBe('well');
    expect(made.told).toEqual(['retried connect']);
  });

  it('is tried again elsewhere as often as retries.attempts says', async () => {
    const places = [await nobody(), await nobody(), await nobody(), await upstream('well')];
    for (const [attempts, got] of [
      [0, 'connect_refused'],
      [2, 'connect_refused'],
      [3, 'well'],
    ] as const) {
      const made = forwarder({ retries: { attempts } });
      made.directory.set(...places);
      expect(await made.ask()).toBe(got);
      expect(made.told).toEqual(Array(attempts).fill('retried connect'));
    }
  });
});

describe('the budget of retries', () => {
  it('is a fifth of the requests, some a second, and what quiet times left', () => {
    let time = 0;
    const budget = new RetryBudget(() => time);
    const takeAll = (): number => {
      let taken = 0;
      while (budget.take()) taken += 1;
      return taken;
    };
    expect(takeAll()).toBe(30);
    for (let at = 0; at < 50; at++) budget.request();
    expect(takeAll()).toBe(10);
    time += 4000;
    expect(takeAll()).toBe(12);
    time += 100;
    expect(takeAll()).toBe(0);
    time += 3_600_000;
    for (let at = 0; at < 10_000; at++) budget.request();
    expect(takeAll()).toBe(100);
  });

  it('once it is used up requests fail as they did, and it is counted', async () => {
    const all = [];
    for (const name of ['a', 'b']) all.push(await upstream(name, (socket) => void socket.resetAndDestroy()));
    const made = forwarder();
    made.directory.set(...all);
    for (let at = 0; at < 150; at++) expect(await made.ask()).toBe('reset');
    const retried = made.told.filter((told) => told === 'retried reset').length;
    expect(made.told).toContain('not retried');
    // 30 from before, a fifth of 150, and three for each second that this took.
    expect(retried).toBeGreaterThanOrEqual(60);
    expect(retried).toBeLessThan(120);
  });
});

describe('timeouts.request', () => {
  const timeouts = { ...IMPATIENT, response: milliseconds(10_000), request: milliseconds(300) };

  it('ends an exchange whose response has not begun with 504, wherever its time went', async () => {
    const silent = await upstream('silent', () => undefined);
    const made = forwarder();
    made.directory.set(silent);
    expect(await made.ask({ timeouts })).toBe('request_timeout');
    await until(() => silent.connections.size === 0, 'the connection is closed');
    const tight = forwarder({
      limits: { connectionsPerEndpoint: 1, pending: 1, pendingTimeout: milliseconds(10_000) },
    });
    tight.directory.set(silent);
    const [first, second] = [
      tight.ask({ timeouts: { ...timeouts, request: milliseconds(5000) } }),
      tight.ask({ timeouts }),
    ];
    expect(await second).toBe('request_timeout');
    tight.up.close();
    expect(await first).toBe('reset');
    expect([...made.told, ...tight.told]).toEqual(['request timed out', 'request timed out']);
  });

  it('cuts a response that goes on and on, and one that its reader holds back', async () => {
    const endless = await upstream('endless', (socket) => {
      socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n');
      const timer = setInterval(() => socket.write('1\r\na\r\n'), 20);
      socket.on('close', () => clearInterval(timer));
    });
    const made = forwarder();
    made.directory.set(endless);
    expect(await made.ask({ timeouts })).toMatch(/^a+ aborted$/);
    const held = await made.up.forward(
      request(ORDERS, { upstream: upstreamSettings({}, { passive: undefined }), timeouts }),
    );
    expect(held.kind).toBe('Response');
    await until(() => endless.connections.size === 0, 'the connection is closed');
    expect(made.told).toEqual(['request timed out', 'request timed out']);
  });

  it('absent, nothing ends what goes on', async () => {
    const slow = await upstream('slow', (socket) => {
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n');
      let left = 10;
      const timer = setInterval(() => {
        socket.write('a');
        left -= 1;
        if (left === 0) clearInterval(timer);
      }, 60);
    });
    const made = forwarder();
    made.directory.set(slow);
    expect(await made.ask({ timeouts: { ...IMPATIENT, idle: milliseconds(400) } })).toBe('a'.repeat(10));
  });

  it('through the gateway: 504 before, a broken connection after the response began', async () => {
    let silent = true;
    const upstream = await startRawUpstream((socket) => {
      socket.on('data', () => {
        if (!silent) socket.write('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf');
      });
    });
    closers.push(() => upstream.close());
    const gateway = await startGateway({
      port: upstream.port,
      routes: [{ path: '/', exposure: 'Public', timeouts: { request: 300 } }],
    });
    closers.push(() => gateway.close());
    for (const [status, complete] of [
      [504, true],
      [200, false],
    ]) {
      const client = await RawClient.connect(gateway.port);
      await client.send('GET / HTTP/1.1\r\nHost: app.example\r\n\r\n');
      const got = await client.answer();
      expect([got?.status, got?.complete]).toEqual([status, complete]);
      client.destroy();
      silent = false;
    }
    expect(gateway.records[0]).toMatchObject({ outcome: 'upstream_failed', reason: 'request_timeout' });
  });
});
