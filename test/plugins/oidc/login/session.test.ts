import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ClaimNeeds } from '../../../../src/authorization/identity.ts';
import { formatKeyList, generateKey } from '../../../../src/keys/key-list.ts';
import type { Session } from '../../../../src/plugins/oidc/session/session.ts';
import { createSessionCache } from '../../../../src/plugins/oidc/session/session-cache.ts';
import { decodeSession, encodeSession } from '../../../../src/plugins/oidc/session/session-codec.ts';
import { packToken, unpackToken } from '../../../../src/plugins/oidc/session/token-codec.ts';
import type { OidcConfig } from '../../../../src/plugins/oidc/spec/config.ts';
import type { Decision } from '../../../../src/routing/decision.ts';
import { Browser, codeOf, HOUR, headerOf, jwt, locationOf, MINUTE, oidcConfig, Stage, statusOf } from './harness.ts';

async function loggedIn(change: Partial<OidcConfig> = {}, prepare: (stage: Stage) => void = () => undefined) {
  const stage = new Stage(change);
  prepare(stage);
  const browser = new Browser(stage);
  browser.hoards = true;
  const end = await browser.logIn();
  return { stage, browser, end };
}

/** Without a fresh cache every test would only see what the login left in it. */
function elsewhere(stage: Stage, browser: Browser): { stage: Stage; browser: Browser } {
  const replica = new Stage(stage.config, 'shop/okta', stage.keys);
  replica.now = stage.now;
  const moved = new Browser(replica, browser.defaults);
  moved.hoards = browser.hoards;
  for (const [name, cookie] of browser.jar) moved.jar.set(name, cookie);
  return { stage: replica, browser: moved };
}

const { upstream, logout } = oidcConfig();
const NO_TOKEN = { ...upstream, accessToken: { kind: 'None' } } as const;
const needs = (claims: readonly string[]): ClaimNeeds => ({ claims, groups: false, email: false });
const identityOf = (decision: Decision) => (decision.kind === 'continue' ? decision.identity : undefined);

describe('a session', () => {
  it('proves the identity and brings the headers, on this process and on another', async () => {
    const { stage, browser } = await loggedIn();
    for (const side of [browser, elsewhere(stage, browser).browser]) {
      const page = side.send('/orders');
      expect(page).not.toBeInstanceOf(Promise);
      const decision = await page;
      expect(identityOf(decision)).toEqual({
        issuer: 'https://idp.example',
        subject: 'u-1',
        username: 'ada',
        groups: ['staff'],
        email: { address: 'ada@example.com', verified: true },
        claims: { preferred_username: 'ada', groups: ['staff'], email: 'ada@example.com', email_verified: true },
      });
      expect(headerOf(decision, 'x-forwarded-user')).toBe('ada');
      expect(headerOf(decision, 'authorization')).toMatch(/^Bearer [\w-]+\.[\w-]+\.[\w-]+$/);
      expect(decision.cookies).toEqual([]);
    }
  });

  it('is opened once: the same decision object comes again', async () => {
    const { browser } = await loggedIn();
    expect(await browser.send('/orders')).toBe(await browser.send('/other'));
  });

  it('A146 its cookie has the strict attributes', async () => {
    const { end } = await loggedIn({ upstream: NO_TOKEN, logout: { ...logout, rpInitiated: false } });
    expect(end.cookies[0]).toMatch(
      /^__Host-postern-s-[\w-]{8}=[\w-]+; Path=\/; Max-Age=3600; HttpOnly; Secure; SameSite=Lax$/,
    );
  });

  it('A048 an e-mail address is verified by the boolean only', async () => {
    for (const verified of [undefined, false, 'true', 1, null, [true]]) {
      const { browser } = await loggedIn({}, ({ provider }) => {
        provider.claims = { sub: 'u', email: 'a@example.com', email_verified: verified };
      });
      expect(identityOf(await browser.get('/'))?.email).toEqual({ address: 'a@example.com', verified: false });
    }
  });

  it('takes groups from a list or one string, and from a nested claim', async () => {
    const groups = async (path: readonly string[], claims: Record<string, unknown>) => {
      const { browser } = await loggedIn({ claims: { ...oidcConfig().claims, groups: path } }, ({ provider }) => {
        provider.claims = { sub: 'u', ...claims };
      });
      return identityOf(await browser.get('/'))?.groups;
    };
    expect(await groups(['groups'], { groups: ['a', 1, null, 'b', ['c']] })).toEqual(['a', 'b']);
    expect(await groups(['groups'], { groups: 'a' })).toEqual(['a']);
    expect(await groups(['groups'], { groups: { a: 1 } })).toEqual([]);
    expect(await groups(['realm_access', 'roles'], { realm_access: { roles: ['x'] } })).toEqual(['x']);
    for (const path of [
      ['__proto__', 'x'],
      ['constructor', 'name'],
      ['a', 'constructor', 'name'],
    ])
      expect(await groups(path, { a: {} })).toEqual([]);
  });
});

describe('A140 a cookie that is not exactly ours', () => {
  it('any changed, dropped or swapped character is no session', async () => {
    const { stage, browser } = await loggedIn();
    const [name = ''] = browser.names('s');
    const value = browser.jar.get(name)?.value ?? '';
    const { browser: replica } = elsewhere(stage, browser);
    const tries = fc.record({ at: fc.nat(value.length - 1), char: fc.constantFrom(...'ABCxyz019-_.=% "\t') });
    await fc.assert(
      fc.asyncProperty(tries, fc.constantFrom('change', 'drop', 'cut', 'add'), async ({ at, char }, how) => {
        const edited = {
          change: value.slice(0, at) + char + value.slice(at + 1),
          drop: value.slice(0, at) + value.slice(at + 1),
          cut: value.slice(0, at),
          add: value.slice(0, at) + char + value.slice(at),
        }[how];
        fc.pre(edited.trim() !== value);
        for (const side of [browser, replica]) {
          const header = `${name}=${edited}`;
          const before = side.cookieHeader;
          side.cookieHeader = () => header;
          expect(statusOf(await side.send('/orders'))).toBe(302);
          side.cookieHeader = before;
        }
      }),
      { numRuns: 300 },
    );
    expect((await browser.get('/')).kind).toBe('continue');
  });

  it('of another host is no session, though this process knows it', async () => {
    const { stage, browser } = await loggedIn();
    const other = new Browser(stage, { host: 'other.example.com' });
    for (const [name, cookie] of browser.jar) other.jar.set(name, cookie);
    expect((await browser.get('/')).kind).toBe('continue');
    expect(statusOf(await other.get('/'))).toBe(302);
    expect((await browser.get('/')).kind).toBe('continue');
  });

  it('twice is none', async () => {
    const { browser } = await loggedIn();
    const header = browser.cookieHeader();
    browser.cookieHeader = () => `${header}; ${header}`;
    expect(statusOf(await browser.send('/'))).toBe(302);
  });

  it('garbage is told from nothing in the metric only', async () => {
    const { stage, browser } = await loggedIn();
    const script = { headers: { 'sec-fetch-mode': 'cors' } };
    for (const name of browser.names('s')) browser.jar.set(name, { value: 'garbage', until: stage.now + HOUR });
    const garbage = await browser.get('/', script);
    const nothing = await new Browser(stage).get('/', script);
    expect(garbage).toEqual(nothing);
    expect(stage.events.slice(-2)).toEqual([
      { kind: 'Unauthenticated', reason: 'session_unreadable' },
      { kind: 'Unauthenticated', reason: 'no_session' },
    ]);
  });
});

describe('A141 a login', () => {
  it('always makes a new session and takes the old cookies away, whatever pieces they were in', async () => {
    const { stage, browser } = await loggedIn({}, ({ provider }) => {
      provider.accessToken = randomBytes(3000).toString('base64url');
    });
    expect(browser.names('s')).toHaveLength(2);
    const old = browser.cookieHeader();
    stage.provider.accessToken = 'small';
    stage.now += HOUR * 2;
    await browser.logIn();
    expect(browser.names('s')).toHaveLength(1);
    expect(old).not.toContain([...browser.jar.values()].map(({ value }) => value).find((value) => value.length > 200));
    expect(headerOf(await browser.get('/'), 'authorization')).toBe('Bearer small');
    stage.now += HOUR * 2;
    stage.provider.accessToken = randomBytes(3000).toString('base64url');
    for (const name of browser.names('s'))
      browser.jar.set(name, { value: 'chosen-by-attacker', until: stage.now + HOUR });
    await browser.logIn();
    expect(browser.names('s')).toHaveLength(2);
    expect((await browser.get('/')).kind).toBe('continue');
  });
});

describe('A144 the size of a session', () => {
  it('stays under 6 KB in few cookies, or the login fails with a page that says what to drop', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(5000), fc.nat(3000), async (tokenBytes, groupBytes) => {
        const { browser, end, stage } = await loggedIn({}, ({ provider }) => {
          provider.accessToken = randomBytes(tokenBytes + 10).toString('base64url');
          provider.claims = { ...provider.claims, groups: [randomBytes(groupBytes).toString('base64url')] };
        });
        const cookies = browser.names('s').map((name) => name.length + 3 + (browser.jar.get(name)?.value.length ?? 0));
        if (statusOf(end) === 303) {
          expect(cookies.length).toBeLessThanOrEqual(4);
          expect(cookies.reduce((a, b) => a + b)).toBeLessThanOrEqual(6000);
          expect(Math.max(...cookies)).toBeLessThanOrEqual(4096);
          expect((await elsewhere(stage, browser).browser.get('/')).kind).toBe('continue');
        } else {
          expect(codeOf(end)).toBe('login_session_too_large');
          expect(tokenBytes + groupBytes).toBeGreaterThan(3000);
          expect(cookies).toEqual([]);
        }
      }),
      { numRuns: 60 },
    );
  });

  it('names the parts that are to blame, not what is in them', async () => {
    const { end, stage, browser } = await loggedIn({}, ({ provider }) => {
      provider.accessToken = randomBytes(5000).toString('base64url');
      provider.claims = { ...provider.claims, groups: Array.from({ length: 300 }, (_, i) => `secret-group-${i}`) };
    });
    expect(statusOf(end)).toBe(500);
    const text = end.kind === 'respond' ? (end.notice?.text ?? '') : '';
    expect(text).toMatch(/the access token \(6\.7 KB\), the claim groups/);
    expect(JSON.stringify(end) + stage.logged.join()).not.toContain('secret-group');
    expect(end.cookies).toEqual([]);
    expect(stage.failures()).toEqual(['session_too_large']);
    expect(statusOf(await browser.get('/orders'))).toBe(302);
  });

  it('lets the ID token for the logout go first', async () => {
    const hint = (browser: Browser) =>
      browser
        .get('/_oidc/okta/logout', { headers: { 'sec-fetch-site': 'same-origin' } })
        .then((end) => new URL(locationOf(end)).searchParams.has('id_token_hint'));
    expect(await hint((await loggedIn()).browser)).toBe(true);
    const big = await loggedIn({}, ({ provider }) => {
      provider.accessToken = randomBytes(3900).toString('base64url');
    });
    expect(statusOf(big.end)).toBe(303);
    expect(await hint(big.browser)).toBe(false);
    expect(await hint((await loggedIn({ logout: { ...logout, idTokenHint: 'Never' } })).browser)).toBe(false);
  });

  it('A150 keeps no token that is passed on to nobody', async () => {
    const { stage, browser } = await loggedIn({ upstream: NO_TOKEN, logout: { ...logout, rpInitiated: false } });
    const page = await browser.get('/');
    expect(page.kind === 'continue' && page.headers.map(({ name }) => name)).toEqual(['X-Forwarded-User']);
    const [created] = stage.events.filter((event) => event.kind === 'SessionCreated');
    expect(created?.kind === 'SessionCreated' && created.bytes).toBeLessThan(500);
  });

  it('A150 passes tokens on where they were asked for by name', async () => {
    const { browser, stage } = await loggedIn({
      upstream: {
        accessToken: { kind: 'Header', name: 'X-Forwarded-Access-Token' },
        idTokenHeader: 'X-Postern-Id-Token',
        claims: [],
      },
    });
    const page = await elsewhere(stage, browser).browser.get('/');
    expect(page.kind === 'continue' && page.headers.map(({ name }) => name)).toEqual([
      'X-Forwarded-Access-Token',
      'X-Postern-Id-Token',
    ]);
    expect(headerOf(page, 'x-postern-id-token')).toMatch(/^[\w-]+\.[\w-]+\.[\w-]+$/);
  });
});

describe('the life of a session', () => {
  it('ends after the idle time, which use prolongs, and at the absolute time whatever the use', async () => {
    const { stage, browser } = await loggedIn({ upstream: NO_TOKEN });
    stage.now += HOUR - 1;
    const unused = elsewhere(stage, browser);
    unused.stage.now += 1;
    expect(statusOf(await unused.browser.get('/'))).toBe(302);
    let alive = HOUR - 1;
    while (alive < 24 * HOUR && (await browser.get('/')).kind === 'continue') {
      stage.now += 30 * MINUTE;
      alive += 30 * MINUTE;
    }
    expect(alive).toBeGreaterThanOrEqual(12 * HOUR);
    expect(alive).toBeLessThan(12.5 * HOUR);
  });

  it('A136 holds the claims of the login until the absolute time, and not longer', async () => {
    const { stage, browser } = await loggedIn({ upstream: NO_TOKEN });
    stage.provider.claims = { sub: 'u-1', groups: [] };
    for (let minutes = 0; minutes < 12 * 60 - 30; minutes += 30) {
      stage.now += 30 * MINUTE;
      expect(identityOf(await browser.get('/'))?.groups).toEqual(['staff']);
    }
    stage.now += 30 * MINUTE;
    await browser.logIn('/');
    expect(identityOf(await browser.get('/'))?.groups).toEqual([]);
  });

  it('is sealed anew at most once per tenth of the idle time, by one of the requests side by side', async () => {
    const { stage, browser } = await loggedIn({ upstream: NO_TOKEN });
    let sealed = 0;
    for (let minute = 0; minute < 60; minute += 1) {
      stage.now += MINUTE;
      const pages = await Promise.all(Array.from({ length: 20 }, () => browser.send('/')));
      expect(pages.every((page) => page.kind === 'continue')).toBe(true);
      const renewed = pages.filter((page) => page.cookies.length > 0);
      sealed += renewed.length;
      for (const page of renewed) browser.store(page.cookies);
    }
    expect(sealed).toBe(10);
  });

  it('is sealed again where the browser lost the answer', async () => {
    const { stage, browser } = await loggedIn({ upstream: NO_TOKEN });
    stage.now += 6 * MINUTE;
    expect((await browser.send('/')).cookies).toHaveLength(1);
    stage.now += 5 * MINUTE;
    expect((await browser.send('/')).cookies).toHaveLength(0);
    stage.now += MINUTE;
    expect((await browser.send('/')).cookies).toHaveLength(1);
  });

  it('A131 is not used past the life of the token that it passes on', async () => {
    const { stage, browser } = await loggedIn({}, ({ provider }) => {
      provider.tokenLife = 5 * MINUTE;
    });
    stage.now += 5 * MINUTE - 1;
    expect((await browser.send('/')).kind).toBe('continue');
    stage.now += 1;
    expect(statusOf(await browser.send('/'))).toBe(302);
    const kept = await loggedIn({ upstream: NO_TOKEN }, ({ provider }) => {
      provider.tokenLife = 5 * MINUTE;
    });
    kept.stage.now += 50 * MINUTE;
    expect((await kept.browser.send('/')).kind).toBe('continue');
    const id = await loggedIn({ upstream: { ...NO_TOKEN, idTokenHeader: 'X-Postern-Id-Token' } });
    id.stage.now += 301_000;
    expect(statusOf(await id.browser.send('/'))).toBe(302);
  });

  it('A149 goes on while its key is listed, is sealed with the new one, and ends with its key even where it is known', async () => {
    const stage = new Stage({ upstream: NO_TOKEN });
    const old = generateKey(stage.now - HOUR, randomBytes);
    const young = generateKey(stage.now - HOUR / 2, randomBytes);
    stage.keys.replace(formatKeyList([old]));
    const browser = new Browser(stage);
    const idle = new Browser(stage);
    await browser.logIn();
    await idle.logIn();
    stage.keys.replace(formatKeyList([old, young]));
    stage.now += 6 * MINUTE;
    expect((await browser.get('/')).cookies).toHaveLength(1);
    expect((await idle.send('/')).kind).toBe('continue');
    stage.keys.replace(formatKeyList([young]));
    expect((await browser.get('/')).kind).toBe('continue');
    expect(statusOf(await idle.get('/'))).toBe(302);
    expect(statusOf(await idle.logIn())).toBe(303);
  });
});

describe('what a session kept', () => {
  it('a Route that needs a claim that was not kept sees no session, one that needs less does', async () => {
    const stage = new Stage({ upstream: NO_TOKEN });
    stage.provider.claims = { sub: 'u', department: 'x' };
    const browser = new Browser(stage, { keeps: needs(['department', 'absent']), needs: needs([]) });
    await browser.logIn();
    stage.now += 10_000;
    const script = { headers: { 'sec-fetch-mode': 'cors' } };
    expect((await browser.get('/', { needs: needs(['department']) })).kind).toBe('continue');
    expect((await browser.get('/', { needs: needs(['absent', 'department']) })).kind).toBe('continue');
    expect(statusOf(await browser.get('/', { needs: needs(['level']) }))).toBe(302);
    expect(statusOf(await browser.get('/', { needs: needs(['level']), ...script }))).toBe(401);
    expect(stage.events.at(-1)).toEqual({ kind: 'Unauthenticated', reason: 'session_incomplete' });
    expect(statusOf(await browser.get('/', { needs: { claims: [], groups: true, email: false } }))).toBe(302);
    expect((await browser.get('/')).kind).toBe('continue');
  });

  it('a session without what the configuration now passes on is none', async () => {
    const before = await loggedIn({ upstream: NO_TOKEN });
    const change = (config: Partial<OidcConfig>) => {
      const after = new Stage(config, 'shop/okta', before.stage.keys);
      const browser = new Browser(after);
      for (const [name, cookie] of before.browser.jar) browser.jar.set(name, cookie);
      return browser.get('/');
    };
    expect((await change({ upstream: NO_TOKEN })).kind).toBe('continue');
    expect(statusOf(await change({ upstream }))).toBe(302);
    const claims = [{ claim: ['phone'], header: 'X-Postern-Phone', encoding: 'Text' }] as const;
    expect(statusOf(await change({ upstream: { ...NO_TOKEN, claims } }))).toBe(302);
  });
});

describe('the form of a session', () => {
  const token = fc.option(
    fc.oneof(
      fc.string(),
      fc.json().map((text) => jwt(text, 64)),
      fc.constant('a.b.c='),
    ),
    { nil: undefined },
  );
  const sessions: fc.Arbitrary<Session> = fc.record({
    subject: fc.string(),
    createdAt: fc.nat(),
    sealedAt: fc.nat(),
    tokensEndAt: fc.option(fc.nat(), { nil: undefined }),
    kept: fc.array(fc.string()),
    claims: fc.dictionary(
      fc.string(),
      fc.jsonValue().map((value) => JSON.parse(JSON.stringify(value)) as unknown),
    ),
    accessToken: token.filter((text) => text === undefined || text.isWellFormed()),
    idToken: token.filter((text) => text === undefined || text.isWellFormed()),
  });

  it('comes back the same', () => {
    fc.assert(
      fc.property(sessions, (value) => {
        expect(JSON.stringify(decodeSession(encodeSession(value)))).toBe(JSON.stringify(value));
      }),
    );
  });

  it('reads no session out of other bytes, and never throws', () => {
    fc.assert(fc.property(fc.uint8Array(), (bytes) => decodeSession(Buffer.from(bytes)) === undefined));
    const whole = encodeSession({
      subject: 's',
      createdAt: 1,
      sealedAt: 1,
      tokensEndAt: undefined,
      kept: [],
      claims: {},
      accessToken: 'a.b',
      idToken: undefined,
    });
    for (let length = 0; length < whole.length; length += 1)
      expect(decodeSession(whole.subarray(0, length))).toBeUndefined();
  });

  it('keeps a JWT in three quarters of its length, and any token byte for byte', () => {
    const text = jwt({ sub: 'u' });
    expect(packToken(text).length).toBeLessThan(text.length * 0.8);
    for (const odd of ['', '.', '..', 'a', 'a.b', 'YQ.YQ', 'YR.YQ', 'a=.b', 'é.ü', '+/.+/', 'x'.repeat(99_999)])
      expect(unpackToken(packToken(odd))).toBe(odd);
  });
});

describe('the cache of opened sessions', () => {
  it('stays within its budget and lets the least recently used go', () => {
    const cache = createSessionCache<number>(10_000);
    const text = (index: number): string => `${'x'.repeat(76)}${String(index).padStart(24, '0')}`;
    for (let index = 0; index < 1000; index += 1) {
      cache.set(text(index), index, 1000);
      cache.get(text(0));
    }
    expect(cache.size).toBe(10);
    expect(cache.get(text(0))).toBe(0);
    expect(cache.get(text(999))).toBe(999);
    expect(cache.get(text(500))).toBeUndefined();
  });

  it('compares the whole text', () => {
    const cache = createSessionCache<number>(10_000);
    cache.set(`a${'x'.repeat(50)}`, 1, 10);
    expect(cache.get(`b${'x'.repeat(50)}`)).toBeUndefined();
    expect(cache.get(`a${'x'.repeat(50)}`)).toBe(1);
  });
});
