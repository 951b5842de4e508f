import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import type { Control } from '../control/control.ts';
import { withProviderReady } from '../control/status.ts';
import { PLUGIN_KINDS } from '../plugins/kinds.ts';
import type { KubernetesSettings } from '../settings.ts';
import type { KubernetesApi } from '../sources/kubernetes/api.ts';
import { SERVICE_AND_ROUTE } from '../sources/kubernetes/collections.ts';
import { alwaysLeading } from '../sources/kubernetes/leader/always-leading.ts';
import { createElector, type Elector } from '../sources/kubernetes/leader/elector.ts';
import type { KubernetesSource } from '../sources/kubernetes/source.ts';
import { createReporter, type Reporter } from '../sources/kubernetes/status/reporter.ts';
import type { Parts } from './parts.ts';
import { timers } from './timers.ts';

export interface ReportingOptions {
  readonly cluster: KubernetesSettings;
  readonly api: KubernetesApi;
  /** Of the Lease. */
  readonly namespace: string;
  readonly source: KubernetesSource;
  readonly control: Control;
}

/** What the objects' owners are told: statuses and Events, by the one replica that leads. */
export interface Reporting {
  readonly reporter: Reporter;
  leading(): boolean;
  start(): void;
  /** Writes nothing more, then gives the Lease back. */
  stop(): Promise<void>;
}

export function createReporting(parts: Parts, options: ReportingOptions): Reporting {
  const { cluster, api, source, control } = options;
  const { log, now, ticks, metrics } = parts;
  const pod = cluster.podName ?? hostname();
  const counted = metrics.cluster();
  const lead = (leading: boolean): void => reporter.lead(leading);
  const elector: Elector = cluster.leaderElection
    ? createElector({
        api,
        namespace: options.namespace,
        name: cluster.lease,
        identity: `${pod}_${randomUUID()}`,
        now: ticks,
        wallNow: now,
        random: Math.random,
        timers,
        log: log.part('leader'),
        onChange: lead,
      })
    : alwaysLeading(lead);
  const reporter: Reporter = createReporter({
    api,
    kinds: [
      ...SERVICE_AND_ROUTE.map(({ kind, plural }) => ({ kind, plural, plugin: false })),
      ...PLUGIN_KINDS.map(({ kind, plural }) => ({ kind, plural, plugin: true })),
    ],
    class: parts.settings.class,
    instance: pod,
    leading: elector.leading,
    lookup: source.stored,
    instances: control.instances,
    join: withProviderReady,
    perSecond: cluster.statusWrites,
    now: ticks,
    wallNow: now,
    random: Math.random,
    timers,
    log: log.part('status'),
    metrics: { statusWritten: counted.statusWrite, eventSent: counted.event },
  });
  return {
    reporter,
    leading: elector.leading,
    start() {
      reporter.start();
      elector.start();
    },
    async stop() {
      await reporter.stop();
      await elector.stop();
    },
  };
}
