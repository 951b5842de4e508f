import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { launchBrowser } from '../../support/browser.ts';
import { CookieJar } from '../../support/cookie-jar.ts';
import { ask, logIn, navigate, trust } from './support/ask.ts';
import { apply, get, jsonPath, kubectl } from './support/kubernetes.ts';
import { clientSecret, plugin, providerCa, route } from './support/objects.ts';
import { agreed, metric, metricsOf, posternPods, waitFor } from './support/postern.ts';
import { HOSTS, ISSUER, NAMESPACES, SHOP } from './support/site.ts';
import { until } from './support/until.ts';

const { shop } = NAMESPACES;

describe('3. a login in front of it', () => {
  let browser: Browser;

  beforeAll(async () => {
    trust(inject('ca'));
    await apply(clientSecret(), providerCa(inject('ca')), plugin(), route({ name: 'orders', path: '/orders' }));
    browser = await launchBrowser([HOSTS.shop, HOSTS.provider]);
  });
  afterAll(() => browser.close());

  it('is Ready on all three kinds, Protected, and names the redirect URI to register', async () => {
    for (const [kind, name] of [
      ['oidc', 'okta'],
      ['proute', 'orders'],
      ['psvc', 'orders'],
    ] as const)
      await waitFor(kind, name, 'Ready');
    expect(await get('proute', 'orders', '-n', shop)).toMatchObject({
      status: { exposure: 'Protected', redirectURIs: [`${SHOP}/_oidc/okta/callback`] },
    });
    await agreed();
  });

  it('sends a page to the provider, and answers a script 401', async () => {
    const page = await navigate(`${SHOP}/orders`);
    expect(page.status).toBe(302);
    expect(page.headers.location).toMatch(new RegExp(`^${ISSUER}/auth\\?`));
    expect((await ask(`${SHOP}/orders`, { headers: { accept: 'application/json' } })).status).toBe(401);
    expect((await ask(`${SHOP}/`)).status).toBe(200);
  });

  it('Chromium goes to the provider and comes back to the very address; the workload sees who it is', async () => {
    const context = await browser.newContext({ ignoreHTTPSErrors: true });
    const page = await context.newPage();
    await page.goto(`${SHOP}/orders/7?q=a%2Fb&r=1`);
    expect(new URL(page.url()).origin).toBe(ISSUER);
    await page.fill('input[name=username]', 'ada');
    await page.fill('input[name=password]', 'lovelace');
    await page.click('button[type=submit]');
    await page.waitForURL(`${SHOP}/**`);
    expect(page.url()).toBe(`${SHOP}/orders/7?q=a%2Fb&r=1`);
    const seen = JSON.parse((await page.textContent('body')) ?? '');
    expect(seen.identity).toMatchObject({ user: 'u-1815', name: 'ada', email: 'ada@example.com' });
    const authorization = seen.headers.find(([name]: readonly string[]) => name?.toLowerCase() === 'authorization');
    expect(authorization?.[1]).toMatch(/^Bearer ./);
    expect(JSON.stringify(seen.headers)).not.toContain('__Host-');
    await context.close();
  });

  it('is the same login at every replica: each takes a session that another one made', async () => {
    const jar = new CookieJar();
    const { answer } = await logIn(`${SHOP}/orders`, jar);
    expect(answer.status).toBe(200);
    const before = await requestsByPod();
    await until('answers from every replica', async () => {
      const got = await navigate(`${SHOP}/orders`, jar);
      expect(got.status).toBe(200);
      const now = await requestsByPod();
      return now.every((count, index) => count > (before[index] ?? 0));
    });
  });

  it('logins finish at whichever replica the callback comes to', async () => {
    for (let n = 0; n < 12; n++) {
      const { answer } = await logIn(`${SHOP}/orders?n=${n}`, new CookieJar());
      expect(answer.status).toBe(200);
    }
    const created = 'postern_oidc_logins_total{plugin="shop/okta",stage="session_created"}';
    const counts = await Promise.all((await posternPods()).map(async (pod) => metric(await metricsOf(pod), created)));
    expect(counts.filter((count) => count > 0)).toHaveLength(2);
  });

  it('is what kubectl get says', async () => {
    const table = await kubectl('get', 'proute', 'orders', '-n', shop);
    expect(table).toMatch(/Protected/);
    expect(await jsonPath('{.status.conditions[?(@.type=="Ready")].status}', 'oidc', 'okta', '-n', shop)).toBe('True');
  });
});

/** Forwarded requests of the Route, of each Pod in the order of names. */
async function requestsByPod(): Promise<readonly number[]> {
  const series = 'postern_http_requests_total{route="shop/orders",service="shop/orders",code="2xx",method="GET"}';
  return await Promise.all((await posternPods()).map(async (pod) => metric(await metricsOf(pod), series)));
}
