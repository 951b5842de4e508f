import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { askOnce, askRaw, RawClient } from '../support/raw-client.ts';
import { FORWARDERS } from './support/forwarders.ts';
import { eventually, type Gateway, startGateway } from './support/gateway.ts';
import { ok, startUpstream, type Upstream } from './support/upstream.ts';

const SMUGGLED = 'GET /smuggled HTTP/1.1\r\nHost: app.example\r\n\r\n';
const chunk = (data: string): string => `${data.length.toString(16)}\r\n${data}\r\n`;

describe.each(FORWARDERS)('framing and desync, forwarder on %s', (_name, forwarder) => {
  let upstream: Upstream;
  let gateway: Gateway;

  beforeAll(async () => {
    upstream = await startUpstream((request) => ok(`${request.method} ${request.body.length}`));
    gateway = await startGateway({ port: upstream.port, forwarder: forwarder() });
  });
  afterAll(async () => {
    await gateway.close();
    await upstream.close();
  });

  /** 400 (or `status`), the connection ends, what follows on it is not looked at, and no upstream hears of it. */
  const refused = async (bytes: string, status = 400): Promise<void> => {
    const seen = upstream.seen.length;
    const client = await RawClient.connect(gateway.port);
    await client.send(bytes + SMUGGLED);
    const answer = await client.answer();
    expect(answer?.status, bytes).toBe(status);
    await client.closed;
    expect(client.rest, bytes).toBe('');
    expect(upstream.seen.length, bytes).toBe(seen);
  };
  const post = (headers: string, body = ''): string => `POST /x HTTP/1.1\r\nHost: app.example\r\n${headers}\r\n${body}`;

  it.each([
    'Content-Length: 4\r\nTransfer-Encoding: chunked\r\n',
    'Transfer-Encoding: chunked\r\nContent-Length: 4\r\n',
    'Content-Length: 4\r\nContent-Length: 4\r\n',
    'Content-Length: 4\r\nContent-Length: 5\r\n',
    'Content-Length: 1, 1\r\n',
    'Content-Length: +1\r\n',
    'Content-Length: 0x1\r\n',
    'Content-Length: -1\r\n',
    'Content-Length: \r\n',
    'Content-Length: 12345678901234567890\r\n',
    'Content-Length : 4\r\n',
    'Content-Length\r\n : 4\r\n',
    'Transfer-Encoding\t: chunked\r\n',
  ])('A060 %j is refused', (headers) => refused(post(headers, '0\r\n\r\n')));

  // The gate leaves values to the front's parser, so every byte is tried through the socket. CR and LF end the line.
  it.each(Array.from({ length: 256 }, (_, byte) => byte).filter((byte) => byte !== 0x0d && byte !== 0x0a))(
    'T14 byte %i in a header value reaches an upstream as it was, or nobody',
    async (byte) => {
      const value = `a${String.fromCharCode(byte)}b`;
      const head = `GET /byte HTTP/1.1\r\nHost: app.example\r\nX-Byte: ${value}\r\n\r\n`;
      if (byte === 0x7f || (byte < 0x20 && byte !== 0x09)) {
        await refused(head);
        return;
      }
      const answer = await askOnce(gateway.port, head);
      expect(answer.status).toBe(200);
      expect(upstream.seen.at(-1)?.header('x-byte')).toBe(value);
    },
  );
  it.each(['a\rb', 'a\nb', 'a\r\rb', 'a\r b', 'a\n b', '\nX-Forwarded-User: root'])(
    'T14 a stray line end in a header value is refused: %j',
    (value) => refused(`GET /byte HTTP/1.1\r\nHost: app.example\r\nX-Byte: ${value}\r\n\r\n`),
  );

  it.each([
    'xchunked',
    '"chunked"',
    'identity, chunked',
    'chunked, identity',
    'chunked\r\nTransfer-Encoding: x',
    'gzip',
    '\x0bchunked',
    'chunked\r\n folded',
  ])('A061 Transfer-Encoding %j is refused before any upstream', (coding) =>
    refused(post(`Transfer-Encoding: ${coding}\r\n`, '0\r\n\r\n')),
  );

  it('A063 HTTP/1.0 with Transfer-Encoding is refused', () =>
    refused('POST /x HTTP/1.0\r\nHost: app.example\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'));

  it.each(['GET', 'HEAD', 'DELETE', 'OPTIONS', 'POST', 'PUT', 'PATCH', 'PROPFIND'])(
    'A064 A065 T13 a chunked %s that holds a request stays one request, framed',
    async (method) => {
      const seen = upstream.seen.length;
      const bytes = `${method} /x HTTP/1.1\r\nHost: app.example\r\nTransfer-Encoding: chunked\r\n\r\n${chunk(SMUGGLED)}0\r\n\r\n`;
      const answer = await askOnce(gateway.port, bytes, method);
      expect(answer.status).toBe(200);
      const [request] = upstream.seen.slice(seen);
      expect(upstream.seen.length).toBe(seen + 1);
      expect(request?.method).toBe(method);
      expect(request?.body).toBe(SMUGGLED);
      expect([request?.all('transfer-encoding'), request?.all('content-length')]).toEqual([['chunked'], []]);
    },
  );

  it.each(['GET', 'DELETE', 'OPTIONS', 'POST'])('A064 a %s with a length keeps exactly that length', async (method) => {
    const seen = upstream.seen.length;
    await askOnce(
      gateway.port,
      `${method} /x HTTP/1.1\r\nHost: app.example\r\nContent-Length: ${SMUGGLED.length}\r\n\r\n${SMUGGLED}`,
    );
    expect(upstream.seen.length).toBe(seen + 1);
    expect(upstream.seen.at(-1)?.body).toBe(SMUGGLED);
    expect([upstream.seen.at(-1)?.all('content-length'), upstream.seen.at(-1)?.all('transfer-encoding')]).toEqual([
      [String(SMUGGLED.length)],
      [],
    ]);
  });

  it('a POST without a body says so', async () => {
    await askOnce(gateway.port, post(''));
    expect(upstream.seen.at(-1)?.all('content-length')).toEqual(['0']);
  });

  it('A045 a Trailer header and trailers go no further, and hurt nobody', async () => {
    const answers = await askRaw(
      gateway.port,
      `GET /x HTTP/1.1\r\nHost: app.example\r\nTrailer: x\r\n\r\n${post('Trailer: X-Forwarded-User\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n', `${chunk('abc')}0\r\nX-Forwarded-User: root\r\n\r\n`)}`,
    );
    expect(answers.map(({ status }) => status)).toEqual([200, 200]);
    expect(upstream.seen.at(-1)?.body).toBe('abc');
    expect(upstream.bytes.join('')).not.toMatch(/trailer:|root/i);
  });

  it('chunk extensions go no further', async () => {
    await askOnce(gateway.port, post('Transfer-Encoding: chunked\r\n', '3;a=b\r\nabc\r\n0;x\r\n\r\n'));
    expect(upstream.seen.at(-1)?.body).toBe('abc');
    expect(upstream.bytes.join('')).not.toMatch(/;a=b|0;x/);
  });

  it('T15 a body that turns out malformed breaks off upstream too, and ends the connection', async () => {
    const seen = upstream.seen.length;
    const client = await RawClient.connect(gateway.port);
    await client.send(post('Transfer-Encoding: chunked\r\n', `${chunk('abc')}zz\r\n${SMUGGLED}`));
    expect((await client.answer())?.status).toBe(400);
    await client.closed;
    expect(upstream.seen.length).toBe(seen);
    await eventually(() => gateway.leases === 0, 'the lease is released');
  });

  it('A067 a 100 comes only after the decision', async () => {
    const seen = upstream.seen.length;
    const client = await RawClient.connect(gateway.port);
    await client.send(
      'POST /private HTTP/1.1\r\nHost: app.example\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n',
    );
    expect((await client.answer())?.status).toBe(401);
    expect(client.received.startsWith('HTTP/1.1 401')).toBe(true);
    await client.closed;
    expect(upstream.seen.length).toBe(seen);

    const allowed = await RawClient.connect(gateway.port);
    await allowed.send(
      'POST /private HTTP/1.1\r\nHost: app.example\r\nCookie: user=1\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n',
    );
    while (!allowed.received.includes('\r\n\r\n')) await allowed.more();
    expect(allowed.received).toMatch(/^HTTP\/1\.1 100 /);
    await allowed.send('abc');
    expect((await allowed.answer())?.status).toBe(200);
    expect(upstream.seen.at(-1)?.body).toBe('abc');
    expect(upstream.seen.at(-1)?.all('expect')).toEqual([]);
    allowed.destroy();
  });

  it.each(['y', '100-continue, y', 'x 100-continue'])('A067 Expect: %s is 417', (value) =>
    refused(post(`Expect: ${value}\r\nContent-Length: 0\r\n`), 417),
  );

  it('A071 HTTP/2.0 as text is 505, a preface is refused', async () => {
    await refused('GET / HTTP/2.0\r\nHost: app.example\r\n\r\n', 505);
    const client = await RawClient.connect(gateway.port);
    await client.send('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
    const answer = await client.answer();
    expect([undefined, 400, 505]).toContain(answer?.status);
    await client.closed;
  });

  it('A071 an upgrade is not passed on, the request is', async () => {
    const answer = await askOnce(
      gateway.port,
      'GET /x HTTP/1.1\r\nHost: app.example\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n\r\n',
    );
    expect(answer.status).toBe(200);
    expect(upstream.bytes.join('')).not.toMatch(/upgrade|h2c|http2-settings/i);
  });

  it('A071 T17 an upgrade is held to the same decision, and nothing follows it', async () => {
    const seen = upstream.seen.length;
    const answers = await askRaw(
      gateway.port,
      `GET /private HTTP/1.1\r\nHost: app.example\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n${SMUGGLED}`,
    );
    expect(answers.map(({ status }) => status)).toEqual([401]);
    expect(answers[0]?.header('connection')).toBe('close');
    expect(upstream.seen.length).toBe(seen);
  });

  it('A073 pipelined requests are each decided by themselves and answered in order', async () => {
    const seen = upstream.seen.length;
    const one = (path: string, more = ''): string => `GET ${path} HTTP/1.1\r\nHost: app.example\r\n${more}\r\n`;
    const answers = await askRaw(
      gateway.port,
      one('/private') +
        one('/a') +
        one('/private', 'Cookie: user=1\r\n') +
        one('/private/b') +
        one('/c', 'Connection: close\r\n') +
        one('/after'),
    );
    expect(answers.map(({ status }) => status)).toEqual([401, 200, 200, 401, 200]);
    expect(upstream.seen.slice(seen).map(({ target }) => target)).toEqual(['/a', '/private', '/c']);
    expect(upstream.seen.slice(seen).map((request) => request.header('x-forwarded-user'))).toEqual([
      undefined,
      'alice',
      undefined,
    ]);
  });

  it('A073 what is malformed behind a good request doesn’t take its answer', async () => {
    const answers = await askRaw(gateway.port, `GET /good HTTP/1.1\r\nHost: app.example\r\n\r\nGARBAGE\x01\r\n\r\n`);
    expect(answers.map(({ status }) => status)).toEqual([200, 400]);
  });

  it('A074 3000 small headers are 431', () =>
    refused(
      `GET /x HTTP/1.1\r\nHost: app.example\r\n${Array.from({ length: 3000 }, (_, i) => `a${i}: b\r\n`).join('')}\r\n`,
      431,
    ));

  it.each([
    'GET /x HTTP/1.1\r\nHost: app.example\r\nA: b\x00c\r\n\r\n',
    'GET /x HTTP/1.1\nHost: app.example\n\n',
    'GET /x HTTP/1.1\r\nHost: app.example\r\nA: b\r\n c\r\n\r\n',
    ' GET /x HTTP/1.1\r\nHost: app.example\r\n\r\n',
    'GET /x\r\n\r\n',
    '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03',
  ])('bytes that are no strict HTTP never reach an upstream: %j', async (bytes) => {
    const seen = upstream.seen.length;
    const client = await RawClient.connect(gateway.port);
    await client.send(`${bytes}${SMUGGLED}`);
    const answer = await client.answer();
    expect([undefined, 400, 505]).toContain(answer?.status);
    await client.closed;
    expect(upstream.seen.length).toBe(seen);
  });

  it('HTTP/1.0 gets an answer that ends with its connection, without chunks', async () => {
    const answer = await askOnce(gateway.port, 'GET /x HTTP/1.0\r\nHost: app.example\r\n\r\n');
    expect(answer.status).toBe(200);
    expect(answer.header('transfer-encoding')).toBeUndefined();
    expect(answer.header('connection')).toBe('close');
  });

  it('HEAD has the head of GET and no body, of the upstream and of our own', async () => {
    const bytes =
      'HEAD /private HTTP/1.1\r\nHost: app.example\r\n\r\nHEAD /nowhere HTTP/1.1\r\nHost: other.example\r\nConnection: close\r\n\r\n';
    const answers = await askRaw(gateway.port, bytes, 'HEAD');
    expect(answers.map(({ status }) => status)).toEqual([401, 404]);
  });

  it('any split of the bytes gives the same result', async () => {
    const bytes = `POST /private/x?q=1 HTTP/1.1\r\nHost: app.example\r\nCookie: user=1; a=b\r\nTransfer-Encoding: chunked\r\n\r\n${chunk('hello')}${chunk(SMUGGLED)}0\r\n\r\nGET /private HTTP/1.1\r\nHost: app.example\r\nConnection: close\r\n\r\n`;
    const cuts = fc.uniqueArray(fc.integer({ min: 1, max: bytes.length - 1 }), { maxLength: 12 });
    await fc.assert(
      fc.asyncProperty(cuts, async (at) => {
        const seen = upstream.seen.length;
        const client = await RawClient.connect(gateway.port);
        const points = [0, ...at.sort((a, b) => a - b), bytes.length];
        for (let i = 1; i < points.length; i++) {
          await client.send(bytes.slice(points[i - 1], points[i]));
          await new Promise((resolve) => setImmediate(resolve));
        }
        expect([(await client.answer())?.status, (await client.answer())?.status]).toEqual([200, 401]);
        expect(upstream.seen.slice(seen).map(({ line, body }) => [line, body])).toEqual([
          ['POST /private/x?q=1 HTTP/1.1', `hello${SMUGGLED}`],
        ]);
        client.destroy();
      }),
      { numRuns: 60 },
    );
  });

  it('leaves no lease and no error behind', async () => {
    await eventually(() => gateway.leases === 0, 'all leases are released');
    expect(gateway.errors).toEqual([]);
  });
});
