import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { Browser, codeOf, HOUR, headerOf, locationOf, NAVIGATE, Stage, statusOf, view } from './harness.ts';

const bare = (headers: Record<string, string>) => {
  const stage = new Stage();
  const [request, context] = view('/orders', {}, undefined);
  const decision = stage.plugin.decide({ ...request, header: (name) => headers[name] }, context);
  if (decision instanceof Promise) throw new Error('decide has to be synchronous here');
  return { stage, decision };
};

describe('a request without a session', () => {
  it('is sent to the provider when it is a navigation, and comes back to the very URL', async () => {
    const browser = new Browser(new Stage());
    const start = await browser.get('/orders/7', { query: '?page=2&q=a%20b' });
    expect(statusOf(start)).toBe(302);
    const url = new URL(locationOf(start));
    expect(url.searchParams.get('redirect_uri')).toBe('https://shop.example.com/_oidc/okta/callback');
    expect(headerOf(start, 'cache-control')).toBe('no-store');
    const end = await browser.comeBack(url.href);
    expect(statusOf(end)).toBe(303);
    expect(locationOf(end)).toBe('/orders/7?page=2&q=a%20b');
    expect(headerOf(end, 'cache-control')).toBe('no-store');
    const page = await browser.get('/orders/7');
    expect(page.kind).toBe('continue');
    expect(browser.stage.events.map(({ kind }) => kind)).toEqual([
      'Unauthenticated',
      'LoginStarted',
      'LoginReturned',
      'LoginExchanged',
      'SessionCreated',
    ]);
  });

  it.each<[string, Record<string, string>, string?]>([
    ['fetch()', { 'sec-fetch-mode': 'cors', 'sec-fetch-dest': 'empty', 'sec-fetch-site': 'same-origin' }],
    ['fetch() that accepts HTML', { 'sec-fetch-mode': 'cors', 'sec-fetch-dest': 'empty', accept: 'text/html' }],
    ['a frame', { ...NAVIGATE, 'sec-fetch-dest': 'iframe', accept: 'text/html' }],
    ['an image', { 'sec-fetch-mode': 'no-cors', 'sec-fetch-dest': 'image' }],
    ['a prefetch', { ...NAVIGATE, 'sec-purpose': 'prefetch' }],
    ['a prerender', { ...NAVIGATE, 'sec-purpose': 'prefetch;prerender' }],
    ['one header alone', { 'sec-fetch-site': 'same-origin', accept: 'text/html' }],
    ['one other header alone', { 'sec-fetch-user': '?1', accept: 'text/html' }],
    ['no Sec-Fetch, no Accept', {}],
    ['no Sec-Fetch, JSON', { accept: 'application/json' }],
    ['no Sec-Fetch, anything', { accept: '*/*' }],
    ['no Sec-Fetch, HTML refused', { accept: 'text/html;q=0, */*' }],
  ])('A098 is answered 401 when it is %s', (_, headers) => {
    const { decision, stage } = bare(headers);
    expect(statusOf(decision)).toBe(401);
    expect(headerOf(decision, 'www-authenticate')).toBe('Bearer realm="postern"');
    expect(headerOf(decision, 'cache-control')).toBe('no-store');
    expect(codeOf(decision)).toBe('unauthenticated');
    expect(decision.cookies).toEqual([]);
    expect(stage.events).toEqual([{ kind: 'Unauthenticated', reason: 'no_session' }]);
  });

  it('A098 an Accept of HTML decides where no Sec-Fetch header is there', () => {
    expect(statusOf(bare({ accept: 'text/html,application/xhtml+xml,*/*;q=0.8' }).decision)).toBe(302);
    expect(statusOf(bare({ accept: 'application/json, TEXT/HTML; q=0.1' }).decision)).toBe(302);
  });

  it.each(['POST', 'PUT', 'DELETE', 'OPTIONS', 'HEAD'])('A099 is answered 401 when it is a %s', async (method) => {
    const browser = new Browser(new Stage());
    expect(statusOf(await browser.get('/orders', { method, headers: { accept: 'text/html' } }))).toBe(401);
    const redirecting = new Browser(new Stage({ unauthenticated: 'Redirect' }));
    expect(statusOf(await redirecting.get('/orders', { method }))).toBe(method === 'HEAD' ? 302 : 401);
  });

  it('goes by `unauthenticated`', async () => {
    const script = { headers: { 'sec-fetch-mode': 'cors', 'sec-fetch-dest': 'empty' } };
    expect(statusOf(await new Browser(new Stage({ unauthenticated: 'Redirect' })).get('/', script))).toBe(302);
    expect(statusOf(await new Browser(new Stage({ unauthenticated: 'Unauthorized' })).get('/'))).toBe(401);
  });

  it('A119 puts nothing of the request into the authorization request but, sealed, the way back', async () => {
    const browser = new Browser(new Stage());
    const start = await browser.get('/orders', {
      query: '?scope=admin&prompt=none&redirect_uri=https://evil.com&login_hint=x&state=fixed&nonce=fixed',
      headers: { ...NAVIGATE, 'x-forwarded-host': 'evil.com', 'x-forwarded-proto': 'http' },
    });
    const url = new URL(locationOf(start));
    expect([...url.searchParams.keys()].sort()).toEqual(
      [
        'client_id',
        'code_challenge',
        'code_challenge_method',
        'nonce',
        'redirect_uri',
        'response_type',
        'state',
      ].sort(),
    );
    expect(url.searchParams.get('redirect_uri')).toBe('https://shop.example.com/_oidc/okta/callback');
    expect(url.href).not.toMatch(/evil|admin|fixed|login_hint/);
  });

  it('A112 sends an S256 challenge of 256 bits, another one each time', async () => {
    const browser = new Browser(new Stage());
    await browser.get('/a');
    await browser.get('/a');
    const [one, two] = browser.stage.provider.requests;
    expect(one?.codeChallenge).toMatch(/^[A-Za-z0-9_-]{43}$/);
    expect(one?.codeChallenge).not.toBe(two?.codeChallenge);
    expect(one?.nonce).not.toBe(two?.nonce);
    expect(one?.nonce).toMatch(/^[A-Za-z0-9_-]{43}$/);
    // The challenge is no digest of anything that the browser sees.
    for (const seen of [one?.state ?? '', one?.nonce ?? '', [...browser.jar.values()][0]?.value ?? ''])
      expect(createHash('sha256').update(seen).digest('base64url')).not.toBe(one?.codeChallenge);
  });

  it('F30 gets 503 with Retry-After while discovery has never succeeded, scripts their 401', async () => {
    const stage = new Stage();
    stage.provider.metadataNow = undefined;
    stage.provider.statusNow = 'Unknown';
    const browser = new Browser(stage);
    const page = await browser.get('/orders');
    expect(statusOf(page)).toBe(503);
    expect(Number(headerOf(page, 'retry-after'))).toBeGreaterThan(0);
    expect(codeOf(page)).toBe('provider_unavailable');
    expect(stage.failures()).toEqual(['provider_unavailable']);
    expect(page.cookies).toEqual([]);
    expect(statusOf(await browser.get('/orders', { headers: { 'sec-fetch-mode': 'cors' } }))).toBe(401);
  });

  it('F31 gets a clear 503 when the provider is gone later, while sessions go on', async () => {
    const stage = new Stage();
    const known = new Browser(stage);
    await known.logIn();
    stage.provider.statusNow = 'False';
    stage.now += HOUR / 2;
    expect((await known.get('/orders')).kind).toBe('continue');
    expect(statusOf(await new Browser(stage).get('/orders'))).toBe(503);
    stage.provider.statusNow = 'True';
    expect(statusOf(await new Browser(stage).get('/orders'))).toBe(302);
  });

  it('is told why on a plain http address, and no cookie is made', async () => {
    for (const stage of [new Stage(), new Stage({ insecure: { httpCookies: true, httpProvider: true } })]) {
      for (const path of ['/orders', '/_oidc/okta/callback', '/_oidc/okta/logout']) {
        const page = await new Browser(stage, { origin: 'http://shop.example.com' }).get(path);
        expect(statusOf(page)).toBe(503);
        expect(codeOf(page)).toBe('insecure_origin');
        expect(page.cookies).toEqual([]);
      }
    }
  });

  it('A146 works on http://localhost with insecure.httpCookies, without prefix and Secure', async () => {
    const stage = new Stage({ insecure: { httpCookies: true, httpProvider: true } });
    const browser = new Browser(stage, { host: 'localhost', origin: 'http://localhost:8080' });
    const end = await browser.logIn('/orders');
    expect(locationOf(end)).toBe('/orders');
    expect(end.cookies.every((line) => line.startsWith('postern-') && !line.includes('Secure'))).toBe(true);
    expect((await browser.get('/orders')).kind).toBe('continue');
    expect(stage.provider.requests[0]?.redirectUri).toBe('http://localhost:8080/_oidc/okta/callback');
  });
});

describe('binding cookies', () => {
  it('A096 ten tabs at once in a fresh profile all end at their own page, finished in any order', async () => {
    for (const order of ['oldest', 'newest', 'shuffled'] as const) {
      const browser = new Browser(new Stage());
      const starts = Array.from({ length: 10 }, (_, tab) => ({ tab, decision: browser.send(`/tab/${tab}`) }));
      const urls: { tab: number; url: string }[] = [];
      for (const { tab, decision } of starts) {
        const start = await decision;
        browser.store(start.cookies);
        urls.push({ tab, url: locationOf(start) });
      }
      expect(browser.names('b')).toHaveLength(10);
      if (order === 'newest') urls.reverse();
      if (order === 'shuffled') urls.sort((a, b) => ((a.tab * 7) % 10) - ((b.tab * 7) % 10));
      for (const { tab, url } of urls) expect(locationOf(await browser.comeBack(url))).toBe(`/tab/${tab}`);
      expect(browser.stage.failures().every((reason) => reason === 'other_browser')).toBe(true);
    }
  });

  it('A096 tabs opened one after another share one', async () => {
    const browser = new Browser(new Stage());
    const urls = [];
    for (let tab = 0; tab < 10; tab += 1) urls.push(locationOf(await browser.get(`/tab/${tab}`)));
    expect(browser.names('b')).toHaveLength(1);
    for (const [tab, url] of urls.entries()) expect(locationOf(await browser.comeBack(url))).toBe(`/tab/${tab}`);
    expect(browser.stage.failures()).toEqual([]);
  });

  it('A097 1000 hits one after another and 100 side by side keep the header under 8 KB; a login prunes to five', async () => {
    const stage = new Stage();
    const browser = new Browser(stage);
    const together = Array.from({ length: 100 }, (_, tab) => browser.send(`/tab/${tab}`));
    for (const decision of together) browser.store((await decision).cookies);
    expect(browser.names('b')).toHaveLength(100);
    for (let hit = 0; hit < 1000; hit += 1) await browser.get('/orders');
    expect(browser.names('b')).toHaveLength(100);
    expect(browser.cookieHeader().length).toBeLessThan(8000);
    const end = await browser.logIn();
    expect(end.cookies.join('\r\n').length).toBeLessThan(16_000);
    expect(browser.names('b')).toHaveLength(5);
    expect(browser.largestHeader).toBeLessThan(8000);

    const alone = new Browser(new Stage());
    for (let hit = 0; hit < 1000; hit += 1) await alone.get('/orders');
    expect(alone.names('b')).toHaveLength(1);
    expect(alone.largestHeader).toBeLessThan(200);
  });

  it('live as long as the latest attempt that uses them', async () => {
    const browser = new Browser(new Stage());
    await browser.get('/first');
    browser.stage.now += HOUR - 1000;
    const url = locationOf(await browser.get('/second'));
    browser.stage.now += HOUR - 1000;
    expect(locationOf(await browser.comeBack(url))).toBe('/second');
  });

  it('A146 are Lax, or None where sessions are', async () => {
    const lax = await new Browser(new Stage()).get('/');
    expect(lax.cookies[0]).toMatch(
      /^__Host-postern-b-[\w-]{8}-[\w-]{6}=[\w-]{22}; Path=\/; Max-Age=3600; HttpOnly; Secure; SameSite=Lax$/,
    );
    const { idleTimeout, absoluteTimeout } = new Stage().config.session;
    const none = await new Browser(new Stage({ session: { idleTimeout, absoluteTimeout, sameSite: 'None' } })).get('/');
    expect(none.cookies[0]).toMatch(/SameSite=None$/);
  });
});
