import { withProviderReady } from '../../../../src/control/status.ts';
import type {
  InstanceReport,
  ObjectReport,
  ReportedCondition,
} from '../../../../src/sources/kubernetes/status/report.ts';
import { createReporter, type Reporter } from '../../../../src/sources/kubernetes/status/reporter.ts';
import type { WriteResult } from '../../../../src/sources/kubernetes/status/write-result.ts';
import { type HandTime, handTime } from '../../../support/hand-time.ts';
import { type FakeCluster, fakeCluster } from './fake-cluster.ts';

export const KINDS = [
  { kind: 'Service', plural: 'services', plugin: false },
  { kind: 'Route', plural: 'routes', plugin: false },
  { kind: 'OidcPlugin', plural: 'oidcplugins', plugin: true },
];

/** 2027-01-15T08:00:00Z */
const EPOCH = 1_800_000_000_000;

const condition = (
  type: string,
  status: ReportedCondition['status'] = 'True',
  reason: string = type,
  message = '',
) => ({
  type,
  status,
  reason,
  message,
});

export const HEALTHY = ['Accepted', 'ResolvedRefs', 'Programmed', 'Ready'].map((type) => condition(type));

export const UNRESOLVED = [
  condition('Accepted'),
  condition('ResolvedRefs', 'False', 'PluginNotFound', 'spec.plugins[0]: there is no OidcPlugin okta in shop.'),
  condition('Programmed', 'False', 'Invalid', 'What it is for is refused until its problems are solved.'),
  condition('Ready', 'False', 'PluginNotFound', 'spec.plugins[0]: there is no OidcPlugin okta in shop.'),
];

export const report = (key: string, more: Partial<ObjectReport> = {}): ObjectReport => ({
  key,
  observedGeneration: 1,
  conditions: HEALTHY,
  exposure: key.startsWith('Route/') ? 'Public' : undefined,
  authorization: undefined,
  redirectURIs: [],
  routes: key.startsWith('OidcPlugin/') ? 1 : undefined,
  ...more,
});

export const reports = (...all: readonly ObjectReport[]): ReadonlyMap<string, ObjectReport> =>
  new Map(all.map((one) => [one.key, one]));

/** A reporter that is told all that there is to be said, time after time. */
export type WholeReporter = Omit<Reporter, 'publish'> & { publish(all: ReadonlyMap<string, ObjectReport>): void };

/** As control does it: what is said otherwise than before. */
export function toldWhole(reporter: Reporter): WholeReporter {
  let before: ReadonlyMap<string, ObjectReport> = new Map();
  return {
    ...reporter,
    publish(all) {
      const keys = [...new Set([...before.keys(), ...all.keys()])];
      const changes = keys.map((key) => ({ key, before: before.get(key), after: all.get(key) }));
      before = all;
      reporter.publish(
        changes.filter((change) => change.before !== change.after),
        true,
      );
    },
  };
}

export const UP: InstanceReport = { status: 'True', reason: 'ProviderReady', message: '' };
export const DOWN: InstanceReport = {
  status: 'False',
  reason: 'DiscoveryFailed',
  message: 'the provider is not reached.',
};
export const STARTING: InstanceReport = { status: 'Unknown', reason: 'Starting', message: 'Discovery has begun.' };

export interface Harness {
  readonly time: HandTime;
  readonly cluster: FakeCluster;
  readonly reporter: WholeReporter;
  readonly instances: Map<string, InstanceReport>;
  readonly results: WriteResult[];
  readonly said: string[];
  leading: boolean;
  /** Goes on by `ms` in steps, with all promises settled at each. */
  go(ms: number, step?: number): Promise<void>;
}

/** A reporter that leads, over a fake cluster; `more.cluster` and `more.time`: those of another replica. */
export function harness(
  more: { perSecond?: number; class?: string; cluster?: FakeCluster; time?: HandTime } = {},
): Harness {
  const time = more.time ?? handTime();
  const cluster = more.cluster ?? fakeCluster();
  const instances = new Map<string, InstanceReport>();
  const results: WriteResult[] = [];
  const said: string[] = [];
  const say = (fields: Readonly<Record<string, unknown>>, message: string) =>
    void said.push(`${message} ${JSON.stringify(fields)}`);
  const state = { leading: true };
  const reporter = toldWhole(
    createReporter({
      api: cluster.api,
      kinds: KINDS,
      class: more.class ?? 'postern',
      instance: 'postern-0',
      leading: () => state.leading,
      lookup: cluster.lookup,
      instances: () => instances,
      join: withProviderReady,
      ...(more.perSecond === undefined ? {} : { perSecond: more.perSecond }),
      now: time.now,
      wallNow: () => EPOCH + time.now(),
      random: () => 0.5,
      timers: time.timers,
      log: { info: say, warn: say, error: say },
      metrics: { statusWritten: (result) => results.push(result), eventSent() {} },
    }),
  );
  return Object.assign(state, {
    time,
    cluster,
    reporter,
    instances,
    results,
    said,
    async go(ms: number, step = 50) {
      for (let gone = 0; gone < ms; gone += step) {
        time.move(Math.min(step, ms - gone));
        for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
      }
    },
  });
}
