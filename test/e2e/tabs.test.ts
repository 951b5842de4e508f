import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { launchBrowser } from '../support/browser.ts';
import { chromium, openssl } from '../support/parts.ts';
import { startWorld, type World } from '../support/world.ts';

const NAME = 'shop.example.test';

/** A page that somebody else serves, on another site than the gateway's. */
async function otherSite(html: string): Promise<{ readonly url: string; close(): void }> {
  const server = createServer((_request, response) => response.setHeader('content-type', 'text/html').end(html));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/`,
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

async function signIn(page: Page, username = 'ada', password = 'lovelace'): Promise<void> {
  await page.fill('input[name=username]', username);
  await page.fill('input[name=password]', password);
  await page.click('button[type=submit]');
}

describe.each([
  ['over http on localhost', undefined],
  ['over TLS on a name of its own', NAME],
])(`a browser %s ${chromium.why}${openssl.why}`, (_title, tlsName) => {
  const missing = chromium.missing || openssl.missing;
  let world: World;
  let browser: Browser;

  beforeAll(async () => {
    if (missing) return;
    world = await startWorld(tlsName === undefined ? {} : { tlsName });
    browser = await launchBrowser(tlsName === undefined ? [] : [NAME]);
  });
  afterAll(async () => {
    if (missing) return;
    await browser.close();
    await world.stop();
  });

  const fresh = async (): Promise<Page> => (await browser.newContext({ ignoreHTTPSErrors: true })).newPage();

  it.skipIf(missing)('signs in and is back at the very URL, with its query', async () => {
    const page = await fresh();
    await page.goto(`${world.site}/orders/7?q=a%2Fb&r=%20x&r=2`);
    expect(new URL(page.url()).origin).toBe(new URL(world.provider.issuer).origin);
    await signIn(page);
    await page.waitForURL(`${world.site}/**`);
    expect(page.url()).toBe(`${world.site}/orders/7?q=a%2Fb&r=%20x&r=2`);
    expect(await page.textContent('body')).toContain('ada@example.com');
  });

  it.skipIf(missing)('A146 A052 keeps the session in cookies that scripts and services do not see', async () => {
    const page = await fresh();
    await page.goto(`${world.site}/orders`);
    await signIn(page);
    await page.waitForURL(`${world.site}/**`);
    const cookies = (await page.context().cookies(world.site)).filter((cookie) => cookie.name.includes('postern-s-'));
    expect(cookies.length).toBeGreaterThan(0);
    for (const cookie of cookies) {
      expect(cookie).toMatchObject({ httpOnly: true, path: '/', sameSite: 'Lax', secure: tlsName !== undefined });
      expect(cookie.name.startsWith('__Host-')).toBe(tlsName !== undefined);
    }
    expect(await page.evaluate('document.cookie')).toBe('');
    // The service shows every header that reached it.
    const seen = (await page.textContent('body'))?.toLowerCase();
    expect(seen).toContain('authorization');
    expect(seen).not.toContain('postern-s-');
  });

  it.skipIf(missing)('A098 a script without a session is told 401, not sent to the provider', async () => {
    // The service's own policy forbids its pages to fetch; another service's might not.
    const page = await (await browser.newContext({ ignoreHTTPSErrors: true, bypassCSP: true })).newPage();
    await page.goto(`${world.site}/open`);
    const answer = await page.evaluate(async () => {
      const response = await fetch('/orders', { headers: { accept: 'text/html' } });
      return {
        status: response.status,
        challenge: response.headers.get('www-authenticate'),
        body: await response.text(),
      };
    });
    expect(answer).toMatchObject({ status: 401 });
    expect(answer.challenge).not.toBeNull();
    expect(JSON.parse(answer.body)).toHaveProperty('error');
  });

  it.skipIf(missing)('is refused by a rule that names itself, and let in with another account', async () => {
    const page = await fresh();
    await page.goto(`${world.site}/admin`);
    await signIn(page);
    await page.waitForURL(`${world.site}/**`);
    expect(await page.textContent('body')).toContain('admins only');
    const other = await fresh();
    await other.goto(`${world.site}/admin`);
    await signIn(other, 'grace', 'hopper');
    await other.waitForURL(`${world.site}/**`);
    expect(await other.textContent('body')).toContain('grace@example.com');
  });

  it.skipIf(missing)(
    'A100 signs out at the gateway and at the provider, and not because an image asks for it',
    async () => {
      const page = await fresh();
      await page.goto(`${world.site}/orders`);
      await signIn(page);
      await page.waitForURL(`${world.site}/**`);
      const site = await otherSite(`<img src="${world.site}/_oidc/idp/logout">`);
      const elsewhere = await page.context().newPage();
      await elsewhere.goto(site.url);
      await world.gateway.logged(/\/_oidc\/idp\/logout/);
      site.close();
      await page.goto(`${world.site}/orders`);
      expect(page.url()).toBe(`${world.site}/orders`);

      await page.goto(`${world.site}/_oidc/idp/logout`);
      if (page.url().startsWith(world.site)) await page.click('form button');
      // The provider asks, for the request may come from anywhere.
      await page.click('button');
      await page.goto(`${world.site}/orders`);
      expect(new URL(page.url()).origin).toBe(new URL(world.provider.issuer).origin);
      expect(await page.isVisible('input[name=password]')).toBe(true);
    },
  );

  const orders: readonly (readonly [string, (tabs: number[]) => number[]])[] = [
    ['oldest first', (tabs) => tabs],
    ['newest first', (tabs) => tabs.toReversed()],
    ['shuffled', () => [6, 2, 9, 0, 4, 8, 1, 7, 3, 5]],
  ];
  it.skipIf(missing).each(orders)(
    'A096 ten tabs opened at once, finished %s, end at their own page',
    async (_order, arrange) => {
      const context = await browser.newContext({ ignoreHTTPSErrors: true });
      const pages = await Promise.all(Array.from({ length: 10 }, () => context.newPage()));
      await Promise.all(pages.map((page, i) => page.goto(`${world.site}/orders/${i}?tab=${i}`)));
      for (const i of arrange(pages.map((_, index) => index))) {
        const page = pages[i];
        if (page === undefined) throw new Error('no such tab');
        await signIn(page);
        await page.waitForURL(`${world.site}/**`);
        expect(page.url()).toBe(`${world.site}/orders/${i}?tab=${i}`);
        expect(await page.textContent('body')).toContain('ada@example.com');
      }
      // A097: what is left in the jar stays well under what front ends take.
      const jar = await context.cookies(world.site);
      expect(jar.filter((cookie) => cookie.name.includes('postern-b-')).length).toBeLessThanOrEqual(6);
      expect(jar.reduce((bytes, cookie) => bytes + cookie.name.length + cookie.value.length + 3, 0)).toBeLessThan(8192);
      await context.close();
    },
  );
});
