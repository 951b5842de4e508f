import { writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { connect as connectTls } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CertificateStore } from '../../../src/proxy/tls/certificate-store.ts';
import { parseCidr } from '../../../src/resources/address-policy.ts';
import { namespacedName } from '../../../src/resources/keys.ts';
import { Redacted } from '../../../src/resources/redacted.ts';
import { privateAuthority } from '../../support/certificates.ts';
import { haproxy, openssl } from '../../support/parts.ts';
import { type PeerProcess, startPeer, unusedPort } from '../../support/peer-process.ts';
import { type Gateway, startGateway } from '../support/gateway.ts';
import { startUpstream, type Upstream } from '../support/upstream.ts';

const GET = 'GET /x HTTP/1.1\r\nHost: app.example\r\nConnection: close\r\n\r\n';
/** Not that of haproxy, which connects from 127.0.0.1. */
const CLIENT = '127.0.0.7';

describe.skipIf(haproxy.missing || openssl.missing)(`haproxy in front ${haproxy.why || openssl.why}`, () => {
  const authority = privateAuthority('test CA');
  const pair = authority.issue(['DNS:app.example']);
  let upstream: Upstream;
  let gateway: Gateway;
  let peer: PeerProcess;
  const ports: number[] = [];
  const KINDS = ['send-proxy', 'send-proxy-v2', 'send-proxy-v2-ssl', 'send-proxy-v2 proxy-v2-options crc32c,unique-id'];

  beforeAll(async () => {
    upstream = await startUpstream();
    const certificates = new CertificateStore({ now: () => performance.now(), onBroken: () => {} });
    certificates.update(new Map(), {
      secret: namespacedName('shop', 'app'),
      certificate: pair.cert,
      key: new Redacted(pair.key),
    });
    gateway = await startGateway({
      port: upstream.port,
      https: { certificates, plain: 'Serve' },
      trustedProxies: [parseCidr('127.0.0.1') ?? []].flat(),
      proxyProtocol: ['http', 'https'],
    });
    for (let i = 0; i < KINDS.length * 2; i++) ports.push(await unusedPort());
    peer = await startPeer((directory) => {
      const config = join(directory, 'haproxy.cfg');
      const listener = (bind: string, name: string, target: number, how: string): string =>
        `listen ${name}\n bind ${bind}\n unique-id-format %ci-%cp\n server one 127.0.0.1:${target} ${how}\n`;
      const both = KINDS.map(
        (kind, at) =>
          listener(`127.0.0.1:${ports[at]}`, `plain${at}`, gateway.port, kind) +
          listener(`127.0.0.1:${ports[KINDS.length + at]}`, `tls${at}`, gateway.tlsPort, kind) +
          listener(`${directory}/${at}.sock`, `local${at}`, gateway.port, kind),
      );
      const checks = ['send-proxy', 'send-proxy-v2'].map((kind, at) =>
        listener(`${directory}/check${at}.sock`, `check${at}`, gateway.port, `${kind} check inter 200ms`),
      );
      writeFileSync(
        config,
        `global\n maxconn 200\n log stdout local0\ndefaults\n mode tcp\n log global\n timeout connect 5s\n timeout client 20s\n timeout server 20s\n${[...both, ...checks].join('')}`,
      );
      return { program: haproxy.path, args: ['-db', '-f', config] };
    }, ports[0]);
  });
  afterAll(async () => {
    await peer?.stop();
    await gateway?.close();
    await upstream?.close();
    authority.remove();
  });

  const answered = (socket: ReturnType<typeof connect>): Promise<string> =>
    new Promise((resolve) => {
      let text = '';
      socket.on('data', (chunk: Buffer) => {
        text += chunk.toString('latin1');
      });
      socket.on('error', () => {}).on('close', () => resolve(text));
    });

  it.each(KINDS.map((kind, at) => [kind, at] as const))(
    'A050 %s: the client is the one in front of it',
    async (_kind, at) => {
      const socket = connect({ port: ports[at] ?? 0, host: '127.0.0.1', localAddress: CLIENT });
      socket.write(GET);
      expect(await answered(socket)).toMatch(/^HTTP\/1\.1 200 /);
      expect(upstream.seen.at(-1)?.header('x-forwarded-for')).toBe(CLIENT);
      const tls = connectTls({
        socket: connect({ port: ports[KINDS.length + at] ?? 0, host: '127.0.0.1', localAddress: CLIENT }),
        servername: 'app.example',
        ca: authority.ca,
      });
      tls.write(GET);
      expect(await answered(tls)).toMatch(/^HTTP\/1\.1 200 /);
      expect(upstream.seen.at(-1)?.header('x-forwarded-for')).toBe(CLIENT);
      expect(gateway.records.at(-1)?.client).toBe(CLIENT);
    },
  );

  it.each(KINDS.map((kind, at) => [kind, at] as const))(
    'A050 %s: a client that haproxy has no address of is never taken for haproxy',
    async (_kind, at) => {
      const seen = upstream.seen.length;
      const socket = connect(join(peer.directory, `${at}.sock`));
      socket.write(GET.replace('\r\n\r\n', '\r\nX-Forwarded-For: 203.0.113.7\r\n\r\n'));
      await answered(socket);
      expect(upstream.seen.slice(seen).map((request) => request.header('x-forwarded-for'))).toEqual(['unknown']);
    },
  );

  it('its health checks find the listener alive', async () => {
    // Five of them, and three that fail make a server DOWN.
    await new Promise((resolve) => setTimeout(resolve, 1000));
    expect(gateway.rejected).toEqual([]);
    expect(peer.output()).not.toMatch(/check\d\/one is DOWN/);
  });
});
