import { describe, expect, it } from 'vitest';
import { Browser, codeOf, headerOf, locationOf, NAVIGATE, oidcConfig, Stage, statusOf } from './harness.ts';

const LOGOUT = '/_oidc/okta/logout';
const SAME = { headers: { 'sec-fetch-site': 'same-origin' } };
const { logout } = oidcConfig();

async function loggedIn(change = {}) {
  const stage = new Stage(change);
  const browser = new Browser(stage);
  await browser.logIn();
  return { stage, browser };
}

describe('logout', () => {
  it('ends the session here and at the provider', async () => {
    const { stage, browser } = await loggedIn();
    const end = await browser.get(LOGOUT, { method: 'POST', ...SAME });
    expect(statusOf(end)).toBe(303);
    const url = new URL(locationOf(end));
    expect(url.origin + url.pathname).toBe('https://idp.example/logout');
    expect(url.searchParams.get('post_logout_redirect_uri')).toBe('https://shop.example.com/');
    expect(url.searchParams.get('id_token_hint')).toMatch(/^[\w-]+\.[\w-]+\.[\w-]+$/);
    expect(browser.jar.size).toBe(0);
    expect(headerOf(end, 'cache-control')).toBe('no-store');
    expect(stage.events.at(-1)).toEqual({ kind: 'Logout', how: 'rp_initiated' });
    expect(statusOf(await browser.get('/orders'))).toBe(302);
  });

  it('still hints with a session that has expired', async () => {
    const { stage, browser } = await loggedIn({ session: { ...oidcConfig().session, absoluteTimeout: 60_000 } });
    const cookies = browser.cookieHeader();
    browser.cookieHeader = () => cookies;
    stage.now += 61_000;
    expect(new URL(locationOf(await browser.get(LOGOUT, SAME))).searchParams.has('id_token_hint')).toBe(true);
  });

  it('ends it here alone where the provider has no logout or none is wanted, with a page', async () => {
    const alone = await loggedIn({ logout: { ...logout, rpInitiated: false } });
    const none = await loggedIn();
    none.stage.provider.offersLogout = false;
    for (const { browser, stage } of [alone, none]) {
      const end = await browser.get(LOGOUT, { method: 'POST', ...SAME });
      expect([statusOf(end), codeOf(end)]).toEqual([200, 'signed_out']);
      expect(browser.jar.size).toBe(0);
      expect(stage.events.at(-1)).toEqual({ kind: 'Logout', how: 'local' });
    }
  });

  it.each([
    [
      'an image on another site',
      'GET',
      { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'no-cors', 'sec-fetch-dest': 'image' },
      200,
    ],
    ['a link on another site', 'GET', { ...NAVIGATE, 'sec-fetch-site': 'cross-site' }, 200],
    ['a link on a sibling', 'GET', { ...NAVIGATE, 'sec-fetch-site': 'same-site' }, 200],
    ['the address bar', 'GET', { ...NAVIGATE, 'sec-fetch-site': 'none' }, 200],
    [
      'an image on a page of this origin',
      'GET',
      { 'sec-fetch-site': 'same-origin', 'sec-fetch-mode': 'no-cors', 'sec-fetch-dest': 'image' },
      200,
    ],
    [
      'a prefetch on a page of this origin',
      'GET',
      { ...NAVIGATE, 'sec-fetch-site': 'same-origin', 'sec-purpose': 'prefetch' },
      200,
    ],
    [
      'a form on another site',
      'POST',
      { ...NAVIGATE, 'sec-fetch-site': 'cross-site', origin: 'https://shop.example.com' },
      403,
    ],
    ['a form on a sibling', 'POST', { ...NAVIGATE, 'sec-fetch-site': 'same-site' }, 403],
    ['an old browser elsewhere', 'POST', { 'sec-fetch-site': undefined, origin: 'https://evil.example' }, 403],
    ['an opaque origin', 'POST', { 'sec-fetch-site': undefined, origin: 'null' }, 403],
    ['nobody says', 'POST', { 'sec-fetch-site': undefined }, 403],
  ])('A100 asked by %s: at most a question', async (_, method, headers, status) => {
    const { stage, browser } = await loggedIn();
    const end = await browser.get(LOGOUT, { method, headers: headers as Record<string, string> });
    expect(statusOf(end)).toBe(status);
    expect(end.kind === 'respond' && end.notice?.action).toEqual({ kind: 'Form', label: 'Sign out', action: LOGOUT });
    expect(end.cookies).toEqual([]);
    expect(stage.events.some(({ kind }) => kind === 'Logout')).toBe(false);
    expect((await browser.get('/orders')).kind).toBe('continue');
  });

  it('A100 asked by a form of this origin in an old browser: done', async () => {
    const { browser } = await loggedIn();
    const headers: Record<string, string> = { origin: 'https://shop.example.com' };
    Object.assign(headers, { 'sec-fetch-site': undefined });
    expect(statusOf(await browser.get(LOGOUT, { method: 'POST', headers }))).toBe(303);
    expect(browser.jar.size).toBe(0);
  });

  it.each(['PUT', 'DELETE', 'OPTIONS', 'HEAD'])('by %s: 405', async (method) => {
    const { browser } = await loggedIn();
    const end = await browser.get(LOGOUT, { method, ...SAME });
    expect(statusOf(end)).toBe(405);
    expect(headerOf(end, 'allow')).toBe('GET, POST');
  });

  it('A101 goes where the configuration says, whatever the request asks', async () => {
    const query = '?post_logout_redirect_uri=https://evil.example&rd=//evil.example&returnTo=https://evil.example';
    for (const rpInitiated of [true, false]) {
      const { browser } = await loggedIn({
        logout: { ...logout, rpInitiated, postLogoutRedirectUri: 'https://www.example.com/bye' },
      });
      const end = await browser.get(LOGOUT, { method: 'POST', query, ...SAME });
      expect(JSON.stringify(end)).not.toContain('evil');
      if (rpInitiated)
        expect(new URL(locationOf(end)).searchParams.get('post_logout_redirect_uri')).toBe(
          'https://www.example.com/bye',
        );
      else expect(locationOf(end)).toBe('https://www.example.com/bye');
    }
  });

  it('A105 nothing that logging in or out answers can be kept by a cache', async () => {
    const stage = new Stage();
    const browser = new Browser(stage);
    const answers = [
      await browser.get('/orders'),
      await browser.get('/orders', { method: 'POST' }),
      await browser.get('/_oidc/okta/callback'),
      await browser.get('/_oidc/okta/callback', { method: 'POST' }),
      await browser.logIn(),
      await browser.get(LOGOUT),
      await browser.get(LOGOUT, { method: 'POST' }),
      await browser.get(LOGOUT, SAME),
      await browser.get('/orders'),
    ];
    expect(answers.map((answer) => headerOf(answer, 'cache-control'))).toEqual(answers.map(() => 'no-store'));
    expect(new Set(answers.map(statusOf))).toEqual(new Set([302, 401, 400, 405, 303, 200, 403]));
  });

  it('A142 clears a bounded set, whatever came', async () => {
    const { browser } = await loggedIn();
    const [name = ''] = browser.names('b');
    const family = name.slice(0, -6);
    const header = Array.from({ length: 5000 }, (_, index) => `${family}${String(index).padStart(6, '0')}=x`).join(
      '; ',
    );
    browser.cookieHeader = () => header;
    const end = await browser.send(LOGOUT, { method: 'POST', ...SAME });
    expect(end.cookies.join('\r\n').length).toBeLessThan(16_000);
  });
});

describe('A180 what is told and logged', () => {
  it('holds no token, code, state, cookie or secret', async () => {
    const stage = new Stage();
    const browser = new Browser(stage);
    stage.provider.accessToken = 'planted-access-token';
    const start = await browser.get('/orders');
    const query = stage.provider.signIn(locationOf(start));
    const params = new URLSearchParams(query.slice(1));
    const planted = [
      'planted-access-token',
      params.get('code') ?? '',
      params.get('state') ?? '',
      stage.provider.requests[0]?.nonce ?? '',
      [...browser.jar.values()][0]?.value ?? '',
    ];
    const said: unknown[] = [];
    for (const attempt of [
      query,
      query,
      `${query}&error=access_denied`,
      query.replace('idp.example', 'evil.example'),
    ]) {
      const answer = await new Browser(stage).get('/_oidc/okta/callback', { query: attempt });
      said.push(answer.kind === 'respond' ? answer.notice : undefined);
    }
    const done = await browser.get('/_oidc/okta/callback', { query });
    said.push(done.kind === 'respond' ? [done.headers, done.notice] : undefined);
    stage.provider.failure = { ok: false, failure: 'bad_response', detail: 'not JSON' };
    const failed = await new Browser(stage).logIn();
    said.push(failed.kind === 'respond' ? failed.notice : undefined);
    const all = JSON.stringify([said, stage.logged, stage.events, stage.plugin.status()]);
    for (const secret of planted) {
      expect(secret.length).toBeGreaterThan(10);
      expect(all).not.toContain(secret);
    }
  });

  it('stops its provider with it', () => {
    const stage = new Stage();
    stage.plugin.stop();
    expect(stage.provider.stopped).toBe(true);
  });
});
