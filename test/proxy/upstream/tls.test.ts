import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createServer, getCACertificates, setDefaultCACertificates } from 'node:tls';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type Authority, privateAuthority } from '../../support/certificates.ts';
import { filesForwarder } from '../support/files-forwarder.ts';
import { answer, request, text } from './support.ts';

describe('https upstreams', () => {
  let authority: Authority;
  const closers: (() => void)[] = [];
  const before = getCACertificates('default');

  beforeAll(() => {
    authority = privateAuthority('postern upstream test');
  });
  afterEach(() => {
    for (const close of closers.splice(0)) close();
    setDefaultCACertificates(before);
    Reflect.deleteProperty(process.env, 'NODE_TLS_REJECT_UNAUTHORIZED');
  });
  afterAll(() => authority.remove());

  /** Asks an upstream with a certificate for these names; gives the answer, and what the upstream heard. */
  async function ask(names: readonly string[], host: string, options: { readonly expired?: boolean } = {}) {
    const heard: string[] = [];
    const server = createServer(authority.issue(names, options), (socket) => {
      socket.on('error', () => undefined);
      socket.on('data', (chunk) => {
        heard.push(`${String(socket.servername)} ${chunk.toString('latin1').split('\r\n', 1).join('')}`);
        socket.write(answer('secret'));
      });
    }).listen(0, '127.0.0.1');
    server.on('tlsClientError', () => undefined);
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const up = filesForwarder();
    closers.push(
      () => up.close(),
      () => server.close(),
    );
    const backend = { kind: 'Url' as const, scheme: 'https' as const, host, port, basePath: '/base' };
    return { answer: await text(await up.forward(request(backend))), heard };
  }
  const trusting = (): void => setDefaultCACertificates([...before, authority.ca]);

  it('are reached where their certificate is for the host and somebody trusted vouches for it', async () => {
    trusting();
    expect(await ask(['DNS:localhost'], 'localhost')).toEqual({
      answer: 'secret',
      heard: ['localhost GET /base/ HTTP/1.1'],
    });
    // RFC 6066 section 3: no SNI for an address.
    expect(await ask(['IP:127.0.0.1'], '127.0.0.1')).toEqual({
      answer: 'secret',
      heard: ['false GET /base/ HTTP/1.1'],
    });
  });

  it.each([undefined, '0'])(
    'A174 are verified, whatever the environment says (NODE_TLS_REJECT_UNAUTHORIZED %s)',
    async (value) => {
      if (value !== undefined) process.env['NODE_TLS_REJECT_UNAUTHORIZED'] = value;
      const refused = { answer: 'tls_failed', heard: [] };
      expect(await ask(['DNS:localhost'], 'localhost')).toEqual(refused);
      trusting();
      expect(await ask(['DNS:other.example'], 'localhost')).toEqual(refused);
      expect(await ask(['DNS:localhost'], '127.0.0.1')).toEqual(refused);
      expect(await ask(['DNS:localhost'], 'localhost', { expired: true })).toEqual(refused);
    },
  );
});
