import fc from 'fast-check';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type FakeProvider, startFakeProvider } from '../support/fake-provider.ts';
import { until } from '../support/gateway.ts';
import { plugin, route, type Shop, secret, service, startShop, yaml } from '../support/shop.ts';
import { type Asking, Visitor } from '../support/visitor.ts';

/** Attacks on logins through the real command line: what an attacker could ever send, as bytes. */

const SECRET = { 'client-secret': 'secret' };
const CALLBACK = '/_oidc/idp/callback';
const DEEP = '/orders/deep/back';
let fake: FakeProvider;
let other: FakeProvider;
let shop: Shop;

/**
 * `/` is Public, `/orders` has plugin idp, `/deep` plugin deep, whose callback lies below it, `/other` a plugin of another
 * provider, `/twin` one of the same; plugin `broken` is invalid; namespace `evil` names what isn't its own.
 */
const objects = (url: string): Readonly<Record<string, string>> => ({
  'shop.yaml': yaml(
    service(url),
    route('root', { path: '/' }),
    route('orders', { plugins: ['idp'] }),
    route('deep', { path: '/orders/deep', plugins: ['deep'] }),
    route('other', { plugins: ['other'] }),
    route('twin', { plugins: ['twin'] }),
    route('elsewhere', { host: 'b.localhost', path: '/', plugins: ['idp'] }),
    plugin('idp', fake),
    plugin('deep', fake, { redirectPath: DEEP }),
    plugin('other', other),
    plugin('twin', fake),
    ...['idp', 'deep', 'other', 'twin'].map((name) => secret(name, SECRET)),
  ),
  'broken.yaml': yaml(
    route('broken', { plugins: ['broken'] }),
    plugin('broken', fake, { redirectPath: '/broken/back' }),
  ),
  'evil.yaml': yaml(
    service(url, 'shop', 'evil'),
    route('evil', { namespace: 'evil', path: '/evil/plugin', plugins: [{ name: 'idp', namespace: 'shop' }] }),
    route('thief', { namespace: 'evil', path: '/evil/secret', plugins: ['thief'] }),
    route('guest', {
      namespace: 'evil',
      path: '/evil/service',
      spec: { serviceRef: { name: 'shop', namespace: 'shop' } },
    }),
    plugin('thief', fake, { clientSecretRef: { name: 'idp' } }, 'evil'),
  ),
});

beforeAll(async () => {
  fake = await startFakeProvider();
  other = await startFakeProvider();
  shop = await startShop(objects);
  for (const path of ['/orders', '/orders/deep', '/other', '/twin'])
    await until(
      async () => (await new Visitor().ask(shop.site + path)).status === 302,
      `${path} to offer a login`,
      () => shop.gateway.log(),
    );
});
afterAll(async () => {
  await shop?.stop();
  await fake.close();
  await other.close();
});
beforeEach(() => {
  shop.echo.seen.length = 0;
});
afterEach(() => {
  fake.metadata = {};
  fake.lie = {};
  fake.response = {};
});

const login = async (path = '/orders'): Promise<Visitor> => {
  const visitor = new Visitor();
  expect((await visitor.open(shop.site + path)).status).toBe(200);
  return visitor;
};
/** On the way back from the provider, with code and state, not yet there. */
const returning = async (path = '/orders', callback = CALLBACK): Promise<{ visitor: Visitor; back: URL }> => {
  const visitor = new Visitor();
  return { visitor, back: await visitor.openUntil(shop.site + path, shop.site + callback) };
};
const exchanges = (): number => fake.tokenRequests.length + other.tokenRequests.length;
/** The session cookie of a plugin: name and value. */
const sessionOf = (visitor: Visitor): { readonly name: string; readonly value: string } => {
  const name = visitor.jar.names(new URL(shop.site).host).find((each) => each.startsWith('postern-s-')) ?? '';
  return { name, value: visitor.cookie(shop.site, name) ?? '' };
};

describe('a callback that is refused', () => {
  const queries: readonly (readonly [string, (good: URLSearchParams) => string])[] = [
    ['nothing', () => ''],
    ['a question mark', () => '?'],
    ['a code alone', (good) => `?code=${good.get('code')}`],
    ['another state', (good) => `?code=${good.get('code')}&state=AAAA`],
    ['two states', (good) => `?${good.toString()}&state=x`],
    ['two codes', (good) => `?${good.toString()}&code=x`],
    ['a bad escape', (good) => `?${good.toString()}&x=%zz`],
    [
      'an error',
      (good) => `?error=access_denied&error_description=<script>alert(1)</script>&state=${good.get('state')}`,
    ],
  ];
  const places = [
    ['its default path', '/orders', CALLBACK],
    ['a path below its own Route and beside a Public one', '/orders/deep', DEEP],
  ] as const;
  describe.each(places)('at %s', (_where, page, callback) => {
    it.each(queries)('A092 A095 with %s reaches no upstream and makes no session', async (_what, query) => {
      const { visitor, back } = await returning(page, callback);
      const before = exchanges();
      const answer = await visitor.ask(shop.site + callback + query(back.searchParams));
      expect(answer.status).toBeGreaterThanOrEqual(400);
      expect(answer.status).toBeLessThan(500);
      expect(answer.headers.location).toBeUndefined();
      expect(answer.headers['cache-control']).toBe('no-store');
      expect(answer.body).not.toContain('<script');
      expect(sessionOf(visitor).name).toBe('');
      expect([shop.echo.seen, exchanges()]).toEqual([[], before]);
    });

    it.each(['POST', 'PUT', 'DELETE', 'HEAD', 'OPTIONS'])('by %s reaches no upstream either', async (method) => {
      const { visitor, back } = await returning(page, callback);
      const answer = await visitor.ask(back, { method });
      expect(answer.status).toBe(405);
      expect(shop.echo.seen).toEqual([]);
      // And was not used up by it.
      expect((await visitor.open(back)).status).toBe(200);
    });

    it('A018 under another spelling hands its code to no Public Route', async () => {
      const { back } = await returning(page, callback);
      const { search } = back;
      const spelled = [
        callback.replace('/', '//'),
        `/x/..${callback}`,
        `/.${callback}`,
        callback.replace('back', '%62ack'),
        callback.replaceAll('/', '%2f').replace('%2f', '/'),
        `${callback};x`,
        `${callback}/`,
        `${callback}/x`,
        `${callback}%00`,
        `${callback}%23`,
        `${callback}%3f`,
      ];
      for (const path of spelled) await new Visitor().ask(shop.site, { target: path + search });
      expect(shop.echo.seen.map(({ url }) => url)).toEqual([]);
    });
  });

  it('A175 of a plugin that is broken or that nobody ever made is no Public page', async () => {
    const { back } = await returning();
    const broken = await new Visitor().ask(`${shop.site}/broken/back${back.search}`);
    expect(broken.status).toBe(503);
    for (const name of ['broken', 'nobody', 'deep'])
      expect((await new Visitor().ask(`${shop.site}/_oidc/${name}/callback${back.search}`)).status).toBe(404);
    expect(shop.echo.seen).toEqual([]);
  });
});

describe('login CSRF', () => {
  it('A094 the code and state of an attacker make no session and no call, in a fresh browser', async () => {
    const { back } = await returning();
    const before = exchanges();
    const victim = new Visitor();
    const answer = await victim.ask(back);
    expect([answer.status, answer.headers.location, answer.headers['set-cookie']]).toEqual([400, undefined, undefined]);
    expect([exchanges(), shop.echo.seen]).toEqual([before, []]);
  });

  it('A094 nor in one that is logged in, which keeps its session; nor with a binding of its own', async () => {
    const victim = await login();
    const mine = sessionOf(victim);
    const { back } = await returning('/orders/attacker?x=1');
    const before = exchanges();
    const answer = await victim.ask(back);
    expect([answer.status, answer.headers.location]).toEqual([303, '/orders/attacker?x=1']);
    expect(sessionOf(victim)).toEqual(mine);
    const { visitor } = await returning();
    expect((await visitor.ask(back)).status).toBe(400);
    expect(exchanges()).toBe(before);
  });

  it('A115 nor with the name of its binding cookie planted from a sibling', async () => {
    const { visitor, back } = await returning();
    const cookie = visitor.jar.header(new URL(shop.site));
    const name = cookie.slice(0, cookie.indexOf('='));
    const before = exchanges();
    for (const planted of [`${name}=AAAAAAAAAAAAAAAAAAAAAA`, `${name}=AAAAAAAAAAAAAAAAAAAAAA; ${cookie}`, `${name}=`])
      expect((await new Visitor().ask(back, { cookie: planted })).status).toBe(400);
    expect(exchanges()).toBe(before);
    expect((await visitor.open(back)).status).toBe(200);
  });

  it('A092 a callback that was used is no second session, and sends its browser on', async () => {
    const { visitor, back } = await returning('/orders/once');
    expect((await visitor.open(back)).body).toBe('service saw /orders/once');
    const [mine, before] = [sessionOf(visitor), exchanges()];
    expect((await visitor.ask(back)).headers.location).toBe('/orders/once');
    expect([sessionOf(visitor), exchanges()]).toEqual([mine, before]);
  });

  it('A110 A141 a code of another browser, with a state of one’s own, is worth nothing', async () => {
    const [attacker, victim] = [await returning(), await returning()];
    const mixed = new URL(victim.back);
    mixed.searchParams.set('code', attacker.back.searchParams.get('code') ?? '');
    const answer = await victim.visitor.ask(mixed);
    expect([answer.status, sessionOf(victim.visitor).name]).toEqual([400, '']);
  });

  it('A104 A119 parameters of a request start nothing and get nowhere', async () => {
    const evil = 'iss=https://evil.example&login_hint=x&target_link_uri=https://evil.example/&scope=admin&prompt=none';
    const started = await new Visitor().ask(`${shop.site}/orders?${evil}&redirect_uri=https://evil.example`);
    const asked = new URL(started.headers.location ?? '');
    expect(asked.origin).toBe(fake.origin);
    expect(asked.searchParams.getAll('scope')).toEqual(['openid profile email']);
    expect(asked.searchParams.getAll('redirect_uri')).toEqual([shop.site + CALLBACK]);
    for (const name of ['prompt', 'login_hint', 'iss', 'target_link_uri'])
      expect(asked.searchParams.has(name)).toBe(false);
    expect((await new Visitor().ask(`${shop.site}/_oidc/idp/login?${evil}`)).status).toBe(404);
    expect((await new Visitor().ask(`${shop.site}${CALLBACK}?${evil}`)).status).toBe(400);
  });
});

describe('the way back after a login', () => {
  const long = (length: number): string => 'x'.repeat(length);
  it.each([
    ['//evil.example/a', '/evil.example/a'],
    ['///evil.example/%2f%2e%2e', undefined],
    ['/\\evil.example', undefined],
    ['/%5cevil.example', undefined],
    ['/%09/evil.example', undefined],
    ['/.//evil.example', undefined],
    ['/a/..//evil.example', undefined],
    ['/%2e%2e//evil.example', undefined],
    ['http://evil.example/', undefined],
    ['javascript:alert(1)', undefined],
    ['@evil.example', undefined],
    ['/a%0d%0aSet-Cookie:x=y', undefined],
    ['/@evil.example/a:b', '/@evil.example/a:b'],
    ['/a?rd=//evil.example&next=https://evil.example', '/a?rd=//evil.example&next=https://evil.example'],
    ['/a?%0d%0aSet-Cookie:x=y', '/a?%0d%0aSet-Cookie:x=y'],
    [`/a?${long(4000)}`, `/a?${long(4000)}`],
    [`/a?${long(8000)}`, '/a'],
    [`/${long(8000)}`, '/'],
  ] as const)('A090 A091 is a path of this host, or there is no login (%#)', async (target, expected) => {
    const headers = { host: `b.localhost:${new URL(shop.site).port}` };
    const visitor = new Visitor();
    const start = await visitor.ask(shop.site, { target, headers });
    if (expected === undefined) {
      expect([start.status, start.headers.location]).toEqual([400, undefined]);
      return;
    }
    expect(start.status).toBe(302);
    const atProvider = await visitor.ask(start.headers.location ?? '');
    const back = new URL(atProvider.headers.location ?? '');
    expect(back.host).toBe(headers.host);
    const end = await visitor.ask(shop.site + back.pathname + back.search, { headers });
    expect([end.status, end.headers.location]).toEqual([303, expected]);
    expect(new URL(expected, shop.site).origin).toBe(shop.site);
  });
});

describe('two plugins on one host', () => {
  it('A140 A147 have cookies of their own, and a session of one is none of the other', async () => {
    const [visitor, twin] = [await login(), await login('/twin')];
    const [mine, others] = [sessionOf(visitor), sessionOf(twin)];
    expect(mine.name).not.toBe(others.name);
    expect((await visitor.ask(`${shop.site}/twin`)).status).toBe(302);
    const renamed = (name: string, value: string): Asking => ({ cookie: `${name}=${value}` });
    expect((await new Visitor().ask(`${shop.site}/twin`, renamed(others.name, mine.value))).status).toBe(302);
    expect((await new Visitor().ask(`${shop.site}/twin`, renamed(others.name, others.value))).status).toBe(200);
    expect((await new Visitor().ask(`${shop.site}/orders`, renamed(mine.name, others.value))).status).toBe(302);
    // Both at once in one browser.
    const both = await login();
    expect((await both.open(`${shop.site}/twin`)).status).toBe(200);
    expect((await both.ask(`${shop.site}/orders`)).status).toBe(200);
    expect(shop.echo.seen.every(({ headers }) => !JSON.stringify(headers).includes('postern-'))).toBe(true);
  });

  it('A140 a session of one host is none of another, nor one of which anything was changed', async () => {
    const { name, value } = sessionOf(await login());
    const elsewhere = { host: `b.localhost:${new URL(shop.site).port}` };
    const asked = async (asking: Asking): Promise<number> =>
      (await new Visitor().ask(`${shop.site}/orders`, asking)).status;
    expect(await asked({ cookie: `${name}=${value}` })).toBe(200);
    expect(await asked({ cookie: `${name}=${value}`, headers: elsewhere })).toBe(302);
    const flip = (at: number): string => value.slice(0, at) + (value[at] === 'A' ? 'B' : 'A') + value.slice(at + 1);
    const changed = [0, 5, Math.floor(value.length / 2), value.length - 1].map(flip);
    for (const wrong of [...changed, value.slice(0, -4), `${value}AAAA`, value.slice(4), ''])
      expect(await asked({ cookie: `${name}=${wrong}` }), wrong.slice(0, 8)).toBe(302);
    expect(await asked({ cookie: `${name}.0=${value.slice(0, 40)}; ${name}.1=${value.slice(40)}` })).not.toBe(500);
  });

  it('A113 an answer to one plugin is worthless at the callback of another, also of another provider', async () => {
    for (const name of ['twin', 'other']) {
      const { visitor, back } = await returning();
      const before = exchanges();
      const answer = await visitor.ask(`${shop.site}/_oidc/${name}/callback${back.search}`);
      expect([answer.status, answer.headers['set-cookie']]).toEqual([400, undefined]);
      expect(exchanges()).toBe(before);
    }
  });
});

describe('a session that does not come back', () => {
  it('A106 ends in a page after two starts, in no loop, and is counted', async () => {
    const visitor = new Visitor();
    visitor.refuses = (name) => name.startsWith('postern-s-');
    const before = exchanges();
    const end = await visitor.open(`${shop.site}/orders/loop`);
    expect([end.status, end.url.pathname]).toEqual([400, '/orders/loop']);
    expect(end.body).toContain('does not send the session back');
    expect(exchanges() - before).toBe(2);
    const metrics = await (await fetch(`${shop.gateway.adminUrl}/metrics`)).text();
    expect(metrics).toMatch(/^postern_oidc_login_failures_total\{plugin="shop\/idp",reason="session_lost"\} [1-9]/m);
    expect(shop.echo.seen).toEqual([]);
  });

  it('A144 because it is too large fails on a page that says what to drop, and is counted', async () => {
    // Random bytes: nothing that deflating could help with.
    fake.response = { access_token: randomText(12_000) };
    const visitor = new Visitor();
    const end = await visitor.open(`${shop.site}/orders`);
    expect([end.status, end.url.pathname]).toEqual([500, CALLBACK]);
    expect(end.body).toContain('accessToken: None');
    const metrics = await (await fetch(`${shop.gateway.adminUrl}/metrics`)).text();
    expect(metrics).toMatch(/^postern_oidc_login_failures_total\{[^}]*reason="session_too_large"\} [1-9]/m);
  });
});

describe('anything at all', () => {
  it('A092 A140 A142 in cookies, query, method and path is answered without a bug, a session or a call', async () => {
    const known = sessionOf(await login());
    const { visitor, back } = await returning();
    const binding = visitor.jar.header(new URL(shop.site)).split('=')[0] ?? '';
    const id = known.name.slice('postern-s-'.length);
    const before = exchanges();
    shop.echo.seen.length = 0;
    const names = [
      known.name,
      `${known.name}.0`,
      `${known.name}.1`,
      `${known.name}.9`,
      binding,
      `postern-m-${id}`,
      'a',
      '',
    ];
    const text = fc.oneof(
      fc.constantFrom('', '0', '-1', '1e999', 'NaN', '__proto__', '1000000000', `${Date.now()}.0`, `${Date.now()}.9`),
      fc.constantFrom(known.value.slice(0, -1), known.value.slice(7), `x${known.value}`, 'A'.repeat(3000)),
      // Whatever a Cookie line can carry through Node's client.
      fc.string({ unit: fc.constantFrom(...'Az09-_.~!#$&*+=^`|{}[]()<>@,:?/\\"% ;\u00ff'), maxLength: 60 }),
    );
    const cookies = fc.array(fc.tuple(fc.constantFrom(...names), text), { maxLength: 6 });
    const parameter = fc.tuple(
      fc.constantFrom('code', 'state', 'iss', 'error', 'error_description', 'session_state', 'x'),
      fc.oneof(text.map(encodeURIComponent), fc.constantFrom(back.searchParams.get('state') ?? '', '%', '%ff', '+')),
    );
    const query = fc.array(parameter, { maxLength: 5 }).map((pairs) => pairs.map((pair) => pair.join('=')).join('&'));
    const paths = [
      CALLBACK,
      DEEP,
      '/_oidc/idp/logout',
      '/_oidc/twin/callback',
      '/_oidc',
      '/_oidc/',
      '/orders',
      '/twin/a',
    ];
    const methods = fc.constantFrom('GET', 'GET', 'GET', 'POST', 'HEAD', 'PUT', 'OPTIONS', 'BREW');
    await fc.assert(
      fc.asyncProperty(cookies, query, fc.constantFrom(...paths), methods, async (pairs, search, path, method) => {
        // An `=` too many is part of the value, a `;` too many makes another cookie: both are wanted.
        const cookie = pairs.map((pair) => pair.join('=')).join('; ');
        const answer = await new Visitor().ask(shop.site, { target: `${path}?${search}`, method, cookie });
        expect([200, 302, 303, 400, 401, 403, 404, 405]).toContain(answer.status);
        const said = [answer.headers['set-cookie'] ?? []].flat();
        expect(said.filter((line) => /^postern-s-/.test(line) && !/Max-Age=0/.test(line))).toEqual([]);
        expect(said.join('').length).toBeLessThan(16_384);
      }),
      { numRuns: 600 },
    );
    expect([exchanges(), shop.echo.seen]).toEqual([before, []]);
    const lines = shop.gateway.log().split('\n');
    expect(lines.filter((line) => /\ba bug\b|internal_error/.test(line))).toEqual([]);
    expect((await visitor.open(back)).status).toBe(200);
  });
});

describe('another namespace', () => {
  it.each([
    ['a plugin', '/evil/plugin', /RefNotPermitted/],
    ['a Secret', '/evil/secret', /SecretNotFound/],
    ['a Service', '/evil/service', /RefNotPermitted/],
  ])('A172 can use no %s of this one: its Route is closed, and the log says why', async (_what, path, reason) => {
    const answer = await new Visitor().ask(shop.site + path);
    expect(answer.status).toBe(503);
    expect((await login()).cookie(shop.site, 'postern-s-')).toBeDefined();
    expect(
      (await new Visitor().ask(shop.site + path, { cookie: (await login()).jar.header(new URL(shop.site)) })).status,
    ).toBe(503);
    expect(shop.echo.seen.filter(({ url }) => url.startsWith('/evil'))).toEqual([]);
    expect(shop.gateway.log()).toMatch(reason);
  });
});

function randomText(length: number): string {
  const bytes = new Uint8Array(length);
  crypto.getRandomValues(bytes);
  return Buffer.from(bytes).toString('base64url').slice(0, length);
}
