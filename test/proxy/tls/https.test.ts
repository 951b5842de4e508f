import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { type ConnectionOptions, connect as connectTls, TLSSocket } from 'node:tls';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { CertificateStore } from '../../../src/proxy/tls/certificate-store.ts';
import { namespacedName } from '../../../src/resources/keys.ts';
import { Redacted } from '../../../src/resources/redacted.ts';
import { privateAuthority } from '../../support/certificates.ts';
import { openssl } from '../../support/parts.ts';
import { RawClient } from '../../support/raw-client.ts';
import { eventually, type Gateway, type GatewayOptions, pathOf, startGateway } from '../support/gateway.ts';
import { ok, startRawUpstream, startUpstream, type Upstream } from '../support/upstream.ts';
import { BROKEN_PAIR, offered, type Pair } from './certificates.ts';

const HOSTS = ['app.example', 'a.example', 'b.example', 'x.w.example', 'plain.example'];
const closed = (socket: Socket): Promise<void> =>
  new Promise((resolve) => {
    socket.on('error', () => {}).resume();
    socket.on('close', () => resolve());
  });
const get = (host: string, path = '/', more = ''): string => `GET ${path} HTTP/1.1\r\nHost: ${host}\r\n${more}\r\n`;

describe.skipIf(openssl.missing)(`the HTTPS listener ${openssl.why}`, () => {
  const authority = privateAuthority('test CA');
  afterAll(() => authority.remove());
  const issue = (...names: readonly string[]): Pair => authority.issue(names.map((name) => `DNS:${name}`));
  const app = issue('app.example');
  const wild = issue('*.w.example');
  const both = issue('a.example', 'b.example');
  const standard = issue('default.example');

  let upstream: Upstream;
  let gateway: Gateway;
  let store: CertificateStore;
  const start = async (
    options: Partial<GatewayOptions> & {
      readonly noDefault?: boolean;
      readonly limits?: GatewayOptions['limits'];
    } = {},
  ): Promise<void> => {
    upstream = await startUpstream((request) => ok(request.target));
    store = new CertificateStore({ now: () => performance.now(), onBroken: () => {} });
    store.update(offered(USUAL), options.noDefault === true ? undefined : defaultOf(standard));
    gateway = await startGateway({
      port: upstream.port,
      routes: HOSTS.map((host) => ({ host, path: '/', exposure: 'Public' })),
      https: { certificates: store, plain: 'Redirect' },
      ...options,
    });
  };
  const USUAL: Parameters<typeof offered>[0] = {
    'app.example': ['app', app],
    '*.w.example': ['wild', wild],
    'a.example': ['both', both],
    'b.example': ['both', both],
  };
  const defaultOf = (pair: Pair) => ({
    secret: namespacedName('infra', 'default'),
    certificate: pair.cert,
    key: new Redacted(pair.key),
  });
  afterEach(async () => {
    await gateway.close();
    await upstream.close();
  });

  const open = (servername?: string, options: ConnectionOptions = {}): Promise<RawClient> =>
    RawClient.connectTls(gateway.tlsPort, { ...(servername === undefined ? {} : { servername }), ...options });
  const shownTo = ({ socket }: RawClient): string | undefined =>
    socket instanceof TLSSocket ? socket.getPeerCertificate().subjectaltname : undefined;
  /** Opens a connection of its own; the certificate shown, status and body. */
  const ask = async (servername: string | undefined, host: string, path = '/'): Promise<readonly unknown[]> => {
    const client = await open(servername);
    await client.send(get(host, path));
    const answer = await client.answer();
    const shown = shownTo(client);
    client.destroy();
    return [shown, answer?.status, answer?.header('connection')];
  };

  it('serves each host under its own certificate, as a browser that checks it asks', async () => {
    await start();
    for (const [name, pair] of [
      ['app.example', 'DNS:app.example'],
      ['x.w.example', 'DNS:*.w.example'],
      ['b.example', 'DNS:a.example, DNS:b.example'],
    ] as const) {
      const client = await open(name, { ca: authority.ca, rejectUnauthorized: true });
      await client.send(get(name, '/hello'));
      const answer = await client.answer();
      expect([shownTo(client), answer?.status, answer?.body]).toEqual([pair, 200, '/hello']);
      client.destroy();
    }
    expect(await ask('plain.example', 'plain.example')).toEqual(['DNS:default.example', 200, 'keep-alive']);
    expect(upstream.seen[0]?.header('x-forwarded-proto')).toBe('https');
    expect(gateway.records[0]?.client).toBe('127.0.0.1');
  });

  it('A030 A031 SNI and Host are one name in any spelling', async () => {
    await start();
    for (const [sni, host] of [
      ['APP.example', 'app.example'],
      ['app.EXAMPLE.', 'App.Example:443'],
      ['app.example', 'APP.EXAMPLE.'],
      ['app.example', 'app.example:8443'],
      ['X.W.Example', 'x.w.example.'],
    ] as const) {
      const [shown, status] = await ask(sni, host);
      expect([shown === 'DNS:default.example', status], `${sni} ${host}`).toEqual([false, 200]);
    }
  });

  it('A035 a connection for one host serves no host that has another certificate: 421, the last answer of it', async () => {
    await start();
    for (const [sni, host] of [
      ['app.example', 'a.example'],
      ['app.example', 'plain.example'],
      ['app.example', 'unknown.example'],
      ['x.w.example', 'app.example'],
      ['plain.example', 'app.example'],
      ['unknown.example', 'app.example'],
      [undefined, 'app.example'],
    ] as const) {
      const [, ...answer] = await ask(sni, host);
      expect(answer, `${sni} ${host}`).toEqual([421, 'close']);
    }
    expect(upstream.connections).toBe(0);
    expect(gateway.records[0]).toMatchObject({ outcome: 'bad_request', reason: 'misdirected', status: 421 });
    expect((await ask('a.example', 'b.example'))[1]).toBe(200);
    expect((await ask('x.w.example', 'y.w.example'))[1]).toBe(404);
    expect((await ask(undefined, 'plain.example'))[1]).toBe(200);
  });

  it('A035 a session of one host opens nothing at another: none is resumed', async () => {
    await start();
    for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
      const common = { port: gateway.tlsPort, host: '127.0.0.1', rejectUnauthorized: false, maxVersion };
      const first = connectTls({ ...common, servername: 'app.example' });
      const sessions: Buffer[] = [];
      first.on('session', (session: Buffer) => sessions.push(session));
      await once(first, 'secureConnect');
      first.write(get('app.example'));
      await once(first, 'data');
      const session = sessions.at(-1) ?? first.getSession();
      if (session === undefined) throw new Error('there is no session to try');
      first.destroy();
      for (const [sni, status] of [
        ['app.example', 200],
        ['a.example', 421],
      ] as const) {
        const client = await open(sni, { maxVersion, session });
        expect(client.socket instanceof TLSSocket && client.socket.isSessionReused(), maxVersion).toBe(false);
        await client.send(get('app.example'));
        expect((await client.answer())?.status, maxVersion).toBe(status);
        client.destroy();
      }
    }
  });

  it('A036 by address: the default certificate, 404, nothing asked', async () => {
    await start();
    expect(await ask(undefined, '127.0.0.1')).toEqual(['DNS:default.example', 404, 'keep-alive']);
    expect(upstream.connections).toBe(0);
  });

  it('without a default, a name without a certificate ends in the handshake', async () => {
    await start({ noDefault: true });
    await expect(open('unknown.example')).rejects.toThrow(/handshake failure/);
    await expect(open()).rejects.toThrow(/handshake failure/);
    expect((await ask('app.example', 'app.example'))[1]).toBe(200);
    expect(gateway.rejected).toEqual(['tls_handshake', 'tls_handshake']);
  });

  it('speaks TLS 1.2 and 1.3 with forward secrecy, HTTP/1.1 and nothing else', async () => {
    await start();
    for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
      const client = await open('app.example', {
        minVersion: version,
        maxVersion: version,
        ALPNProtocols: ['h2', 'http/1.1'],
      });
      const { socket } = client;
      expect(socket instanceof TLSSocket && [socket.getProtocol(), socket.alpnProtocol]).toEqual([version, 'http/1.1']);
      client.destroy();
    }
    await expect(
      open('app.example', { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'ALL:@SECLEVEL=0' }),
    ).rejects.toThrow();
    for (const ciphers of ['ECDHE-ECDSA-AES128-SHA', 'AES128-GCM-SHA256', 'ECDHE-ECDSA-AES256-SHA384']) {
      await expect(open('app.example', { maxVersion: 'TLSv1.2', ciphers }), ciphers).rejects.toThrow();
    }
    await expect(open('app.example', { ALPNProtocols: ['h2'] })).rejects.toThrow(/no application protocol/i);
  });

  it('F50 a certificate is replaced, broken and taken away under connections that go on', async () => {
    await start();
    const early = await open('app.example');
    const next = issue('app.example', 'www.app.example');
    const asks = async (client: RawClient): Promise<number | undefined> => {
      await client.send(get('app.example'));
      return (await client.answer())?.status;
    };
    expect(await asks(early)).toBe(200);
    store.update(offered({ ...USUAL, 'app.example': ['app', next] }), defaultOf(app));
    expect(await asks(early)).toBe(200);
    const shown = async (name?: string): Promise<string | undefined> => {
      const client = await open(name);
      const certificate = shownTo(client);
      client.destroy();
      return certificate;
    };
    for (
      let tries = 0;
      tries < 100 && (await shown('app.example')) !== 'DNS:app.example, DNS:www.app.example';
      tries++
    );
    expect(await shown('app.example')).toBe('DNS:app.example, DNS:www.app.example');
    expect(await shown()).toBe('DNS:app.example');
    store.update(offered({ ...USUAL, 'app.example': ['app', BROKEN_PAIR] }), defaultOf(BROKEN_PAIR));
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(await shown('app.example')).toBe('DNS:app.example, DNS:www.app.example');
    expect(await shown()).toBe('DNS:app.example');
    expect(await asks(early)).toBe(200);
    store.update(offered({}));
    expect(await shown('app.example')).toBe('DNS:app.example');
    expect(await asks(early)).toBe(200);
    early.destroy();
  });

  it('T27 names that are none, and what throws while one is chosen, end no process', async () => {
    await start();
    const chosen = store.contextFor.bind(store);
    let throws = 0;
    store.contextFor = (name) => {
      if (name !== 'bug.example') return chosen(name);
      throws += 1;
      throw new Error('bug');
    };
    expect((await ask('bug.example', 'plain.example'))[1]).toBe(200);
    expect(throws).toBe(1);
    for (const name of ['..', 'a'.repeat(250), '__proto__', 'ä.example', '*.w.example', 'a b', '-']) {
      const client = await open(name).catch(() => undefined);
      client?.destroy();
    }
    const garbage = connect(gateway.tlsPort, '127.0.0.1');
    garbage.end('GET / HTTP/1.1\r\nHost: app.example\r\n\r\n');
    await closed(garbage);
    expect((await ask('app.example', 'app.example'))[1]).toBe(200);
  });

  it('A160 a handshake that stalls, or crawls, ends at its time; requests after it have theirs', async () => {
    await start({ limits: { handshakeTimeout: 1000, headTimeout: 300, checkInterval: 50 } });
    const silent = connect(gateway.tlsPort, '127.0.0.1');
    const crawling = connect(gateway.tlsPort, '127.0.0.1');
    const hello = Buffer.from([22, 3, 1, 2, 0, 1, 0, 1, 252, 3, 3]);
    let at = 0;
    const timer = setInterval(() => {
      if (crawling.writable) crawling.write(hello.subarray(at % hello.length, (at % hello.length) + 1));
      at += 1;
    }, 100);
    const ends = [silent, crawling].map((socket) => closed(socket));
    const headless = await open('app.example');
    expect((await headless.answer())?.status).toBe(408);
    await Promise.all(ends);
    clearInterval(timer);
    expect(at).toBeLessThan(hello.length + 5);
    await eventually(() => gateway.connections === 0, 'all are gone');
    expect((await ask('app.example', 'app.example'))[1]).toBe(200);
  });

  it('A160 more handshakes than the cap end the oldest, and an honest client gets in', async () => {
    await start({ limits: { handshakes: 5 } });
    const stalled: Socket[] = [];
    for (let i = 0; i < 20; i++) {
      const socket = connect(gateway.tlsPort, '127.0.0.1');
      socket.on('error', () => {});
      await once(socket, 'connect');
      stalled.push(socket.resume());
    }
    await eventually(() => stalled.filter((socket) => socket.closed).length >= 15, 'the oldest are gone');
    expect((await ask('app.example', 'app.example'))[1]).toBe(200);
    expect(gateway.rejected.filter((reason) => reason === 'tls_handshakes').length).toBeGreaterThanOrEqual(15);
    for (const socket of stalled) socket.destroy();
  });

  it('F23 draining over TLS: keep-alive ends with the next answer, what is in flight finishes, stalled and spare ones hold up nothing', async () => {
    let finish = (): void => {};
    await start();
    await upstream.close();
    upstream = await startUpstream((request, socket) => {
      if (request.target !== '/slow') return ok();
      finish = () => socket.write(ok('slow'));
      return undefined;
    });
    await gateway.close();
    gateway = await startGateway({
      port: upstream.port,
      https: { certificates: store, plain: 'Redirect' },
      health: { path: pathOf('/healthz'), ready: () => false },
      limits: { headTimeout: 2000, checkInterval: 100, handshakeTimeout: 60_000 },
    });
    const [kept, slow, idle] = await Promise.all(Array.from({ length: 3 }, () => open('app.example')));
    if (kept === undefined || slow === undefined || idle === undefined) throw new Error('not open');
    await idle.send(get('app.example', '/fast'));
    expect((await idle.answer())?.status).toBe(200);
    await kept.send(get('app.example', '/fast'));
    expect((await kept.answer())?.header('connection')).toBe('keep-alive');
    await slow.send(get('app.example', '/slow'));
    await eventually(() => upstream.seen.some(({ target }) => target === '/slow'), 'it is under way');
    gateway.front.drain();
    const checked = await open('app.example');
    await checked.send(get('10.0.0.1', '/healthz'));
    expect((await checked.answer())?.status).toBe(503);
    await kept.send(get('app.example', '/last'));
    const last = await kept.answer();
    expect([last?.status, last?.header('connection')]).toEqual([200, 'close']);
    await kept.closed;
    expect((await ask('app.example', 'app.example'))[1]).toBe(200);
    const stalled = connect(gateway.tlsPort, '127.0.0.1');
    stalled.on('error', () => {});
    await once(stalled, 'connect');
    const spare = await open('app.example');
    const closed = gateway.front.close(60_000);
    await idle.closed;
    await spare.closed;
    finish();
    const answer = await slow.answer();
    expect([answer?.body, answer?.header('connection')]).toEqual(['slow', 'close']);
    await closed;
    expect(gateway.leases).toBe(0);
    stalled.destroy();
  });

  it('A070 a body that breaks off is no clean end over TLS either', async () => {
    await start();
    const broken = await startRawUpstream((socket) => {
      socket.once('data', () => {
        socket.write('HTTP/1.1 200 OK\r\n\r\npart');
        setTimeout(() => socket.resetAndDestroy(), 50);
      });
    });
    await gateway.close();
    gateway = await startGateway({ port: broken.port, https: { certificates: store, plain: 'Redirect' } });
    const socket = connectTls({
      port: gateway.tlsPort,
      host: '127.0.0.1',
      servername: 'app.example',
      rejectUnauthorized: false,
    });
    socket.on('error', () => {});
    await once(socket, 'secureConnect');
    socket.write(get('app.example'));
    let received = '';
    socket.on('data', (chunk: Buffer) => {
      received += chunk.toString('latin1');
    });
    await closed(socket);
    expect(received).toContain('part');
    expect(received).not.toContain('\r\n0\r\n');
    await eventually(() => gateway.records.length === 1, 'it is recorded');
    expect(gateway.records[0]).toMatchObject({ outcome: 'upstream_failed', reason: 'truncated' });
    expect(gateway.errors).toEqual([]);
    await broken.close();
  });

  it('plain http is told to come over https, and the same Routes serve there', async () => {
    await start();
    const client = await RawClient.connect(gateway.port);
    await client.send(get('app.example', '/x'));
    expect((await client.answer())?.header('location')).toBe('https://app.example/x');
    client.destroy();
    expect(upstream.connections).toBe(0);
  });
});
