import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createServer, type TLSSocket } from 'node:tls';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { createSocketForwarder } from '../../../src/proxy/upstream/socket-forwarder.ts';
import { namespacedName } from '../../../src/resources/keys.ts';
import { Redacted } from '../../../src/resources/redacted.ts';
import type { Backend } from '../../../src/resources/resource.ts';
import type { UpstreamSettings, UpstreamTls } from '../../../src/resources/upstream.ts';
import { type Authority, privateAuthority } from '../../support/certificates.ts';
import { until } from '../../support/gateway.ts';
import { nginx } from '../../support/parts.ts';
import { REACH_ANY } from '../support/files-forwarder.ts';
import { upstreamSettings } from '../support/upstream-settings.ts';
import { startTlsNginx } from './nginx.ts';
import { answer, handDirectory, ORDERS, request, text } from './support.ts';

const HTTPS: Backend = { ...ORDERS, protocol: 'https' };
const NAME = 'orders.shop.svc';

describe('https to the endpoints of a core Service', () => {
  let authority: Authority;
  let other: Authority;
  const closers: (() => unknown)[] = [];

  beforeAll(() => {
    authority = privateAuthority('postern upstream test');
    other = privateAuthority('postern upstream test, the next one');
  });
  afterEach(async () => {
    for (const close of closers.splice(0).reverse()) await close();
    Reflect.deleteProperty(process.env, 'NODE_TLS_REJECT_UNAUTHORIZED');
  });
  afterAll(() => {
    authority.remove();
    other.remove();
  });

  const tls = (more: Partial<UpstreamTls> = {}): UpstreamSettings =>
    upstreamSettings({
      service: namespacedName('shop', 'orders'),
      tls: { serverName: NAME, ca: authority.ca, ...more },
    });

  /** An upstream that says what name it was asked for. */
  async function upstream(pair: { readonly key: string; readonly cert: string }) {
    const sockets = new Set<TLSSocket>();
    const heard: string[] = [];
    const server = createServer(pair, (socket) => {
      sockets.add(socket);
      socket.on('error', () => undefined).on('close', () => sockets.delete(socket));
      socket.on('data', () => {
        heard.push(String(socket.servername));
        socket.write(answer('secret'));
      });
    }).listen(0, '127.0.0.1');
    server.on('tlsClientError', () => undefined);
    await once(server, 'listening');
    closers.push(() => {
      for (const socket of sockets) socket.destroy();
      server.close();
    });
    return { port: (server.address() as AddressInfo).port, sockets, heard };
  }

  function forwarder(port: number) {
    const directory = handDirectory();
    directory.set({ port });
    const up = createSocketForwarder({ ownPorts: new Set(), endpoints: directory, reach: REACH_ANY });
    closers.push(() => up.close());
    return async (settings: UpstreamSettings, backend = HTTPS) =>
      await text(await up.forward(request(backend, { upstream: settings })));
  }

  it('are verified by their name, not their address, and asked for it (SNI)', async () => {
    const { port, heard } = await upstream(authority.issue([`DNS:${NAME}`]));
    expect(await forwarder(port)(tls())).toBe('secret');
    expect(heard).toEqual([NAME]);
  });

  it.each([undefined, '0'])(
    'A174 nothing that was not vouched for is taken, NODE_TLS_REJECT_UNAUTHORIZED %s',
    async (value) => {
      if (value !== undefined) process.env['NODE_TLS_REJECT_UNAUTHORIZED'] = value;
      const good = await upstream(authority.issue([`DNS:${NAME}`]));
      const ask = forwarder(good.port);
      // Self-signed, as far as the public roots go; another CA; another name.
      expect(await ask(tls({ ca: undefined }))).toBe('tls_failed');
      expect(await ask(tls({ ca: other.ca }))).toBe('tls_failed');
      expect(await ask(tls({ serverName: 'payments.shop.svc' }))).toBe('tls_failed');
      const wrong = await upstream(authority.issue(['IP:127.0.0.1', 'DNS:payments.shop.svc']));
      expect(await forwarder(wrong.port)(tls())).toBe('tls_failed');
      const expired = await upstream(authority.issue([`DNS:${NAME}`], { expired: true }));
      expect(await forwarder(expired.port)(tls())).toBe('tls_failed');
      expect([...good.heard, ...wrong.heard, ...expired.heard]).toEqual([]);
    },
  );

  it('an upstream without TLS gets nothing in the clear', async () => {
    const seen: string[] = [];
    const { createServer: createPlain } = await import('node:net');
    const plain = createPlain((socket) => {
      socket.on('error', () => undefined);
      socket.on('data', (chunk) => {
        seen.push(chunk.toString('latin1'));
        socket.end('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n');
      });
    }).listen(0, '127.0.0.1');
    await once(plain, 'listening');
    closers.push(() => plain.close());
    expect(await forwarder((plain.address() as AddressInfo).port)(tls())).toBe('tls_failed');
    expect(seen.join('')).not.toContain('HTTP/1.1');
  });

  it('only insecure.unverifiedTLS takes any certificate', async () => {
    const { port } = await upstream(other.issue(['DNS:elsewhere.example']));
    const ask = forwarder(port);
    expect(await ask(tls({ verify: false, ca: undefined }))).toBe('secret');
    // And its connection is nobody else's.
    expect(await ask(tls())).toBe('tls_failed');
  });

  it('certificates that OpenSSL refuses fail the request, not the process', async () => {
    const { port, heard } = await upstream(authority.issue([`DNS:${NAME}`]));
    const client = { certificate: 'no certificate', key: new Redacted('no key') };
    expect(await forwarder(port)(tls({ client }))).toBe('tls_failed');
    expect(heard).toEqual([]);
  });

  it('a CA that is rotated counts for the next request; what the former one vouched for ends', async () => {
    const { port, sockets } = await upstream(authority.issue([`DNS:${NAME}`]));
    const ask = forwarder(port);
    expect(await ask(tls())).toBe('secret');
    // The same content in another value, as after any change of the object: the connection is kept.
    expect(await ask(tls())).toBe('secret');
    expect(sockets.size).toBe(1);
    expect(await ask(tls({ ca: other.ca }))).toBe('tls_failed');
    await until(() => sockets.size === 0, 'the connection that the former CA vouched for is closed');
  });

  describe.skipIf(nginx.missing)(`nginx that demands a client certificate ${nginx.why}`, () => {
    it('is given the one of clientCertRef, and after a rotation the new one', async () => {
      const server = await startTlsNginx(authority, { names: [`DNS:${NAME}`], demand: true });
      closers.push(server.stop);
      const ask = forwarder(server.port);
      expect(await ask(tls())).toContain('No required SSL certificate was sent');
      const client = (issuer: Authority, name: string): UpstreamTls['client'] => {
        const { cert, key } = issuer.issue([`DNS:${name}`]);
        return { certificate: cert, key: new Redacted(key) };
      };
      expect(await ask(tls({ client: client(authority, 'gateway') }))).toBe('verified SUCCESS');
      // Another identity never travels on a connection of the one before.
      expect(await ask(tls({ client: client(other, 'stranger') }))).toContain('The SSL certificate error');
      expect(await ask(tls())).toContain('No required SSL certificate was sent');
      expect(await ask(tls({ client: client(authority, 'gateway-2') }))).toBe('verified SUCCESS');
    });
  });
});
