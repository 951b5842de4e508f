import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RawClient } from '../support/raw-client.ts';
import { type Gateway, startGateway } from './support/gateway.ts';
import { ok, type RawUpstream, startRawUpstream, startUpstream, type Upstream } from './support/upstream.ts';

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Where bytes are cut, as shares of their length. */
const CUTS = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 1, maxLength: 10 });

function pieces(bytes: string, cuts: readonly number[]): readonly string[] {
  const points = [0, ...cuts.map((cut) => Math.floor(cut * bytes.length)).sort((a, b) => a - b), bytes.length];
  return points.slice(1).map((end, at) => bytes.slice(points[at], end));
}

describe('requests, however their bytes are split', () => {
  const HOST = 'Host: app.example\r\n';
  const LAST = `GET /last HTTP/1.1\r\n${HOST}Connection: close\r\n\r\n`;
  const CORPUS: readonly (readonly [string, string])[] = [
    ['a length', `POST /a HTTP/1.1\r\n${HOST}Content-Length: 11\r\n\r\nhello world${LAST}`],
    [
      'chunks with extensions and trailers',
      `POST /a HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked\r\n\r\n5;x=y\r\nhello\r\n1f\r\n${'z'.repeat(31)}\r\n0\r\nX-Y: z\r\n\r\n${LAST}`,
    ],
    ['pipelined, one refused', `GET /a HTTP/1.1\r\n${HOST}\r\nGET /private HTTP/1.1\r\n${HOST}\r\n${LAST}`],
    ['HEAD, then GET', `HEAD /private HTTP/1.1\r\n${HOST}\r\n${LAST}`],
    ['HTTP/1.0', `GET /a HTTP/1.0\r\n${HOST}\r\n`],
    ['an expectation', `POST /a HTTP/1.1\r\n${HOST}Expect: 100-continue\r\nContent-Length: 3\r\n\r\nabc${LAST}`],
    [
      'a length beside chunks',
      `POST /a HTTP/1.1\r\n${HOST}Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${LAST}`,
    ],
    ['two hosts', `GET /a HTTP/1.1\r\n${HOST}Host: other.example\r\n\r\n${LAST}`],
    ['a bare line feed', `GET /a HTTP/1.1\n${HOST}\r\n${LAST}`],
    ['a body in the place of a request', `GET /a HTTP/1.1\r\n${HOST}\r\nnot a request\r\n\r\n${LAST}`],
    [
      'too large a body',
      `POST /small HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked\r\n\r\n14\r\n${'q'.repeat(20)}\r\n0\r\n\r\n${LAST}`,
    ],
  ];
  let upstream: Upstream;
  let gateway: Gateway;
  beforeAll(async () => {
    upstream = await startUpstream(({ target, body }) => ok(`${target} ${body}`));
    gateway = await startGateway({
      port: upstream.port,
      limits: { requestsPerConnection: 100 },
      routes: [
        { path: '/', exposure: 'Public' },
        { path: '/private', exposure: 'Protected' },
        { path: '/small', exposure: 'Public', maxRequestBody: '10' },
      ],
    });
  });
  afterAll(async () => {
    await gateway.close();
    await upstream.close();
  });

  /** What the client sees, and what requests the upstream gets whole. */
  const outcome = async (bytes: string, cuts: readonly number[]) => {
    const seen = upstream.seen.length;
    const client = await RawClient.connect(gateway.port);
    for (const piece of pieces(bytes, cuts)) {
      await client.send(piece);
      await turn();
    }
    await client.closed;
    return {
      statuses: client.received.match(/HTTP\/1\.1 [2-5]\d\d/g),
      bodies: client.received
        .split('\r\n\r\n')
        .filter((part) => part.startsWith('/'))
        .map((part) => part.split('HTTP/')[0]),
      seen: upstream.seen.slice(seen).map(({ line, body }) => `${line} ${body}`),
    };
  };

  it.each(CORPUS)('have the same result: %s', async (_what, bytes) => {
    const whole = await outcome(bytes, []);
    expect(whole.statuses?.length).toBeGreaterThan(0);
    await fc.assert(
      fc.asyncProperty(CUTS, async (cuts) => {
        expect(await outcome(bytes, cuts)).toEqual(whole);
      }),
      { numRuns: 15 },
    );
  });
});

describe('responses, however their bytes are split', () => {
  const CORPUS: readonly (readonly [string, string])[] = [
    ['a length', 'HTTP/1.1 200 OK\r\nContent-Length: 11\r\nX-A: b\r\n\r\nhello world'],
    [
      'chunks with extensions and trailers',
      `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;x=y\r\nhello\r\n1f\r\n${'z'.repeat(31)}\r\n0\r\nX-Y: z\r\n\r\n`,
    ],
    ['until the end', 'HTTP/1.1 200 OK\r\n\r\nall of it'],
    ['after a hint', 'HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'],
    ['nothing', 'HTTP/1.1 204 No Content\r\n\r\n'],
    ['a broken head', 'HTTP/1.1 200 OK\r\nX A: b\r\nContent-Length: 2\r\n\r\nok'],
    ['two lengths', 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nok'],
    ['too short a body', 'HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\nok'],
    ['a bad chunk', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\nzz\r\n'],
    ['bytes after it', 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nbad'],
  ];
  let upstream: RawUpstream;
  let gateway: Gateway;
  let answer: readonly string[] = [];
  beforeAll(async () => {
    upstream = await startRawUpstream((socket) => {
      socket.on('data', () => {
        const send = async (): Promise<void> => {
          for (const piece of answer) {
            if (socket.writable) socket.write(Buffer.from(piece, 'latin1'));
            await turn();
          }
          socket.end();
        };
        void send();
      });
    });
    gateway = await startGateway({ port: upstream.port });
  });
  afterAll(async () => {
    await gateway.close();
    await upstream.close();
  });

  const outcome = async (bytes: string, cuts: readonly number[]) => {
    answer = pieces(bytes, cuts);
    const client = await RawClient.connect(gateway.port);
    await client.send('POST /x HTTP/1.1\r\nHost: app.example\r\nConnection: close\r\nContent-Length: 1\r\n\r\nx');
    await client.closed;
    const final = await client.answer();
    // Of what breaks off, how much came before is a matter of time.
    if (final?.complete !== true) return 'broken off';
    const hint = client.received.startsWith('HTTP/1.1 103');
    return { hint, status: final.status, body: final.status < 500 ? final.body : '', a: final.header('x-a') };
  };

  it.each(CORPUS)('have the same result: %s', async (_what, bytes) => {
    const whole = await outcome(bytes, []);
    await fc.assert(
      fc.asyncProperty(CUTS, async (cuts) => {
        expect(await outcome(bytes, cuts)).toEqual(whole);
      }),
      { numRuns: 15 },
    );
  });
});
