import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { own } from '../../src/resources/plain.ts';
import { type ApiServer, startApiServer } from '../support/apiserver.ts';
import { hang } from '../support/fake-answers.ts';
import { type FakeProvider, startFakeProvider } from '../support/fake-provider.ts';
import { type FaultyApi, startFaultyApi, statusAnswer } from '../support/faulty-api.ts';
import { freePort, until } from '../support/gateway.ts';
import { apiserver } from '../support/parts.ts';
import { plugin, route, secret, service, yaml } from '../support/shop.ts';
import { Visitor } from '../support/visitor.ts';
import { createNamespaces, installCrds, labelled, metric, type Operator, startOperator } from './operator.ts';
import { becomes, conditions, meanwhile, pathOf } from './rows.ts';

const MERGE = 'application/merge-patch+json';

/** What changes at once, goes wrong or is refused, and that nothing is open meanwhile. */
describe.skipIf(apiserver.missing)(`objects that change ${apiserver.why}`, { timeout: 90_000 }, () => {
  let server: ApiServer;
  let faulty: FaultyApi;
  let upstream: Server;
  let url: string;
  let provider: FakeProvider;
  let operator: Operator;

  const status = async (path: string): Promise<number> => (await new Visitor().ask(operator.site + path)).status;
  const answers = async (path: string, expected: readonly number[]): Promise<void> =>
    await until(
      async () => expected.includes(await status(path)),
      `${path} to answer ${expected.join()}`,
      () => operator.log(),
    );
  const patch = async (plural: string, name: string, body: unknown): Promise<void> => {
    const answer = await server.call('PATCH', pathOf(plural, 'shop', name), body, MERGE);
    // What is refused, or finds no object, tries nothing.
    expect([body, answer.status, answer.status === 200 ? '' : answer.body]).toEqual([body, 200, '']);
  };
  const guard = (): readonly unknown[] => [
    labelled(secret('okta', { 'client-secret': 'sesame' })),
    plugin('okta', provider),
  ];
  /** What one who isn't logged in gets of a guarded Route that is whole, and of one that isn't. */
  const CLOSED = [302, 503];

  beforeAll(async () => {
    server = await startApiServer();
    faulty = await startFaultyApi(server);
    await createNamespaces(server, 'edge', 'shop', 'many');
    await installCrds(server);
    provider = await startFakeProvider();
    provider.secrets = ['sesame'];
    upstream = createServer((request, response) => {
      response.end(`saw ${request.url}`);
    }).listen(0, '127.0.0.1');
    await once(upstream, 'listening');
    const address = upstream.address();
    url = `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`;
    await server.apply(yaml(service(url), route('open'), route('orders', { plugins: ['okta'] }), ...guard()));
    operator = await startOperator({
      kubeconfig: faulty.kubeconfig,
      args: ['--leader-election=off', '--status-writes=200'],
    });
    await operator.ready();
  }, 120_000);
  afterEach(() => {
    faulty.set({});
  });
  afterAll(async () => {
    await operator?.stop();
    await provider?.close();
    upstream?.closeAllConnections();
    upstream?.close();
    await faulty?.stop();
    await server?.stop();
  });

  it('F22 without election it writes statuses and takes no Lease', async () => {
    await becomes(server, ['routes', 'shop', 'open'], 'Ready', 'True/Ready', operator);
    expect(await metric(operator, 'postern_leader')).toBe(1);
    const leases = await server.kubectl(['get', 'leases', '-n', 'edge', '-o', 'name']);
    expect(leases.stdout).toBe('');
  });

  it('F16 A176 no order, loss or delay of what a guarded Route refers to opens it for a moment', async () => {
    const seen = new Set<number>();
    await answers('/orders', [302]);
    const looking = meanwhile(async () => {
      seen.add(await status('/orders'));
    });
    const recreate = async (): Promise<void> => {
      await server.call('DELETE', pathOf('oidcplugins', 'shop', 'okta'));
      await server.apply(yaml(...guard()));
    };
    let isDisturbed = false;
    const steps: readonly (() => Promise<unknown>)[] = [
      // The reference away and back: within a few milliseconds, before the answer to the first is there.
      async () =>
        await Promise.all([
          patch('routes', 'orders', { spec: { plugins: [] } }),
          patch('routes', 'orders', { spec: { plugins: [{ kind: 'OidcPlugin', name: 'okta' }] } }),
        ]),
      async () => {
        await patch('routes', 'orders', { spec: { plugins: null } });
        // So long that there was a table of this too, at least once.
        if (!isDisturbed) await answers('/orders', [503]);
      },
      async () => await patch('routes', 'orders', { spec: { plugins: [{ kind: 'OidcPlugin', name: 'okta' }] } }),
      recreate,
      async () => await server.call('DELETE', '/api/v1/namespaces/shop/secrets/okta'),
      async () =>
        await Promise.all([
          patch('oidcplugins', 'okta', { spec: { clientSecretRef: { name: 'another' } } }),
          server.apply(yaml(labelled(secret('another', { 'client-secret': 'sesame' })))),
          patch('routes', 'orders', { spec: { paths: [{ type: 'Prefix', value: '/orders' }], methods: ['GET'] } }),
        ]),
      async () => await server.call('DELETE', pathOf('oidcplugins', 'shop', 'okta')),
      async () => await server.call('DELETE', '/api/v1/namespaces/shop/secrets/another'),
      async () => await server.apply(yaml(...guard())),
    ];
    for (const fault of [{}, { cutWatches: { after: 40, cleanly: false } }, { delay: 120 }]) {
      isDisturbed = Object.keys(fault).length > 0;
      faulty.set(fault);
      faulty.cut();
      for (const step of steps) {
        await step();
        // Undisturbed, each state is seen; else some are, whichever.
        await sleep(isDisturbed ? Math.random() * 150 : 400);
      }
    }
    faulty.set({});
    faulty.cut();
    await patch('routes', 'orders', { spec: { plugins: [{ kind: 'OidcPlugin', name: 'okta' }] } });
    await becomes(server, ['routes', 'shop', 'orders'], 'ResolvedRefs', 'True/ResolvedRefs', operator);
    expect(await looking.stop()).toBeGreaterThan(20);
    expect([...seen].filter((each) => !CLOSED.includes(each))).toEqual([]);
    await answers('/orders', [302]);
  });

  it('F16 a plugin that is pointed at another Secret, which is there, is at no moment without one', async () => {
    await server.apply(yaml(...guard(), labelled(secret('spare', { 'client-secret': 'sesame' }))));
    await answers('/orders', [302]);
    const seen = new Set<number>();
    // The data of a Secret that nothing refers to isn't held: it is asked for now, which takes its time.
    faulty.set({ delay: 150 });
    const looking = meanwhile(async () => {
      seen.add(await status('/orders'));
    });
    for (const name of ['spare', 'okta', 'spare', 'okta']) {
      const generation = await metric(operator, 'postern_routing_table_generation');
      await patch('oidcplugins', 'okta', { spec: { clientSecretRef: { name }, clientID: `client-of-${name}` } });
      await until(
        async () => (await metric(operator, 'postern_routing_table_generation')) > generation,
        'a new table',
        () => operator.log(),
      );
      const before = looking.times();
      await until(() => looking.times() >= before + 15, 'requests after it');
    }
    await looking.stop();
    await patch('oidcplugins', 'okta', { spec: { clientID: provider.clientId } });
    expect([...seen], operator.log()).toEqual([302]);
  });

  it('F36 a client secret is rotated while the provider says nothing: people are sent there all the same, at once', async () => {
    await answers('/orders', [302]);
    const metrics = async (): Promise<number> => await metric(operator, 'postern_routing_table_generation');
    const rotate = async (value: string): Promise<void> => {
      const before = await metrics();
      await server.apply(yaml(labelled(secret('okta', { 'client-secret': value }))));
      await until(async () => (await metrics()) > before, 'a new table', operator.log);
    };
    const seen = new Set<number>();
    for (const path of ['/.well-known/openid-configuration', '/jwks']) provider.instead.set(path, hang);
    const looking = meanwhile(async () => {
      seen.add(await status('/orders'));
    });
    try {
      for (const value of ['of-noon', 'of-the-evening', 'sesame']) {
        await rotate(value);
        const before = looking.times();
        await until(() => looking.times() >= before + 5, 'requests after it', operator.log);
      }
    } finally {
      provider.instead.clear();
      await looking.stop();
    }
    expect([...seen], operator.log()).toEqual([302]);
    // A new table may be of something else that changed: the last secret counts when a login goes through with it.
    await until(
      async () => (await new Visitor().open(`${operator.site}/orders`)).status === 200,
      'a login with the last secret',
      operator.log,
    );
  });

  it('A175 a Secret that is missing, empty or has another key closes its Route, says which, and no other', async () => {
    const broken: readonly (readonly [string, unknown, string])[] = [
      ['missing', undefined, 'False/SecretNotFound'],
      ['empty', labelled(secret('empty', {})), 'False/SecretKeyMissing'],
      ['another', labelled(secret('another', { password: 'sesame' })), 'False/SecretKeyMissing'],
    ];
    for (const [name, object, reason] of broken) {
      const objects = [plugin(name, provider), route(name, { plugins: [name] })];
      await server.apply(yaml(...objects, ...(object === undefined ? [] : [object])));
      await becomes(server, ['oidcplugins', 'shop', name], 'ResolvedRefs', reason, operator);
      await answers(`/${name}`, [503]);
      await becomes(server, ['routes', 'shop', name], 'ResolvedRefs', 'False/PluginInvalid', operator);
    }
    expect(await status('/open')).toBe(200);
  });

  it('A175 a provider that never answered is 503 at its own Route, whose conditions are good all the same', async () => {
    const gone = { issuer: `http://127.0.0.1:${await freePort()}`, clientId: 'client' };
    const known = new Visitor();
    expect((await known.open(`${operator.site}/orders`)).status).toBe(200);
    await server.apply(
      yaml(
        labelled(secret('gone', { 'client-secret': 'sesame' })),
        plugin('gone', gone),
        route('waiting', { plugins: ['gone'] }),
      ),
    );
    await becomes(server, ['oidcplugins', 'shop', 'gone'], 'ProviderReady', 'False/DiscoveryFailed', operator);
    await becomes(server, ['oidcplugins', 'shop', 'gone'], 'Ready', 'False/DiscoveryFailed', operator);
    await becomes(server, ['routes', 'shop', 'waiting'], 'Ready', 'True/Ready', operator);
    const { body } = await server.call('GET', pathOf('routes', 'shop', 'waiting'));
    expect(own(own(body, 'status'), 'exposure')).toBe('Protected');
    const answer = await new Visitor().ask(`${operator.site}/waiting`);
    expect([answer.status, answer.headers['retry-after']]).toEqual([503, expect.stringMatching(/^[0-9]+$/)]);
    expect(await status('/open')).toBe(200);
    // One that was reached, and is down now: who is logged in stays so.
    await provider.close();
    try {
      expect((await known.ask(`${operator.site}/orders`)).status).toBe(200);
    } finally {
      await provider.listen();
    }
  });

  it.each([403, 409])('F17 statuses that are answered with %i hurt no traffic, and are written later', async (code) => {
    let refused = 0;
    faulty.set({
      answer: ({ verb, path }) => {
        if (verb !== 'patch' || !path.endsWith('/status')) return undefined;
        refused += 1;
        return statusAnswer(code);
      },
    });
    const name = `refused-${code}`;
    const failures: number[] = [];
    const looking = meanwhile(async () => {
      const answer = await status('/open');
      if (answer !== 200) failures.push(answer);
    });
    await server.apply(yaml(route(name)));
    await answers(`/${name}`, [200]);
    await until(() => refused > 0, 'a status to be refused');
    await sleep(3000);
    // Slower each time: no loop that runs hot.
    expect(refused).toBeLessThan(20);
    expect((await conditions(server, 'routes', 'shop', name))['Ready']).toBeUndefined();
    faulty.set({});
    // What was forbidden is asked for again after a minute, or when the object changes.
    if (code === 403) await patch('routes', name, { spec: { methods: ['GET'] } });
    const end = Date.now() + 75_000;
    while ((await conditions(server, 'routes', 'shop', name))['Ready'] !== 'True/Ready' && Date.now() < end)
      await sleep(200);
    expect((await conditions(server, 'routes', 'shop', name))['Ready']).toBe('True/Ready');
    await looking.stop();
    expect(failures).toEqual([]);
  });

  it('F13 one invalid object among a thousand closes its place, and only that', async () => {
    const names = Array.from({ length: 1000 }, (_, at) => `many-${at}`);
    const host = 'many.localhost';
    await server.apply(yaml(service(url, 'shop', 'many')));
    const body = (name: string): unknown =>
      route(name, {
        namespace: 'many',
        host,
        // Not in canonical form, which no rule of the API server can say, and closes the host whole.
        ...(name === 'many-500' ? { host: 'bad.localhost', path: '/%41' } : {}),
      });
    const made = await Promise.all(
      names.map(async (name) => (await server.call('POST', pathOf('routes', 'many'), body(name))).status),
    );
    expect(new Set(made)).toEqual(new Set([201]));
    const visit = async (name: string): Promise<number> =>
      (
        await new Visitor().ask(`${operator.url}/${name}`, {
          headers: { host: name === 'many-500' ? 'bad.localhost' : host },
        })
      ).status;
    await until(
      async () => (await visit('many-999')) === 200,
      'the last',
      () => operator.log(),
    );
    await becomes(server, ['routes', 'many', 'many-500'], 'Accepted', 'False/Invalid', operator);
    const found: string[] = [];
    for (const name of names) {
      const answer = await visit(name);
      if (answer !== 200) found.push(`${name} ${answer}`);
    }
    expect(found).toEqual(['many-500 503']);
    await server.call('DELETE', pathOf('routes', 'many'));
  });
});
