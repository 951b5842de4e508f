import { connect, type Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { connect as connectTls } from 'node:tls';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { CertificateStore } from '../../../src/proxy/tls/certificate-store.ts';
import { parseCidr } from '../../../src/resources/address-policy.ts';
import { namespacedName } from '../../../src/resources/keys.ts';
import { Redacted } from '../../../src/resources/redacted.ts';
import { privateAuthority } from '../../support/certificates.ts';
import { openssl } from '../../support/parts.ts';
import { RawClient } from '../../support/raw-client.ts';
import { eventually, type Gateway, type GatewayOptions, startGateway } from '../support/gateway.ts';
import { v1, v2 } from '../support/proxy-header.ts';
import { startUpstream, type Upstream } from '../support/upstream.ts';

const trusting = (text: string) => [parseCidr(text) ?? []].flat();
const get = (more = ''): string => `GET /x HTTP/1.1\r\nHost: app.example\r\n${more}\r\n`;
const V4 = v2(0x21, 0x11, Buffer.from([198, 51, 100, 2, 192, 0, 2, 1, 0x12, 0x34, 1, 187, 4, 0, 2, 7, 7]));

let upstream: Upstream;
let gateway: Gateway;
const start = async (more: Partial<GatewayOptions> = {}): Promise<void> => {
  upstream = await startUpstream();
  gateway = await startGateway({
    port: upstream.port,
    trustedProxies: trusting('127.0.0.0/8'),
    proxyProtocol: ['http', 'https'],
    ...more,
  });
};
afterEach(async () => {
  await gateway.close();
  await upstream.close();
});

/** What the client at the other end of these bytes is to the log, and to the upstream. */
const clientOf = async (bytes: string | Buffer, pieces = 1): Promise<readonly unknown[]> => {
  const all = typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes;
  const client = await RawClient.connect(gateway.port);
  const size = Math.ceil(all.length / pieces);
  for (let at = 0; at < all.length; at += size) await client.send(all.subarray(at, at + size));
  const answer = await client.answer();
  client.destroy();
  await eventually(() => gateway.leases === 0, 'it is over');
  return [answer?.status, gateway.records.at(-1)?.client, upstream.seen.at(-1)?.header('x-forwarded-for')];
};
/** Closed without a byte, and no request came of it. */
const refused = async (bytes: string | Buffer): Promise<void> => {
  const before = gateway.records.length;
  const client = await RawClient.connect(gateway.port);
  await client.send(bytes);
  await client.closed;
  expect(client.received, String(bytes)).toBe('');
  expect(gateway.records.length).toBe(before);
};

describe('the PROXY protocol on the plain listener', () => {
  it('A050 whom the header names is the client, in one packet with the request or byte by byte', async () => {
    await start();
    for (const pieces of [1, 2, 7, 500]) {
      expect(await clientOf(v1('198.51.100.1') + get(), pieces)).toEqual([200, '198.51.100.1', '198.51.100.1']);
      expect(await clientOf(Buffer.concat([V4, Buffer.from(get())]), pieces)).toEqual([
        200,
        '198.51.100.2',
        '198.51.100.2',
      ]);
    }
    expect(upstream.bytes.join('')).not.toMatch(/PROXY|QUIT/);
  });

  it('holds for every request of the connection, of which a second header is none', async () => {
    await start();
    const client = await RawClient.connect(gateway.port);
    await client.send(v1('198.51.100.1'));
    for (const at of [1, 2]) {
      await client.send(get());
      expect((await client.answer())?.status, String(at)).toBe(200);
    }
    await client.send(v1('198.51.100.3') + get());
    expect((await client.answer())?.status).toBe(400);
    await client.closed;
    expect(gateway.records.map((record) => record.client)).toEqual(['198.51.100.1', '198.51.100.1']);
  });

  it('a body that came with the header and the head is whole', async () => {
    await start();
    const body = 'x'.repeat(200_000);
    const client = await RawClient.connect(gateway.port);
    await client.send(
      `${v1('198.51.100.1')}POST /x HTTP/1.1\r\nHost: app.example\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
    );
    expect((await client.answer())?.status).toBe(200);
    client.destroy();
    expect(upstream.seen[0]?.body).toBe(body);
  });

  it('A050 X-Forwarded-For is believed of whom the header names only where that is a trusted proxy', async () => {
    await start();
    const said = get('X-Forwarded-For: 203.0.113.7\r\n');
    expect(await clientOf(v1('198.51.100.1') + said)).toEqual([200, '198.51.100.1', '198.51.100.1']);
    expect(await clientOf(v1('127.0.0.9') + said)).toEqual([200, '203.0.113.7', '203.0.113.7, 127.0.0.9']);
  });

  it('A050 a client that the proxy names no address of has neither the address of the proxy nor its word', async () => {
    await start();
    const said = get('X-Forwarded-For: 203.0.113.7\r\n');
    for (const unknown of [
      Buffer.from('PROXY UNKNOWN 127.0.0.1 127.0.0.1 1 2\r\n'),
      v2(0x21, 0, Buffer.alloc(0)),
      v2(0x20, 0, Buffer.alloc(0)),
    ])
      expect(await clientOf(Buffer.concat([unknown, Buffer.from(said)]))).toEqual([200, 'unknown', 'unknown']);
  });

  it('A003 A050 a connection without a header ends, as does one with another beginning', async () => {
    await start();
    for (const bytes of [
      get(),
      '\n',
      `${v1('x')}${get()}`,
      'PROXY TCP4 1.1.1.1 2.2.2.2 1 2\n',
      v2(0x21, 0x12, Buffer.alloc(12)),
    ])
      await refused(bytes);
    expect(gateway.rejected).toEqual(Array.from({ length: 5 }, () => 'proxy_header_malformed'));
    expect(upstream.connections).toBe(0);
  });

  it('A003 A050 of a peer that is not trusted none is read', async () => {
    await start({ trustedProxies: trusting('10.0.0.0/8') });
    await refused(v1('198.51.100.1') + get());
    expect(gateway.rejected).toEqual(['proxy_header_peer']);
    expect(upstream.connections).toBe(0);
  });

  it('A003 a listener that is not told so reads none', async () => {
    await start({ proxyProtocol: ['https'] });
    const client = await RawClient.connect(gateway.port);
    await client.send(v1('198.51.100.1') + get());
    expect((await client.answer())?.status).toBe(400);
    client.destroy();
    expect(gateway.records).toEqual([]);
  });

  it('A160 who sends none, or half of one, ends at the time of a head; who only looks is no fault', async () => {
    await start({ limits: { headTimeout: 300 } });
    for (const bytes of ['', 'PROXY TCP4 1', V4.subarray(0, 20)]) await refused(bytes);
    expect(gateway.rejected).toEqual(Array.from({ length: 3 }, () => 'proxy_header_timeout'));
    const looks = connect(gateway.port, '127.0.0.1');
    looks.end();
    await new Promise((resolve) => looks.resume().on('close', resolve));
    expect(gateway.rejected.length).toBe(3);
    expect((await clientOf(v1('198.51.100.1') + get()))[0]).toBe(200);
  });

  it('A160 connections that wait for one count as connections, and beyond their own cap the oldest ends', async () => {
    await start({ limits: { connections: 4 } });
    const silent: Socket[] = [];
    const open = async (): Promise<Socket> => {
      const socket = connect(gateway.port, '127.0.0.1');
      socket.on('error', () => {});
      await new Promise((resolve) => socket.on('connect', resolve));
      silent.push(socket.resume());
      return socket;
    };
    for (let i = 0; i < 4; i++) await open();
    const fifth = await open();
    await eventually(() => fifth.closed, 'there is no room');
    expect(gateway.rejected).toEqual(['too_many_connections']);
    for (const socket of silent) socket.destroy();
    await gateway.close();
    gateway = await startGateway({
      port: upstream.port,
      trustedProxies: trusting('127.0.0.1'),
      proxyProtocol: ['http'],
      limits: { handshakes: 3 },
    });
    const oldest = await open();
    for (let i = 0; i < 5; i++) await open();
    await eventually(() => oldest.closed, 'the oldest is gone');
    expect((await clientOf(v1('198.51.100.1') + get()))[0]).toBe(200);
    expect(gateway.rejected).toContain('unread_connections');
    for (const socket of silent) socket.destroy();
  });

  it('F26 those that wait for one hold up no end', async () => {
    await start({ limits: { headTimeout: 600_000 } });
    const waiting = await RawClient.connect(gateway.port);
    await waiting.send('PROXY');
    await gateway.front.close(60_000);
    await waiting.closed;
  });

  it('what ends in the same packet as its header is answered, and leaves nothing behind', async () => {
    await start();
    const client = await RawClient.connect(gateway.port);
    client.socket.end(v1('198.51.100.1') + get());
    await client.closed;
    await eventually(() => gateway.connections === 0, 'it is gone');
    expect(gateway.records.length).toBe(1);
    expect(gateway.errors).toEqual([]);
  });
});

describe.skipIf(openssl.missing)(`the PROXY protocol on the HTTPS listener ${openssl.why}`, () => {
  const authority = privateAuthority('test CA');
  afterAll(() => authority.remove());
  const pair = authority.issue(['DNS:app.example']);
  const https = (): NonNullable<GatewayOptions['https']> => {
    const certificates = new CertificateStore({ now: () => performance.now(), onBroken: () => {} });
    const secret = namespacedName('shop', 'app');
    certificates.update(new Map(), { secret, certificate: pair.cert, key: new Redacted(pair.key) });
    return { certificates, plain: 'Redirect' };
  };

  /** TLS over a connection that begins with these bytes; `pieces`: header and ClientHello in one write, or byte by byte. */
  const over = (header: Buffer, pieces: 'one' | 'bytes'): Promise<Socket> =>
    new Promise((resolve, reject) => {
      const raw = connect({ port: gateway.tlsPort, host: '127.0.0.1', noDelay: true });
      let first: Buffer | undefined = header;
      const carrier = new Duplex({
        read() {},
        write(chunk: Buffer, _encoding, done) {
          const bytes = first === undefined ? chunk : Buffer.concat([first, chunk]);
          const split = first !== undefined && pieces === 'bytes';
          first = undefined;
          if (!split) {
            raw.write(bytes, () => done());
            return;
          }
          let at = 0;
          const next = (): void => {
            if (at === bytes.length) done();
            else raw.write(bytes.subarray(at, ++at), () => setImmediate(next));
          };
          next();
        },
      });
      raw.on('data', (chunk) => carrier.push(chunk));
      raw.on('close', () => carrier.destroy(new Error('closed')));
      raw.on('error', () => {});
      const socket = connectTls({ socket: carrier, servername: 'app.example', rejectUnauthorized: false }, () =>
        resolve(socket),
      );
      socket.on('error', reject);
      socket.on('close', () => raw.destroy());
    });

  it.each(['one', 'bytes'] as const)('A050 the header stands before TLS: %s', async (pieces) => {
    await start({ https: https() });
    for (const [header, client] of [
      [Buffer.from(v1('198.51.100.1')), '198.51.100.1'],
      [V4, '198.51.100.2'],
    ] as const) {
      const socket = await over(header, pieces);
      socket.write(get());
      const answer = await new Promise<Buffer>((resolve) => socket.once('data', resolve));
      expect(answer.toString('latin1')).toMatch(/^HTTP\/1\.1 200 /);
      await eventually(() => gateway.records.at(-1)?.client === client, 'it is recorded');
      expect(upstream.seen.at(-1)?.header('x-forwarded-for')).toBe(client);
      socket.destroy();
    }
    await eventually(() => gateway.connections === 0, 'both are gone');
  });

  it('A003 A050 TLS without a header, or with one inside, is refused', async () => {
    await start({ https: https() });
    await expect(RawClient.connectTls(gateway.tlsPort)).rejects.toThrow();
    expect(gateway.rejected).toEqual(['proxy_header_malformed']);
    const socket = await over(Buffer.from(v1('198.51.100.1')), 'one');
    socket.on('error', () => {}).write(v1('198.51.100.9') + get());
    const answer = await new Promise<Buffer>((resolve) => socket.once('data', resolve));
    expect(answer.toString('latin1')).toMatch(/^HTTP\/1\.1 400 /);
    socket.destroy();
    expect(upstream.connections).toBe(0);
  });
});
