import { execFileSync } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { isPlain, own } from '../../src/resources/plain.ts';
import { type ApiServer, startApiServer } from '../support/apiserver.ts';
import { type FakeProvider, startFakeProvider } from '../support/fake-provider.ts';
import { type FaultyApi, startFaultyApi } from '../support/faulty-api.ts';
import { freePort, until } from '../support/gateway.ts';
import { apiserver } from '../support/parts.ts';
import { type Echo, plugin, route, secret, service, startEcho, yaml } from '../support/shop.ts';
import { Visitor } from '../support/visitor.ts';
import { CRDS, createNamespaces, installCrds, labelled, metric, type Operator, startOperator } from './operator.ts';
import { conditions, pathOf } from './rows.ts';

/** What ends a string, a line or a value somewhere, or is run by somebody. */
const EVIL = [
  `"'\`};#`,
  'a\nb\r\nX-Evil: 1',
  '$' + '{process.exit(1)}{{.Env}}$(exit 1)<%= 1 %>',
  '\u001b[31mred\u001b]0;title\u0007',
  '../other/secret',
  'a/b?x=1#y',
  '\u2028\u202e\u0000\uD83D',
  '__proto__',
];
const ESCAPE = '\u001b';

/** Every copy of the value in which one string inside is another. */
function spoiled(value: unknown, evil: string): readonly unknown[] {
  if (typeof value === 'string') return [evil];
  if (Array.isArray(value))
    return value.flatMap((each, at) => spoiled(each, evil).map((other) => value.with(at, other)));
  if (!isPlain(value)) return [];
  return Object.entries(value).flatMap(([name, each]) =>
    spoiled(each, evil).map((other) => ({ ...value, [name]: other })),
  );
}

/** Objects that are big, change without end, or hold what nobody would write. */
describe.skipIf(apiserver.missing)(`hostile objects ${apiserver.why}`, { timeout: 120_000 }, () => {
  let server: ApiServer;
  let faulty: FaultyApi;
  let echo: Echo;
  let fake: FakeProvider;
  let operator: Operator;

  const status = async (path: string, host = 'localhost'): Promise<number> =>
    (await new Visitor().ask(operator.url + path, { headers: { host } })).status;
  const answers = async (path: string, expected: number, host?: string): Promise<void> =>
    await until(
      async () => (await status(path, host)) === expected,
      `${path} to answer ${expected}`,
      () => operator.log().slice(-20_000),
    );
  /** Each line is JSON, and holds nothing that a terminal or a second reader takes for something else. */
  const isClean = (log: string): void => {
    for (const line of log.trimEnd().split('\n')) {
      expect(() => isPlain(JSON.parse(line)), line).not.toThrow();
      // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there.
      expect(line).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e]/);
    }
  };
  const residentKB = (): number =>
    Number(execFileSync('ps', ['-o', 'rss=', '-p', String(operator.child.pid)], { encoding: 'utf8' }));

  beforeAll(async () => {
    server = await startApiServer();
    faulty = await startFaultyApi(server);
    await createNamespaces(server, 'edge', 'shop', 'evil', 'big');
    await installCrds(server);
    echo = await startEcho();
    fake = await startFakeProvider();
    await server.apply(
      yaml(
        service(echo.url),
        service(echo.url, 'shop', 'big'),
        route('orders', { plugins: ['okta'] }),
        plugin('okta', fake),
        labelled(secret('okta', { 'client-secret': 'secret' })),
      ),
    );
    operator = await startOperator({
      kubeconfig: faulty.kubeconfig,
      port: await freePort(),
      args: ['--log-level=debug', '--log-format=json', '--host-owner=localhost=shop'],
    });
    await operator.ready();
  }, 120_000);
  afterAll(async () => {
    await operator?.stop();
    await fake?.close();
    echo?.close();
    await faulty?.stop();
    await server?.stop();
  });

  it('A163 annotations of 64 KB and statuses that others write without end cost no table and no status', async () => {
    const host = 'big.test';
    const names = Array.from({ length: 200 }, (_, at) => `big-${at}`);
    const annotations = { 'example.test/big': 'x'.repeat(64 * 1024) };
    await Promise.all(
      names.map(async (name) => {
        const object = route(name, { namespace: 'big', host });
        const metadata = { name, namespace: 'big', annotations };
        const made = await server.call('POST', pathOf('routes', 'big'), isPlain(object) ? { ...object, metadata } : {});
        expect(made.status).toBe(201);
      }),
    );
    await answers('/big-199', 200, host);
    const written = async (): Promise<number> =>
      await metric(operator, 'postern_status_writes_total{result="written"}');
    for (const name of names)
      await until(
        async () => (await conditions(server, 'routes', 'big', name))['Ready'] === 'True/Ready',
        `${name} to say so`,
      );
    await sleep(1500);
    const generation = await metric(operator, 'postern_routing_table_generation');
    const [before, memory] = [await written(), residentKB()];
    const events = await metric(operator, 'postern_watch_events_total{kind="Route",type="MODIFIED"}');
    const condition = (at: number): unknown => ({
      type: 'Foreign',
      status: at % 2 === 0 ? 'True' : 'False',
      reason: 'Churn',
      message: `${at} ${'y'.repeat(20_000)}`,
      lastTransitionTime: new Date().toISOString(),
    });
    for (let round = 0; round < 5; round += 1)
      await Promise.all(
        names.map(async (name, at) => {
          const body = {
            apiVersion: 'postern.dev/v1alpha1',
            kind: 'Route',
            metadata: { name, namespace: 'big' },
            status: { conditions: [condition(round * 1000 + at)] },
          };
          const path = `${pathOf('routes', 'big', name)}/status?fieldManager=churn&force=true`;
          expect((await server.call('PATCH', path, body, 'application/apply-patch+yaml')).status).toBe(200);
        }),
      );
    await until(
      async () => (await metric(operator, 'postern_watch_events_total{kind="Route",type="MODIFIED"}')) >= events + 800,
      'the storm to be seen',
      () => operator.log().slice(-5000),
    );
    await sleep(1000);
    expect(await metric(operator, 'postern_routing_table_generation')).toBe(generation);
    expect(await written()).toBe(before);
    // 32 MB went by, twice as much before it was trimmed; the young generation alone may grow by 100 MB on the way.
    expect(residentKB() - memory).toBeLessThan(200 * 1024);
    await server.call('DELETE', pathOf('routes', 'big'));
  });

  it('A179 what a provider claims and a visitor asks for stays inside its line of the log', async () => {
    const evil = EVIL.join('');
    fake.claims = { preferred_username: evil, name: evil, email: evil, groups: [evil] };
    const visitor = new Visitor();
    const { status: code } = await visitor.open(`http://localhost:${new URL(operator.url).port}/orders/1`);
    expect([200, 502]).toContain(code);
    fake.instead.set('/token', (incoming, answer) => {
      incoming.resume();
      answer.writeHead(400, { 'content-type': 'application/json' });
      answer.end(JSON.stringify({ error: 'invalid_request', error_description: evil }));
    });
    await new Visitor().open(`http://localhost:${new URL(operator.url).port}/orders/2`);
    await new Visitor().ask(`${operator.url}/orders`, {
      headers: { 'user-agent': 'a"\u009b31m' },
      target: '/orders/%0a%1b[31m%22',
    });
    await new Visitor().ask(`${operator.url}/orders/last`);
    fake.instead.clear();
    // It came as far as the log, and the lines after it too.
    await operator.logged(/the token endpoint answered 400, invalid_request \(\\"'/);
    await operator.logged(/"path":"\/orders\/last"/);
    isClean(operator.log());
  });

  it('A171 who reaches the admin port can read and write nothing there but health and counts, and nobody else the debug port', async () => {
    const { adminUrl, debugUrl } = operator;
    for (const method of ['POST', 'PUT', 'PATCH', 'DELETE'])
      for (const path of ['/metrics', '/readyz', '/livez'])
        expect([method, path, (await fetch(adminUrl + path, { method })).status]).toEqual([method, path, 405]);
    // What the debug port shows is not to be had here, under whatever method.
    for (const path of ['/debug/snapshot', '/debug/routes/match', '/debug/kubernetes', '/'])
      expect([path, (await fetch(adminUrl + path)).status]).toEqual([path, 404]);
    const texts = await Promise.all(
      ['/metrics', '/readyz?verbose', '/livez'].map(async (path) => await (await fetch(adminUrl + path)).text()),
    );
    const keys = await server.call('GET', '/api/v1/namespaces/edge/secrets/postern-keys');
    const sealed = String(own(own(keys.body, 'data'), 'keys'));
    expect(sealed.length).toBeGreaterThan(20);
    for (const text of texts) {
      expect(text).not.toContain(sealed);
      for (const word of Buffer.from(sealed, 'base64')
        .toString()
        .split(/\s+/)
        .filter((one) => one.length > 20))
        expect(text).not.toContain(word);
    }
    // A page in the browser of somebody at this machine comes under its own name (DNS rebinding).
    for (const host of ['evil.example', 'localhost.evil.example']) {
      const answer = await new Visitor().ask(`${debugUrl}/debug/kubernetes`, { headers: { host } });
      expect([host, answer.status]).toEqual([host, 403]);
    }
    for (const method of ['POST', 'PUT', 'PATCH', 'DELETE'])
      expect((await fetch(`${debugUrl}/debug/kubernetes`, { method })).status).toBe(405);
  });

  it('A170 A173 A179 whatever stands in an object is data: refused or carried, run by nothing', async () => {
    // Definitions that refuse nothing, so that all of it comes as far as the operator.
    for (const document of parseAllDocuments(CRDS)) {
      const definition: unknown = document.toJS();
      const name = String(own(own(definition, 'metadata'), 'name'));
      const schema = { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } };
      const at = `/apis/apiextensions.k8s.io/v1/customresourcedefinitions/${name}`;
      const body = [{ op: 'replace', path: '/spec/versions/0/schema', value: schema }];
      expect((await server.call('PATCH', at, body, 'application/json-patch+json')).status).toBe(200);
    }
    await server.apply(
      yaml(service(echo.url, 'shop', 'evil'), route('good', { namespace: 'evil', host: 'evil.test' })),
    );
    const whole: readonly (readonly [string, unknown])[] = [
      [
        'routes',
        own(
          route('r', {
            host: 'evil.test',
            path: '/guarded',
            plugins: ['p'],
            spec: {
              methods: ['GET'],
              headers: [{ name: 'X-A', value: 'b' }],
              tls: { secretRef: { name: 'certificate' } },
              authorization: { rules: [{ claims: [{ path: 'groups', anyOf: ['staff'] }] }] },
            },
          }),
          'spec',
        ),
      ],
      ['services', { url: echo.url, timeouts: { connect: '5s' } }],
      ['services', { backendRef: { name: 'core', port: 80 }, tls: { caRef: { name: 'ca' }, serverName: 'a.test' } }],
      [
        'oidcplugins',
        {
          ...specOf(plugin('p', fake)),
          scopes: ['openid'],
          extraParams: { a: 'b' },
          claims: { username: 'sub' },
          logout: { path: '/_oidc/p/logout' },
          upstream: { claims: [{ claim: 'sub', header: 'X-Forwarded-User' }] },
          tls: { caRef: { name: 'ca' } },
        },
      ],
    ];
    const kinds: Readonly<Record<string, string>> = { routes: 'Route', services: 'Service', oidcplugins: 'OidcPlugin' };
    faulty.forget();
    const seen: string[] = [];
    for (const [plural, spec] of whole)
      for (const evil of EVIL) {
        const objects = spoiled(spec, evil).map((other, at) => ({
          apiVersion: 'postern.dev/v1alpha1',
          kind: kinds[plural],
          metadata: { name: `evil-${seen.length + at}`, namespace: 'evil' },
          spec: other,
        }));
        const answered = await Promise.all(
          objects.map(async (object) => (await server.call('POST', pathOf(plural, 'evil'), object)).status),
        );
        seen.push(...answered.map(String));
      }
    expect(seen.length).toBeGreaterThan(200);
    expect(new Set(seen)).toEqual(new Set(['201']));
    await server.apply(yaml(route('sentinel')));
    await answers('/sentinel', 200);
    expect(await status('/guarded', 'evil.test')).not.toBe(200);
    expect(operator.child.exitCode).toBeNull();
    const count = `postern_objects{kind="Route"}`;
    expect(await metric(operator, count)).toBeGreaterThanOrEqual(0);
    await sleep(3000);
    // Names in what it asks of the API server: as they were checked, or not at all.
    const asked = faulty.calls();
    expect(asked.map(({ path }) => path).filter((path) => /\.\.|%|other|[^\w./-]/.test(path))).toEqual([]);
    const selectors = asked.map(({ query }) => query.get('fieldSelector') ?? '').filter((one) => one !== '');
    expect(selectors).toContain('metadata.name=certificate');
    expect(
      selectors.filter((one) => !/^(metadata\.name=[a-z0-9][a-z0-9.-]*(,|$))?(type=[a-z.]+\/tls)?$/.test(one)),
    ).toEqual([]);
    for (const { url, headers } of echo.seen) {
      expect(url).not.toContain('..');
      expect(Object.keys(headers)).not.toContain('x-evil');
    }
    isClean(operator.log());
    const scraped = await (await fetch(`${operator.adminUrl}/metrics`)).text();
    expect(scraped).not.toContain(ESCAPE);
    for (const line of scraped.trimEnd().split('\n'))
      expect(line).toMatch(/^(# (HELP|TYPE) |postern_|nodejs_|process_)/);
  });
});

const specOf = (value: unknown): Readonly<Record<string, unknown>> => {
  const spec = own(value, 'spec');
  return isPlain(spec) ? spec : {};
};
