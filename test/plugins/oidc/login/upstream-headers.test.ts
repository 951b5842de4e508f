import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { writeClaim } from '../../../../src/plugins/oidc/session/upstream-headers.ts';
import type { ClaimEncoding } from '../../../../src/plugins/oidc/spec/config.ts';
import { Browser, codeOf, headerOf, oidcConfig, Stage, statusOf } from './harness.ts';

const ENCODINGS: readonly ClaimEncoding[] = ['Text', 'Percent', 'Json', 'Base64Json'];

describe('A046 T18 a claim value as a header', () => {
  it.each<[unknown, string | undefined, string | undefined, string]>([
    ['ada', 'ada', 'ada', '"ada"'],
    ['Ada Lovelace', 'Ada Lovelace', 'Ada%20Lovelace', '"Ada Lovelace"'],
    ['a\r\nX-Admin: 1', undefined, 'a%0D%0AX-Admin%3A%201', '"a\\r\\nX-Admin: 1"'],
    ['a\0b', undefined, 'a%00b', '"a\\u0000b"'],
    ['日本', undefined, '%E6%97%A5%E6%9C%AC', '"\\u65e5\\u672c"'],
    ['é', undefined, '%C3%A9', '"\\u00e9"'],
    ['\ud800', undefined, '%EF%BF%BD', '"\\ud800"'],
    [' a', undefined, '%20a', '" a"'],
    ['a ', undefined, 'a%20', '"a "'],
    ['a\tb', undefined, 'a%09b', '"a\\tb"'],
    ['a\u007f', undefined, 'a%7F', '"a\\u007f"'],
    ['', undefined, '', '""'],
    ["it's (a) test*!", "it's (a) test*!", 'it%27s%20%28a%29%20test%2A%21', '"it\'s (a) test*!"'],
    [7, '7', '7', '7'],
    [true, 'true', 'true', 'true'],
    [{ a: 1 }, undefined, undefined, '{"a":1}'],
  ])('%j', (value, text, percent, json) => {
    expect(writeClaim(value, 'Text')).toBe(text);
    expect(writeClaim(value, 'Percent')).toBe(percent);
    expect(writeClaim(value, 'Json')).toBe(json);
    expect(JSON.parse(Buffer.from(writeClaim(value, 'Base64Json') ?? '', 'base64').toString())).toEqual(value);
  });

  it('is always one that a header can carry, whatever the claim is', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.constantFrom(...ENCODINGS), (value, encoding) => {
        const written = writeClaim(value, encoding);
        if (written !== undefined && written !== '') expect(written).toMatch(/^[!-~]([ -~]*[!-~])?$/);
        if (encoding === 'Json' && written !== undefined)
          expect(JSON.parse(written)).toEqual(JSON.parse(JSON.stringify(value)));
      }),
    );
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (value) => {
        const percent = writeClaim(value, 'Percent') ?? 'missing';
        expect(percent).toMatch(/^[A-Za-z0-9._~%-]*$/);
        expect(decodeURIComponent(percent)).toBe(value.toWellFormed());
        expect([undefined, value]).toContain(writeClaim(value, 'Text'));
      }),
    );
  });

  it('left out where its encoding can’t say it: the login goes on, the log names the header and not the value', async () => {
    const stage = new Stage();
    stage.provider.claims = { sub: 'u', preferred_username: 'ada\r\nX-Admin: 1' };
    const browser = new Browser(stage);
    expect(statusOf(await browser.logIn())).toBe(303);
    const page = await browser.get('/');
    expect(page.kind === 'continue' && page.headers.map(({ name }) => name)).toEqual(['Authorization']);
    expect(stage.logged.join()).toContain('X-Forwarded-User');
    expect(stage.logged.join()).not.toContain('X-Admin');
  });

  it.each(ENCODINGS)('20 KiB refuses the login with a page that names the header (%s)', async (encoding) => {
    const { upstream } = oidcConfig();
    const claims = [{ claim: ['long'], header: 'X-Postern-Long', encoding }];
    const stage = new Stage({ upstream: { ...upstream, claims } });
    stage.provider.claims = { sub: 'u', long: 'a'.repeat(20 * 1024) };
    const browser = new Browser(stage);
    const end = await browser.logIn();
    expect(statusOf(end)).toBe(500);
    expect(codeOf(end)).toBe('login_claim_too_long');
    expect(JSON.stringify(end)).toContain('X-Postern-Long');
    expect(end.cookies).toEqual([]);
    expect(stage.failures()).toEqual(['claim_too_long']);
  });

  it.each(['a\r\nX-Admin: 1', 'a b', 'é', '', 'a\0'])('an access token %j refuses the login', async (token) => {
    const stage = new Stage();
    stage.provider.accessToken = token;
    const end = await new Browser(stage).logIn();
    expect(statusOf(end)).toBe(502);
    expect(end.cookies).toEqual([]);
  });

  it('a claim that is not there, or null, writes no header', async () => {
    const stage = new Stage();
    stage.provider.claims = { sub: 'u', preferred_username: null };
    const browser = new Browser(stage);
    await browser.logIn();
    expect(headerOf(await browser.get('/'), 'x-forwarded-user')).toBeUndefined();
    expect(stage.logged).toEqual([]);
  });
});

describe('A047 lists', () => {
  it('a comma inside one member never makes two', () => {
    expect(writeClaim(['a', 'b,admin'], 'Text')).toBeUndefined();
    expect(writeClaim(['a', 'b,admin'], 'Percent')).toBe('a,b%2Cadmin');
    expect(writeClaim(['a', 'b'], 'Text')).toBe('a,b');
    expect(writeClaim(['a', 'b,admin'], 'Json')).toBe('["a","b,admin"]');
  });

  it('come back as they were from every encoding that writes them', () => {
    const members = fc.array(
      fc.string({ unit: 'binary' }).map((text) => text.toWellFormed()),
      { minLength: 1 },
    );
    fc.assert(
      fc.property(members, (list) => {
        const text = writeClaim(list, 'Text');
        if (text !== undefined) expect(text.split(',')).toEqual(list);
        const percent = writeClaim(list, 'Percent');
        if (percent !== undefined) expect(percent.split(',').map(decodeURIComponent)).toEqual(list);
        expect(JSON.parse(writeClaim(list, 'Json') ?? '')).toEqual(list);
      }),
    );
  });
});
