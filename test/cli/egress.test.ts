import { afterEach, expect, it } from 'vitest';
import { startEgressProxy, type TestProxy } from '../support/egress-proxy.ts';
import { until } from '../support/gateway.ts';
import { plugin, route, type Shop, secret, service, startShop, yaml } from '../support/shop.ts';

let proxy: TestProxy | undefined;
let shop: Shop | undefined;
afterEach(async () => {
  await shop?.stop();
  await proxy?.close();
});

it('the process calls providers through HTTPS_PROXY and HTTP_PROXY of its surroundings, and those of NO_PROXY without', async () => {
  proxy = await startEgressProxy();
  const providers = {
    tls: 'https://idp.example.test',
    plain: 'http://idp.example.test',
    inside: 'http://idp.inside.test',
  };
  const guarded = Object.entries(providers).flatMap(([name, issuer]) => [
    plugin(name, { issuer, clientId: 'shop' }),
    secret(name, { 'client-secret': 'sesame' }),
    route(name, { plugins: [name] }),
  ]);
  const env = { HTTPS_PROXY: proxy.url, HTTP_PROXY: proxy.url, NO_PROXY: '.inside.test' };
  shop = await startShop((url) => ({ 'all.yaml': yaml(service(url), ...guarded) }), [], env);
  const { gateway } = shop;
  const { asked } = proxy;
  const discovery = '/.well-known/openid-configuration';
  for (const expected of ['CONNECT idp.example.test:443', `GET ${providers.plain}${discovery}`])
    await until(
      () => asked.includes(expected),
      expected,
      () => `${asked.join('\n')}\n${gateway.log()}`,
    );
  await gateway.logged(/idp\.inside\.test/);
  expect(asked.filter((one) => one.includes('inside'))).toEqual([]);
});
