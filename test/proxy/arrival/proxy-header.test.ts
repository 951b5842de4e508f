import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readProxyHeader } from '../../../src/proxy/arrival/proxy-header.ts';
import type { ProxyHeader } from '../../../src/proxy/arrival/relayed.ts';
import { v2 } from '../support/proxy-header.ts';

const read = (text: string): ProxyHeader => readProxyHeader(Buffer.from(text, 'latin1'));
const client = (length: number, address: string): ProxyHeader => ({
  kind: 'Header',
  length,
  relayed: address,
});
const V4 = Buffer.from([198, 51, 100, 1, 192, 0, 2, 1, 0x12, 0x34, 1, 187]);
const V6 = Buffer.concat([
  Buffer.from('20010db8000000000000000000000001', 'hex'),
  Buffer.from('20010db8000000000000000000000002', 'hex'),
  Buffer.from([1, 2, 3, 4]),
]);
const TLV = Buffer.from([0xea, 0, 3, 1, 2, 3, 4, 0, 0]);

describe('version 1 of the PROXY header', () => {
  it.each([
    ['IPv4', 'PROXY TCP4 198.51.100.1 192.0.2.1 4660 443', '198.51.100.1'],
    ['IPv6', 'PROXY TCP6 2001:db8::1 2001:db8::2 1 65535', '2001:db8::1'],
    ['IPv6 in another spelling', 'PROXY TCP6 2001:DB8:0:0::1 ::1 0 0', '2001:db8::1'],
    ['IPv4 that is written as IPv6', 'PROXY TCP6 ::ffff:198.51.100.1 ::ffff:192.0.2.1 1 2', '198.51.100.1'],
    [
      'the longest',
      'PROXY TCP6 ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 65535',
      'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff',
    ],
  ])('%s', (_what, line, address) => {
    expect(read(`${line}\r\nGET / HTTP/1.1\r\n`)).toEqual(client(line.length + 2, address));
  });

  it('UNKNOWN is of nobody, whatever stands behind it', () => {
    for (const line of [
      'PROXY UNKNOWN',
      'PROXY UNKNOWN ',
      'PROXY UNKNOWN 198.51.100.1 x',
      `PROXY UNKNOWN ${'f'.repeat(91)}`,
    ])
      expect(read(`${line}\r\n`)).toEqual({ kind: 'Header', length: line.length + 2, relayed: 'unknown' });
  });

  it.each([
    'PROXY TCP4 198.51.100.1 192.0.2.1 4660 443\n',
    'PROXY TCP4 198.51.100.1 192.0.2.1 4660 443\r\r\n',
    'PROXY TCP4 198.51.100.1 192.0.2.1 4660 443 \r\n',
    'PROXY TCP4 198.51.100.1 192.0.2.1 4660\r\n',
    'PROXY TCP4 198.51.100.1 192.0.2.1 4660 443 1\r\n',
    'PROXY TCP4  198.51.100.1 192.0.2.1 4660 443\r\n',
    'PROXY\tTCP4 198.51.100.1 192.0.2.1 4660 443\r\n',
    'PROXY TCP4 198.51.100.01 192.0.2.1 4660 443\r\n',
    'PROXY TCP4 198.51.100 192.0.2.1 4660 443\r\n',
    'PROXY TCP4 198.51.100.256 192.0.2.1 4660 443\r\n',
    'PROXY TCP4 198.51.100.1 x 4660 443\r\n',
    'PROXY TCP4 2001:db8::1 2001:db8::2 4660 443\r\n',
    'PROXY TCP6 198.51.100.1 192.0.2.1 4660 443\r\n',
    'PROXY TCP6 2001:db8::1 192.0.2.1 4660 443\r\n',
    'PROXY TCP6 2001:db8::1%eth0 2001:db8::2 4660 443\r\n',
    'PROXY TCP6 [2001:db8::1] 2001:db8::2 4660 443\r\n',
    'PROXY TCP6 2001:db8::1::2 2001:db8::2 4660 443\r\n',
    'PROXY TCP4 198.51.100.1 192.0.2.1 65536 443\r\n',
    'PROXY TCP4 198.51.100.1 192.0.2.1 4660 065\r\n',
    'PROXY TCP4 198.51.100.1 192.0.2.1 -1 443\r\n',
    'PROXY UDP4 198.51.100.1 192.0.2.1 4660 443\r\n',
    'PROXY tcp4 198.51.100.1 192.0.2.1 4660 443\r\n',
    'PROXY TCP 198.51.100.1 192.0.2.1 4660 443\r\n',
    'proxy TCP4 198.51.100.1 192.0.2.1 4660 443\r\n',
    'PROXY UNKNOWN\n',
    'PROXY UNKNOWNX\r\n',
    'PROXY UNKNOWN \0\r\n',
    `PROXY UNKNOWN ${'f'.repeat(92)}\r\n`,
    `PROXY ${'f'.repeat(101)}`,
    ' PROXY TCP4 198.51.100.1 192.0.2.1 4660 443\r\n',
    'GET / HTTP/1.1\r\n',
    '\x16\x03\x01\x02\x00',
    '\n',
  ])('A050 refuses %j', (text) => {
    expect(read(text)).toEqual({ kind: 'Fault' });
  });
});

describe('version 2 of the PROXY header', () => {
  it.each([
    ['IPv4', 0x21, 0x11, V4, '198.51.100.1'],
    ['IPv6', 0x21, 0x21, V6, '2001:db8::1'],
    ['with more behind the addresses', 0x21, 0x11, Buffer.concat([V4, TLV]), '198.51.100.1'],
    [
      'IPv4 that is written as IPv6',
      0x21,
      0x21,
      Buffer.concat([Buffer.from('00000000000000000000ffffc6336401', 'hex'), V6.subarray(16)]),
      '198.51.100.1',
    ],
    [
      'as long as may be',
      0x21,
      0x11,
      Buffer.concat([V4, Buffer.from([4, 0x0f, 0xf1]), Buffer.alloc(4081)]),
      '198.51.100.1',
    ],
  ])('%s', (_what, command, family, rest, address) => {
    const bytes = v2(command, family, rest);
    expect(readProxyHeader(Buffer.concat([bytes, Buffer.from('more')]))).toEqual(client(bytes.length, address));
  });

  it('LOCAL and unspecified are of nobody, whatever stands behind them', () => {
    for (const rest of [Buffer.alloc(0), V4, Buffer.from('?')])
      for (const family of [0, 0x11, 0x31, 0xff])
        expect(readProxyHeader(v2(0x20, family, rest))).toMatchObject({ relayed: 'unknown' });
    for (const rest of [Buffer.alloc(0), V4, Buffer.from('?')])
      expect(readProxyHeader(v2(0x21, 0, rest))).toMatchObject({ relayed: 'unknown' });
  });

  it.each([
    ['another version', v2(0x11, 0x11, V4)],
    ['another command', v2(0x22, 0x11, V4)],
    ['datagrams', v2(0x21, 0x12, V4)],
    ['datagrams over IPv6', v2(0x21, 0x22, V6)],
    ['a local socket', v2(0x21, 0x31, Buffer.alloc(216))],
    ['no family that there is', v2(0x21, 0x41, V4)],
    ['too few bytes for IPv4', v2(0x21, 0x11, V4.subarray(1))],
    ['too few bytes for IPv6', v2(0x21, 0x21, V4)],
    ['half a TLV', v2(0x21, 0x11, Buffer.concat([V4, TLV.subarray(0, 8)]))],
    ['a TLV that is longer than the header', v2(0x21, 0x11, Buffer.concat([V4, Buffer.from([1, 0xff, 0xff, 0])]))],
    ['more than there may be', v2(0x21, 0x11, Buffer.concat([V4, Buffer.from([4, 0x0f, 0xf2]), Buffer.alloc(4082)]))],
    ['a signature with one other byte', Buffer.concat([Buffer.from('\r\n\r\n\0\r\nQUIU\n', 'latin1'), V4, V4])],
  ])('A050 refuses %s', (_what, bytes) => {
    expect(readProxyHeader(bytes)).toEqual({ kind: 'Fault' });
  });
});

describe('bytes of any kind', () => {
  const port = fc.integer({ min: 0, max: 65_535 });
  const v1 = fc
    .oneof(
      fc.tuple(fc.constant('TCP4'), fc.ipV4(), fc.ipV4(), port, port),
      fc.tuple(fc.constant('TCP6'), fc.ipV6(), fc.ipV6(), port, port),
    )
    .map((parts) => Buffer.from(`PROXY ${parts.join(' ')}\r\n`));
  const tlvs = fc
    .array(fc.tuple(fc.nat(255), fc.uint8Array({ maxLength: 40 })), { maxLength: 4 })
    .map((all) =>
      Buffer.concat(all.flatMap(([type, value]) => [Buffer.from([type, 0, value.length]), Buffer.from(value)])),
    );
  const binary = fc
    .tuple(fc.boolean(), fc.uint8Array({ minLength: 36, maxLength: 36 }), tlvs)
    .map(([four, addresses, more]) =>
      v2(0x21, four ? 0x11 : 0x21, Buffer.concat([Buffer.from(addresses).subarray(0, four ? 12 : 36), more])),
    );
  const header = fc.oneof(v1, binary);

  it('a header is one at its last byte and not before, wherever it is split, and what follows is left', () => {
    fc.assert(
      fc.property(header, fc.uint8Array({ maxLength: 50 }), (bytes, rest) => {
        for (let at = 0; at < bytes.length; at++)
          expect(readProxyHeader(bytes.subarray(0, at))).toEqual({ kind: 'More' });
        const whole = readProxyHeader(bytes);
        expect(whole).toMatchObject({ kind: 'Header', length: bytes.length });
        expect(readProxyHeader(Buffer.concat([bytes, rest]))).toEqual(whole);
      }),
      { numRuns: 300 },
    );
  });

  it('never throws, and what is refused or accepted stays so whatever comes', () => {
    const changed = fc.tuple(header, fc.nat(), fc.nat(255)).map(([bytes, at, byte]) => {
      const copy = Buffer.from(bytes);
      copy[at % copy.length] = byte;
      return copy;
    });
    const any = fc.oneof(
      changed,
      fc.uint8Array({ maxLength: 150 }).map((bytes) => Buffer.from(bytes)),
    );
    fc.assert(
      fc.property(any, fc.nat(), fc.uint8Array({ maxLength: 120 }), (bytes, cut, more) => {
        const early = readProxyHeader(bytes.subarray(0, cut % (bytes.length + 1)));
        const whole = readProxyHeader(bytes);
        if (early.kind !== 'More') expect(whole).toEqual(early);
        if (whole.kind !== 'More') expect(readProxyHeader(Buffer.concat([bytes, more]))).toEqual(whole);
        if (whole.kind === 'Header') expect(whole.length).toBeLessThanOrEqual(bytes.length);
      }),
      { numRuns: 3000 },
    );
  });
});
