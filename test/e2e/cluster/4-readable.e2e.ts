import { describe, expect, inject, it } from 'vitest';
import { CookieJar } from '../../support/cookie-jar.ts';
import { ask, logIn, trust } from './support/ask.ts';
import { kubectl } from './support/kubernetes.ts';
import { metric, metricsOf, posternPods, waitFor } from './support/postern.ts';
import { NAMESPACES, SHOP } from './support/site.ts';

const { shop } = NAMESPACES;

describe('4. what it tells', () => {
  trust(inject('ca'));

  it('kubectl get answers the first questions: where to, for whom, and whether it works', async () => {
    const [services = '', routes = '', plugins = ''] = (await kubectl('get', 'psvc,proute,oidc', '-n', shop)).split(
      '\n\n',
    );
    expect(services).toMatch(/^NAME +TARGET +READY/);
    expect(services).toMatch(/orders +orders:8080 +True/);
    expect(routes).toMatch(/^NAME +HOSTS +SERVICE +EXPOSURE +AUTHORIZATION +READY/);
    expect(routes).toMatch(/open +\S*shop\.example\.test\S* +orders +Public +True/);
    expect(routes).toMatch(/orders +\S*shop\.example\.test\S* +orders +Protected +AnyAccount +True/);
    expect(plugins).toMatch(/^NAME +ISSUER +READY/);
    expect(plugins).toMatch(/okta +https:\/\/idp\.example\.test\S* +True/);
  });

  it('kubectl describe says what it understood, and the address to register at the provider', async () => {
    const text = await kubectl('describe', 'proute', 'orders', '-n', shop);
    for (const word of ['Accepted', 'ResolvedRefs', 'CertificateReady', 'Programmed', 'Ready', 'AnyAccount']) {
      expect(text).toContain(word);
    }
    expect(text).toContain(`${SHOP}/_oidc/okta/callback`);
    expect(text).toContain('shop.example.test=shop');
  });

  it('no Secret shows in what people look at', async () => {
    const text = await kubectl('get', 'psvc,proute,oidc,events', '-n', shop, '-o', 'yaml');
    expect(text).not.toContain('the-first-secret-of-the-shop');
  });

  it.each([
    ['psvc', 'orders'],
    ['proute', 'open'],
    ['proute', 'orders'],
    ['oidc', 'okta'],
  ])('kubectl wait --for=condition=Ready %s/%s works', async (kind, name) => {
    await waitFor(kind, name, 'Ready');
  });

  it('the metrics of every Pod show the funnel, and they add up', async () => {
    const before = await funnel();
    for (let n = 0; n < 6; n++) await logIn(`${SHOP}/orders`, new CookieJar());
    await ask(`${SHOP}/orders`, { headers: { accept: 'text/html' } });
    const after = await funnel();
    expect(after.pods).toBe(2);
    const grown = Object.entries(after.stages).map(([stage, count]) => [stage, count - (before.stages[stage] ?? 0)]);
    expect(Object.fromEntries(grown)).toEqual({ started: 7, returned: 6, exchanged: 6, session_created: 6 });
  });
});

async function funnel() {
  const texts = await Promise.all((await posternPods()).map(metricsOf));
  const stages: Record<string, number> = {};
  for (const stage of ['started', 'returned', 'exchanged', 'session_created']) {
    const series = `postern_oidc_logins_total{plugin="shop/okta",stage="${stage}"}`;
    for (const text of texts) {
      expect(text).toContain(series);
      stages[stage] = (stages[stage] ?? 0) + metric(text, series);
    }
  }
  return { pods: texts.length, stages };
}
