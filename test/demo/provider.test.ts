import { createHash } from 'node:crypto';
import { createRemoteJWKSet, jwtVerify } from 'jose';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { z } from 'zod';
import { type DemoProvider, startProvider } from '../../demo/provider.ts';
import { USERS } from '../../demo/users.ts';

const REDIRECT = 'http://localhost:8080/_oidc/demo/callback';
const RESOURCE = 'http://localhost:8080';
const VERIFIER = 'a-verifier-of-at-least-forty-three-characters-0';
const said = [vi.spyOn(console, 'info'), vi.spyOn(console, 'warn')];

let provider: DemoProvider;

beforeAll(async () => {
  provider = await startProvider({
    port: 0,
    users: USERS,
    resource: RESOURCE,
    client: {
      clientId: 'postern-demo',
      clientSecret: 's3cret',
      redirectUris: [REDIRECT],
      postLogoutRedirectUris: [`${RESOURCE}/open`],
    },
  });
});
afterAll(() => provider.close());

/** A browser without a screen: keeps cookies, follows redirects within the provider. */
class Visitor {
  readonly #cookies = new Map<string, string>();

  async open(
    url: string,
    form?: Readonly<Record<string, string>>,
  ): Promise<{ status: number; url: string; text: string }> {
    const response = await fetch(url, {
      redirect: 'manual',
      headers: {
        accept: 'text/html',
        cookie: [...this.#cookies].map(([name, value]) => `${name}=${value}`).join('; '),
      },
      ...(form === undefined ? {} : { method: 'POST', body: new URLSearchParams(form) }),
    });
    for (const line of response.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
      if (value === '') this.#cookies.delete(name);
      else this.#cookies.set(name, value);
    }
    const location = response.headers.get('location');
    if (location === null) return { status: response.status, url, text: await response.text() };
    const next = new URL(location, url);
    if (next.origin !== provider.issuer) return { status: response.status, url: next.href, text: '' };
    return this.open(next.href);
  }

  /** To the sign-in page, or straight through it where the provider knows this visitor. */
  login(parameters: Readonly<Record<string, string>> = {}): Promise<{ status: number; url: string; text: string }> {
    const query = new URLSearchParams({
      client_id: 'postern-demo',
      response_type: 'code',
      scope: 'openid profile email groups',
      redirect_uri: REDIRECT,
      state: 'state-1',
      nonce: 'nonce-1',
      code_challenge: createHash('sha256').update(VERIFIER).digest('base64url'),
      code_challenge_method: 'S256',
      ...parameters,
    });
    return this.open(`${provider.issuer}/auth?${query}`);
  }
}

const TOKENS = z.object({ access_token: z.string(), id_token: z.string() });

async function exchange(callback: string): Promise<z.output<typeof TOKENS>> {
  const response = await fetch(`${provider.issuer}/token`, {
    method: 'POST',
    headers: { authorization: `Basic ${Buffer.from('postern-demo:s3cret').toString('base64')}` },
    body: new URLSearchParams({
      grant_type: 'authorization_code',
      code: new URL(callback).searchParams.get('code') ?? '',
      redirect_uri: REDIRECT,
      code_verifier: VERIFIER,
    }),
  });
  expect(response.status).toBe(200);
  return TOKENS.parse(await response.json());
}

describe('the demo provider', () => {
  it.each(USERS)('signs $username in and tells all about the account in both tokens', async (user) => {
    const visitor = new Visitor();
    const page = await visitor.login();
    expect(page.text).toContain('<h1>Sign in</h1>');
    const back = await visitor.open(page.url, { username: user.username, password: user.password });
    expect(back.url).toMatch(/^http:\/\/localhost:8080\/_oidc\/demo\/callback\?code=.*&state=state-1&iss=/);
    const tokens = await exchange(back.url);
    const keys = createRemoteJWKSet(new URL(`${provider.issuer}/jwks`));
    const id = await jwtVerify(tokens.id_token, keys, { issuer: provider.issuer, audience: 'postern-demo' });
    expect(id.payload).toMatchObject({
      sub: user.id,
      nonce: 'nonce-1',
      preferred_username: user.username,
      name: user.name,
      email: user.email,
      email_verified: user.emailVerified,
      groups: user.groups,
    });
    const access = await jwtVerify(tokens.access_token, keys, {
      issuer: provider.issuer,
      audience: RESOURCE,
      typ: 'at+jwt',
    });
    expect(access.payload).toMatchObject({ sub: user.id, client_id: 'postern-demo', groups: user.groups });
  });

  it('has a plain user, an admin, and one whose address is not verified', () => {
    expect(USERS.map((user) => [user.groups.includes('admins'), user.emailVerified])).toEqual([
      [false, true],
      [true, true],
      [false, false],
    ]);
  });

  it('says so where name or password is wrong, and lets the right one in after that', async () => {
    const visitor = new Visitor();
    const page = await visitor.login();
    const wrong = await visitor.open(page.url, { username: '"><script>', password: 'x' });
    expect(wrong.status).toBe(403);
    expect(wrong.text).toContain('There is no account with this name and password.');
    expect(wrong.text).toContain('value="&quot;&gt;&lt;script&gt;"');
    const right = await visitor.open(page.url, { username: 'ada', password: 'lovelace' });
    expect(new URL(right.url).searchParams.has('code')).toBe(true);
  });

  it('asks nothing of whoever is signed in, until they sign out', async () => {
    const visitor = new Visitor();
    const page = await visitor.login();
    await visitor.open(page.url, { username: 'ada', password: 'lovelace' });
    expect((await visitor.login()).url).toContain('code=');
    const query = new URLSearchParams({ client_id: 'postern-demo', post_logout_redirect_uri: `${RESOURCE}/open` });
    const ask = await visitor.open(`${provider.issuer}/session/end?${query}`);
    expect(ask.text).toContain('<h1>Sign out here too?</h1>');
    const xsrf = /name="xsrf" value="([^"]+)"/.exec(ask.text)?.[1] ?? '';
    const out = await visitor.open(`${provider.issuer}/session/end/confirm`, { xsrf, logout: 'yes' });
    expect(out.url).toBe(`${RESOURCE}/open`);
    expect((await visitor.login()).text).toContain('<h1>Sign in</h1>');
  });

  it('wants PKCE', async () => {
    const query = { client_id: 'postern-demo', response_type: 'code', scope: 'openid', redirect_uri: REDIRECT };
    const answer = await new Visitor().open(`${provider.issuer}/auth?${new URLSearchParams(query)}`);
    expect(new URL(answer.url).searchParams.get('error')).toBe('invalid_request');
  });

  it('refuses another redirect URI with a page of its own', async () => {
    const answer = await new Visitor().login({ redirect_uri: 'http://localhost:8080/elsewhere' });
    expect(answer.status).toBe(400);
    expect(answer.text).toContain('invalid_redirect_uri');
  });

  it('has a page for a sign-in that is over', async () => {
    const answer = await new Visitor().open(`${provider.issuer}/interaction/unknown`);
    expect(answer.status).toBe(400);
    expect(answer.text).toContain('This sign-in is over');
  });

  it('keeps quiet in the terminal', () => {
    for (const spy of said) expect(spy).not.toHaveBeenCalled();
  });
});
