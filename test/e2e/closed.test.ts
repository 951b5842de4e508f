import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type FakeProvider, startFakeProvider } from '../support/fake-provider.ts';
import { until } from '../support/gateway.ts';
import { plugin, route, type Shop, secret, service, startShop, yaml } from '../support/shop.ts';
import { Visitor } from '../support/visitor.ts';

/** What is closed stays closed, whatever happens to the files, and whatever a request says of itself. */

let fake: FakeProvider;
let shop: Shop;

beforeEach(async () => {
  fake = await startFakeProvider();
});
afterEach(async () => {
  await shop?.stop();
  await fake.close();
});

const CLIENT = secret('idp', { 'client-secret': 'secret' });
const offersLogin = async (path: string, headers: Readonly<Record<string, string>> = {}): Promise<void> =>
  await until(
    async () => (await new Visitor().ask(shop.site + path, { headers })).status === 302,
    `${path} to offer a login`,
    () => shop.gateway.log(),
  );

describe('files that change', () => {
  it('F16 A175 A176 no state on the way opens a guarded Route for a moment, and sessions outlive it all', async () => {
    const good = {
      'route.yaml': yaml(route('orders', { plugins: ['idp'] })),
      'plugin.yaml': yaml(plugin('idp', fake)),
      'secret.yaml': yaml(CLIENT),
    };
    shop = await startShop((url) => ({ 'rest.yaml': yaml(service(url), route('root', { path: '/' })), ...good }));
    await offersLogin('/orders');
    const known = new Visitor();
    expect((await known.open(`${shop.site}/orders/known`)).status).toBe(200);

    const { gateway, site, echo } = shop;
    const remove = (file: string): void => rmSync(join(gateway.objects, file), { force: true });
    /** What a stranger gets once it was taken over. */
    const broken: readonly (readonly [number, () => void])[] = [
      [503, () => remove('plugin.yaml')],
      [503, () => remove('secret.yaml')],
      [503, () => gateway.write('plugin.yaml', yaml(plugin('idp', fake, { issuer: 'not a url' })))],
      [503, () => gateway.write('plugin.yaml', yaml(plugin('idp', fake, { unknown: 1 })))],
      [503, () => gateway.write('plugin.yaml', yaml(plugin('idp', fake), plugin('idp', fake)))],
      [503, () => gateway.write('secret.yaml', yaml(secret('idp', {})))],
      [302, () => gateway.write('secret.yaml', 'kind: [Secret')],
      [503, () => gateway.write('plugin.yaml', '')],
      [503, () => gateway.write('route.yaml', yaml(route('orders', { plugins: [] })))],
      [503, () => gateway.write('route.yaml', yaml(route('orders', { plugins: ['another'] })))],
      [503, () => gateway.write('route.yaml', yaml(route('orders', { plugins: ['idp'], spec: { access: 'Public' } })))],
      [503, () => gateway.write('route.yaml', yaml(route('orders', { plugins: ['idp'], spec: { paths: 'orders' } })))],
      [405, () => gateway.write('route.yaml', yaml(route('orders', { plugins: ['idp'], spec: { methods: ['PUT'] } })))],
    ];
    let over = false;
    const seen = new Map<number, number>();
    const knock = async (): Promise<void> => {
      while (!over) {
        const { status } = await new Visitor().ask(`${site}/orders/stranger`);
        seen.set(status, (seen.get(status) ?? 0) + 1);
      }
    };
    const knocking = Promise.all([knock(), knock()]).finally(() => {
      over = true;
    });
    const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
    const meets = async (status: number): Promise<void> =>
      await until(
        async () => (await new Visitor().ask(`${site}/orders/stranger`)).status === status,
        `a stranger to get ${status}`,
        () => gateway.log(),
      );
    try {
      for (const [status, breakIt] of broken) {
        await meets(302);
        breakIt();
        // Long enough to be taken over, and then too short to be.
        await meets(status);
        for (const [file, text] of Object.entries(good)) gateway.write(file, text);
        await pause(60);
        breakIt();
        await pause(10);
        for (const [file, text] of Object.entries(good)) gateway.write(file, text);
      }
      await meets(302);
      await until(
        async () => (await known.ask(`${site}/orders/known`)).status === 200,
        'the session to be good again',
        () => gateway.log(),
      );
    } finally {
      over = true;
      await knocking;
    }
    expect([...seen.keys()].filter((status) => ![302, 503, 405].includes(status))).toEqual([]);
    expect([seen.get(302), seen.get(503), seen.get(405)].every((count) => (count ?? 0) > 0)).toBe(true);
    expect(echo.seen.map(({ url }) => url).filter((url) => url.includes('stranger'))).toEqual([]);
  }, 90_000);
});

describe('requests that say who or where they are', () => {
  it('A107 another method, header or spelling than the guarded one falls through to no wider Route', async () => {
    shop = await startShop((url) => ({
      'all.yaml': yaml(
        service(url),
        CLIENT,
        plugin('idp', fake),
        route('root', { path: '/' }),
        route('admin', { plugins: ['idp'], spec: { methods: ['GET'] } }),
        route('beta', { plugins: ['idp'], spec: { headers: [{ name: 'x-beta', value: '1' }] } }),
        route('area', { plugins: ['idp'] }),
        route('vault', {
          path: '/area/vault',
          plugins: ['idp'],
          spec: { methods: ['GET'], authorization: { rules: [{ name: 'nobody', groups: ['none'] }] } },
        }),
      ),
    }));
    await offersLogin('/admin');
    const asked = async (path: string, method = 'GET', visitor = new Visitor()): Promise<number> =>
      (await visitor.ask(shop.site, { target: path, method })).status;
    expect(await asked('/admin', 'POST')).toBe(405);
    expect(await asked('/admin/x?y', 'DELETE')).toBe(405);
    expect(await asked('/beta')).toBe(404);
    const known = new Visitor();
    await known.open(`${shop.site}/area`);
    expect(await asked('/area/vault', 'GET', known)).toBe(403);
    expect(await asked('/area/vault', 'POST', known)).toBe(405);
    for (const path of ['/admin%2fx', '/x/../admin', '//admin', '/admin/%2e%2e/open', '/./admin', '/%61dmin'])
      expect([302, 400], path).toContain(await asked(path));
    expect(shop.echo.seen.map(({ url }) => url)).toEqual(['/area']);
    expect(await asked('/administration')).toBe(200);
  });

  it('A031 A037 A050 the way back from the provider is configuration, also under a wildcard', async () => {
    shop = await startShop(
      (url) => ({
        'all.yaml': yaml(
          service(url),
          CLIENT,
          plugin('idp', fake, { insecure: { httpProvider: true } }),
          route('shop', { host: 'shop.example.com', plugins: ['idp'] }),
          route('wild', { host: '*.apps.example.com', path: '/', plugins: ['idp'] }),
        ),
      }),
      ['--external-scheme', 'https', '--external-port', '8443'],
    );
    await offersLogin('/shop', { host: 'shop.example.com' });
    const wayBack = async (headers: Readonly<Record<string, string>>): Promise<string | null> => {
      const { headers: said } = await new Visitor().ask(`${shop.site}/shop`, { headers });
      return new URL(said.location ?? '').searchParams.get('redirect_uri');
    };
    const evil = {
      'x-forwarded-host': 'evil.example',
      'x-forwarded-proto': 'http',
      'x-forwarded-port': '1',
      'x-original-url': 'https://evil.example/',
      forwarded: 'host=evil.example;proto=http',
    };
    for (const host of ['shop.example.com', 'SHOP.example.com:1', 'shop.example.com.', 'shop.example.com:443'])
      expect(await wayBack({ ...evil, host })).toBe('https://shop.example.com:8443/_oidc/idp/callback');
    expect(await wayBack({ ...evil, host: 'A.apps.example.com:99' })).toBe(
      'https://a.apps.example.com:8443/_oidc/idp/callback',
    );
    for (const host of ['evil.example', 'apps.example.com', 'shop.example.com.evil.example'])
      expect((await new Visitor().ask(`${shop.site}/shop`, { headers: { host } })).status).toBe(404);
    expect(shop.echo.seen).toEqual([]);
  });

  it('A040 A041 identity headers go no further, those of --identity-headers too, and a plugin may send them', async () => {
    const claims = [{ claim: 'preferred_username', header: 'X-Company-User' }];
    shop = await startShop(
      (url) => ({
        'all.yaml': yaml(
          service(url),
          CLIENT,
          plugin('idp', fake, { upstream: { claims } }),
          route('open'),
          route('orders', { plugins: ['idp'] }),
        ),
      }),
      ['--identity-headers', 'X-Company-*'],
    );
    await offersLogin('/orders');
    const lies = {
      'x-company-user': 'root',
      x_company_user: 'root',
      'X.Company.Groups': 'wheel',
      'x-forwarded-user': 'root',
      Remote_User: 'root',
      authorization: 'Bearer forged',
      connection: 'close, X-Company-User, Authorization',
    };
    const known = new Visitor();
    await known.open(`${shop.site}/orders`);
    await known.ask(`${shop.site}/orders/lies`, { headers: lies });
    await new Visitor().ask(`${shop.site}/open/lies`, { headers: lies });
    const [, guarded, open] = shop.echo.seen;
    expect([guarded?.url, open?.url]).toEqual(['/orders/lies', '/open/lies']);
    expect(JSON.stringify([guarded, open])).not.toMatch(/root|wheel|forged/);
    expect(guarded?.headers).toMatchObject({
      'x-company-user': 'ada',
      authorization: expect.stringMatching(/^Bearer /),
    });
    expect(open?.headers.authorization).toBeUndefined();
  });
});
