import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ApiServer, startApiServer } from '../support/apiserver.ts';
import { freePort, until } from '../support/gateway.ts';
import { apiserver } from '../support/parts.ts';
import { type Echo, plugin, route, secret, service, startEcho, yaml } from '../support/shop.ts';
import { Visitor } from '../support/visitor.ts';
import { createNamespaces, installCrds, labelled, type Operator, startOperator } from './operator.ts';
import { becomes, conditions, GRANT_KIND, meanwhile, pathOf } from './rows.ts';

const HOST = 'shop.test';
const OWNED = 'owned.test';
/** Never asked: logins only have to begin. */
const PROVIDER = { issuer: 'https://id.example.test', clientId: 'client' };

/** What objects of one namespace can do to another, and where a Service may lead. */
describe.skipIf(apiserver.missing)(`hosts and reach of a cluster ${apiserver.why}`, { timeout: 60_000 }, () => {
  let server: ApiServer;
  let echo: Echo;
  /** The service of whoever wants what isn't his. */
  let theirs: Echo;
  let operator: Operator;

  const ask = async (host: string, path: string): Promise<string> => {
    const { status, headers } = await new Visitor().ask(operator.url + path, { headers: { host } });
    return `${status} ${headers.location === undefined ? '' : new URL(headers.location).host}`.trim();
  };
  const answers = async (host: string, path: string, expected: string): Promise<void> =>
    await until(
      async () => (await ask(host, path)) === expected,
      `${host}${path} to answer ${expected}`,
      () => operator.log(),
    );
  /** What is reachable, and how. */
  const PLACES = [HOST, OWNED].flatMap((host) =>
    [
      '/orders',
      '/orders/7',
      '/orders/7/deep',
      '/',
      '/open',
      '/other',
      '/_oidc/okta/callback',
      '/_oidc/evil/callback',
    ].map((path) => [host, path] as const),
  );
  const reachable = async (): Promise<readonly string[]> =>
    await Promise.all(PLACES.map(async ([host, path]) => `${host}${path} ${await ask(host, path)}`));
  const remove = async (plural: string, namespace: string, name: string): Promise<void> => {
    await server.call('DELETE', pathOf(plural, namespace, name));
  };
  const ours = (host: string, prefix: string): readonly unknown[] => [
    route(`${prefix}orders`, { host, path: '/orders', plugins: ['okta'] }),
    route(`${prefix}open`, { host, path: '/open' }),
  ];

  beforeAll(async () => {
    server = await startApiServer();
    await createNamespaces(server, 'edge', 'shop', 'web');
    await installCrds(server);
    await server.apply(yaml(GRANT_KIND));
    echo = await startEcho();
    theirs = await startEcho();
    const client = { 'client-secret': 'sesame' };
    await server.apply(
      yaml(
        service(echo.url),
        plugin('okta', PROVIDER, { insecure: undefined }),
        labelled(secret('okta', client)),
        service(theirs.url, 'web', 'web'),
        plugin('okta', PROVIDER, { insecure: undefined }, 'web'),
        plugin('evil', PROVIDER, { insecure: undefined, redirectPath: '/_oidc/okta/callback' }, 'web'),
        ...['okta', 'evil'].map((name) => labelled(secret(name, client, 'web'))),
      ),
    );
    await server.apply(yaml(...ours(HOST, ''), ...ours(OWNED, 'owned-')));
    operator = await startOperator({
      kubeconfig: server.kubeconfig,
      https: await freePort(),
      args: ['--plain-http=Serve', '--external-port=443', `--host-owner=${OWNED}=shop,*.${OWNED}=shop`],
    });
    await operator.ready();
    // Whoever is older by a second owns the host.
    await new Promise((resolve) => setTimeout(resolve, 1100));
  }, 120_000);
  afterAll(async () => {
    await operator?.stop();
    echo?.close();
    theirs?.close();
    await server?.stop();
  });

  it('A177 whatever another namespace applies, what is reachable on an owned host stays the same', async () => {
    await answers(HOST, '/open', '200');
    const before = await reachable();
    expect(before).toContain(`${HOST}/other 404`);
    expect(before.some((line) => line.includes('/orders') && line.endsWith('200'))).toBe(false);
    const places: Readonly<Record<string, string>> = {
      same: '/orders',
      longer: '/orders/7',
      all: '/',
      free: '/other',
    };
    const intruders = [HOST, OWNED].flatMap((host, at) =>
      Object.entries(places).flatMap(([name, path]) => [
        { name: `${name}-public-${at}`, host, path },
        { name: `${name}-guarded-${at}`, host, path, plugins: ['evil'] },
      ]),
    );
    const wild = [`*.${OWNED}`, '*.test', '*'].map((host, at) => ({ name: `wild-${at}`, host, path: '/' }));
    const all = [...intruders, ...wild].map((options) => ({ ...options, namespace: 'web', service: 'web' }));
    const looking = meanwhile(async () => expect(await reachable()).toEqual(before));
    await server.apply(yaml(...all.map(({ name, ...options }) => route(name, options))));
    for (const { name, host } of all) {
      const needsEntry = host.startsWith('*') && host !== `*.${OWNED}`;
      await until(
        async () => (await conditions(server, 'routes', 'web', name))['Accepted']?.startsWith('False/') === true,
        `${name} to be refused`,
        () => operator.log(),
      );
      if (!needsEntry)
        expect([name, (await conditions(server, 'routes', 'web', name))['Accepted']]).toEqual([
          name,
          'False/HostNotAllowed',
        ]);
    }
    expect(await ask(`sub.${OWNED}`, '/')).toBe('404');
    expect(await looking.stop()).toBeGreaterThan(0);
    for (const spec of [{ hosts: [] }, { hosts: undefined }])
      await expect(server.apply(yaml(route('hostless', { namespace: 'web', spec })))).rejects.toThrow(/hosts/);
    const callback = { namespace: 'web', service: 'web', host: HOST, path: '/_oidc/okta/callback' };
    await expect(server.apply(yaml(route('callback', callback)))).rejects.toThrow(/is Postern’s own on every host/);
    expect(theirs.seen).toEqual([]);
    for (const { name } of all) await remove('routes', 'web', name);
  });

  it('A177 while the owner deletes and applies again, an entry keeps the host', async () => {
    await server.apply(yaml(route('early', { namespace: 'web', service: 'web', host: OWNED, path: '/' })));
    await becomes(server, ['routes', 'web', 'early'], 'Accepted', 'False/HostNotAllowed', operator);
    const seen = new Set<string>();
    const looking = meanwhile(async () => {
      for (const path of ['/orders/7', '/open', '/other']) seen.add(`${path} ${await ask(OWNED, path)}`);
    });
    for (let round = 0; round < 15; round += 1) {
      await remove('routes', 'shop', 'owned-orders');
      await remove('routes', 'shop', 'owned-open');
      // Some rounds long enough for a table without either, some not.
      await new Promise((resolve) => setTimeout(resolve, (round % 3) * 200));
      await server.apply(yaml(...ours(OWNED, 'owned-')));
      await new Promise((resolve) => setTimeout(resolve, (round % 2) * 200));
    }
    await answers(OWNED, '/open', '200');
    await looking.stop();
    expect(theirs.seen).toEqual([]);
    expect(seen).toContain('/orders/7 404');
    expect([...seen].filter((line) => line.endsWith(' 200'))).toEqual(['/open 200']);
    await remove('routes', 'web', 'early');
  });

  it('A172 a Service or a plugin of another namespace is used with its grant only', async () => {
    const mine = { namespace: 'web', host: 'web.test' };
    await server.apply(
      yaml(
        route('borrows', { ...mine, path: '/borrows', spec: { serviceRef: { name: 'shop', namespace: 'shop' } } }),
        route('guarded', { ...mine, service: 'web', path: '/guarded', plugins: [{ name: 'okta', namespace: 'shop' }] }),
      ),
    );
    for (const name of ['borrows', 'guarded']) {
      await becomes(server, ['routes', 'web', name], 'ResolvedRefs', 'False/RefNotPermitted', operator);
      expect(await ask('web.test', `/${name}`)).toBe('503');
    }
    const secretElsewhere = plugin(
      'elsewhere',
      PROVIDER,
      { clientSecretRef: { name: 'okta', namespace: 'shop' } },
      'web',
    );
    await expect(server.apply(yaml(secretElsewhere))).rejects.toThrow(/namespace/);
    const grant = (kind: string): unknown => ({
      apiVersion: 'gateway.networking.k8s.io/v1',
      kind: 'ReferenceGrant',
      metadata: { name: kind.toLowerCase(), namespace: 'shop' },
      spec: {
        from: [{ group: 'postern.dev', kind: 'Route', namespace: 'web' }],
        to: [{ group: 'postern.dev', kind }],
      },
    });
    await server.apply(yaml(grant('Service'), grant('OidcPlugin')));
    await answers('web.test', '/borrows', '200');
    await becomes(server, ['routes', 'web', 'guarded'], 'ResolvedRefs', 'True/ResolvedRefs', operator);
    await server.kubectl(['delete', 'referencegrant', '--all', '-n', 'shop']);
    for (const name of ['borrows', 'guarded']) {
      await answers('web.test', `/${name}`, '503');
      await becomes(server, ['routes', 'web', name], 'ResolvedRefs', 'False/RefNotPermitted', operator);
    }
  });

  it.each(['../other/secret', 'a/b', '..', 'a%2fb', 'A', 'a\nb'])(
    'A173 the API server refuses %j as the name of a Secret, Service or plugin',
    async (name) => {
      for (const object of [
        plugin('traversal', PROVIDER, { insecure: undefined, clientSecretRef: { name } }),
        route('traversal', { host: HOST, service: name }),
        route('traversal', { host: HOST, plugins: [name] }),
        route('traversal', { host: HOST, spec: { tls: { secretRef: { name } } } }),
      ])
        await expect(server.apply(yaml(object))).rejects.toThrow(/name/);
    },
  );

  it('F43 a core Service that is missing, renames its port or goes is 503 at once, and said', async () => {
    const byName = {
      apiVersion: 'postern.dev/v1alpha1',
      kind: 'Service',
      metadata: { name: 'core', namespace: 'shop' },
    };
    await server.apply(
      yaml(
        { ...byName, spec: { backendRef: { name: 'core', port: 80 } } },
        route('core', { host: HOST, service: 'core' }),
      ),
    );
    const psvc = ['services', 'shop', 'core'] as const;
    const says = async (expected: string): Promise<void> => {
      await becomes(server, psvc, 'ResolvedRefs', expected, operator);
      expect(await ask(HOST, '/core')).toBe('503');
    };
    await says('False/BackendNotFound');
    const core = (port: number): unknown => ({
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'core', namespace: 'shop' },
      spec: { ports: [{ name: 'http', port }] },
    });
    await server.apply(yaml(core(80)));
    await says('True/ResolvedRefs');
    await server.apply(yaml(core(81)));
    await says('False/BackendPortNotFound');
    await server.kubectl(['delete', 'service', 'core', '-n', 'shop']);
    await says('False/BackendNotFound');
    await server.apply(
      yaml({
        apiVersion: 'v1',
        kind: 'Service',
        metadata: { name: 'core', namespace: 'shop' },
        spec: { type: 'ExternalName', externalName: 'metadata.internal', ports: [{ name: 'http', port: 80 }] },
      }),
    );
    await says('False/AddressNotAllowed');
  });

  it('A174 link-local addresses and our own listeners are reached under no setting, others where it is said', async () => {
    const strict = await startOperator({
      kubeconfig: server.kubeconfig,
      urlBackends: 'Public',
      args: ['--class=strict'],
    });
    try {
      await strict.ready();
      const to = (name: string, url: string, of?: string): readonly unknown[] => {
        const owner = of === undefined ? {} : { class: of };
        return [
          {
            apiVersion: 'postern.dev/v1alpha1',
            kind: 'Service',
            metadata: { name, namespace: 'shop' },
            spec: { url, ...owner },
          },
          route(name, { service: name, host: HOST, spec: owner }),
        ];
      };
      const inside = {
        loopback: echo.url,
        apiserver: server.url,
        private: 'http://10.0.0.1',
        cluster: 'http://kubernetes.default.svc.cluster.local',
      };
      const never = { metadata: 'http://169.254.169.254', mapped: 'http://[64:ff9b::a9fe:a9fe]' };
      await server.apply(
        yaml(
          ...Object.entries(inside).flatMap(([name, url]) => to(`strict-${name}`, url, 'strict')),
          ...Object.entries(never).flatMap(([name, url]) => to(name, url)),
          ...to('admin', operator.adminUrl),
          ...to('debug', operator.debugUrl.replace('127.0.0.1', 'localhost')),
        ),
      );
      for (const name of Object.keys(inside)) {
        const psvc = ['services', 'shop', `strict-${name}`] as const;
        await becomes(server, psvc, 'ResolvedRefs', 'False/AddressNotAllowed', strict);
        const answer = await new Visitor().ask(`${strict.url}/strict-${name}`, { headers: { host: HOST } });
        expect([name, answer.status]).toEqual([name, 503]);
      }
      for (const name of Object.keys(never)) {
        await becomes(server, ['services', 'shop', name], 'ResolvedRefs', 'False/AddressNotAllowed', operator);
        expect(await ask(HOST, `/${name}`)).toBe('503');
      }
      for (const name of ['admin', 'debug']) {
        await until(async () => (await ask(HOST, `/${name}`)) !== '404', `/${name} to be there`);
        const { status, body } = await new Visitor().ask(`${operator.url}/${name}/metrics`, {
          headers: { host: HOST },
        });
        expect([name, status]).toEqual([name, 502]);
        expect(body).not.toContain('postern_');
      }
    } finally {
      await strict.stop();
    }
  });
});
