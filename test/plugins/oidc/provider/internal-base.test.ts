import { createHash, randomBytes } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { twoSides } from '../../../../src/plugins/oidc/provider/internal-base.ts';
import { Redacted } from '../../../../src/resources/redacted.ts';
import { type Authority, privateAuthority } from '../../../support/certificates.ts';
import { CookieJar } from '../../../support/cookie-jar.ts';
import { followLogin, type HonestProvider, startHonestProvider } from '../../../support/honest-provider.ts';
import { openssl } from '../../../support/parts.ts';
import { callbackOf, config, REDIRECT_URI, ready, settled, stopAll, subject } from './support.ts';

describe('what is inside and what is outside', () => {
  it.each([
    [
      'https://sso.example/realms/a',
      'https://kc.idp.svc:8443/realms/a',
      'https://sso.example/realms/a/token',
      'https://kc.idp.svc:8443/realms/a/token',
    ],
    [
      'https://sso.example/auth/realms/a',
      'http://kc/realms/a',
      'https://sso.example/auth/realms/a/token?x=1',
      'http://kc/realms/a/token?x=1',
    ],
    [
      'https://sso.example/realms/a',
      'https://kc/auth/realms/a',
      'https://sso.example/realms/a/token',
      'https://kc/auth/realms/a/token',
    ],
    [
      'https://ak.example/application/o/app/',
      'http://ak:9000/application/o/app/',
      'https://ak.example/application/o/token/',
      'http://ak:9000/application/o/token/',
    ],
    ['https://ak.example/o/app/', 'http://ak:9000/o/app', 'https://ak.example/o/app/x', 'http://ak:9000/o/app/x'],
    ['https://sso.example', 'http://dex:5556', 'https://sso.example/token', 'http://dex:5556/token'],
    ['https://sso.example/dex', 'http://dex:5556', 'https://sso.example/dex/token', 'http://dex:5556/token'],
  ])('%s and %s pair %s with %s', (issuer, base, outer, inner) => {
    const sides = twoSides(issuer, base);
    expect(sides.inside(new URL(outer)).href).toBe(inner);
    expect(sides.outside(new URL(inner)).href).toBe(outer);
  });

  it.each([
    ['https://other.example/realms/a/token'],
    ['http://sso.example/auth/realms/a/token'],
    ['https://sso.example:8443/auth/token'],
    ['https://sso.example/author/token'],
    ['https://sso.example/'],
    ['https://kc:8443/realms/a/token'],
  ])('%s is neither, and stays', (text) => {
    const { inside } = twoSides('https://sso.example/auth/realms/a', 'https://kc:8443/realms/a');
    expect(inside(new URL(text)).href).toBe(text);
  });
});

describe.skipIf(openssl.missing)(
  `a certified provider inside, whose issuer is its public address ${openssl.why}`,
  () => {
    /** Resolves nowhere. */
    const ISSUER = 'https://sso.public.invalid';
    const insecure = { httpCookies: false, httpProvider: false };
    let authority: Authority;
    let honest: HonestProvider;
    let base: string;

    beforeAll(async () => {
      authority = privateAuthority('the cluster’s CA');
      honest = await startHonestProvider({
        redirectUris: [REDIRECT_URI],
        issuer: ISSUER,
        tls: authority.issue(['DNS:localhost']),
      });
      base = honest.origin.replace('127.0.0.1', 'localhost');
    });
    afterAll(async () => {
      await honest.close();
      authority.remove();
    });
    afterEach(stopAll);
    const plugin = (changes: Parameters<typeof config>[1] = {}) =>
      config(ISSUER, {
        insecure,
        ca: authority.ca,
        internalBase: base,
        clientId: honest.clientId,
        clientSecrets: [new Redacted(honest.clientSecret)],
        ...changes,
      });

    it('logs somebody in: called inside, browsers sent outside, and the issuer is the public one', async () => {
      const made = await ready(plugin());
      const [nonce, verifier] = [randomBytes(16).toString('hex'), randomBytes(32).toString('base64url')];
      const codeChallenge = createHash('sha256').update(verifier).digest('base64url');
      const url = made.provider.authorizationUrl({ redirectUri: REDIRECT_URI, state: 'state', nonce, codeChallenge });
      expect(url?.origin).toBe(ISSUER);
      expect(made.provider.endSessionUrl({ idTokenHint: undefined, postLogoutRedirectUri: REDIRECT_URI })?.origin).toBe(
        ISSUER,
      );
      // The browser's way in, which the test has to stand in for.
      const back = await followLogin(url?.href ?? '', REDIRECT_URI, new CookieJar(), {
        ca: authority.ca,
        move: (each) => new URL(each.href.replace(ISSUER, base)),
      });
      expect(back.searchParams.get('iss')).toBe(ISSUER);
      const result = await made.provider.exchange(callbackOf(back.searchParams.get('code') ?? '', verifier, nonce));
      expect(result).toMatchObject({ ok: true, tokens: { claims: { iss: ISSUER, sub: 'u-1815' } } });
    });

    it('is found nowhere without the base', async () => {
      expect(await settled(subject(plugin({ internalBase: undefined })))).toMatchObject({
        reason: 'DiscoveryFailed',
        message: expect.stringContaining(ISSUER),
      });
    });

    it('A116 an issuer that is not the public one is refused, also where it is the base', async () => {
      const made = subject(plugin({ issuer: base, internalBase: undefined }));
      expect(await settled(made)).toMatchObject({ reason: 'IssuerMismatch', message: expect.stringContaining(ISSUER) });
    });

    it('its certificate is verified for the name inside', async () => {
      const made = subject(plugin({ internalBase: honest.origin }));
      expect(await settled(made)).toMatchObject({ reason: 'TLSVerificationFailed' });
      const strange = subject(plugin({ ca: undefined }));
      expect(await settled(strange)).toMatchObject({ reason: 'TLSVerificationFailed' });
    });

    it('A117 the base is held to the policy of addresses', async () => {
      expect(await settled(subject(plugin(), { addresses: { kind: 'Public' } }))).toMatchObject({
        reason: 'AddressNotAllowed',
      });
    });
  },
);
