import type { UpstreamCounts, UpstreamObserver } from '../../proxy/upstream/observer.ts';
import { counterFamily, type Family, gaugeFamily } from '../families.ts';
import type { KnownNames } from './names.ts';

export interface UpstreamMetrics {
  readonly observer: UpstreamObserver;
  readonly families: readonly Family[];
  /** How things are is asked at each scrape. */
  follow(counts: () => Iterable<UpstreamCounts>): void;
}

/** `services`: those that exist. */
export function upstreamMetrics(services: KnownNames): UpstreamMetrics {
  let counts: () => Iterable<UpstreamCounts> = () => [];
  const retries = counterFamily({
    name: 'postern_upstream_retries_total',
    help: 'Requests that were sent again, by Service and cause (connect: no connection, reset: nothing came back).',
    labels: ['service', 'cause'],
  });
  const withheld = counterFamily({
    name: 'postern_upstream_retries_withheld_total',
    help: 'Requests that failed though they could have been sent again: the share of retries of the Service was used up.',
    labels: ['service'],
  });
  const ejections = counterFamily({
    name: 'postern_upstream_ejections_total',
    help: 'Times that an endpoint was left out, by Service and cause.',
    labels: ['service', 'cause'],
  });
  const timeouts = counterFamily({
    name: 'postern_upstream_request_timeouts_total',
    help: 'Exchanges that were ended by timeouts.request, their response begun or not, by Service.',
    labels: ['service'],
  });
  const gauge = (name: string, help: string, labels: readonly string[] = ['service']) =>
    gaugeFamily({ name, help, labels });
  const endpoints = gauge('postern_upstream_endpoints', 'Endpoints of the Services in use.');
  const ejected = gauge('postern_upstream_ejected_endpoints', 'Endpoints that are left out.');
  const pending = gauge('postern_upstream_pending_requests', 'Requests that wait for a connection.');
  const connections = gauge('postern_upstream_connections', 'Connections to upstreams.', ['service', 'state']);
  const gauges = [endpoints, ejected, pending, connections];

  /** Of a Service with former settings in use there are two, and above 1,000 Services a label stands for many. */
  const collect = (): void => {
    for (const family of gauges) family.retain(() => false);
    for (const one of counts()) {
      const service = services.label(one.service);
      endpoints.at(service).value += one.endpoints;
      ejected.at(service).value += one.ejected;
      pending.at(service).value += one.pending;
      connections.at(service, 'active').value += one.active;
      connections.at(service, 'idle').value += one.idle;
    }
  };

  return {
    families: [retries, withheld, ejections, timeouts, collectFirst(endpoints, collect), ejected, pending, connections],
    observer: {
      retried(service, cause) {
        retries.at(services.label(service), cause).value += 1;
      },
      notRetried(service) {
        withheld.at(services.label(service)).value += 1;
      },
      ejected(service, cause) {
        ejections.at(services.label(service), cause).value += 1;
      },
      requestTimedOut(service) {
        timeouts.at(services.label(service)).value += 1;
      },
    },
    follow(next) {
      counts = next;
    },
  };
}

/** All gauges are of one moment: they are filled before the first of them is rendered. */
const collectFirst = (family: Family, collect: () => void): Family => ({
  retain: (keep) => family.retain(keep),
  *render() {
    collect();
    yield* family.render();
  },
});
