import { afterEach, describe, expect, it } from 'vitest';
import { privateAuthority } from '../support/certificates.ts';
import { hang } from '../support/fake-answers.ts';
import { type FakeProvider, type FakeProviderOptions, startFakeProvider } from '../support/fake-provider.ts';
import { until } from '../support/gateway.ts';
import { openssl } from '../support/parts.ts';
import { plugin, route, type Shop, secret, service, startShop, yaml } from '../support/shop.ts';
import { Visitor } from '../support/visitor.ts';

/** What a provider does to those who log in, and to those who don't, seen through the real command line. */

const CLIENT = { 'client-secret': 'secret' };
const DISCOVERY = '/.well-known/openid-configuration';
const ending: (() => void | Promise<void>)[] = [];

afterEach(async () => {
  for (const end of ending.splice(0).toReversed()) await end();
});

async function provider(options: FakeProviderOptions = {}): Promise<FakeProvider> {
  const fake = await startFakeProvider(options);
  ending.push(() => fake.close());
  return fake;
}

/** Routes `/open` (Public) and, for each provider, `/<name>` with a plugin of that name. */
async function shopWith(
  providers: Readonly<Record<string, FakeProvider>>,
  spec: Readonly<Record<string, unknown>> = {},
): Promise<Shop> {
  const shop = await startShop((url) => ({
    'rest.yaml': yaml(service(url), route('open')),
    ...Object.fromEntries(
      Object.entries(providers).map(([name, fake]) => [
        `${name}.yaml`,
        yaml(route(name, { plugins: [name] }), plugin(name, fake, spec), secret(name, CLIENT)),
      ]),
    ),
  }));
  ending.push(() => shop.stop());
  return shop;
}

const offersLogin = async (shop: Shop, path: string): Promise<void> =>
  await until(
    async () => (await new Visitor().ask(shop.site + path)).status === 302,
    `${path} to offer a login`,
    () => shop.gateway.log(),
  );
const callback = (shop: Shop, name: string): string => `${shop.site}/_oidc/${name}/callback`;
const snapshot = async (shop: Shop): Promise<unknown> => {
  const shown: unknown = await (await fetch(`${shop.gateway.debugUrl}/debug/snapshot`)).json();
  return typeof shown === 'object' && shown !== null ? Reflect.get(shown, 'generation') : undefined;
};
const metric = async (shop: Shop, line: RegExp): Promise<void> =>
  await until(
    async () => line.test(await (await fetch(`${shop.gateway.adminUrl}/metrics`)).text()),
    `a metric ${line}`,
  );

describe('a provider that is not there', () => {
  it('F30 at start: 503 with Retry-After on its own Routes only, and logins as soon as it is there', async () => {
    const [late, well] = [await provider(), await provider()];
    await late.close();
    const shop = await shopWith({ late, well });
    await offersLogin(shop, '/well');
    const visitor = new Visitor();
    const refused = await visitor.ask(`${shop.site}/late?x=1`);
    expect(refused.status).toBe(503);
    expect(refused.headers['retry-after']).toMatch(/^[1-9][0-9]*$/);
    expect(refused.headers['cache-control']).toBe('no-store');
    expect((await visitor.ask(`${shop.site}/late`, { headers: { accept: 'application/json' } })).status).toBe(401);
    expect((await visitor.open(`${shop.site}/open`)).status).toBe(200);
    expect((await visitor.open(`${shop.site}/well/a`)).body).toBe('service saw /well/a');
    expect(shop.echo.seen.map(({ url }) => url)).toEqual(['/open', '/well/a']);
    await metric(shop, /^postern_\w+\{[^}]*plugin="shop\/late"[^}]*\} 0$/m);

    await late.listen();
    await offersLogin(shop, '/late');
    expect((await visitor.open(`${shop.site}/late?x=1`)).body).toBe('service saw /late?x=1');
  });

  it('F31 A175 later: sessions go on, new logins get 503, and work again when it is back', async () => {
    const fake = await provider();
    const shop = await shopWith({ idp: fake });
    await offersLogin(shop, '/idp');
    const known = new Visitor();
    expect((await known.open(`${shop.site}/idp`)).status).toBe(200);
    const underWay = new Visitor();
    const back = await underWay.openUntil(`${shop.site}/idp/late`, callback(shop, 'idp'));
    await fake.close();

    // Nobody has to tell Postern: whoever wants to log in makes it look, at most every ten seconds.
    await until(
      async () => {
        expect((await known.ask(`${shop.site}/idp`)).status).toBe(200);
        return (await new Visitor().ask(`${shop.site}/idp`)).status === 503;
      },
      'new logins to be refused',
      () => shop.gateway.log(),
    );
    expect((await new Visitor().ask(`${shop.site}/idp`)).headers['retry-after']).toMatch(/^[1-9][0-9]*$/);
    const stranded = await underWay.ask(back);
    expect([stranded.status, stranded.headers.location]).toEqual([503, undefined]);
    expect((await known.ask(`${shop.site}/idp/still`)).body).toBe('service saw /idp/still');
    expect((await fetch(`${shop.gateway.adminUrl}/readyz`)).status).toBe(200);

    // Not even a change of the plugin needs the provider.
    const edited = { session: { idleTimeout: '2h' } };
    const idp = yaml(route('idp', { plugins: ['idp'] }), plugin('idp', fake, edited), secret('idp', CLIENT));
    const before = await snapshot(shop);
    shop.gateway.write('idp.yaml', idp);
    await until(async () => (await snapshot(shop)) !== before, 'the change to be taken over');
    expect((await known.ask(`${shop.site}/idp/edited`)).body).toBe('service saw /idp/edited');
    expect((await new Visitor().ask(`${shop.site}/idp`)).status).toBe(503);

    await fake.listen();
    await offersLogin(shop, '/idp');
    expect((await new Visitor().open(`${shop.site}/idp/new`)).body).toBe('service saw /idp/new');
    expect(shop.echo.seen.map(({ url }) => url)).not.toContain('/idp/late');
  }, 60_000);
});

describe('a crowd without sessions', () => {
  it('A166 makes Postern ask the provider at most once in ten seconds, and never for tokens', async () => {
    const fake = await provider();
    const shop = await shopWith({ idp: fake });
    await offersLogin(shop, '/idp');
    const start = await new Visitor().ask(`${shop.site}/idp`);
    const state = new URL(start.headers.location ?? '').searchParams.get('state') ?? '';
    const before = fake.requests.length;
    const began = performance.now();
    for (let round = 0; round < 40; round++) {
      const answers = await Promise.all([
        ...Array.from({ length: 5 }, (_, each) => new Visitor().ask(`${shop.site}/idp/${round}?${each}`)),
        new Visitor().ask(callback(shop, 'idp')),
        new Visitor().ask(`${callback(shop, 'idp')}?code=${round}&state=${state}`),
        new Visitor().ask(`${callback(shop, 'idp')}?code=${round}&state=x${state}`),
      ]);
      expect(answers.map(({ status }) => status)).toEqual([302, 302, 302, 302, 302, 400, 400, 400]);
    }
    // Discovery and keys are two requests.
    const looks = Math.floor((performance.now() - began) / 10_000) + 1;
    expect(fake.requests.length - before).toBeLessThanOrEqual(2 * looks);
    expect(fake.count('/token')).toBe(0);
    expect(shop.echo.seen).toEqual([]);
  });
});

describe('F32 a provider that hangs', () => {
  it('from the start: its own Routes answer 503, everybody else is served', async () => {
    const [hanging, well] = [await provider(), await provider()];
    hanging.instead.set(DISCOVERY, hang);
    const shop = await shopWith({ hanging, well }, { http: { timeout: '30s' } });
    await offersLogin(shop, '/well');
    const waiting = Array.from({ length: 50 }, () => new Visitor().ask(`${shop.site}/hanging`));
    const visitor = new Visitor();
    expect((await visitor.open(`${shop.site}/well`)).status).toBe(200);
    expect((await visitor.open(`${shop.site}/open`)).status).toBe(200);
    // Far below the deadline of a call: nobody waits for a provider that has never answered.
    const statuses = (await Promise.all(waiting)).map(({ status }) => status);
    expect(new Set(statuses)).toEqual(new Set([503]));
    expect(hanging.count(DISCOVERY)).toBe(1);
  });

  it('at the token endpoint: the login ends with 503 at the deadline, and nobody else waits', async () => {
    const [hanging, well] = [await provider(), await provider()];
    hanging.instead.set('/token', hang);
    const shop = await shopWith({ hanging, well }, { http: { timeout: '2s' } });
    await offersLogin(shop, '/well');
    await offersLogin(shop, '/hanging');
    let over = false;
    const login = new Visitor().open(`${shop.site}/hanging`).finally(() => {
      over = true;
    });
    await until(() => hanging.count('/token') === 1, 'the exchange');
    expect((await new Visitor().open(`${shop.site}/well`)).status).toBe(200);
    expect((await new Visitor().open(`${shop.site}/open`)).status).toBe(200);
    expect(over).toBe(false);
    expect((await login).status).toBe(503);
    expect(shop.echo.seen.map(({ url }) => url)).toEqual(['/well', '/open']);
  });
});

describe('a provider that changes', () => {
  it.each([
    ['with an overlap', true],
    ['without an overlap', false],
  ])('F34 its keys, %s: the next login succeeds, and who is in stays in', async (_how, overlap) => {
    const fake = await provider();
    const shop = await shopWith({ idp: fake });
    await offersLogin(shop, '/idp');
    const known = new Visitor();
    expect((await known.open(`${shop.site}/idp`)).status).toBe(200);
    for (const round of [1, 2]) {
      await fake.rotate(overlap);
      expect((await new Visitor().open(`${shop.site}/idp/${round}`)).body).toBe(`service saw /idp/${round}`);
    }
    expect((await known.ask(`${shop.site}/idp`)).status).toBe(200);
  });

  it('F34 the key under an old kid', async () => {
    const fake = await provider();
    const shop = await shopWith({ idp: fake });
    await offersLogin(shop, '/idp');
    const { kid } = fake.signingKey;
    if (kid === undefined) throw new Error('the key has no kid');
    await fake.rotate(false, { kid });
    expect((await new Visitor().open(`${shop.site}/idp`)).status).toBe(200);
  });

  it('F35 its key endpoint for the worse: the keys of before serve on', async () => {
    const fake = await provider();
    const shop = await shopWith({ idp: fake });
    await offersLogin(shop, '/idp');
    fake.instead.set('/jwks', (_request, response) => void response.writeHead(500).end());
    expect((await new Visitor().open(`${shop.site}/idp`)).status).toBe(200);
    fake.lie = { signature: 'flipped' };
    expect((await new Visitor().open(`${shop.site}/idp`)).status).toBe(401);
  });

  it('F36 its client secret: the file is changed, nobody restarts, and logins under way end well', async () => {
    const fake = await provider();
    const shop = await shopWith({ idp: fake });
    await offersLogin(shop, '/idp');
    const known = new Visitor();
    await known.open(`${shop.site}/idp`);
    const started = async (): Promise<{ visitor: Visitor; back: URL }> => {
      const visitor = new Visitor();
      return { visitor, back: await visitor.openUntil(`${shop.site}/idp/under-way`, callback(shop, 'idp')) };
    };
    const file = (data: Readonly<Record<string, string>>): void =>
      shop.gateway.write(
        'idp.yaml',
        yaml(route('idp', { plugins: ['idp'] }), plugin('idp', fake), secret('idp', data)),
      );

    // The new secret is announced here first, while the provider still takes the old one only.
    const [one, two] = [await started(), await started()];
    const before = await snapshot(shop);
    fake.delay = 300;
    file({ 'client-secret': 'newer', 'client-secret-previous': 'secret' });
    await until(async () => (await snapshot(shop)) !== before, 'the new secret to be taken over');
    // At once, before the provider has answered it: also a plugin that has just been replaced turns nobody away who comes back.
    expect((await one.visitor.open(one.back)).body).toBe('service saw /idp/under-way');
    fake.delay = 0;
    fake.secrets = ['newer'];
    expect((await two.visitor.open(two.back)).body).toBe('service saw /idp/under-way');
    file({ 'client-secret': 'newer' });
    const three = await started();
    expect((await three.visitor.open(three.back)).body).toBe('service saw /idp/under-way');
    expect((await known.ask(`${shop.site}/idp`)).status).toBe(200);
  });

  it('F37 its clock: half a minute is nothing, five minutes are refused with a reason that names the clocks', async () => {
    const fake = await provider();
    const shop = await shopWith({ idp: fake });
    await offersLogin(shop, '/idp');
    for (const seconds of [25, -25]) {
      fake.clockAhead = seconds;
      expect((await new Visitor().open(`${shop.site}/idp`)).status, `${seconds} s`).toBe(200);
    }
    fake.clockAhead = 300;
    const refused = await new Visitor().open(`${shop.site}/idp`);
    expect([refused.status, refused.body]).toEqual([401, expect.stringContaining('clocks')]);
    await shop.gateway.logged(/"id_token_clock_skew".*clock skew/);
    fake.clockAhead = -300;
    fake.lifetime = 60;
    expect((await new Visitor().open(`${shop.site}/idp`)).status).toBe(401);
    await shop.gateway.logged(/"id_token_expired".*clock skew/);
  });
});

describe.skipIf(openssl.missing)(`a provider over TLS with a private CA ${openssl.why}`, () => {
  it('logs people in with tls.caRef; without it, only its own Routes say 503, and the log says what to do', async () => {
    const authority = privateAuthority('a CA of our own');
    ending.push(() => authority.remove());
    const fake = await provider({ tls: authority.issue(['IP:127.0.0.1']) });
    const ca = { tls: { caRef: { name: 'ca' } }, insecure: { httpCookies: true } };
    const file = (spec: Readonly<Record<string, unknown>>): string =>
      yaml(route('idp', { plugins: ['idp'] }), plugin('idp', fake, spec), secret('idp', CLIENT));
    const shop = await startShop((url) => ({
      'rest.yaml': yaml(service(url), route('open'), secret('ca', { 'ca.crt': authority.ca })),
      'idp.yaml': file({ insecure: { httpCookies: true } }),
    }));
    ending.push(() => shop.stop());
    await shop.gateway.logged(/could not be verified.*tls\.caRef/);
    expect((await new Visitor().ask(`${shop.site}/idp`)).status).toBe(503);
    expect((await new Visitor().ask(`${shop.site}/open`)).status).toBe(200);
    expect(fake.requests).toEqual([]);

    shop.gateway.write('idp.yaml', file(ca));
    await offersLogin(shop, '/idp');
    const visitor = new Visitor();
    // The browser's part at the provider, which is over TLS too, is played by hand.
    const start = await visitor.ask(`${shop.site}/idp/7?q=1`);
    const asked = new URL(start.headers.location ?? '');
    expect(asked.origin).toBe(fake.origin);
    const parameter = (name: string): string => asked.searchParams.get(name) ?? '';
    const code = fake.issueCode({
      nonce: parameter('nonce'),
      redirectUri: parameter('redirect_uri'),
      codeChallenge: parameter('code_challenge'),
    });
    const query = new URLSearchParams({ code, state: parameter('state') });
    expect((await visitor.open(`${callback(shop, 'idp')}?${query.toString()}`)).body).toBe('service saw /idp/7?q=1');
    expect(fake.count('/token')).toBe(1);
  });
});
