import { Counter, Gauge, type Registry } from 'prom-client';
import type { RequestObserver, RequestRecord } from '../../proxy/record.ts';
import { counterFamily, type Family, histogramFamily } from '../families.ts';
import { HTTP_SECONDS, OVERHEAD_SECONDS } from './buckets.ts';
import { drainMetrics } from './drain.ts';
import { limitHits } from './limits.ts';
import { type KnownNames, knownNames, NONE } from './names.ts';
import { tunnelMetrics } from './tunnels.ts';
import { type UpstreamMetrics, upstreamMetrics } from './upstreams.ts';

export interface TrafficMetrics {
  readonly observer: RequestObserver;
  readonly upstreams: Pick<UpstreamMetrics, 'observer' | 'follow'>;
  readonly families: readonly Family[];
  /** Names of the Routes that exist, with their rules, and of the Services. */
  objects(routes: ReadonlyMap<string, ReadonlySet<string>>, services: ReadonlySet<string>): void;
}

/** Series are per Route and per Service up to this many of each, then per namespace. */
const NAMES = 1000;

export function trafficMetrics(registry: Registry): TrafficMetrics {
  const routes = knownNames(NAMES);
  const services = knownNames(NAMES);
  let rules: ReadonlyMap<string, ReadonlySet<string>> = new Map();

  const upstreams = upstreamMetrics(services);
  const requests = counterFamily({
    name: 'postern_http_requests_total',
    help: 'Requests that ended, by Route, Service, class of the status code (none: the client was gone) and method.',
    labels: ['route', 'service', 'code', 'method'],
  });
  const outcomes = counterFamily({
    name: 'postern_http_outcomes_total',
    help: 'Requests that ended, by what became of them.',
    labels: ['outcome'],
  });
  const durations = histogramFamily({
    name: 'postern_http_request_duration_seconds',
    help: 'Time from the head of a request to the end of its response, by Service.',
    labels: ['service'],
    buckets: HTTP_SECONDS,
  });
  const upstreamDurations = histogramFamily({
    name: 'postern_upstream_duration_seconds',
    help: 'Time spent waiting for and reading from the upstream, by Service.',
    labels: ['service'],
    buckets: HTTP_SECONDS,
  });
  const overhead = histogramFamily({
    name: 'postern_gateway_overhead_seconds',
    help: 'Time of a forwarded request that was not spent on the upstream: what the gateway costs.',
    labels: [],
    buckets: OVERHEAD_SECONDS,
  });
  const requestBytes = counterFamily({
    name: 'postern_http_request_bytes_total',
    help: 'Bytes of request bodies received, by Service.',
    labels: ['service'],
  });
  const responseBytes = counterFamily({
    name: 'postern_http_response_bytes_total',
    help: 'Bytes of response bodies sent, by Service.',
    labels: ['service'],
  });
  const upstreamErrors = counterFamily({
    name: 'postern_upstream_errors_total',
    help: 'Requests that failed at the upstream, by Service and reason.',
    labels: ['service', 'reason'],
  });
  const refused = counterFamily({
    name: 'postern_http_refused_total',
    help: 'Requests refused because their Route is Denied, or by its list of addresses or another guard of a rewritten path.',
    labels: ['route', 'reason'],
  });
  const rejected = counterFamily({
    name: 'postern_http_rejected_total',
    help: 'Requests answered 400, upgrades answered 403, and bytes that never became a request, by reason.',
    labels: ['reason'],
    limit: 200,
  });
  const limits = limitHits();
  const drain = drainMetrics();
  const authorization = counterFamily({
    name: 'postern_authorization_decisions_total',
    help: 'Decisions of authorization rules, by Route, rule (none: no rule was for the request) and decision.',
    labels: ['route', 'rule', 'decision'],
  });
  const tunnels = tunnelMetrics(registry);
  // Numbers of our own, handed over at the scrape: prom-client's calls cost more than what they count.
  let flying = 0;
  let open = 0;
  const inFlight: Gauge = new Gauge({
    name: 'postern_http_requests_in_flight',
    help: 'Requests that are being handled.',
    registers: [registry],
    collect: () => inFlight.set(flying),
  });
  const connections: Gauge = new Gauge({
    name: 'postern_open_connections',
    help: 'Open connections of clients.',
    registers: [registry],
    collect: () => connections.set(open),
  });
  const connectionsTotal = new Counter({
    name: 'postern_connections_total',
    help: 'Connections of clients that were accepted.',
    registers: [registry],
  });

  const finished = (record: RequestRecord): void => {
    const route = routes.label(record.route);
    const service = services.label(record.service);
    requests.at(route, service, codeClass(record.status), methodLabel(record.method)).value += 1;
    outcomes.at(record.outcome).value += 1;
    if (record.tunnel === undefined) {
      flying -= 1;
      durations.at(service).observe(record.durationMs / 1000);
    } else tunnels.ended(route, service, record.tunnel, record.durationMs / 1000);
    requestBytes.at(service).value += record.requestBytes;
    responseBytes.at(service).value += record.responseBytes;
    if (record.upstreamMs !== undefined && record.tunnel === undefined) {
      upstreamDurations.at(service).observe(record.upstreamMs / 1000);
      overhead.at().observe(Math.max(0, record.durationMs - record.upstreamMs) / 1000);
    }
    const reason = record.reason ?? NONE;
    if (record.outcome === 'upstream_failed') upstreamErrors.at(service, reason).value += 1;
    if (record.outcome === 'refused') refused.at(route, reason).value += 1;
    if (record.outcome === 'bad_request') {
      rejected.at(reason).value += 1;
      limits.ofReason(reason);
    }
    if (record.outcome === 'overloaded') limits.hit(reason === 'memory' ? 'memory' : 'loopDelay');
    if (record.outcome === 'upgrade_refused') rejected.at(reason).value += 1;
    if (record.outcome === 'forbidden') authorization.at(route, ruleLabel(record, route), 'denied').value += 1;
    else if (record.rule !== undefined) authorization.at(route, ruleLabel(record, route), 'allowed').value += 1;
  };

  /** Rule names only where the Route has a label of its own. */
  const ruleLabel = ({ route, rule }: RequestRecord, label: string): string =>
    rule !== undefined && route === label && rules.get(route)?.has(rule) === true ? rule : NONE;

  const keep = (names: KnownNames) => (values: readonly string[]) => names.current(values[0] ?? NONE);
  return {
    families: [
      requests,
      outcomes,
      durations,
      upstreamDurations,
      overhead,
      requestBytes,
      responseBytes,
      upstreamErrors,
      refused,
      rejected,
      limits.family,
      drain.family,
      authorization,
      ...upstreams.families,
      ...tunnels.families,
    ],
    upstreams,
    observer: {
      started() {
        flying += 1;
      },
      finished,
      connection(change) {
        open += change;
        if (change === 1) connectionsTotal.inc();
      },
      tunnel() {
        flying -= 1;
        tunnels.opened();
      },
      rejected(reason) {
        rejected.at(reason).value += 1;
      },
      limited: limits.hit,
      cut: drain.cut,
    },
    objects(routeRules, serviceNames) {
      rules = routeRules;
      routes.set(new Set(routeRules.keys()));
      services.set(serviceNames);
      const keepRoute = keep(routes);
      const keepService = keep(services);
      requests.retain(([route = NONE, service = NONE]) => routes.current(route) && services.current(service));
      refused.retain(keepRoute);
      tunnels.retain(routes, services);
      for (const family of [
        durations,
        upstreamDurations,
        requestBytes,
        responseBytes,
        upstreamErrors,
        ...upstreams.families,
      ]) {
        family.retain(keepService);
      }
      authorization.retain(
        ([route = NONE, rule = NONE]) =>
          routes.current(route) && (rule === NONE || routeRules.get(route)?.has(rule) === true),
      );
    },
  };
}

const METHODS: ReadonlySet<string> = new Set([
  'GET',
  'HEAD',
  'POST',
  'PUT',
  'PATCH',
  'DELETE',
  'OPTIONS',
  'CONNECT',
  'TRACE',
]);
const methodLabel = (method: string): string => (METHODS.has(method) ? method : 'other');

const CODES = [NONE, '1xx', '2xx', '3xx', '4xx', '5xx'];
const codeClass = (status: number): string => CODES[Math.floor(status / 100)] ?? 'other';
