import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openssl } from '../../support/parts.ts';
import { type Gateway, startGateway } from '../support/gateway.ts';
import {
  END_HEADERS,
  END_STREAM,
  type Fields,
  FRAME,
  FrameClient,
  frame,
  GET,
  hpack,
  POST,
} from '../support/h2-frames.ts';
import { type TestCertificates, testCertificates } from '../support/secure.ts';
import { ok, startUpstream, type Upstream } from '../support/upstream.ts';

const PROTOCOL_ERROR = 1;
const without = (name: string): Fields => GET.filter(([each]) => each !== name);
const having = (name: string, value: string): Fields => GET.map(([each, old]) => [each, each === name ? value : old]);
const M = GET.slice(0, 1);

describe.skipIf(openssl.missing)(`heads over HTTP/2 that can be read in two ways ${openssl.why}`, () => {
  let certificates: TestCertificates;
  let upstream: Upstream;
  let gateway: Gateway;
  beforeAll(async () => {
    certificates = testCertificates();
    upstream = await startUpstream((request) => ok(`${request.target} ${request.body.length}`));
    gateway = await startGateway({
      port: upstream.port,
      https: { certificates: certificates.store, plain: 'Redirect', http2: true },
    });
  });
  afterAll(async () => {
    await gateway.close();
    await upstream.close();
    certificates.remove();
    expect(gateway.errors).toEqual([]);
  });

  /** Answered so, or reset with PROTOCOL_ERROR (0); no upstream hears of it, it is counted, and the connection goes on or ends. */
  const refused = async (fields: Fields, status: number): Promise<void> => {
    const seen = upstream.seen.length;
    const before = gateway.rejected.length + gateway.records.length;
    const client = await FrameClient.connect(gateway.tlsPort);
    client.headers(1, fields);
    await client.until(() => client.status(1) !== undefined || client.resetCode(1) !== undefined);
    if (status === 0)
      expect([client.status(1), client.resetCode(1) ?? client.goawayCode]).toEqual([undefined, PROTOCOL_ERROR]);
    else expect(client.status(1)).toBe(status);
    client.destroy();
    await client.closed;
    expect(upstream.seen.length).toBe(seen);
    await expect.poll(() => gateway.rejected.length + gateway.records.length).toBeGreaterThan(before);
  };

  const served = async (fields: Fields): Promise<void> => {
    const client = await FrameClient.connect(gateway.tlsPort);
    client.headers(1, fields);
    await client.until(() => client.status(1) !== undefined || client.resetCode(1) !== undefined);
    expect(client.status(1)).toBe(200);
    client.destroy();
  };

  it.each<[string, Fields, number]>([
    ['no :method', without(':method'), 0],
    ['no :scheme', without(':scheme'), 0],
    ['no :path', without(':path'), 0],
    ['two :method', [...M, ...GET], 0],
    ['two :path', [...GET, [':path', '/private']], 0],
    ['two :authority', [...GET, [':authority', 'b.example']], 0],
    ['a pseudo-header that is none', [...GET, [':x', 'a']], 0],
    [':status', [...GET, [':status', '200']], 0],
    ['a pseudo-header after a field', [...M, ['x-a', 'b'], ...GET.slice(1)], 0],
    ['an empty :path', having(':path', ''), 0],
    ['scheme http', having(':scheme', 'http'), 0],
    ['scheme of another kind', having(':scheme', 'ftp'), 0],
    ['A014 a :path in absolute-form', having(':path', 'https://app.example/private'), 0],
    ['A014 a :path in authority-form', having(':path', 'app.example:443'), 0],
    ['A015 *', having(':path', '*'), 0],
    ['A015 OPTIONS *', [[':method', 'OPTIONS'], ...having(':path', '*').slice(1)], 400],
    ['A015 TRACE', [[':method', 'TRACE'], ...GET.slice(1)], 405],
    [
      'A015 CONNECT',
      [
        [':method', 'CONNECT'],
        [':authority', 'a:443'],
      ],
      405,
    ],
    ['A015 extended CONNECT', [[':method', 'CONNECT'], [':protocol', 'websocket'], ...GET.slice(1)], 0],
    ['A021 a method that nobody knows', [[':method', 'FOO'], ...GET.slice(1)], 400],
    ['A021 a method in lower case', [[':method', 'get'], ...GET.slice(1)], 400],
    ['A002 a raw #', having(':path', '/a#b'), 400],
    ['A009 a raw backslash', having(':path', '/a\\b'), 400],
    ['A004 dot segments', having(':path', '/public/../private'), 400],
    ['a blank in :path', having(':path', '/a b'), 0],
    ['A012 a control in :path', having(':path', '/a\x01'), 0],
    ['a line end in :path', having(':path', '/a\r\nX-Forwarded-User: root'), 0],
    ['a line end in :method', [[':method', 'GET / HTTP/1.1\r\n'], ...GET.slice(1)], 0],
    ['a line end in :authority', having(':authority', 'app.example\r\nx: y'), 0],
    ['A032 no authority at all', without(':authority'), 0],
    ['A032 an empty :authority', having(':authority', ''), 0],
    ['A032 :authority and another host', [...GET, ['host', 'b.example']], 400],
    ['A032 :authority and an empty host', [...GET, ['host', '']], 0],
    ['A032 two hosts', [...without(':authority'), ['host', 'app.example'], ['host', 'app.example']], 0],
    ['A033 user information', having(':authority', 'a@app.example'), 0],
    ['A033 two in one', having(':authority', 'app.example,b.example'), 400],
    ['a name in upper case', [...GET, ['X-A', 'b']], 0],
    ['identity in upper case', [...GET, ['X-Forwarded-User', 'root']], 0],
    ['connection', [...GET, ['connection', 'keep-alive']], 0],
    ['keep-alive', [...GET, ['keep-alive', '5']], 0],
    ['proxy-connection', [...GET, ['proxy-connection', 'close']], 0],
    ['A060 transfer-encoding', [...GET, ['transfer-encoding', 'chunked']], 0],
    ['A071 upgrade', [...GET, ['upgrade', 'h2c']], 0],
    ['te', [...GET, ['te', 'gzip']], 0],
    ['te with more', [...GET, ['te', 'trailers, gzip']], 0],
    ['A060 two lengths', [...GET, ['content-length', '0'], ['content-length', '0']], 0],
    ['A060 a length that is none', [...GET, ['content-length', '+1']], 0],
    ['A060 a length and no body', [...GET, ['content-length', '5']], 0],
    ['T14 two Authorizations', [...GET, ['authorization', 'a'], ['authorization', 'b']], 400],
    ['A067 another expectation', [...GET, ['expect', 'y']], 417],
  ])('%s is refused', (_name, fields, status) => refused(fields, status));

  it('host alone, or the same beside :authority, is the authority', async () => {
    await served([...without(':authority'), ['host', 'app.example']]);
    await served([...GET, ['host', 'app.example']]);
    await served([...GET, ['te', 'trailers']]);
    expect(upstream.seen.at(-1)?.all('x-forwarded-host')).toEqual(['app.example']);
    expect(upstream.bytes.join('')).not.toMatch(/\r\nte:/i);
  });

  it('cookies that come as several fields are one line, and one session', async () => {
    await served([
      ...having(':path', '/private'),
      ['cookie', 'a=1'],
      ['cookie', 'user=1'],
      ['cookie', '__Host-postern-x=1'],
      ['cookie', 'b=2'],
    ]);
    expect(upstream.seen.at(-1)?.all('cookie').length).toBe(1);
    expect(upstream.seen.at(-1)?.header('cookie')).toMatch(/^a=1; user=1;.* ?b=2$/);
  });

  it('A040 identity is removed whatever its spelling', async () => {
    await served([
      ...GET,
      ['x-forwarded-user', 'root'],
      ['x_forwarded_user', 'root'],
      ['x.forwarded.user', 'root'],
      ['x-auth-request-user', 'root'],
    ]);
    expect(upstream.bytes.join('')).not.toContain('root');
  });

  it.each(Array.from({ length: 256 }, (_, byte) => byte))(
    'T14 byte %i in a value reaches an upstream as it was, or not at all',
    async (byte) => {
      const value = `a${String.fromCharCode(byte)}b`;
      await served([...having(':path', `/b${byte}`), ['x-byte', value], ['x-after', '1']]);
      const seen = upstream.seen.at(-1);
      expect(seen?.target).toBe(`/b${byte}`);
      const control = byte === 0x7f || (byte < 0x20 && byte !== 0x09);
      expect(seen?.all('x-byte')).toEqual(control ? [] : [value]);
      expect(seen?.header('x-after')).toBe('1');
    },
  );

  it.each([
    ['more', '3', 'abcd', END_STREAM],
    ['less', '5', 'abc', END_STREAM],
    ['none', '5', '', END_STREAM],
  ])('A060 %s DATA than the length says is no request', async (_name, length, data, flags) => {
    const client = await FrameClient.connect(gateway.tlsPort);
    client.headers(1, [...POST, ['content-length', length]], END_HEADERS);
    client.data(1, data, flags);
    await client.until(() => client.resetCode(1) !== undefined || client.status(1) !== undefined || client.ended);
    expect(client.status(1)).toBeUndefined();
    expect(client.resetCode(1) ?? client.goawayCode ?? PROTOCOL_ERROR).not.toBe(0);
    client.destroy();
    await expect.poll(() => upstream.sockets.size).toBeLessThan(3);
    expect(upstream.seen.filter(({ body }) => body.startsWith('abc')).length).toBe(0);
  });

  it('T15 a body whose stream is reset never ends well upstream', async () => {
    const seen = upstream.seen.length;
    for (const code of [0, 8]) {
      const client = await FrameClient.connect(gateway.tlsPort);
      client.headers(1, POST, END_HEADERS);
      client.data(1, 'GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n');
      await expect.poll(() => upstream.bytes.at(-1)).toContain('smuggled');
      const code32 = Buffer.alloc(4);
      code32.writeUInt32BE(code);
      client.send(frame(FRAME.RST_STREAM, 0, 1, code32));
      await expect.poll(() => gateway.leases).toBe(0);
      client.destroy();
    }
    expect(upstream.seen.length).toBe(seen);
    expect(upstream.bytes.join('')).not.toContain('\r\n0\r\n\r\n');
  });

  it('A045 trailers of a request go no further', async () => {
    const client = await FrameClient.connect(gateway.tlsPort);
    client.headers(1, POST, END_HEADERS);
    client.data(1, 'abc');
    client.send(
      frame(
        FRAME.HEADERS,
        END_STREAM | END_HEADERS,
        1,
        hpack([
          ['x-forwarded-user', 'root'],
          ['x-t', 'trail'],
        ]),
      ),
    );
    await client.until(() => client.status(1) !== undefined);
    expect(client.status(1)).toBe(200);
    expect(upstream.seen.at(-1)?.body).toBe('abc');
    expect(upstream.bytes.join('')).not.toMatch(/root|trail/);
    client.destroy();
  });
});
