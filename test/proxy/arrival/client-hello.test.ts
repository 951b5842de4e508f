import { Duplex } from 'node:stream';
import { connect } from 'node:tls';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { serverNameIn } from '../../../src/proxy/arrival/client-hello.ts';

/** The first bytes that node's own client sends. */
function helloOf(options: { readonly servername?: string; readonly maxVersion?: 'TLSv1.2' }): Promise<Buffer> {
  return new Promise((resolve) => {
    const socket = new Duplex({
      read() {},
      write(chunk: Buffer, _encoding, done) {
        resolve(chunk);
        done();
      },
    });
    connect({ socket, ...options }).on('error', () => {});
  });
}

describe('the name in a TLS hello', () => {
  it('is what the client asks for, in any version, wherever the bytes are split', async () => {
    for (const more of [{}, { maxVersion: 'TLSv1.2' } as const]) {
      const bytes = await helloOf({ servername: 'App.Example', ...more });
      expect(serverNameIn(bytes)).toBe('app.example');
      for (let at = 0; at < bytes.length; at++) expect(serverNameIn(bytes.subarray(0, at))).toBe('More');
      expect(serverNameIn(Buffer.concat([bytes, Buffer.from('more')]))).toBe('app.example');
    }
  });

  it('is none where there is none, or no host, or no hello', async () => {
    expect(serverNameIn(await helloOf({}))).toBe('None');
    expect(serverNameIn(await helloOf({ servername: '..' }))).toBe('None');
    for (const text of [
      'GET / HTTP/1.1\r\n\r\n',
      '\x16\x03\x01\xff\xff',
      '\x16\x03\x01\x00\x00',
      '\x16\x03\x01\x00\x01\x01',
    ])
      expect(serverNameIn(Buffer.from(text, 'latin1'))).toBe('None');
  });

  it('never throws, whatever byte is another one, and never reads past the record', async () => {
    const hello = await helloOf({ servername: 'app.example' });
    fc.assert(
      fc.property(fc.nat(hello.length - 1), fc.nat(255), fc.nat(hello.length), (at, byte, cut) => {
        const copy = Buffer.from(hello);
        copy[at] = byte;
        const read = serverNameIn(copy);
        expect(typeof read).toBe('string');
        serverNameIn(copy.subarray(0, cut));
      }),
      { numRuns: 3000 },
    );
  });
});
