import type { Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RawClient } from '../support/raw-client.ts';
import { POISON, type ResponseCase, responseCorpus } from './corpus/responses.ts';
import { eventually, type Gateway, startGateway } from './support/gateway.ts';
import { type RawUpstream, startRawUpstream } from './support/upstream.ts';

const CASES = responseCorpus();

it('the corpus has hundreds of responses, each of its own', () => {
  expect(CASES.length).toBeGreaterThanOrEqual(300);
  expect(new Set(CASES.map(({ name }) => name)).size).toBe(CASES.length);
});

describe('responses of an upstream that means no good', () => {
  let upstream: RawUpstream;
  let gateway: Gateway;
  /** Whether another response follows each in the same packet, where nothing ends the connection. */
  let poisons = false;
  let last: Socket | undefined;
  /** Connections that have bytes on them that nobody asked for, and requests that came on them nonetheless. */
  const poisoned = new WeakSet<Socket>();
  const trusting: string[] = [];
  const answer = (socket: Socket, request: string): void => {
    if (poisoned.has(socket)) trusting.push(request);
    const [, kind, index] = /^[A-Z]+ \/(r|check)\/(\d+)/.exec(request) ?? [];
    if (kind === 'check') {
      const body = `own ${index}`;
      socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
      return;
    }
    const one = CASES[Number(index)];
    if (one === undefined) throw new Error(`not a request of this test: ${request}`);
    last = socket;
    if (poisons && !one.ends) poisoned.add(socket);
    if (one.ends) socket.end(Buffer.from(one.bytes, 'latin1'));
    else socket.write(Buffer.from(poisons ? one.bytes + POISON : one.bytes, 'latin1'));
  };
  beforeAll(async () => {
    upstream = await startRawUpstream((socket) => {
      let held = '';
      socket.on('data', (chunk: Buffer) => {
        held += chunk.toString('latin1');
        for (let end = held.indexOf('\r\n\r\n'); end >= 0; end = held.indexOf('\r\n\r\n')) {
          const request = held.slice(0, end);
          held = held.slice(end + 4);
          answer(socket, request);
        }
      });
    });
    gateway = await startGateway({
      port: upstream.port,
      routes: [{ path: '/', exposure: 'Public', timeouts: { response: 300, idle: 300 } }],
    });
  });
  afterAll(async () => {
    await gateway.close();
    await upstream.close();
  });

  const ask = async (method: string, path: string) => {
    const client = await RawClient.connect(gateway.port);
    await client.send(`${method} ${path} HTTP/1.1\r\nHost: app.example\r\nConnection: close\r\n\r\n`);
    const got = await client.answer(method);
    await client.closed;
    return { got, received: client.received, rest: client.rest };
  };
  const wrongWith = async (
    one: ResponseCase,
    index: number,
    expected?: () => Promise<void>,
  ): Promise<string | undefined> => {
    const { got, received, rest } = await ask(one.method, `/r/${index}`);
    if (expected !== undefined) await expected();
    const check = await ask('GET', `/check/${index}`);
    if (check.got?.body !== `own ${index}`) return `the next one gets ${JSON.stringify(check.received)}`;
    if (received.includes('POISON')) return 'it has bytes of another';
    if (rest !== '') return `more than an answer: ${JSON.stringify(rest)}`;
    if (one.outcome === 'Failed') return got?.status === 502 ? undefined : `not 502 but ${JSON.stringify(received)}`;
    if (one.outcome === 'Broken')
      return got === undefined || got.status === 502 || !got.complete
        ? undefined
        : `whole: ${JSON.stringify(received)}`;
    const { status, body } = one.outcome;
    return got?.status === status && got.body === body && got.complete
      ? undefined
      : `not ${status} ${body} but ${JSON.stringify(received)}`;
  };

  it.each([
    ['nothing behind them', false],
    ['another response behind them in the same packet', true],
  ])(
    'A068 A070 A080 with %s: their client gets them as they are, or 502, or broken off, and nobody a byte of another',
    async (_what, followed) => {
      poisons = followed;
      const before = gateway.records.length;
      const wrong: string[] = [];
      const waiting = CASES.map((one, index) => [one, index] as const);
      const work = async (): Promise<void> => {
        for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
          const problem = await wrongWith(...next);
          if (problem !== undefined) wrong.push(`${next[0].name}: ${problem.slice(0, 300)}`);
        }
      };
      await Promise.all(Array.from({ length: 6 }, work));
      expect(wrong).toEqual([]);
      await eventually(() => gateway.leases === 0, 'all are over');
      expect(gateway.errors).toEqual([]);
      expect(trusting).toEqual([]);
      const checks = gateway.records.slice(before).filter(({ path }) => path.startsWith('/check/'));
      expect(checks.map(({ outcome }) => outcome)).toEqual(CASES.map(() => 'forwarded'));
    },
    60_000,
  );

  it('A068 bytes that come on a kept connection end it, and are nobody’s', async () => {
    poisons = false;
    let ended = 0;
    for (const [index, one] of CASES.entries()) {
      if (typeof one.outcome !== 'object' || one.ends) continue;
      const problem = await wrongWith(one, index, async () => {
        const socket = last;
        if (socket?.writable !== true) return;
        socket.write(POISON);
        await eventually(() => socket.destroyed, 'the proxy has closed it');
        ended += 1;
      });
      expect(problem, one.name).toBeUndefined();
    }
    expect(ended).toBeGreaterThan(20);
  }, 60_000);
});
