import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { createMetrics, type Metrics } from '../../src/observe/metrics.ts';
import type { PluginEvent } from '../../src/plugins/contract.ts';
import { promtool } from '../support/parts.ts';
import { pluginKey, publication, record, split } from './publications.ts';

const create = (): Metrics => createMetrics({ version: '1.2.3', now: () => 1_700_000_000_000 });

const OKTA = pluginKey('shop/okta');
const LOGIN: readonly PluginEvent[] = [
  { kind: 'LoginStarted' },
  { kind: 'LoginReturned' },
  { kind: 'ProviderCall', endpoint: 'token', result: 'ok', seconds: 0.1 },
  { kind: 'LoginExchanged' },
  { kind: 'SessionCreated', seconds: 9, bytes: 1800 },
];
const EVENTS: readonly PluginEvent[] = [
  ...LOGIN,
  { kind: 'LoginFailed', reason: 'state_expired' },
  { kind: 'Unauthenticated', reason: 'no_session' },
  { kind: 'Logout', how: 'rp_initiated' },
  { kind: 'ProviderCall', endpoint: 'discovery', result: 'ok', seconds: 0.2 },
  { kind: 'ProviderCall', endpoint: 'jwks', result: 'ok', seconds: 0.2 },
  { kind: 'ProviderCall', endpoint: 'userinfo', result: 'timeout', seconds: 5 },
];

/** Lines of series of ours, without those of the process. */
const ours = (text: string): readonly string[] => text.split('\n').filter((line) => line.startsWith('postern_'));

/** Everything that can be counted, once. */
function exercise(metrics: Metrics): void {
  metrics.follow(() => new Map([[OKTA, { status: 'True', reason: 'Ready', message: '' }]]));
  metrics.control.published(
    publication({ routes: { 'shop/orders': ['admins'] }, services: ['shop/orders'], plugins: ['shop/okta'] }),
  );
  metrics.control.reconciled('published', 0.01);
  metrics.requests.connection(1);
  metrics.requests.started();
  metrics.requests.finished(record({ rule: 'admins' }));
  metrics.requests.started();
  metrics.requests.finished(record({ outcome: 'upstream_failed', reason: 'connect_timeout', status: 504 }));
  metrics.requests.started();
  metrics.requests.finished(
    record({ outcome: 'refused', reason: 'PluginInvalid', status: 503, upstreamMs: undefined }),
  );
  metrics.requests.started();
  metrics.requests.finished(record({ outcome: 'forbidden', rule: 'admins', status: 403, upstreamMs: undefined }));
  metrics.requests.started();
  metrics.requests.finished(
    record({ outcome: 'bad_request', reason: 'two_hosts', status: 400, route: undefined, service: undefined }),
  );
  for (const tunnel of ['client_closed', 'session_end'] as const) {
    metrics.requests.started();
    metrics.requests.tunnel?.();
    metrics.requests.finished(
      record({ status: 101, tunnel, durationMs: 7_200_000, requestBytes: 0, responseBytes: 0 }),
    );
  }
  metrics.requests.started();
  metrics.requests.tunnel?.();
  metrics.requests.rejected('tls_on_plain_port');
  const orders = split('shop/orders');
  metrics.upstreams.retried(orders, 'connect');
  metrics.upstreams.notRetried(orders);
  metrics.upstreams.ejected(orders, 'rate');
  metrics.upstreams.requestTimedOut(orders);
  metrics.followUpstreams(() => [
    { service: orders, endpoints: 3, ejected: 1, pending: 4, active: 5, idle: 2 },
    { service: orders, endpoints: 3, ejected: 0, pending: 0, active: 1, idle: 0 },
  ]);
  for (const event of EVENTS) metrics.observe(OKTA, event);
  const cluster = metrics.cluster();
  cluster.api.called('get', 200, 1000);
  cluster.api.called('patch', 0, 0);
  cluster.api.watched?.(300);
  cluster.watches.event('Route', 'MODIFIED');
  cluster.watches.restart('Route', 'gone');
  cluster.statusWrite('written');
  cluster.event('sent');
  cluster.follow({ leading: () => true, fresh: () => new Map([['Route', 1_700_000_000_500]]) });
}

describe('metrics', () => {
  it('the login funnel is readable stage by stage, and starts at 0', async () => {
    const metrics = create();
    metrics.control.published(publication({ plugins: ['shop/okta'] }));
    const stages = (text: string) => ours(text).filter((line) => line.startsWith('postern_oidc_logins_total'));
    const line = (stage: string, n: number) => `postern_oidc_logins_total{plugin="shop/okta",stage="${stage}"} ${n}`;
    expect(stages(await metrics.scrape())).toEqual([
      line('started', 0),
      line('returned', 0),
      line('exchanged', 0),
      line('session_created', 0),
    ]);
    metrics.observe(OKTA, { kind: 'LoginStarted' });
    metrics.observe(OKTA, { kind: 'LoginStarted' });
    for (const event of LOGIN) metrics.observe(OKTA, event);
    metrics.observe(OKTA, { kind: 'LoginReturned' });
    metrics.observe(OKTA, { kind: 'LoginFailed', reason: 'id_token_nonce' });
    const text = await metrics.scrape();
    expect(stages(text)).toEqual([
      line('started', 3),
      line('returned', 2),
      line('exchanged', 1),
      line('session_created', 1),
    ]);
    expect(text).toContain('postern_oidc_login_failures_total{plugin="shop/okta",reason="id_token_nonce"} 1\n');
    expect(text).toContain('postern_oidc_login_duration_seconds_bucket{plugin="shop/okta",le="10"} 1\n');
    expect(text).toContain('postern_session_cookie_bytes_bucket{plugin="shop/okta",le="2048"} 1\n');
  });

  it('counts requests by Route, Service, class and method, and what became of them', async () => {
    const metrics = create();
    exercise(metrics);
    const text = await metrics.scrape();
    for (const line of [
      'postern_http_requests_total{route="shop/orders",service="shop/orders",code="2xx",method="GET"} 1',
      'postern_http_requests_total{route="none",service="none",code="4xx",method="GET"} 1',
      'postern_http_outcomes_total{outcome="forbidden"} 1',
      'postern_upstream_errors_total{service="shop/orders",reason="connect_timeout"} 1',
      'postern_http_refused_total{route="shop/orders",reason="PluginInvalid"} 1',
      'postern_http_rejected_total{reason="two_hosts"} 1',
      'postern_http_rejected_total{reason="tls_on_plain_port"} 1',
      'postern_http_requests_total{route="shop/orders",service="shop/orders",code="1xx",method="GET"} 2',
      'postern_tunnels_total{route="shop/orders",end="client_closed"} 1',
      'postern_tunnels_total{route="shop/orders",end="session_end"} 1',
      'postern_tunnel_duration_seconds_bucket{service="shop/orders",le="3600"} 0',
      'postern_tunnel_duration_seconds_bucket{service="shop/orders",le="10800"} 2',
      'postern_open_tunnels 1',
      'postern_http_requests_in_flight 0',
      'postern_authorization_decisions_total{route="shop/orders",rule="admins",decision="allowed"} 1',
      'postern_authorization_decisions_total{route="shop/orders",rule="admins",decision="denied"} 1',
      'postern_http_request_bytes_total{service="shop/orders"} 40',
      'postern_http_requests_in_flight 0',
      'postern_open_connections 1',
      'postern_routes{exposure="protected"} 1',
      'postern_routes{exposure="denied"} 0',
      'postern_objects{kind="Route",accepted="true"} 1',
      'postern_routing_table_generation 1',
      'postern_routing_table_hash_info{hash="hash-1"} 1',
      'postern_control_reconcile_total{result="published"} 1',
      'postern_plugin_ready{kind="OidcPlugin",plugin="shop/okta"} 1',
      'postern_oidc_discovery_last_success_timestamp_seconds{plugin="shop/okta"} 1700000000',
      'postern_oidc_provider_requests_total{plugin="shop/okta",endpoint="userinfo",result="timeout"} 1',
      `postern_build_info{version="1.2.3",node_version="${process.version}"} 1`,
    ]) {
      expect(text).toContain(`${line}\n`);
    }
  });

  it('tells how upstreams are, as of the scrape, and what was done about those that fail', async () => {
    const metrics = create();
    exercise(metrics);
    const upstreams = async (): Promise<readonly string[]> =>
      ours(await metrics.scrape()).filter((line) => /^postern_upstream_(?!duration|errors)/.test(line));
    const told = [
      'postern_upstream_retries_total{service="shop/orders",cause="connect"} 1',
      'postern_upstream_retries_withheld_total{service="shop/orders"} 1',
      'postern_upstream_ejections_total{service="shop/orders",cause="rate"} 1',
      'postern_upstream_request_timeouts_total{service="shop/orders"} 1',
    ];
    const now = [
      'postern_upstream_endpoints{service="shop/orders"} 6',
      'postern_upstream_ejected_endpoints{service="shop/orders"} 1',
      'postern_upstream_pending_requests{service="shop/orders"} 4',
      'postern_upstream_connections{service="shop/orders",state="active"} 6',
      'postern_upstream_connections{service="shop/orders",state="idle"} 2',
    ];
    expect(await upstreams()).toEqual([...told, ...now]);
    // Asked again, not added up; and a Service that nobody asks for any more has no numbers.
    expect(await upstreams()).toEqual([...told, ...now]);
    metrics.followUpstreams(() => []);
    expect(await upstreams()).toEqual(told);
  });

  it('series of deleted objects go, and do not come back with what ends later', async () => {
    const metrics = create();
    exercise(metrics);
    metrics.control.published(publication({ routes: { 'shop/other': [] } }, 2));
    metrics.requests.started();
    metrics.requests.finished(record({ rule: 'admins' }));
    metrics.observe(OKTA, { kind: 'LoginStarted' });
    metrics.follow(() => new Map());
    const text = ours(await metrics.scrape()).join('\n');
    expect(text).not.toContain('shop/orders');
    expect(text).not.toContain('shop/okta');
    expect(text).not.toContain('hash-1');
    expect(text).toContain('postern_http_requests_total{route="none",service="none",code="2xx",method="GET"} 1');
  });

  it('a rule that is renamed takes its series along, the Route keeps its others', async () => {
    const metrics = create();
    exercise(metrics);
    metrics.control.published(
      publication({ routes: { 'shop/orders': ['owners'] }, services: ['shop/orders'], plugins: ['shop/okta'] }, 2),
    );
    const text = await metrics.scrape();
    expect(text).not.toContain('rule="admins"');
    expect(text).toContain(
      'postern_http_requests_total{route="shop/orders",service="shop/orders",code="2xx",method="GET"} 1',
    );
  });

  it('A165 label sets stay bounded under random methods, hosts, paths, codes and names that are no objects', async () => {
    const metrics = create();
    exercise(metrics);
    const before = ours(await metrics.scrape()).length;
    fc.assert(
      fc.property(
        fc.string(),
        fc.string(),
        fc.string(),
        fc.integer({ min: 0, max: 999 }),
        (method, host, path, status) => {
          metrics.requests.started();
          metrics.requests.finished(
            record({ method, host, path: `/${path}`, status, rule: path, route: split(`x/${host}`) }),
          );
          metrics.observe(pluginKey(`x/${host}`), { kind: 'LoginStarted' });
        },
      ),
      { numRuns: 2000 },
    );
    // At most: a method `other` and each class of code for a Route that is none.
    expect(ours(await metrics.scrape()).length).toBeLessThan(before + 30);
  });

  it('above 1,000 Routes and Services counts by namespace, and by name again well below', async () => {
    const metrics = create();
    const names = (n: number) => Array.from({ length: n }, (_, i) => `team-${i % 5}/app-${i}`);
    const publish = (n: number) => {
      const routes = Object.fromEntries(names(n).map((name) => [name, ['rule']]));
      metrics.control.published(publication({ routes, services: names(n) }));
      for (const name of names(n))
        metrics.requests.finished(record({ route: split(name), service: split(name), rule: 'rule' }));
    };
    publish(1001);
    let text = await metrics.scrape();
    expect(text).toContain(
      'postern_http_requests_total{route="team-1/*",service="team-1/*",code="2xx",method="GET"} 200\n',
    );
    expect(text).toContain('decisions_total{route="team-1/*",rule="none",decision="allowed"} 200\n');
    expect(text).not.toContain('app-');
    publish(1000);
    expect(await metrics.scrape()).not.toContain('app-');
    publish(900);
    text = await metrics.scrape();
    expect(text).not.toContain('/*');
    expect(text).toContain('route="team-1/app-1",');
  });

  it('F52 a big scrape lets the event loop go on, and a hundred scrapers share two renderings', async () => {
    const metrics = create();
    const names = Array.from({ length: 1000 }, (_, i) => `team/app-${i}`);
    metrics.control.published(
      publication({ routes: Object.fromEntries(names.map((name) => [name, []])), services: names }),
    );
    for (const name of names) {
      for (const status of [200, 404, 500])
        metrics.requests.finished(record({ route: split(name), service: split(name), status }));
    }
    // Each look at the clock finds that the loop was held for long enough to let others on.
    let clock = 0;
    const now = vi.spyOn(performance, 'now').mockImplementation(() => {
      clock += 10;
      return clock;
    });
    let turns = 0;
    let scraping = true;
    const turn = (): void => {
      turns += 1;
      if (scraping) setImmediate(turn);
    };
    setImmediate(turn);
    const texts = await Promise.all(Array.from({ length: 100 }, () => metrics.scrape()));
    scraping = false;
    now.mockRestore();
    expect(new Set(texts).size).toBeLessThanOrEqual(2);
    expect(ours(texts[0] ?? '').length).toBeGreaterThan(35_000);
    expect(turns).toBeGreaterThan(50);
  });

  it('who scrapes during a scrape still sees what happened before they asked', async () => {
    const metrics = create();
    exercise(metrics);
    const first = metrics.scrape();
    metrics.observe(OKTA, { kind: 'LoginStarted' });
    const second = metrics.scrape();
    await first;
    expect(await second).toContain('postern_oidc_logins_total{plugin="shop/okta",stage="started"} 2\n');
  });
});

describe('metrics of a cluster', () => {
  it('are there only where there is one', async () => {
    expect(await create().scrape()).not.toMatch(/postern_(kube|watch|status|leader)/);
  });

  it('tell calls, watches, writes, the leader, and what is how old', async () => {
    const metrics = create();
    exercise(metrics);
    const lines = ours(await metrics.scrape());
    expect(lines).toEqual(
      expect.arrayContaining([
        'postern_kube_api_requests_total{verb="get",code="200"} 1',
        'postern_kube_api_requests_total{verb="patch",code="0"} 1',
        'postern_kube_api_received_bytes_total{verb="get"} 1000',
        'postern_kube_api_received_bytes_total{verb="watch"} 300',
        'postern_watch_events_total{kind="Route",type="MODIFIED"} 1',
        'postern_watch_restarts_total{kind="Route",reason="gone"} 1',
        'postern_watch_last_event_timestamp_seconds{kind="Route"} 1700000000.5',
        'postern_status_writes_total{result="written"} 1',
        'postern_leader 1',
      ]),
    );
    metrics.cluster().follow({ leading: () => false, fresh: () => new Map() });
    expect(await metrics.scrape()).toContain('postern_leader 0\n');
  });
});

describe('docs/metrics.md', () => {
  it('has every metric that there is, and no other', async () => {
    const metrics = create();
    metrics.cluster();
    const text = await metrics.scrape();
    const there = [...text.matchAll(/^# TYPE (postern_\w+)/gm)].map((match) => match[1]);
    const told = readFileSync('docs/metrics.md', 'utf8').match(/\bpostern_[a-z_]+[a-z]/g) ?? [];
    expect([...new Set(told)].sort()).toEqual(there.sort());
  });

  it('has every label that there is', async () => {
    const metrics = create();
    exercise(metrics);
    const doc = readFileSync('docs/metrics.md', 'utf8');
    const labels = new Set(
      ours(await metrics.scrape()).flatMap((line) => [...line.matchAll(/(?<=[{,])(\w+)="/g)].map((m) => m[1])),
    );
    for (const label of labels) if (label !== 'le') expect(doc).toContain(`\`${label}\``);
  });
});

describe.skipIf(promtool.missing)(`metrics before promtool ${promtool.why}`, () => {
  const check = (text: string): string =>
    execFileSync(promtool.path, ['check', 'metrics'], { input: text, encoding: 'utf8', stdio: 'pipe' });

  it('a scrape of everything is clean', async () => {
    const metrics = create();
    exercise(metrics);
    expect(check(await metrics.scrape())).toBe('');
  });

  it('a scrape of a process that has just started is clean', async () => {
    expect(check(await create().scrape())).toBe('');
  });

  it('promtool would complain', () => {
    expect(() => check('# TYPE postern_things_total gauge\npostern_things_total 1\n')).toThrow();
  });
});
