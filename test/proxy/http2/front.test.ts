import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { openssl } from '../../support/parts.ts';
import { eventually, type Gateway, type GatewayOptions, startGateway } from '../support/gateway.ts';
import { answerOf, H2Client } from '../support/h2-client.ts';
import { type TestCertificates, testCertificates } from '../support/secure.ts';
import { ok, startUpstream, type Upstream } from '../support/upstream.ts';

describe.skipIf(openssl.missing)(`HTTP/2 to clients ${openssl.why}`, () => {
  let certificates: TestCertificates;
  let upstream: Upstream;
  let gateway: Gateway;
  let client: H2Client;
  beforeAll(() => {
    certificates = testCertificates();
  });
  afterAll(() => certificates.remove());
  const start = async (options: Partial<GatewayOptions> = {}, respond?: Parameters<typeof startUpstream>[0]) => {
    upstream = await startUpstream(respond ?? ((request) => ok(`${request.method} ${request.target} ${request.body}`)));
    gateway = await startGateway({
      port: upstream.port,
      https: { certificates: certificates.store, plain: 'Redirect', http2: true },
      ...options,
    });
    client = await H2Client.connect(gateway.tlsPort);
  };
  afterEach(async () => {
    client.close();
    await gateway.close();
    await upstream.close();
    expect(gateway.errors).toEqual([]);
    await eventually(() => gateway.leases === 0, 'leases are released');
    await eventually(() => gateway.connections === 0, 'connections are gone');
  });

  it('serves what it serves over HTTP/1.1', async () => {
    await start();
    const answer = await client.ask({ path: '/x?a=1', headers: { 'x-a': 'b' } });
    expect([answer.status, answer.body, answer.code]).toEqual([200, 'GET /x?a=1 ', 0]);
    expect(answer.headers['content-length']).toBe('11');
    const [seen] = upstream.seen;
    expect(seen?.line).toBe('GET /x?a=1 HTTP/1.1');
    expect(seen?.all('x-forwarded-host')).toEqual(['app.example']);
    expect(seen?.all('host')).toEqual([`127.0.0.1:${upstream.port}`]);
    expect(seen?.header('x-a')).toBe('b');
    expect(seen?.all('content-length')).toEqual([]);
    expect(gateway.records[0]).toMatchObject({ outcome: 'forwarded', status: 200, client: '127.0.0.1', method: 'GET' });
    expect((await client.ask({ path: '/private' })).status).toBe(401);
    const alice = await client.ask({ path: '/private', headers: { cookie: 'user=1' } });
    expect([alice.status, upstream.seen.at(-1)?.header('x-forwarded-user')]).toEqual([200, 'alice']);
    expect((await client.ask({ path: '/x', authority: 'unknown.example' })).status).toBe(421);
  });

  it('many at once, each with its own answer', async () => {
    await start();
    const answers = await Promise.all(Array.from({ length: 80 }, (_, i) => client.ask({ path: `/n${i}` })));
    expect(answers.map(({ body }) => body)).toEqual(answers.map((_, i) => `GET /n${i} `));
  });

  it('HEAD, 204 and 304 have no body, and a length only where one is said', async () => {
    await start({}, ({ target }) =>
      target === '/204'
        ? 'HTTP/1.1 204 No Content\r\n\r\n'
        : target === '/304'
          ? 'HTTP/1.1 304 Not Modified\r\nETag: "a"\r\n\r\n'
          : 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n',
    );
    const head = await client.ask({ method: 'HEAD', path: '/x' });
    expect([head.status, head.headers['content-length'], head.body, head.code]).toEqual([200, '5', '', 0]);
    for (const status of [204, 304]) {
      const answer = await client.ask({ path: `/${status}` });
      expect([answer.status, answer.headers['content-length'], answer.body, answer.code]).toEqual([
        status,
        undefined,
        '',
        0,
      ]);
    }
    const own = await client.ask({ method: 'HEAD', path: '/private' });
    expect([own.status, own.body, own.code]).toEqual([401, '', 0]);
    expect(Number(own.headers['content-length'])).toBeGreaterThan(0);
  });

  it('A060 a body is framed for the upstream by what came: a length, chunks, or nothing', async () => {
    await start();
    const sized = await client.ask({ method: 'POST', headers: { 'content-length': '3' }, body: 'abc' });
    expect(sized.body).toBe('POST / abc');
    expect([upstream.seen[0]?.all('content-length'), upstream.seen[0]?.all('transfer-encoding')]).toEqual([['3'], []]);
    const open = await client.ask({ method: 'POST', body: 'GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n' });
    expect(open.status).toBe(200);
    expect([upstream.seen[1]?.all('content-length'), upstream.seen[1]?.all('transfer-encoding')]).toEqual([
      [],
      ['chunked'],
    ]);
    const none = await client.ask({ method: 'POST' });
    expect(none.status).toBe(200);
    expect(upstream.seen[2]?.all('content-length')).toEqual(['0']);
    expect(upstream.seen.length).toBe(3);
  });

  it('A035 a connection for one host serves no host that has another certificate, and goes on', async () => {
    await start({
      routes: ['app.example', 'b.example', 'www.example'].map((host) => ({ host, path: '/', exposure: 'Public' })),
    });
    const refused = await client.ask({ authority: 'b.example' });
    expect([refused.status, refused.code]).toEqual([421, 0]);
    expect(upstream.seen.length).toBe(0);
    expect(gateway.records[0]).toMatchObject({ outcome: 'bad_request', reason: 'misdirected' });
    for (const authority of ['www.example', 'app.example', 'APP.example:443'])
      expect((await client.ask({ authority })).status, authority).toBe(200);
    const other = await H2Client.connect(gateway.tlsPort, 'b.example');
    expect((await other.ask({ authority: 'b.example' })).status).toBe(200);
    expect((await other.ask({ authority: 'app.example' })).status).toBe(421);
    other.close();
  });

  it('A067 a 100 comes only after the decision', async () => {
    await start();
    const refused = client.open({ method: 'POST', path: '/private', headers: { expect: '100-continue' } });
    const answer = await answerOf(refused);
    expect([answer.status, answer.informational]).toEqual([401, []]);
    const stream = client.session.request({
      ':method': 'POST',
      ':path': '/x',
      ':authority': 'app.example',
      expect: '100-continue',
    });
    const whole = answerOf(stream);
    stream.on('continue', () => stream.end('abc'));
    expect(await whole).toMatchObject({ status: 200, body: 'POST /x abc', informational: [100] });
  });

  it('A068 an answer that comes before the request is whole tells the client to stop, without an error', async () => {
    await start();
    for (const path of ['/private', '/nowhere']) {
      const stream = client.session.request({
        ':method': 'POST',
        ':path': path,
        ':authority': path === '/private' ? 'app.example' : 'b.example',
      });
      stream.write(Buffer.alloc(200_000));
      const answer = await answerOf(stream);
      expect([answer.status, answer.code]).toEqual([path === '/private' ? 401 : 421, 0]);
      expect(answer.body.length).toBe(Number(answer.headers['content-length']));
    }
    expect((await client.ask()).status).toBe(200);
    expect(upstream.seen.length).toBe(1);
  });

  it('connection-specific fields of a response stay behind; a field that repeats goes on', async () => {
    await start({}, () =>
      ok(
        'x',
        'Connection: close, X-Gone\r\nX-Gone: 1\r\nKeep-Alive: 5\r\nUpgrade: h2c\r\nProxy-Connection: x\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\nETag: "1"\r\nETag: "2"\r\nX-Constructor: 1\r\nconstructor: 2\r\n__proto__: 3\r\n',
      ),
    );
    const { status, headers } = await client.ask();
    expect(status).toBe(200);
    expect(headers['set-cookie']).toEqual(['a=1', 'b=2']);
    expect(Object.keys(headers).filter((name) => /gone|keep|upgrade|connection|transfer/.test(name))).toEqual([]);
    expect(headers['constructor']).toBe('2');
  });
});

describe.skipIf(openssl.missing)(`HTTP/2 that ends ${openssl.why}`, () => {
  let certificates: TestCertificates;
  beforeAll(() => {
    certificates = testCertificates();
  });
  afterAll(() => certificates.remove());

  it('F23 draining: GOAWAY, what is under way finishes, new connections are served once', async () => {
    const open: (() => void)[] = [];
    const upstream = await startUpstream(({ target }, socket) => {
      if (target !== '/slow') return ok();
      open.push(() => socket.write(ok('slow')));
      return undefined;
    });
    const gateway = await startGateway({
      port: upstream.port,
      https: { certificates: certificates.store, plain: 'Redirect', http2: true },
      limits: { checkInterval: 50 },
    });
    const [idle, busy] = await Promise.all([H2Client.connect(gateway.tlsPort), H2Client.connect(gateway.tlsPort)]);
    expect((await idle.ask()).status).toBe(200);
    const slow = busy.ask({ path: '/slow' });
    await eventually(() => open.length === 1, 'it is under way');
    const crossing = busy.open({ path: '/crossing' });
    gateway.front.drain();
    const crossed = answerOf(crossing);
    await eventually(() => idle.goaway !== undefined && busy.goaway !== undefined, 'they were told');
    expect(idle.goaway).toEqual({ code: 0, last: 1 });
    // Served, or known to nobody but the client.
    if ((await crossed).status !== 200) expect(crossing.id).toBeGreaterThan(busy.goaway?.last ?? 0);
    const late = await H2Client.connect(gateway.tlsPort);
    expect((await late.ask()).status).toBe(200);
    await eventually(() => late.goaway !== undefined, 'it was told with its first request');
    const closed = gateway.front.close(60_000);
    await Promise.all([idle.closed, late.closed]);
    open[0]?.();
    expect(await slow).toMatchObject({ status: 200, body: 'slow', code: 0 });
    await busy.closed;
    await closed;
    await eventually(() => gateway.leases === 0 && gateway.connections === 0, 'nothing is left');
    await gateway.close();
    await upstream.close();
  });

  it('F26 what is still under way at the deadline is cut, and counted', async () => {
    const upstream = await startUpstream(() => undefined);
    const gateway = await startGateway({
      port: upstream.port,
      https: { certificates: certificates.store, plain: 'Redirect', http2: true },
    });
    const client = await H2Client.connect(gateway.tlsPort);
    const answer = client.ask();
    await eventually(() => upstream.seen.length === 1, 'it is under way');
    expect(await gateway.front.close(100)).toEqual({ requests: 1, tunnels: 0 });
    expect((await answer).status).toBe(0);
    expect(gateway.cuts).toEqual([{ requests: 1, tunnels: 0 }]);
    await eventually(() => gateway.leases === 0 && upstream.open === 0, 'nothing is left');
    await gateway.close();
    await upstream.close();
  });

  it('large bodies come whole both ways, also to a client that reads slowly', async () => {
    const size = 4 * 1024 * 1024;
    const upstream = await startUpstream(({ method, body }) =>
      method === 'POST' ? ok(String(body.length)) : ok('b'.repeat(size)),
    );
    const gateway = await startGateway({
      port: upstream.port,
      https: { certificates: certificates.store, plain: 'Redirect', http2: true },
    });
    const client = await H2Client.connect(gateway.tlsPort);
    const stream = client.open();
    let received = 0;
    await new Promise<void>((resolve) => {
      stream.on('data', (chunk: Buffer) => {
        received += chunk.length;
        stream.pause();
        setImmediate(() => stream.resume());
      });
      stream.on('close', () => resolve());
    });
    expect(received).toBe(size);
    const up = await client.ask({ method: 'POST', body: Buffer.alloc(size, 97) });
    expect(up.body).toBe(String(size));
    client.close();
    await gateway.close();
    await upstream.close();
  });
});
