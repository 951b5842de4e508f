import type { Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import type { BodySource } from '../../../src/proxy/body.ts';
import type { Forwarder } from '../../../src/proxy/forwarder.ts';
import { createSocketForwarder } from '../../../src/proxy/upstream/socket-forwarder.ts';
import { milliseconds } from '../../../src/resources/duration.ts';
import { freePort, until } from '../../support/gateway.ts';
import { REACH_ANY } from '../support/files-forwarder.ts';
import {
  answer,
  blackHole,
  type HandDirectory,
  handDirectory,
  ORDERS,
  request,
  type TestUpstream,
  testUpstream,
  text,
} from './support.ts';

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

async function upstream(...args: Parameters<typeof testUpstream>): Promise<TestUpstream> {
  const created = await testUpstream(...args);
  closers.push(created.close);
  return created;
}

function gateway(ownPorts: ReadonlySet<number> = new Set()): {
  readonly up: Forwarder;
  readonly directory: HandDirectory;
} {
  const directory = handDirectory();
  const up = createSocketForwarder({ ownPorts, endpoints: directory, reach: REACH_ANY });
  closers.push(() => up.close());
  return { up, directory };
}

async function ask(up: Forwarder, times: number, more: Parameters<typeof request>[1] = {}): Promise<readonly string[]> {
  const answers: string[] = [];
  for (let at = 0; at < times; at++) answers.push(await text(await up.forward(request(ORDERS, more))));
  return answers;
}

/** A port that nobody listens on. */
const nobody = async (): Promise<{ readonly port: number }> => ({ port: await freePort() });

const abc = ['a', 'b', 'c'];

describe('endpoints of a core Service', () => {
  it('take turns, each with connections that are kept', async () => {
    const ups = await Promise.all(abc.map((name) => upstream(name)));
    const { up, directory } = gateway();
    directory.set(...ups);
    expect(await ask(up, 9)).toEqual([...abc, ...abc, ...abc]);
    expect(ups.map(({ accepted }) => accepted)).toEqual([1, 1, 1]);
    // Who stays through a change keeps its connection.
    directory.set(...ups.slice(1), await upstream('d'));
    expect([...(await ask(up, 6))].sort()).toEqual(['b', 'b', 'c', 'c', 'd', 'd']);
    expect(ups.map(({ accepted }) => accepted)).toEqual([1, 1, 1]);
    expect(ups[0]?.requests[0]).toMatch(/^GET \/ HTTP\/1\.1\r\nHost: up\.example\r\n\r\n$/);
  });

  it('F43 none: 503 at once; back with the next request', async () => {
    const { up, directory } = gateway();
    expect(await up.forward(request(ORDERS))).toEqual({
      kind: 'Failed',
      code: 'no_endpoint',
      cause: 'no endpoint of shop/orders port 80 is ready',
    });
    directory.set(await upstream('a'));
    expect(await ask(up, 2)).toEqual(['a', 'a']);
    directory.set();
    expect(await ask(up, 1)).toEqual(['no_endpoint']);
    directory.set(await upstream('b'));
    expect(await ask(up, 1)).toEqual(['b']);
  });

  it('A174 a name among them is looked up by nobody', async () => {
    const { up, directory } = gateway();
    const { port } = await upstream('a');
    directory.set({ host: 'localhost', port });
    expect(await ask(up, 1)).toEqual(['address_not_allowed']);
  });

  it('A174 our own admin listener is none, whoever wrote the slice', async () => {
    const [own, good] = [await upstream('admin', undefined, { host: '0.0.0.0' }), await upstream('good')];
    const { up, directory } = gateway(new Set([own.port]));
    directory.set(own);
    expect(await ask(up, 1)).toEqual(['address_not_allowed']);
    directory.set(own, good);
    expect(await ask(up, 3)).toEqual(['good', 'good', 'good']);
    expect(own.requests).toEqual([]);
  });
});

describe('F25 an endpoint that goes', () => {
  it('gets nothing new at once, its idle connections are closed, and what runs goes on', async () => {
    let finish: (() => void) | undefined;
    const slow = (socket: Socket, head: string): void => {
      if (!head.startsWith('GET /slow')) return void socket.write(answer('a'));
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nhalf');
      finish = () => socket.write('half');
    };
    const [a, b] = [await upstream('a', slow), await upstream('b')];
    const { up, directory } = gateway();
    directory.set(a);
    const running = await up.forward(request(ORDERS, { target: '/slow' }));
    expect(await ask(up, 1)).toEqual(['a']);
    expect(a.connections.size).toBe(2);
    directory.set(b);
    await until(() => a.connections.size === 1, 'the idle connection is closed');
    expect(await ask(up, 4)).toEqual(['b', 'b', 'b', 'b']);
    finish?.();
    expect(await text(running)).toBe('halfhalf');
    await until(() => a.connections.size === 0, 'the used connection is closed too');
  });

  it('has its idle connections closed although nobody asks for the Service', async () => {
    const [a, b] = [await upstream('a'), await upstream('b')];
    const { up, directory } = gateway();
    directory.set(b, a);
    expect(await ask(up, 2)).toEqual(['b', 'a']);
    directory.set(b);
    await until(() => a.connections.size === 0, 'the connection of the one that went is closed');
    // Not for being idle: the other one’s is older.
    expect(b.connections.size).toBe(1);
  });

  it('and comes back is used again', async () => {
    const [a, b] = [await upstream('a'), await upstream('b')];
    const { up, directory } = gateway();
    directory.set(a, b);
    await ask(up, 2);
    directory.set(b);
    expect(await ask(up, 2)).toEqual(['b', 'b']);
    directory.set(a, b);
    expect([...(await ask(up, 4))].sort()).toEqual(['a', 'a', 'b', 'b']);
  });

  it('without a word: no request fails while the slices still name it, of any method', async () => {
    const ups = await Promise.all(abc.map((name) => upstream(name)));
    const { up, directory } = gateway();
    directory.set(...ups);
    await ask(up, 3);
    await ups[1]?.close();
    expect(await ask(up, 9)).not.toContain('b');
    expect(new Set(await ask(up, 9, { method: 'POST' }))).toEqual(new Set(['a', 'c']));
  });
});

describe('F42 a connection that doesn’t come about', () => {
  it('is tried elsewhere, and the place is left alone for a while', async () => {
    const good = await upstream('good');
    const { up, directory } = gateway();
    directory.set(await nobody(), await nobody(), good);
    expect(await ask(up, 6)).toEqual(Array(6).fill('good'));
  });

  it('is tried at three places at most, and never twice at one', async () => {
    const good = await upstream('good');
    const { up, directory } = gateway();
    directory.set(await nobody(), await nobody(), await nobody(), good);
    expect(await ask(up, 1)).toEqual(['connect_refused']);
    expect(await ask(up, 2)).toEqual(['good', 'good']);
    // Places that count: our own listeners accept, and are then refused.
    const own = await Promise.all(abc.map((name) => upstream(name)));
    const other = gateway(new Set(own.map(({ port }) => port)));
    other.directory.set(...own.slice(0, 2));
    expect(await ask(other.up, 1)).toEqual(['address_not_allowed']);
    expect(own.map(({ accepted }) => accepted)).toEqual([1, 1, 0]);
  });

  it('where every place failed a moment ago, it is tried all the same', async () => {
    const place = await nobody();
    const { up, directory } = gateway();
    directory.set(place);
    expect(await ask(up, 1)).toEqual(['connect_refused']);
    await upstream('back', undefined, place);
    expect(await ask(up, 1)).toEqual(['back']);
  });

  it('for want of an answer has its whole connect time-out at each place', async () => {
    const [hole, other, good] = [await blackHole(), await blackHole(), await upstream('good')];
    closers.push(hole.close, other.close);
    const { up, directory } = gateway();
    const timeouts = { connect: milliseconds(300), response: milliseconds(10_000), idle: milliseconds(10_000) };
    directory.set(hole);
    expect(await ask(up, 1, { timeouts })).toEqual(['connect_timeout']);
    directory.set(hole, other, good);
    expect(await ask(up, 3, { timeouts })).toEqual(['good', 'good', 'good']);
  });

  it('has not touched the body, which goes whole to the other place', async () => {
    const bodies: string[] = [];
    const good = await upstream('good', (socket, got) => {
      bodies.push(got.slice(got.indexOf('\r\n\r\n') + 4));
      if (bodies.join('').includes('whole body')) socket.write(answer('good'));
    });
    let started = 0;
    const body: BodySource = {
      start(sink) {
        started += 1;
        sink.data(Buffer.from('whole body'));
        sink.end();
      },
      resume: () => undefined,
      cancel: () => undefined,
    };
    const { up, directory } = gateway();
    directory.set(await nobody(), good);
    expect(await ask(up, 1, { method: 'POST', framing: { kind: 'Length', bytes: 10 }, body })).toEqual(['good']);
    expect(started).toBe(1);
    expect(bodies.join('')).toBe('whole body');
  });
});

describe('F42 a connection that dies before a byte of the response', () => {
  const dying = (): Promise<TestUpstream> => upstream('dying', (socket) => socket.resetAndDestroy());

  it('is replaced once, elsewhere, for a request that may be sent twice', async () => {
    const [bad, good] = [await dying(), await upstream('good')];
    const { up, directory } = gateway();
    directory.set(bad, good);
    expect(await ask(up, 1)).toEqual(['good']);
    directory.set(bad, await dying(), good);
    const counted = await ask(up, 6);
    expect(new Set(counted)).toEqual(new Set(['good', 'reset']));
  });

  it('is not replaced for any other request, nor for one with a body', async () => {
    const [bad, good] = [await dying(), await upstream('good')];
    const { up, directory } = gateway();
    directory.set(bad, good);
    expect(await ask(up, 1, { method: 'POST' })).toEqual(['reset']);
    expect(good.requests).toEqual([]);
    const body: BodySource = {
      start: (sink) => {
        sink.data(Buffer.from('x'));
        sink.end();
      },
      resume: () => undefined,
      cancel: () => undefined,
    };
    await ask(up, 1);
    expect(await ask(up, 1, { method: 'PUT', framing: { kind: 'Chunked' }, body })).toEqual(['reset']);
    expect(good.requests).toHaveLength(1);
  });

  it('of the only endpoint that took it before is replaced there', async () => {
    let mine = 0;
    const only = await upstream('only', (socket) => {
      mine += 1;
      if (mine === 2) socket.resetAndDestroy();
      else socket.write(answer('only'));
    });
    const { up, directory } = gateway();
    directory.set(only);
    expect(await ask(up, 2)).toEqual(['only', 'only']);
    expect(only.requests).toHaveLength(3);
  });
});

it('F46 a client that goes away while places are tried ends it', async () => {
  const [hole, good] = [await blackHole(), await upstream('good')];
  closers.push(hole.close);
  const { up, directory } = gateway();
  directory.set(hole, good);
  let leave: (() => void) | undefined;
  const onGone = (callback: (() => void) | undefined): void => {
    leave = callback;
  };
  const result = up.forward(request(ORDERS, { client: { gone: false, onGone } }));
  leave?.();
  expect(await text(await result)).toBe('client_gone');
  expect(good.accepted).toBe(0);
});
