import { createServer } from 'node:http';
import { expect, it } from 'vitest';
import { RawClient } from '../support/raw-client.ts';
import { eventually, startGateway } from './support/gateway.ts';

const ROUNDS = 10_000;
const AT_ONCE = 32;

/** The same on every run, so that a failure can be repeated. */
function dice(seed: number): (sides: number) => number {
  let state = seed;
  return (sides) => {
    state = (state * 1_103_515_245 + 12_345) % 2 ** 31;
    return Math.floor((state / 2 ** 31) * sides);
  };
}

/** Sockets and timers of the process. */
function resources(kind: string): number {
  return process.getActiveResourcesInfo().filter((name) => name === kind).length;
}

it(`F46 no byte of one connection appears on another, whoever aborts where: ${ROUNDS} rounds, and nothing is left`, async () => {
  const wrong: string[] = [];
  // Says the mark of the path again and again, in one of several ways, and breaks off now and then.
  const server = createServer((request, response) => {
    const [, mark = '', copies = '1', how = ''] = (request.url ?? '').split('/');
    let body = '';
    request.setEncoding('latin1');
    request.on('data', (chunk: string) => {
      body += chunk;
    });
    request.on('error', () => {});
    request.on('end', () => {
      if (body !== '' && body.replaceAll(mark, '') !== '') wrong.push(`the upstream got ${body} for ${mark}`);
      const text = mark.repeat(Number(copies));
      if (how === 'length') response.setHeader('content-length', text.length);
      response.write(text.slice(0, text.length / 2));
      if (how === 'break') {
        setImmediate(() => response.destroy());
        return;
      }
      setImmediate(() => response.end(text.slice(text.length / 2)));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  const gateway = await startGateway({ port: address.port });
  const before = { timers: resources('Timeout'), sockets: resources('TCPSocketWrap') };
  let answered = 0;
  let round = 0;

  const client = async (seed: number): Promise<void> => {
    const roll = dice(seed);
    let connection: RawClient | undefined;
    while (round < ROUNDS) {
      round += 1;
      const mark = `m${seed}-${round}x`;
      connection ??= await RawClient.connect(gateway.port);
      const body = roll(3) === 0 ? mark.repeat(roll(200)) : '';
      const path = `/${mark}/${1 + roll(roll(3) === 0 ? 4000 : 100)}/${['length', 'chunked', 'chunked', 'break'][roll(4)]}`;
      const bytes = `POST ${path} HTTP/1.1\r\nHost: app.example\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
      const aborts = roll(3) === 0;
      const from = connection.received.length;
      if (aborts) {
        await connection.send(bytes.slice(0, 1 + roll(bytes.length)));
        for (let turns = roll(6); turns > 0; turns--) await new Promise((resolve) => setImmediate(resolve));
        if (roll(2) === 0) connection.socket.resetAndDestroy();
        else connection.destroy();
      } else {
        await connection.send(bytes);
        const answer = await connection.answer('POST');
        if (answer?.complete === true && answer.status === 200) answered += 1;
      }
      for (const [found] of connection.received.slice(from).matchAll(/m\d+-\d+x/g))
        if (found !== mark) wrong.push(`${mark} was shown ${found}`);
      if (connection.ended || aborts || roll(50) === 0) {
        connection.destroy();
        connection = undefined;
      }
    }
    connection?.destroy();
  };
  await Promise.all(Array.from({ length: AT_ONCE }, (_, at) => client(at + 1)));

  expect(wrong.slice(0, 5)).toEqual([]);
  expect(answered).toBeGreaterThan(ROUNDS / 4);
  await eventually(
    () => gateway.connections === 0 && gateway.leases === 0,
    'no connection and no lease is left',
    30_000,
  );
  // A connection to an upstream may be kept for its idle time.
  await eventually(
    () => resources('TCPSocketWrap') <= before.sockets && resources('Timeout') <= before.timers + 4,
    'sockets and timers are as many as before',
    30_000,
  );
  expect(gateway.errors).toEqual([]);
  await gateway.close();
  server.closeAllConnections();
  server.close();
}, 240_000);
