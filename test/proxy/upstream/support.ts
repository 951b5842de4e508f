import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { Worker } from 'node:worker_threads';
import type { BodySink } from '../../../src/proxy/body.ts';
import type { EndpointAddress, EndpointDirectory } from '../../../src/proxy/endpoints.ts';
import type { ForwardResult, OutgoingRequest } from '../../../src/proxy/forwarder.ts';
import { milliseconds } from '../../../src/resources/duration.ts';
import { namespacedName } from '../../../src/resources/keys.ts';
import type { Backend } from '../../../src/resources/resource.ts';
import { defaultSettings } from '../support/upstream-settings.ts';

export const ORDERS: Backend = { kind: 'Service', name: namespacedName('shop', 'orders'), port: 80 };

/** An upstream that a test closes when it is done. Answers each request with its name, unless told otherwise. */
export interface TestUpstream {
  readonly port: number;
  /** First lines of the requests that came. */
  readonly requests: string[];
  /** Connections that were made, and are open. */
  readonly connections: Set<Socket>;
  accepted: number;
  close(): Promise<void>;
}

export const answer = (text: string): string => `HTTP/1.1 200 OK\r\nContent-Length: ${text.length}\r\n\r\n${text}`;

export async function testUpstream(
  name: string,
  handle: (socket: Socket, request: string) => void = (socket) => socket.write(answer(name)),
  { host = '127.0.0.1', port = 0 } = {},
): Promise<TestUpstream> {
  const connections = new Set<Socket>();
  const requests: string[] = [];
  const server = createServer((socket) => {
    upstream.accepted += 1;
    connections.add(socket);
    socket.on('close', () => connections.delete(socket)).on('error', () => socket.destroy());
    socket.on('data', (chunk) => {
      const text = chunk.toString('latin1');
      requests.push(text);
      handle(socket, text);
    });
  }).listen(port, host);
  await once(server, 'listening');
  const upstream: TestUpstream = {
    port: (server.address() as AddressInfo).port,
    requests,
    connections,
    accepted: 0,
    async close() {
      const closed = once(server, 'close');
      server.close();
      for (const socket of connections) socket.destroy();
      await closed;
    },
  };
  return upstream;
}

/** A directory for the one Service of these tests, which a test changes by hand. */
export interface HandDirectory extends EndpointDirectory {
  set(...endpoints: readonly (EndpointAddress | { readonly port: number })[]): void;
}

export function handDirectory(): HandDirectory {
  let now: readonly EndpointAddress[] = [];
  return {
    set(...endpoints) {
      now = endpoints.map((endpoint) => ({ host: '127.0.0.1', ...endpoint, port: endpoint.port }));
    },
    endpoints: (service, port) =>
      ORDERS.kind === 'Service' && service === ORDERS.name && port === ORDERS.port ? now : [],
  };
}

export function request(backend: Backend, more: Partial<OutgoingRequest> = {}): OutgoingRequest {
  return {
    backend,
    upstream: defaultSettings(backend),
    timeouts: { connect: milliseconds(5000), response: milliseconds(10_000), idle: milliseconds(10_000) },
    method: 'GET',
    target: '/',
    headers: 'Host: up.example\r\n',
    framing: { kind: 'None' },
    body: undefined,
    client: { gone: false, onGone: () => undefined },
    ...more,
  };
}

/** The body of a response, or the code of a failure. */
export async function text(result: ForwardResult): Promise<string> {
  if (result.kind !== 'Response') return result.kind === 'Failed' ? result.code : result.kind;
  const { body } = result;
  if (body === undefined) return '';
  return await new Promise((resolve) => {
    let all = '';
    const sink: BodySink = {
      data: (chunk) => {
        all += chunk.toString('latin1');
        return true;
      },
      end: () => resolve(all),
      abort: () => resolve(`${all} aborted`),
    };
    body.start(sink);
  });
}

/** A place that answers no connection attempt: the queue of a listener that accepts nobody is full. */
export async function blackHole(): Promise<{ readonly port: number; close(): Promise<unknown> }> {
  const source = `
    const { parentPort } = require('node:worker_threads');
    const server = require('node:net').createServer().listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => {
      parentPort.postMessage(server.address().port);
      setImmediate(() => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0));
    });`;
  const worker = new Worker(source, { eval: true });
  const [port] = await once(worker, 'message');
  if (typeof port !== 'number') throw new Error('the worker said no port');
  const queued = Array.from({ length: 8 }, () => connect({ port, host: '127.0.0.1' }).on('error', () => undefined));
  // Linux queues one more than the backlog says.
  await Promise.all(queued.slice(0, 2).map((socket) => once(socket, 'connect')));
  return {
    port,
    async close() {
      for (const socket of queued) socket.destroy();
      return await worker.terminate();
    },
  };
}
