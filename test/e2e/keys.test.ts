import { randomBytes } from 'node:crypto';
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type FakeProvider, startFakeProvider } from '../support/fake-provider.ts';
import { until } from '../support/gateway.ts';
import { plugin, route, type Shop, secret, service, startShop, yaml } from '../support/shop.ts';
import { Visitor } from '../support/visitor.ts';

const key = (id: string, added = '2026-01-01T00:00:00Z'): string =>
  `${id} ${randomBytes(32).toString('base64')} ${added}\n`;

let fake: FakeProvider;
let shop: Shop;
let directory: string;

/** By rename, as a Secret that is mounted changes. */
const writeKeys = (text: string): void => {
  writeFileSync(join(directory, 'next'), text);
  renameSync(join(directory, 'next'), join(directory, 'keys'));
};

const start = async (): Promise<Shop> =>
  await startShop(
    (url) => ({ 'all.yaml': yaml(service(url), route('idp', { plugins: ['idp'] }), plugin('idp', fake), SECRET) }),
    ['--keys-file', join(directory, 'keys')],
  );
const SECRET = secret('idp', { 'client-secret': 'secret' });

beforeEach(async () => {
  fake = await startFakeProvider();
  directory = mkdtempSync(join(tmpdir(), 'postern-keys-'));
});

afterEach(async () => {
  await shop?.stop();
  await fake.close();
  rmSync(directory, { recursive: true, force: true });
});

const login = async (): Promise<Visitor> => {
  const visitor = new Visitor();
  expect((await visitor.open(`${shop.site}/idp`)).status).toBe(200);
  return visitor;
};
/** As a script asks, so that no login is started. */
const status = async (visitor: Visitor): Promise<number> =>
  (await visitor.ask(`${shop.site}/idp`, { headers: { accept: 'application/json' } })).status;

describe('the keys of sessions, in a file', () => {
  it('F41 A149 rotated, malformed, removed: no live session ends before its key is gone', async () => {
    const [one, two] = [key('one'), key('two')];
    writeKeys(one);
    shop = await start();
    const early = await login();
    const underWay = new Visitor();
    const back = await underWay.openUntil(`${shop.site}/idp/late`, `${shop.site}/_oidc/`);

    writeKeys(one + two);
    await shop.gateway.logged(/read again/);
    const later = await login();
    expect(await Promise.all([early, later].map(status))).toEqual([200, 200]);

    const before = shop.gateway.log().length;
    writeKeys('two nonsense\n');
    await shop.gateway.logged(/keys: Line 1: .*from before stay in use/, before);
    expect(await Promise.all([early, later].map(status))).toEqual([200, 200]);
    rmSync(join(directory, 'keys'));
    await shop.gateway.logged(/can't be read.*from before stay in use/, before);
    expect(await Promise.all([early, later].map(status))).toEqual([200, 200]);
    expect((await underWay.open(back)).body).toBe('service saw /idp/late');

    const cut = shop.gateway.log().length;
    const [stale, stranded] = [await login(), new Visitor()];
    const lost = await stranded.openUntil(`${shop.site}/idp/lost`, `${shop.site}/_oidc/`);
    writeKeys(key('three'));
    await shop.gateway.logged(/read again/, cut);
    expect(await Promise.all([early, later, stale, underWay].map(status))).toEqual([401, 401, 401, 401]);
    const refused = await stranded.ask(lost);
    expect([refused.status, refused.headers.location]).toEqual([400, undefined]);
    expect((await early.open(`${shop.site}/idp/again`)).body).toBe('service saw /idp/again');
    expect((await stranded.open(`${shop.site}/idp/again`)).body).toBe('service saw /idp/again');
  });

  it('A149 F31 outlive a restart, though the provider is down then', async () => {
    writeKeys(key('one'));
    shop = await start();
    const visitor = await login();
    const underWay = new Visitor();
    const back = await underWay.openUntil(`${shop.site}/idp/late`, `${shop.site}/_oidc/`);
    const port = new URL(shop.site).port;
    await shop.stop();
    await fake.close();
    shop = await startShop(
      (url) => ({ 'all.yaml': yaml(service(url), route('idp', { plugins: ['idp'] }), plugin('idp', fake), SECRET) }),
      ['--keys-file', join(directory, 'keys'), '--external-port', port],
    );
    // Cookies don't know of ports; what the jar holds is for the host of before.
    const moved = (from: Visitor) => ({ cookie: from.jar.header(new URL(`http://localhost:${port}`)) });
    expect((await visitor.ask(`${shop.site}/idp`, moved(visitor))).status).toBe(200);
    await fake.listen();
    const landed = new URL(shop.site);
    await until(
      async () => (await underWay.ask(landed.origin + back.pathname + back.search, moved(underWay))).status === 303,
      'the login that was under way to end well',
    );
  });
});
