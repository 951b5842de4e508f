import { once } from 'node:events';
import { createServer as createHttpServer, type RequestListener } from 'node:http';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import type { BodySink, BodySource } from '../../../src/proxy/body.ts';
import type { Forwarder, ForwardResult, OutgoingRequest } from '../../../src/proxy/forwarder.ts';
import { milliseconds } from '../../../src/resources/duration.ts';
import type { Backend } from '../../../src/resources/resource.ts';
import { filesForwarder } from '../support/files-forwarder.ts';
import { defaultSettings } from '../support/upstream-settings.ts';

const closers: (() => void)[] = [];
afterEach(() => {
  for (const close of closers.splice(0)) close();
});

/** A raw upstream: the test writes every byte of the answers. */
async function rawUpstream(handle: (socket: Socket, connection: number) => void): Promise<number> {
  let connections = 0;
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => socket.destroy());
    handle(socket, ++connections);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  closers.push(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  return (server.address() as AddressInfo).port;
}

async function httpUpstream(handle: RequestListener): Promise<number> {
  const server = createHttpServer(handle).listen(0, '127.0.0.1');
  await once(server, 'listening');
  closers.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

function forwarder(): Forwarder {
  const created = filesForwarder();
  closers.push(() => created.close());
  return created;
}

function request(port: number, more: Partial<OutgoingRequest> = {}): OutgoingRequest {
  const backend: Backend = { kind: 'Url', scheme: 'http', host: '127.0.0.1', port, basePath: '' };
  return {
    backend,
    upstream: defaultSettings(more.backend ?? backend),
    timeouts: { connect: milliseconds(5000), response: milliseconds(5000), idle: milliseconds(5000) },
    method: 'GET',
    target: '/',
    headers: 'Host: up.example\r\n',
    framing: { kind: 'None' },
    body: undefined,
    client: { gone: false, onGone: () => undefined },
    ...more,
  };
}

/** Sends the given parts, then ends or breaks off. */
function source(parts: readonly string[], end: 'end' | 'abort' | 'stall' = 'end'): BodySource {
  let cancelled = false;
  return {
    start(sink) {
      void (async () => {
        for (const part of parts) {
          await new Promise((resolve) => setImmediate(resolve));
          if (cancelled) return;
          sink.data(Buffer.from(part));
        }
        if (cancelled) return;
        if (end === 'end') sink.end();
        else if (end === 'abort') sink.abort();
      })();
    },
    resume: () => undefined,
    cancel: () => {
      cancelled = true;
    },
  };
}

interface Whole {
  readonly status: number;
  readonly body: string;
  readonly outcome: 'end' | 'abort';
}

async function whole(result: ForwardResult): Promise<Whole> {
  if (result.kind === 'Switched') throw new Error('nobody asked for an upgrade');
  if (result.kind === 'Failed') throw new Error(`${result.code}: ${result.cause}`);
  const { body, status } = result;
  if (body === undefined) return { status, body: '', outcome: 'end' };
  return new Promise((resolve) => {
    let text = '';
    const sink: BodySink = {
      data: (chunk) => {
        text += chunk.toString('latin1');
        return true;
      },
      end: () => resolve({ status, body: text, outcome: 'end' }),
      abort: () => resolve({ status, body: text, outcome: 'abort' }),
    };
    body.start(sink);
  });
}

describe('connections', () => {
  it('are kept and used again, one request after another', async () => {
    const seen: number[] = [];
    const port = await rawUpstream((socket, connection) => {
      socket.on('data', () => {
        seen.push(connection);
        socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
      });
    });
    const up = forwarder();
    for (let i = 0; i < 5; i++) expect(await whole(await up.forward(request(port)))).toMatchObject({ body: 'ok' });
    expect(seen).toEqual([1, 1, 1, 1, 1]);
  });

  it('A068 with bytes after a response are not used again', async () => {
    const seen: number[] = [];
    const port = await rawUpstream((socket, connection) => {
      socket.on('data', () => {
        seen.push(connection);
        socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil');
      });
    });
    const up = forwarder();
    for (let i = 0; i < 3; i++) expect(await whole(await up.forward(request(port)))).toMatchObject({ body: 'ok' });
    expect(seen).toEqual([1, 2, 3]);
  });

  it('A068 whose upstream speaks while idle are closed, and its bytes meet nobody', async () => {
    let first: Socket | undefined;
    const seen: number[] = [];
    const port = await rawUpstream((socket, connection) => {
      first ??= socket;
      socket.on('data', () => {
        seen.push(connection);
        socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
      });
    });
    const up = forwarder();
    await whole(await up.forward(request(port)));
    first?.write('HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil');
    await once(first ?? process, 'close');
    expect(await whole(await up.forward(request(port)))).toMatchObject({ body: 'ok' });
    expect(seen).toEqual([1, 2]);
  });

  it('F42 that died while kept are replaced once for a request that may be sent twice, and only for such', async () => {
    let requests = 0;
    const port = await rawUpstream((socket) => {
      let mine = 0;
      socket.on('data', () => {
        requests += 1;
        mine += 1;
        // The second request on a connection finds it dead, before a byte of an answer.
        if (mine === 2) socket.resetAndDestroy();
        else socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
      });
    });
    const up = forwarder();
    await whole(await up.forward(request(port)));
    expect(await whole(await up.forward(request(port)))).toMatchObject({ body: 'ok' });
    expect(requests).toBe(3);
    expect(await up.forward(request(port, { method: 'POST' }))).toMatchObject({ kind: 'Failed', code: 'reset' });
    expect(requests).toBe(4);
  });
});

describe('request bodies', () => {
  const echo: RequestListener = (incoming, response) => {
    let body = '';
    incoming.on('data', (chunk) => {
      body += chunk;
    });
    incoming.on('end', () =>
      response.end(JSON.stringify({ method: incoming.method, body, headers: incoming.headers })),
    );
  };

  it.each(['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH', 'PROPFIND'])(
    'A064 A065 %s with a chunked body is framed as chunked, and is one request',
    async (method) => {
      let requests = 0;
      const port = await httpUpstream((incoming, response) => {
        requests += 1;
        expect(incoming.headers['transfer-encoding']).toBe('chunked');
        echo(incoming, response);
      });
      const up = forwarder();
      const smuggled = 'GET /smuggled HTTP/1.1\r\nHost: up\r\n\r\n';
      const options = { method, framing: { kind: 'Chunked' as const }, body: source([smuggled]) };
      const answer = await whole(await up.forward(request(port, options)));
      if (method !== 'HEAD') expect(JSON.parse(answer.body)).toMatchObject({ method, body: smuggled });
      expect(await whole(await up.forward(request(port, { ...options, body: source(['x']) })))).toMatchObject({
        status: 200,
      });
      expect(requests).toBe(2);
    },
  );

  it('with a length that is not kept to never become a whole request', async () => {
    let completed = 0;
    const port = await httpUpstream((incoming) => {
      incoming.on('error', () => undefined);
      incoming.on('end', () => {
        completed += 1;
      });
    });
    const up = forwarder();
    const framing = { kind: 'Length' as const, bytes: 10 };
    expect(await up.forward(request(port, { method: 'POST', framing, body: source(['short']) }))).toMatchObject({
      code: 'bad_request_body',
    });
    expect(
      await up.forward(request(port, { method: 'POST', framing, body: source(['much too long a body']) })),
    ).toMatchObject({
      code: 'bad_request_body',
    });
    expect(await up.forward(request(port, { method: 'POST', framing, body: source(['abc'], 'abort') }))).toMatchObject({
      code: 'bad_request_body',
    });
    expect(completed).toBe(0);
  });

  it('A068 an answer that comes before the body was sent is passed on, and the connection is not used again', async () => {
    const seen: number[] = [];
    const port = await rawUpstream((socket, connection) => {
      socket.once('data', () => {
        seen.push(connection);
        socket.write('HTTP/1.1 413 Too Large\r\nContent-Length: 3\r\n\r\nbig');
      });
    });
    const up = forwarder();
    const framing = { kind: 'Length' as const, bytes: 1000 };
    const answer = await whole(
      await up.forward(request(port, { method: 'POST', framing, body: source(['x'], 'stall') })),
    );
    expect(answer).toMatchObject({ status: 413, body: 'big' });
    expect(await whole(await up.forward(request(port)))).toMatchObject({ status: 413 });
    expect(seen).toEqual([1, 2]);
  });
});

describe('F42 an upstream that', () => {
  it('refuses', async () => {
    const port = await rawUpstream(() => undefined);
    for (const close of closers.splice(0)) close();
    expect(await forwarder().forward(request(port))).toMatchObject({ code: 'connect_refused' });
  });

  it('has a name nobody knows', async () => {
    const backend = { kind: 'Url' as const, scheme: 'http' as const, host: 'nobody.invalid', port: 80, basePath: '' };
    expect(await forwarder().forward(request(80, { backend }))).toMatchObject({ code: 'name_not_resolved' });
  });

  it('A174 is a metadata service is not asked', async () => {
    const backend = { kind: 'Url' as const, scheme: 'http' as const, host: '169.254.169.254', port: 80, basePath: '' };
    expect(await forwarder().forward(request(80, { backend }))).toMatchObject({ code: 'address_not_allowed' });
  });

  it.each(['127.0.0.1', 'localhost', '127.0.0.2', '0.0.0.0', '::1', '::ffff:127.0.0.1'])(
    'A174 is our own admin listener, as %s, is not asked',
    async (host) => {
      let asked = 0;
      const server = createHttpServer((_request, response) => {
        asked += 1;
        response.end('metrics');
      }).listen(0);
      await once(server, 'listening');
      closers.push(() => server.close());
      const { port } = server.address() as AddressInfo;
      const backend = { kind: 'Url' as const, scheme: 'http' as const, host, port, basePath: '' };
      const own = filesForwarder(new Set([port]));
      closers.push(() => own.close());
      expect(await own.forward(request(port, { backend }))).toMatchObject({
        kind: 'Failed',
        code: 'address_not_allowed',
      });
      expect(asked).toBe(0);
      expect(await whole(await forwarder().forward(request(port, { backend })))).toMatchObject({ status: 200 });
    },
  );

  it.each([
    ['resets', (socket: Socket) => socket.resetAndDestroy(), 'reset'],
    ['closes without a word', (socket: Socket) => socket.end(), 'reset'],
    ['sends garbage', (socket: Socket) => socket.write('SSH-2.0-OpenSSH_9\r\n\r\n'), 'bad_response'],
    [
      'contradicts itself',
      (socket: Socket) => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n'),
      'bad_response',
    ],
    ['says nothing', () => undefined, 'response_timeout'],
  ])('%s', async (_name, act, code) => {
    const port = await rawUpstream((socket) => socket.once('data', () => act(socket)));
    const timeouts = { connect: milliseconds(5000), response: milliseconds(200), idle: milliseconds(5000) };
    expect(await forwarder().forward(request(port, { timeouts }))).toMatchObject({ kind: 'Failed', code });
  });

  it('A070 breaks off in the middle: the body is aborted, never ended', async () => {
    const port = await rawUpstream((socket) =>
      socket.once('data', () => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello')),
    );
    expect(await whole(await forwarder().forward(request(port)))).toEqual({
      status: 200,
      body: 'hello',
      outcome: 'abort',
    });
  });

  it('stalls in the middle: aborted when the idle time is over', async () => {
    const port = await rawUpstream((socket) =>
      socket.once('data', () => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello')),
    );
    const timeouts = { connect: milliseconds(5000), response: milliseconds(5000), idle: milliseconds(200) };
    expect(await whole(await forwarder().forward(request(port, { timeouts })))).toMatchObject({ outcome: 'abort' });
  });
});

it('F12 a loop that was held up makes nobody late who came meanwhile', async () => {
  const port = await httpUpstream((_incoming, response) => response.end('ok'));
  const up = forwarder();
  const timeouts = { connect: milliseconds(5000), response: milliseconds(1000), idle: milliseconds(5000) };
  const until = performance.now() + 2000;
  while (performance.now() < until);
  expect(await whole(await up.forward(request(port, { timeouts })))).toMatchObject({ body: 'ok' });
});

it('F46 a client that goes away ends the upstream connection', async () => {
  let closed: () => void = () => undefined;
  const upstreamClosed = new Promise<void>((resolve) => {
    closed = resolve;
  });
  let arrived: () => void = () => undefined;
  const requestArrived = new Promise<void>((resolve) => {
    arrived = resolve;
  });
  const port = await rawUpstream((socket) => {
    socket.on('data', () => arrived());
    socket.on('close', () => closed());
  });
  let gone: (() => void) | undefined;
  const client = {
    gone: false,
    onGone: (callback: (() => void) | undefined) => {
      gone = callback;
    },
  };
  const result = forwarder().forward(request(port, { client }));
  await requestArrived;
  gone?.();
  expect(await result).toMatchObject({ code: 'client_gone' });
  await upstreamClosed;
});

it('F47 a slow reader holds the upstream back: 64 MB pass through without being stored', async () => {
  const size = 64 * 1024 * 1024;
  let sent = 0;
  const port = await httpUpstream((_incoming, response) => {
    response.writeHead(200, { 'content-length': size });
    const piece = Buffer.alloc(64 * 1024, 'x');
    const more = (): void => {
      while (sent < size) {
        sent += piece.length;
        if (!response.write(piece)) {
          response.once('drain', more);
          return;
        }
      }
      response.end();
    };
    more();
  });
  const result = await forwarder().forward(request(port));
  if (result.kind !== 'Response' || result.body === undefined) throw new Error('no body');
  const { body } = result;
  let received = 0;
  let most = 0;
  await new Promise<void>((resolve, reject) => {
    body.start({
      data(chunk) {
        received += chunk.length;
        most = Math.max(most, sent - received);
        setImmediate(() => body.resume());
        return false;
      },
      end: () => resolve(),
      abort: () => reject(new Error('aborted')),
    });
  });
  expect(received).toBe(size);
  // What lies between them is in the kernel's socket buffers.
  expect(most).toBeLessThan(16 * 1024 * 1024);
});
