import { beforeAll, describe, expect, inject, it } from 'vitest';
import { CookieJar } from '../../support/cookie-jar.ts';
import { ask, certificateOf, logIn, navigate, trust } from './support/ask.ts';
import { apply, jsonPath, kubectl, tryKubectl } from './support/kubernetes.ts';
import { underLoad } from './support/load.ts';
import { clientSecret, plugin, rivalRoute, rivalService, route, secondSecret } from './support/objects.ts';
import { CLIENT_SECRET, tlsSecret } from './support/peers.ts';
import { leader, metric, metricsOf, posternPods, reasonOf, waitFor } from './support/postern.ts';
import { ISSUER, NAMESPACES, SHOP } from './support/site.ts';
import { closed, open, orUnavailable, session } from './support/streams.ts';
import { until } from './support/until.ts';

const { shop, rival, system } = NAMESPACES;

const becomes = (what: string, url: string, cookie: string, status: number): Promise<unknown> =>
  until(what, async () => {
    const headers = { accept: 'application/json', ...(cookie === '' ? {} : { cookie }) };
    return (await ask(url, { headers })).status === status;
  });

describe('5. changes', () => {
  /** Of the plugin that is changed. */
  let jar: CookieJar;
  let cookie: string;
  let orders: Awaited<ReturnType<typeof session>>;
  /** Of the plugin that nothing happens to. */
  let other: Awaited<ReturnType<typeof session>>;

  beforeAll(async () => {
    trust(inject('ca'));
    await apply(
      secondSecret(),
      plugin({ clientSecretRef: { name: 'second-client', key: 'client-secret' } }, 'second'),
      route({ name: 'other', path: '/other', plugins: [{ kind: 'OidcPlugin', name: 'second' }] }),
    );
    await waitFor('proute', 'other', 'Ready');
    await waitFor('oidc', 'second', 'Ready');
    await becomes('/other at every Pod', `${SHOP}/other`, '', 401);
    // Where the steps are run one by one, the provider was started anew a moment ago.
    other = await until('a session', () => session('/other'));
    jar = new CookieJar();
    orders = await until('a session', () => session('/orders', jar));
    cookie = jar.header(new URL(`${SHOP}/orders`));
  });

  it('the client secret is rotated: logins and sessions go on all the time', async () => {
    const next = 'the-second-secret-of-the-shop';
    const logins = async (): Promise<void> => {
      for (let n = 0; n < 6; n++) expect((await logIn(`${SHOP}/orders`, new CookieJar())).answer.status).toBe(200);
    };
    await underLoad([open, closed, orders, other], async () => {
      await apply(clientSecret(next, CLIENT_SECRET));
      await logins();
      const changed = await ask(`${ISSUER}/test/client-secret`, { method: 'PUT', body: next });
      expect(changed.status).toBe(204);
      await logins();
      await apply(clientSecret(next));
      // Both plugins are one client at the provider.
      await apply(secondSecret(next));
      await logins();
    });
    await waitFor('oidc', 'okta', 'Ready');
  });

  it('the Secret is deleted: 503, and said so; it is restored: the session of before is good again', async () => {
    await underLoad([open, closed, other, orUnavailable(orders)], async () => {
      await kubectl('delete', 'secret', 'okta-client', '-n', shop);
      await becomes('503', `${SHOP}/orders`, cookie, 503);
      await until('SecretNotFound', async () => (await reasonOf('oidc', 'okta', 'ResolvedRefs')) === 'SecretNotFound');
      await waitFor('proute', 'orders', 'Ready=False');
      expect(await jsonPath('{.status.exposure}', 'proute', 'orders', '-n', shop)).toBe('Denied');
      expect((await navigate(`${SHOP}/orders`)).status).toBe(503);
      await apply(clientSecret('the-second-secret-of-the-shop'));
      await becomes('200', `${SHOP}/orders`, cookie, 200);
      await waitFor('proute', 'orders', 'Ready');
    });
  });

  it('the plugin is deleted: 503, never open; it is made again, and people can log in', async () => {
    await underLoad([open, closed, other], async () => {
      await kubectl('delete', 'oidc', 'okta', '-n', shop);
      await becomes('503', `${SHOP}/orders`, cookie, 503);
      await until(
        'PluginNotFound',
        async () => (await reasonOf('proute', 'orders', 'ResolvedRefs')) === 'PluginNotFound',
      );
      await apply(plugin());
      await waitFor('proute', 'orders', 'Ready');
      await waitFor('oidc', 'okta', 'Ready');
      await becomes('401', `${SHOP}/orders`, '', 401);
      jar = new CookieJar();
      orders = await session('/orders', jar);
      cookie = jar.header(new URL(`${SHOP}/orders`));
    });
  });

  it('a broken plugin is refused by the API server with what to write, or closes its place', async () => {
    await underLoad([open, closed, other, orUnavailable(orders)], async () => {
      const patch = JSON.stringify({ spec: { issuer: 'http://idp.example.test' } });
      const refused = await tryKubectl('patch', 'oidc', 'okta', '-n', shop, '--type=merge', '-p', patch);
      expect(refused.code).not.toBe(0);
      expect(refused.stderr).toMatch(/issuer.*https/);
      await apply(plugin({ clientSecretRef: { name: 'okta-client', key: 'misspelt' } }));
      await becomes('503', `${SHOP}/orders`, cookie, 503);
      await until(
        'SecretKeyMissing',
        async () => (await reasonOf('oidc', 'okta', 'ResolvedRefs')) === 'SecretKeyMissing',
      );
      await apply(plugin());
      await becomes('200', `${SHOP}/orders`, cookie, 200);
      await waitFor('oidc', 'okta', 'Ready');
    });
  });

  it('another namespace claims a path of the host: it gets nothing, and is told whose the host is', async () => {
    await underLoad([open, closed, other, orders], async () => {
      await apply(rivalService(), rivalRoute());
      await until(
        'HostNotAllowed',
        async () => (await reasonOf('proute', 'carve', 'Accepted', rival)) === 'HostNotAllowed',
      );
      const message = await jsonPath(
        '{.status.conditions[?(@.type=="Accepted")].message}',
        'proute',
        'carve',
        '-n',
        rival,
      );
      expect(message).toContain('shop');
      const answer = await ask(`${SHOP}/free`);
      expect(answer.status).toBe(200);
      expect(JSON.parse(answer.body)).toHaveProperty('pod');
    });
    await kubectl('delete', 'proute,psvc', '--all', '-n', rival);
  });

  it('the certificate is renewed: new connections see it, and none is dropped', async () => {
    await underLoad([open, closed, other, orders], async () => {
      const before = await certificateOf(`${SHOP}/`);
      await apply(tlsSecret(shop, 'shop-tls', inject('renewedCertificate')));
      await until('the new certificate, five times in a row', async () => {
        for (let n = 0; n < 5; n++) if ((await certificateOf(`${SHOP}/`)) === before) return false;
        return true;
      });
    });
  });

  it("the leader's Pod is killed: another one leads and writes statuses, and nobody notices", async () => {
    await underLoad([open, closed, other, orders], async () => {
      const before = await leader();
      const gone = kubectl('delete', 'pod', before, '-n', system, '--timeout=120s');
      const after = await until(
        'another leader',
        async () => {
          const now = await leader().catch(() => before);
          return now !== before && now;
        },
        90,
      );
      expect(after).not.toBe(before);
      await gone;
      await kubectl('rollout', 'status', 'deployment/postern', '-n', system, '--timeout=120s');
      await apply(route({ name: 'later', path: '/later' }));
      await waitFor('proute', 'later', 'Ready');
      await kubectl('delete', 'proute', 'later', '-n', shop);
      await until('one leader', async () => {
        const leading = await Promise.all(
          (await posternPods()).map(async (pod) => metric(await metricsOf(pod), 'postern_leader')),
        );
        return leading.reduce((sum, one) => sum + one, 0) === 1;
      });
    });
  });

  it('the workload grows, shrinks, and its Pods are deleted: no request fails', async () => {
    await underLoad([open, closed, other, orders], async () => {
      const scale = async (replicas: number): Promise<void> => {
        await kubectl('scale', 'deployment/orders', '-n', shop, `--replicas=${replicas}`);
        await kubectl('rollout', 'status', 'deployment/orders', '-n', shop, '--timeout=120s');
      };
      await scale(4);
      await kubectl('delete', 'pod', '-l', 'app=orders', '-n', shop, '--timeout=120s');
      await kubectl('rollout', 'status', 'deployment/orders', '-n', shop, '--timeout=120s');
      await scale(1);
      await until(
        'one Pod',
        async () =>
          (await kubectl('get', 'pods', '-l', 'app=orders', '-n', shop, '-o', 'name')).trim().split('\n').length === 1,
      );
      await scale(2);
    });
  });
});
