import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { eachCookie, expireCookie, setCookie } from '../../../../src/plugins/oidc/session/cookies.ts';
import { cookieModeOf } from '../../../../src/plugins/oidc/session/outside.ts';
import { cookieNames, MAX_CHUNKS, readOwnCookies } from '../../../../src/plugins/oidc/session/own-cookies.ts';
import { oidcConfig } from './harness.ts';

const SECURE = { prefix: '__Host-', secure: true, sameSite: 'Lax' } as const;
const names = cookieNames('shop/okta', SECURE);

const read = (header: string | undefined, prefix = ''): [string, string][] => {
  const pairs: [string, string][] = [];
  eachCookie(header, prefix, (name, value) => pairs.push([name, value]));
  return pairs;
};

describe('a Cookie header', () => {
  it.each<[string | undefined, [string, string][]]>([
    [undefined, []],
    ['', []],
    [';;; ;', []],
    ['a=1', [['a', '1']]],
    [
      'a=1; b=2;c=3',
      [
        ['a', '1'],
        ['b', '2'],
        ['c', '3'],
      ],
    ],
    [
      '  a=1 \t;\tb=',
      [
        ['a', '1'],
        ['b', ''],
      ],
    ],
    ['a; b=1', [['b', '1']]],
    ['a=1=2', [['a', '1=2']]],
    ['a="1"', [['a', '"1"']]],
    ['a=1, b=2', [['a', '1, b=2']]],
  ])('%j', (header, pairs) => {
    expect(read(header)).toEqual(pairs);
  });

  it('gives back what browsers write, whatever stands around it', () => {
    const name = fc.stringMatching(/^[A-Za-z0-9_.-]{1,20}$/);
    const value = fc.stringMatching(/^[A-Za-z0-9_.=+/-]{0,40}$/);
    fc.assert(
      fc.property(fc.array(fc.tuple(name, value), { maxLength: 20 }), (pairs) => {
        expect(read(pairs.map(([n, v]) => `${n}=${v}`).join('; '))).toEqual(pairs);
      }),
    );
  });

  it('never throws, and calls back for names with the prefix only', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (noise) => {
        for (const [name] of read(`${noise}; __Host-postern-s-x=1;${noise}`, '__Host-'))
          expect(name.startsWith('__Host-')).toBe(true);
      }),
    );
  });

  it('A142 reads a bounded number of pairs, sessions pieces and bindings of a huge header', () => {
    const chunks = Array.from({ length: 20_000 }, (_, i) => `${names.session}.${i}=${'x'.repeat(40)}`).join('; ');
    expect(chunks.length).toBeGreaterThan(1_000_000);
    const own = readOwnCookies(`${names.session}Chunks=1000000000; ${chunks}`, names);
    expect(own.chunks).toHaveLength(MAX_CHUNKS);
    expect(own.sessionNames).toHaveLength(MAX_CHUNKS);
    const bindings = Array.from({ length: 20_000 }, (_, i) => `${names.binding}${String(i).padStart(6, '0')}=x`);
    expect(readOwnCookies(bindings.join('; '), names).bindingNames.length).toBeLessThanOrEqual(512);
  });
});

describe('our cookies in it', () => {
  it('A115 believes none of two with one name', () => {
    const value = 'A'.repeat(22);
    const header = `${names.session}=x; ${names.session}=y; ${names.binding}abcdef=${value}; ${names.binding}abcdef=${value}; ${names.marker}=1.0; ${names.marker}=1.0`;
    const own = readOwnCookies(header, names);
    expect(own.whole).toBeUndefined();
    expect(own.bindings.size).toBe(0);
    expect(own.marker).toBeUndefined();
    expect(own.sessionNames).toEqual([names.session]);
    expect(own.bindingNames).toEqual([`${names.binding}abcdef`]);
  });

  it('joins pieces up to the first gap', () => {
    const own = readOwnCookies(`${names.session}.1=b; ${names.session}.0=a; ${names.session}.3=d`, names);
    expect(own.chunks).toEqual(['a', 'b']);
    expect(own.sessionNames).toEqual(['0', '1', '3'].map((index) => `${names.session}.${index}`));
    expect(readOwnCookies(`${names.session}.1=b`, names).chunks).toEqual([]);
  });

  it('takes a binding cookie only in the form that is minted', () => {
    for (const pair of [
      'abcdef=short',
      `abcde=${'A'.repeat(22)}`,
      `abcdef=${'A'.repeat(21)}!`,
      `abcdefg=${'A'.repeat(22)}`,
    ])
      expect(readOwnCookies(names.binding + pair, names).bindings.size).toBe(0);
    expect(readOwnCookies(`${names.binding}abcdef=${'A'.repeat(22)}`, names).bindings.size).toBe(1);
  });

  it('A147 has names of its own for each plugin', () => {
    const other = cookieNames('shop/google', SECURE);
    const header = `${other.session}=x; ${other.binding}abcdef=${'A'.repeat(22)}; ${other.marker}=1.0`;
    const own = readOwnCookies(header, names);
    expect(own).toEqual({
      whole: undefined,
      chunks: [],
      sessionNames: [],
      bindings: new Map(),
      bindingNames: [],
      marker: undefined,
    });
  });
});

describe('A146 attributes', () => {
  it('are the strict ones', () => {
    expect(setCookie('__Host-postern-s-x', 'v', 60, SECURE)).toBe(
      '__Host-postern-s-x=v; Path=/; Max-Age=60; HttpOnly; Secure; SameSite=Lax',
    );
    expect(expireCookie('n', { secure: true, sameSite: 'None' })).toBe(
      'n=; Path=/; Max-Age=0; HttpOnly; Secure; SameSite=None',
    );
  });

  it('keep prefix and Secure on https whatever is set, and give cookies on plain http to loopback names only', () => {
    const loose = oidcConfig({ insecure: { httpCookies: true, httpProvider: false } });
    const strict = oidcConfig();
    expect(cookieModeOf('https://shop.example.com', loose)).toEqual(SECURE);
    for (const host of ['localhost:8080', 'app.localhost', '127.0.0.1:1', '127.9.9.9', '[::1]:8080']) {
      expect(cookieModeOf(`http://${host}`, loose)).toEqual({ prefix: '', secure: false, sameSite: 'Lax' });
      expect(cookieModeOf(`http://${host}`, strict)).toBeUndefined();
    }
    for (const host of [
      'shop.example.com',
      'localhost.evil.com',
      '127.0.0.1.evil.com',
      '10.0.0.1',
      '[::2]',
      'xlocalhost',
    ])
      expect(cookieModeOf(`http://${host}`, loose)).toBeUndefined();
  });
});
