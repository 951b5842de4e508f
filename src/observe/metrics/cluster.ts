import { Gauge, type Registry } from 'prom-client';
import type { ApiObserver } from '../../sources/kubernetes/client.ts';
import type { WatchObserver } from '../../sources/kubernetes/told.ts';
import { counterFamily, type Family } from '../families.ts';

/** What this process has to do with the API server. */
export interface ClusterMetrics {
  readonly api: ApiObserver;
  readonly watches: WatchObserver;
  /** `result`: `written`, or why not, lower snake case. */
  statusWrite(result: string): void;
  /** `result`: `sent`, `dropped` or `failed`. */
  event(result: string): void;
  /** Asked at each scrape. */
  follow(state: ClusterState): void;
}

export interface ClusterState {
  leading(): boolean;
  /** By kind: milliseconds since the epoch when it was last known to be as the API server has it. */
  fresh(): ReadonlyMap<string, number>;
}

export function clusterMetrics(registry: Registry): ClusterMetrics & { readonly families: readonly Family[] } {
  let state: ClusterState = { leading: () => false, fresh: () => new Map() };
  const calls = counterFamily({
    name: 'postern_kube_api_requests_total',
    help: 'Calls to the API server by verb and status; code 0 is one without an answer.',
    labels: ['verb', 'code'],
  });
  const received = counterFamily({
    name: 'postern_kube_api_received_bytes_total',
    help: 'Bytes of what the API server answered, watches by what they brought.',
    labels: ['verb'],
  });
  const events = counterFamily({
    name: 'postern_watch_events_total',
    help: 'Events of watches by kind of object and type.',
    labels: ['kind', 'type'],
  });
  const restarts = counterFamily({
    name: 'postern_watch_restarts_total',
    help: 'Lists and watches that were begun again, by why.',
    labels: ['kind', 'reason'],
  });
  const writes = counterFamily({
    name: 'postern_status_writes_total',
    help: 'Writes of statuses by result.',
    labels: ['result'],
  });
  const told = counterFamily({
    name: 'postern_kube_events_total',
    help: 'Kubernetes Events about objects, by what became of them.',
    labels: ['result'],
  });
  writes.at('written');
  new Gauge({
    name: 'postern_watch_last_event_timestamp_seconds',
    help: 'When a kind was last known to be as the API server has it: a list, an event, a bookmark.',
    labelNames: ['kind'],
    registers: [registry],
    collect() {
      this.reset();
      for (const [kind, time] of state.fresh()) this.set({ kind }, time / 1000);
    },
  });
  new Gauge({
    name: 'postern_leader',
    help: 'Whether this replica is the one that writes statuses.',
    registers: [registry],
    collect() {
      this.set(state.leading() ? 1 : 0);
    },
  });

  return {
    families: [calls, received, events, restarts, writes, told],
    api: {
      called(verb, code, bytes) {
        calls.at(verb, String(code)).value += 1;
        received.at(verb).value += bytes;
      },
      watched(bytes) {
        received.at('watch').value += bytes;
      },
    },
    watches: {
      event(kind, type) {
        events.at(kind, type).value += 1;
      },
      restart(kind, reason) {
        restarts.at(kind, reason).value += 1;
      },
      // Asked for at each scrape instead: of several namespaces the one that is furthest behind counts.
      fresh() {},
    },
    statusWrite(result) {
      writes.at(result).value += 1;
    },
    event(result) {
      told.at(result).value += 1;
    },
    follow(next) {
      state = next;
    },
  };
}
