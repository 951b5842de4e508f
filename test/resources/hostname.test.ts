import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  hostMatches,
  lowerAscii,
  parseAuthority,
  parseHostPattern,
  splitAuthority,
} from '../../src/resources/hostname.ts';

describe('parseAuthority', () => {
  it('A030 one trailing dot goes', () => {
    expect(parseAuthority('app.example.')).toBe('app.example');
    expect(parseAuthority('app.example.:443')).toBe('app.example');
    expect(parseAuthority('app.example..')).toBeUndefined();
    expect(parseAuthority('.')).toBeUndefined();
  });

  it.each(['APP.EXAMPLE', 'app.example:443', 'app.example:8443', 'app.example:', 'aPp.ExAmPlE.:80'])(
    'A031 case and port play no part: %s',
    (authority) => {
      expect(parseAuthority(authority)).toBe('app.example');
    },
  );

  it.each([
    '',
    ' ',
    'a@b',
    'a b',
    'a/b',
    'a,b',
    'a\\b',
    'a?b',
    'a#b',
    'a%2eb',
    'a..b',
    '.a',
    '-a',
    'a-',
    ':80',
    'a:80:80',
    'a:x',
    'a:65536',
    'a:000080',
    'a:-1',
    'a\t',
    ' a',
    'a\u0000',
    'é.example',
    'app.ex\u212Ample',
    '[::1',
    '::1',
    '[::1]x',
    '[]',
    '[::::]',
    '[1:2:3:4:5:6:7]',
    '[1:2:3:4:5:6:7:8:9]',
    '[::1%25eth0]',
    '[::12345]',
    '[::1].',
    '[::1.2.3]',
    '[1.2.3.4::]',
    `${'a'.repeat(64)}.example`,
    `${'a.'.repeat(130)}example`,
    'a'.repeat(10_000),
  ])('A033 refuses %j', (authority) => {
    expect(parseAuthority(authority)).toBeUndefined();
  });

  it.each([
    '0x7f.1',
    '127.1',
    '2130706433',
    '0177.0.0.1',
    '127.0.0.256',
    '1.2.3',
    '1.2.3.4.5',
    'a.1',
    '0x',
    'a.0xff',
    '00.0.0.0',
  ])('T24 what resolvers would take for another spelling of an address is no host: %s', (authority) => {
    expect(parseAuthority(authority)).toBeUndefined();
    expect(parseHostPattern(authority)).toBeUndefined();
  });

  it.each([
    ['127.0.0.1:8080', '127.0.0.1'],
    ['[::1]', '[::1]'],
    ['[0:0:0:0:0:0:0:1]:443', '[::1]'],
    ['[2001:DB8::0001:0]', '[2001:db8::1:0]'],
    ['[1:0:0:2:0:0:0:3]', '[1:0:0:2::3]'],
    ['[1:0:2:3:4:5:6:7]', '[1:0:2:3:4:5:6:7]'],
    ['[::ffff:192.0.2.1]', '[::ffff:c000:201]'],
    ['[::]', '[::]'],
    ['localhost', 'localhost'],
    ['a_b.example', 'a_b.example'],
  ])('%s is %s', (authority, expected) => {
    expect(parseAuthority(authority)).toBe(expected);
  });

  it('agrees with WHATWG URL wherever it accepts, and is idempotent', () => {
    const part = fc.constantFrom(
      'a',
      'B',
      '0',
      '1',
      '255',
      '0x1',
      '.',
      '..',
      '-',
      '_',
      ':',
      '[',
      ']',
      '::',
      'ffff',
      '%',
      '@',
      '8',
    );
    const authority = fc.oneof(
      fc.array(part, { maxLength: 12 }).map((parts) => parts.join('')),
      fc.ipV6().map((text) => `[${text}]`),
      fc.ipV4(),
      fc.domain(),
    );
    fc.assert(
      fc.property(authority, (text) => {
        const split = splitAuthority(text);
        if (split === undefined) return;
        expect(parseAuthority(split.host)).toBe(split.host);
        const url = new URL(`http://${split.host}/`);
        expect(url.hostname).toBe(split.host);
        expect(url.pathname).toBe('/');
        expect(url.username).toBe('');
      }),
      { numRuns: 2000 },
    );
  });
});

describe('host patterns', () => {
  it.each(['*', 'shop.example.com', '*.example.com', 'localhost', 'xn--caf-dma.example'])('%s is one', (text) => {
    expect(parseHostPattern(text)).toBe(text);
  });

  it.each([
    '',
    '**',
    '*.',
    '*.*',
    'a.*',
    '*a.example',
    'a*.example',
    'Shop.example',
    'shop.example.',
    'shop.example:80',
    'http://a',
    'a/b',
    '1.2.3.4',
    '[::1]',
    '*.1.2.3.4',
    'a b',
    'é.example',
    '\u212A.example',
    '*.-a',
    'a\n',
  ])('refuses %j', (text) => {
    expect(parseHostPattern(text)).toBeUndefined();
  });

  it.each([
    ['*.example.com', 'a.example.com', true],
    ['*.example.com', 'a.b.example.com', true],
    ['*.example.com', 'example.com', false],
    ['*.example.com', 'notexample.com', false],
    ['*', 'anything', true],
    ['a.example', 'a.example', true],
    ['a.example', 'b.a.example', false],
  ])('%s covers %s: %s', (pattern, host, expected) => {
    const [checkedPattern, checkedHost] = [parseHostPattern(pattern), parseAuthority(host)];
    if (checkedPattern === undefined || checkedHost === undefined) throw new Error('bad test');
    expect(hostMatches(checkedPattern, checkedHost)).toBe(expected);
  });

  it('T25 folding is ASCII only', () => {
    expect(lowerAscii('\u212AELVIN\u0130')).toBe('\u212Aelvin\u0130');
  });
});
