import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkReturnPath, MAX_RETURN_PATH, returnPathOf } from '../../../../src/plugins/oidc/login/return-path.ts';

const ORIGIN = 'https://app.example';

/** Each has to be refused as it stands. */
const HOSTILE = [
  '//evil.com',
  '//evil.com/',
  '//evil.com/%2f..',
  '///evil.com',
  '////evil.com',
  '///evil.com/%2f%2e%2e',
  '/\\evil.com',
  '/\\/evil.com',
  '\\\\evil.com',
  '\\/evil.com',
  '/\\\\evil.com',
  '/\t/evil.com',
  '/\n/evil.com',
  '/\r/evil.com',
  '/\v/evil.com',
  '/\f/evil.com',
  '/\0/evil.com',
  '/ /evil.com',
  '/\u00a0/evil.com',
  '/\u2028/evil.com',
  '/\ufeff/evil.com',
  '/%09/evil.com',
  '/%0a/evil.com',
  '/%0D%0A/evil.com',
  '/%5cevil.com',
  '/%5c%5cevil.com',
  '/./\\evil.com',
  '/.//evil.com',
  '/..//evil.com',
  '/../evil.com',
  '/a/../../evil.com',
  '/%2e%2e//evil.com',
  '/%2e/evil.com',
  '/a//evil.com',
  ' /evil.com',
  '\t//evil.com',
  'http:evil.com',
  'http:/evil.com',
  'http:///evil.com',
  'https:evil.com',
  'https://evil.com',
  'HtTpS://evil.com',
  'https://app.example@evil.com',
  'https://app.example.evil.com',
  'https://app.example:80',
  'https://app.example',
  'https://0xd83ad6ce',
  'https://3627734734',
  'https://[::ffff:216.58.214.206]',
  '//0xd83ad6ce',
  '//1113982867/',
  '//google%E3%80%82com',
  '//\u0261oogle.com',
  '/\uff0fevil.com',
  '/\u3002evil.com',
  '@evil.com',
  ':80',
  '?//evil.com',
  '#//evil.com',
  '.evil.com',
  'evil.com',
  'javascript:alert(1)',
  'JaVaScRiPt:alert(1)',
  'java\nscript:alert(1)',
  'data:text/html,<script>alert(1)</script>',
  'blob:https://app.example/x',
  'file:///etc/passwd',
  '',
  '/a\r\nSet-Cookie: x=y',
  '/a?b\r\nSet-Cookie: x=y',
  '/a?b c',
  '/a#fragment',
  '/a?b#fragment',
  '/é',
  '/a?é',
  '/%zz',
  '/%',
  '/%ff',
];

describe('A090 where a browser is sent back to', () => {
  it.each(HOSTILE)('refuses %j', (payload) => {
    expect(checkReturnPath(payload, ORIGIN)).toBeUndefined();
  });

  it.each([
    '/',
    '/orders',
    '/orders/',
    '/orders/7?page=2&sort=-date',
    '/a?next=//evil.com',
    '/a?next=https://evil.com/%0d%0a',
    '/a?b=\\x',
    '/%C3%A9/%20',
    '/a%2Fb',
    "/it's/(this);v=1/[x]|y^",
    '/a@b:c',
    '/a?',
  ])('keeps %j, which stays here', (path) => {
    expect(checkReturnPath(path, ORIGIN)).toBe(path);
    expect(URL.parse(path, ORIGIN)?.origin).toBe(ORIGIN);
  });

  it('never lets a browser leave, whatever is put together of the pieces that such payloads are made of', () => {
    const piece = fc.constantFrom(
      ...'/ \\ . .. : @ ? # ; & % %2f %2F %5c %09 %0a %00 %2e %u2215 evil.com app.example http: https: javascript: // 0x7f.1 [::1] a'.split(
        ' ',
      ),
      ' ',
      '\t',
      '\n',
      '\r',
      '\0',
      '\u00a0',
      '\u2028',
      '\u3002',
      '\uff0f',
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 8 }), fc.boolean(), (pieces, slash) => {
        const text = (slash ? '/' : '') + pieces.join('');
        const path = checkReturnPath(text, ORIGIN) ?? '/';
        expect(path).toMatch(/^\/[!-~]*$/);
        expect(path).not.toMatch(/^\/[/\\]/);
        for (const base of [ORIGIN, `${ORIGIN}/_oidc/okta/callback?x`]) expect(new URL(path, base).origin).toBe(ORIGIN);
      }),
      { numRuns: 20_000 },
    );
  });

  it('never lets a browser leave with any text at all', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 40 }), fc.string({ unit: 'binary' }), (path, query) => {
        const result = returnPathOf(`/${path}`, query === '' ? '' : `?${query}`, ORIGIN);
        expect(new URL(result, ORIGIN).origin).toBe(ORIGIN);
        expect(result).toMatch(/^\/[!-~]*$/);
      }),
    );
  });
});

describe('A091 what is long or would split a header', () => {
  it('keeps 4 KiB whole, then loses the query, then becomes /', () => {
    const room = MAX_RETURN_PATH - '/orders?'.length;
    const whole = `?${'q'.repeat(room)}`;
    expect(returnPathOf('/orders', whole, ORIGIN)).toBe(`/orders${whole}`);
    expect(returnPathOf('/orders', `${whole}q`, ORIGIN)).toBe('/orders');
    expect(returnPathOf(`/${'p'.repeat(MAX_RETURN_PATH)}`, '?a', ORIGIN)).toBe('/');
  });

  it('drops a query that no header can carry', () => {
    expect(returnPathOf('/orders', '?a\r\nSet-Cookie: x=y', ORIGIN)).toBe('/orders');
    expect(returnPathOf('/orders', '?é', ORIGIN)).toBe('/orders');
  });
});
