import { createHash, randomBytes } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { Redacted } from '../../../../src/resources/redacted.ts';
import { CookieJar } from '../../../support/cookie-jar.ts';
import { followLogin, type HonestProvider, startHonestProvider } from '../../../support/honest-provider.ts';
import { callbackOf, config, REDIRECT_URI, ready, type Subject, stopAll } from './support.ts';

describe('a certified provider', () => {
  let honest: HonestProvider;

  beforeAll(async () => {
    honest = await startHonestProvider({
      redirectUris: [REDIRECT_URI],
      postLogoutRedirectUris: ['http://localhost:8080/'],
    });
  });
  afterAll(() => honest.close());
  afterEach(stopAll);

  const making = (secret = honest.clientSecret): Promise<Subject> =>
    ready(
      config(honest.issuer, {
        clientId: honest.clientId,
        clientSecrets: [new Redacted(secret)],
        scopes: ['openid', 'profile', 'email', 'groups'],
      }),
    );

  async function signIn({ provider }: Subject, nonce: string, verifier: string): Promise<URL> {
    const codeChallenge = createHash('sha256').update(verifier).digest('base64url');
    const url = provider.authorizationUrl({ redirectUri: REDIRECT_URI, state: 'state', nonce, codeChallenge });
    return followLogin(url?.href ?? '', REDIRECT_URI, new CookieJar());
  }
  const random = (): string => randomBytes(32).toString('base64url');

  it('logs somebody in, from the authorization request to the claims', async () => {
    const made = await making();
    const [nonce, verifier] = [random(), random()];
    const back = await signIn(made, nonce, verifier);
    expect(made.provider.metadata()).toEqual({ issuer: honest.issuer, sendsIss: true });
    expect(back.searchParams.get('iss')).toBe(honest.issuer);
    expect(back.searchParams.get('state')).toBe('state');
    const result = await made.provider.exchange(callbackOf(back.searchParams.get('code') ?? '', verifier, nonce));
    expect(result).toMatchObject({
      ok: true,
      tokens: {
        claims: { sub: 'u-1815', preferred_username: 'ada', email_verified: true, groups: ['analysts'], nonce },
      },
    });
  });

  it('A110 refuses a code with the verifier of another browser, and a code twice', async () => {
    const made = await making();
    const [nonce, verifier] = [random(), random()];
    const stolen = (await signIn(made, nonce, verifier)).searchParams.get('code') ?? '';
    expect(await made.provider.exchange(callbackOf(stolen, random(), nonce))).toMatchObject({
      failure: 'code_rejected',
    });
    const code = (await signIn(made, nonce, verifier)).searchParams.get('code') ?? '';
    expect((await made.provider.exchange(callbackOf(code, verifier, nonce))).ok).toBe(true);
    expect(await made.provider.exchange(callbackOf(code, verifier, nonce))).toMatchObject({ failure: 'code_rejected' });
  });

  it('A111 an ID token with the nonce of another attempt is refused', async () => {
    const made = await making();
    const verifier = random();
    const code = (await signIn(made, random(), verifier)).searchParams.get('code') ?? '';
    expect(await made.provider.exchange(callbackOf(code, verifier, random()))).toMatchObject({
      failure: 'id_token_nonce',
    });
  });

  it('refuses a wrong client secret', async () => {
    const made = await making('wrong');
    const [nonce, verifier] = [random(), random()];
    const code = (await signIn(made, nonce, verifier)).searchParams.get('code') ?? '';
    expect(await made.provider.exchange(callbackOf(code, verifier, nonce))).toMatchObject({
      failure: 'client_rejected',
    });
  });

  it('offers its logout', async () => {
    const made = await making();
    const url = made.provider.endSessionUrl({
      idTokenHint: undefined,
      postLogoutRedirectUri: 'http://localhost:8080/',
    });
    expect(url?.origin).toBe(honest.issuer);
    const page = await fetch(url ?? '');
    expect(page.status).toBe(200);
  });
});
