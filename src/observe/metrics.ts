import { setImmediate } from 'node:timers/promises';
import { collectDefaultMetrics, Gauge, Registry } from 'prom-client';
import type { ControlObserver, Publication } from '../control/control.ts';
import type { PluginEvent } from '../plugins/contract.ts';
import type { RequestObserver } from '../proxy/record.ts';
import type { UpstreamCounts, UpstreamObserver } from '../proxy/upstream/observer.ts';
import type { ObjectKey } from '../resources/keys.ts';
import type { InstanceStatus } from '../routing/decision.ts';
import { GC_SECONDS } from './metrics/buckets.ts';
import { type ClusterMetrics, clusterMetrics } from './metrics/cluster.ts';
import { controlMetrics } from './metrics/control.ts';
import { loginMetrics } from './metrics/login.ts';
import { objectNames } from './metrics/object-names.ts';
import { type OverloadMetrics, overloadMetrics } from './metrics/overload.ts';
import { trafficMetrics } from './metrics/traffic.ts';

export interface MetricsOptions {
  readonly version: string;
  /** Milliseconds since the epoch. */
  now(): number;
}

/** Every metric of the process (docs/metrics.md). Label values are names of objects and closed sets, nothing else (A165). */
export interface Metrics {
  readonly requests: RequestObserver;
  readonly upstreams: UpstreamObserver;
  /** How upstreams are is asked at each scrape. */
  followUpstreams(counts: () => Iterable<UpstreamCounts>): void;
  readonly control: ControlObserver;
  readonly overload: OverloadMetrics;
  observe(plugin: ObjectKey, event: PluginEvent): void;
  /** What running plugins say of themselves is asked at each scrape. */
  follow(instances: () => ReadonlyMap<ObjectKey, InstanceStatus>): void;
  /** What only a gateway of a cluster counts; there from the first call on. */
  cluster(): ClusterMetrics;
  /**
   * Prometheus text format 0.0.4. Pauses for traffic while it renders; who asks while one is rendered shares the next
   * one, so that a hundred scrapers cost as much as two (F52).
   */
  scrape(): Promise<string>;
  readonly contentType: string;
}

export function createMetrics(options: MetricsOptions): Metrics {
  const registry = new Registry();
  const traffic = trafficMetrics(registry);
  const overload = overloadMetrics();
  const logins = loginMetrics(options.now);
  const control = controlMetrics(registry, options.now);
  processMetrics(registry, options);

  const newNames = objectNames();
  const published = (publication: Publication): void => {
    const names = newNames(publication);
    if (names !== undefined) traffic.objects(names.routes, names.services);
    logins.plugins(publication.snapshot.plugins);
    control.published(publication);
  };

  const families = [...traffic.families, ...overload.families, ...logins.families];
  let cluster: ClusterMetrics | undefined;
  const ofCluster = (): ClusterMetrics => {
    const made = clusterMetrics(registry);
    families.push(...made.families);
    return made;
  };
  const render = async (): Promise<string> => {
    const pieces: string[] = [];
    const pause = pauser();
    for (const family of families) {
      for (const piece of family.render()) {
        pieces.push(piece);
        await pause();
      }
    }
    for (const { name } of registry.getMetricsAsArray()) {
      pieces.push(await registry.getSingleMetricAsString(name), '\n');
      await pause();
    }
    return pieces.join('');
  };

  return {
    requests: traffic.observer,
    upstreams: traffic.upstreams.observer,
    followUpstreams: traffic.upstreams.follow,
    overload,
    control: { reconciled: control.reconciled, published },
    observe: logins.observe,
    follow: logins.follow,
    cluster() {
      cluster ??= ofCluster();
      return cluster;
    },
    scrape: shared(render),
    contentType: registry.contentType,
  };
}

/** Lets the event loop go on whenever the rendering has held it for 5 ms. */
function pauser(): () => Promise<void> {
  let since = performance.now();
  return async () => {
    if (performance.now() - since < 5) return;
    await setImmediate();
    since = performance.now();
  };
}

/** At most one run at a time and one waiting; who asks during a run gets the next, which sees all that happened before. */
function shared<T>(run: () => Promise<T>): () => Promise<T> {
  let running: Promise<T> | undefined;
  let next: Promise<T> | undefined;
  const begin = (): Promise<T> => {
    const mine = run().finally(() => {
      if (running === mine) running = undefined;
    });
    running = mine;
    return mine;
  };
  return () => {
    if (next !== undefined) return next;
    if (running === undefined) return begin();
    next = running
      .then(
        () => undefined,
        () => undefined,
      )
      .then(() => {
        next = undefined;
        return begin();
      });
    return next;
  };
}

function processMetrics(registry: Registry, { version }: MetricsOptions): void {
  collectDefaultMetrics({ register: registry, gcDurationBuckets: [...GC_SECONDS] });
  // Gauges whose names end like a counter's, which promtool and OpenMetrics refuse; the ones beside them have the numbers.
  for (const name of ['nodejs_active_handles_total', 'nodejs_active_requests_total', 'nodejs_active_resources_total']) {
    registry.removeSingleMetric(name);
  }
  new Gauge({
    name: 'postern_build_info',
    help: 'What is running.',
    labelNames: ['version', 'node_version'],
    registers: [registry],
  }).set({ version, node_version: process.version }, 1);
}
