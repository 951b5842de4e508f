import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { answerOf, H2Client } from '../proxy/support/h2-client.ts';
import { type ApiServer, startApiServer } from '../support/apiserver.ts';
import { type Authority, privateAuthority } from '../support/certificates.ts';
import { freePort, until } from '../support/gateway.ts';
import { apiserver, openssl } from '../support/parts.ts';
import { RawClient } from '../support/raw-client.ts';
import { route, service, yaml } from '../support/shop.ts';
import { createNamespaces, installCrds, type Operator, startOperator } from './operator.ts';

const HOST = 'app.example';
const why = apiserver.why + openssl.why;
const UPGRADE = `GET /open/socket HTTP/1.1\r\nHost: ${HOST}\r\nConnection: Upgrade\r\nUpgrade: chat\r\n\r\n`;

const head = (method: string, path: string, more = ''): string =>
  `${method} ${path} HTTP/1.1\r\nHost: ${HOST}\r\n${more}\r\n`;

describe.skipIf(apiserver.missing || openssl.missing)(`the end of a process ${why}`, { timeout: 120_000 }, () => {
  let server: ApiServer;
  let authority: Authority;
  let operator: Operator | undefined;
  let https = 0;
  let port = 0;
  /** Answers that were begun and go on until a test ends them. */
  let streams: ServerResponse[] = [];
  const clients: RawClient[] = [];
  const upstream = createServer((request, response) => {
    if (request.url?.startsWith('/open/stream') === true) {
      response.write('begun,');
      streams.push(response);
      return;
    }
    let bytes = 0;
    request.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
    });
    request.on('end', () => response.end(`${bytes}`));
  });
  upstream.on('upgrade', (_, socket) => {
    socket.on('error', () => {});
    socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: chat\r\n\r\n');
    socket.pipe(socket);
  });

  const connect = async (bytes: string): Promise<RawClient> => {
    const client = await RawClient.connect(port);
    clients.push(client);
    await client.send(bytes);
    return client;
  };
  const start = async (...args: readonly string[]): Promise<Operator> => {
    streams = [];
    https = await freePort();
    port = await freePort();
    operator = await startOperator({
      kubeconfig: server.kubeconfig,
      port,
      https,
      args: ['--default-certificate=edge/fallback', '--plain-http=Serve', ...args],
    });
    await operator.ready();
    const { log } = operator;
    await until(
      async () => {
        const client = await connect(head('GET', '/open/x', 'Connection: close\r\n'));
        return (await client.answer())?.status === 200;
      },
      'the Route',
      log,
    );
    return operator;
  };
  const ended = async ({ child }: Operator): Promise<number | null> => {
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
    return child.exitCode;
  };

  beforeAll(async () => {
    server = await startApiServer();
    await createNamespaces(server, 'edge', 'shop');
    await installCrds(server);
    authority = privateAuthority('postern drain test');
    const { key, cert } = authority.issue([`DNS:${HOST}`]);
    upstream.listen(0, '127.0.0.1');
    await once(upstream, 'listening');
    const address = upstream.address();
    await server.apply(
      yaml(
        {
          apiVersion: 'v1',
          kind: 'Secret',
          metadata: { name: 'fallback', namespace: 'edge' },
          type: 'kubernetes.io/tls',
          stringData: { 'tls.crt': cert, 'tls.key': key },
        },
        service(`http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`),
        route('open', { host: HOST }),
      ),
    );
  }, 120_000);
  afterAll(async () => {
    for (const client of clients) client.destroy();
    await operator?.stop();
    upstream.closeAllConnections();
    upstream.close();
    authority?.remove();
    await server?.stop();
  });

  it('F23 under load loses nothing: requests, streams, uploads, tunnels, HTTP/1.1 and HTTP/2', async () => {
    const gateway = await start('--grace=6s', '--drain=20s');
    const failures: string[] = [];
    let sending = true;
    let asked = 0;
    let told = 0;
    const ask = async (): Promise<void> => {
      let client = await connect('');
      while (sending) {
        await client.send(head('GET', '/open/x'));
        const answer = await client.answer();
        asked += 1;
        if (answer?.status !== 200 || answer.body !== '0') failures.push(`HTTP/1.1 ${answer?.status}`);
        if (answer?.header('connection') !== 'close') continue;
        told += 1;
        client.destroy();
        client = await connect('');
      }
      client.destroy();
    };
    let goneAway = 0;
    const askH2 = async (): Promise<void> => {
      let client = await H2Client.connect(https, HOST);
      while (sending) {
        const stream = client.session.closed || client.session.destroyed ? undefined : client.open({ path: '/open/x' });
        const answer = stream && (await answerOf(stream));
        asked += 1;
        // A stream beyond the last that GOAWAY names was not taken, and the client knows it (RFC 9113 section 6.8).
        const refused = client.goaway !== undefined && (stream?.id ?? 0) > client.goaway.last;
        if (answer?.status !== 200 && stream?.id !== undefined && !refused) failures.push(`HTTP/2 ${answer?.status}`);
        if (client.goaway === undefined) continue;
        goneAway += 1;
        client.close();
        client = await H2Client.connect(https, HOST);
      }
      client.close();
    };
    const load = [ask(), ask(), ask(), ask(), askH2(), askH2()];
    const download = await connect(head('GET', '/open/stream'));
    const upload = await connect(`${head('POST', '/open/upload', 'Content-Length: 3000\r\n')}${'x'.repeat(1000)}`);
    const tunnel = await connect(UPGRADE);
    const h2 = await H2Client.connect(https, HOST);
    const down = h2.open({ path: '/open/stream' });
    const both = h2.session.request(
      { ':method': 'POST', ':path': '/open/up', ':authority': HOST },
      { endStream: false },
    );
    both.write('y'.repeat(1000));
    const [downEnd, bothEnd] = [answerOf(down), answerOf(both)];
    await until(() => streams.length === 2 && tunnel.received.includes(' 101 '), 'all to be under way', gateway.log);
    const enough = async (): Promise<void> => {
      const before = asked;
      await until(() => asked >= before + 40, 'requests to be answered', gateway.log);
    };
    await enough();
    expect([told, goneAway]).toEqual([0, 0]);

    gateway.child.kill('SIGTERM');
    await until(async () => (await fetch(`${gateway.adminUrl}/readyz`)).status === 503, 'readiness to fail');
    await enough();
    await until(() => told > 0 && goneAway > 0 && h2.goaway !== undefined, 'clients to be told', gateway.log);
    sending = false;
    await Promise.all(load);

    await until(
      async () =>
        !(await RawClient.connect(port).then(
          (client) => client.destroy() ?? true,
          () => false,
        )),
      'the listener to close',
      gateway.log,
    );
    await tunnel.send('still here');
    await until(() => tunnel.received.endsWith('still here'), 'the tunnel', gateway.log);
    await upload.send('x'.repeat(1000));
    both.write('y'.repeat(1000));
    await sleep(200);
    await upload.send('x'.repeat(1000));
    both.end('y'.repeat(1000));
    for (const stream of streams) stream.end('ended');
    expect(await download.answer()).toMatchObject({ status: 200, complete: true, body: 'begun,ended' });
    expect(await upload.answer()).toMatchObject({ status: 200, body: '3000' });
    expect(await downEnd).toMatchObject({ status: 200, body: 'begun,ended', code: 0 });
    expect(await bothEnd).toMatchObject({ status: 200, body: '3000', code: 0 });
    tunnel.socket.end();
    expect(await ended(gateway)).toBe(0);
    expect(failures).toEqual([]);
    expect(gateway.log()).not.toMatch(/drain time was over|"level":"error"/);
  });

  it('F26 what outlasts the drain time is cut, and the log says how many of what; it ends with 0 by itself', async () => {
    const gateway = await start('--grace=0s', '--drain=1s');
    const download = await connect(head('GET', '/open/stream'));
    const upload = await connect(`${head('POST', '/open/upload', 'Content-Length: 3000\r\n')}x`);
    const [one, two] = [await connect(UPGRADE), await connect(UPGRADE)];
    const h2 = await H2Client.connect(https, HOST);
    const down = answerOf(h2.open({ path: '/open/stream' }));
    await until(
      () => streams.length === 2 && [one, two].every(({ received }) => received.includes(' 101 ')),
      'all to be under way',
      gateway.log,
    );
    gateway.child.kill('SIGTERM');
    expect(await ended(gateway)).toBe(0);
    expect((await download.answer())?.complete).toBe(false);
    await Promise.all([upload.closed, one.closed, two.closed]);
    expect((await down).code).not.toBe(0);
    const line = gateway
      .log()
      .split('\n')
      .find((each) => each.includes('drain time was over'));
    expect(line).toContain('"requests":3');
    expect(line).toContain('"tunnels":2');
  });
});
