import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import type { ControlObserver, Publication } from '../../control/control.ts';
import { HTTP_SECONDS } from './buckets.ts';
import { verdictCounts } from './verdict-counts.ts';

/** @param now milliseconds since the epoch */
export function controlMetrics(registry: Registry, now: () => number): ControlObserver {
  const registers = [registry];
  const routes = new Gauge({
    name: 'postern_routes',
    help: 'Routes by what they compiled to: Protected, Public or Denied.',
    labelNames: ['exposure'],
    registers,
  });
  const objects = new Gauge({
    name: 'postern_objects',
    help: 'Objects by kind and whether they are accepted; an invalid one closes its place.',
    labelNames: ['kind', 'accepted'],
    registers,
  });
  const generation = new Gauge({
    name: 'postern_routing_table_generation',
    help: 'How many tables this process has published.',
    registers,
  });
  const hash = new Gauge({
    name: 'postern_routing_table_hash_info',
    help: 'Content of the current table; replicas that agree show the same hash.',
    labelNames: ['hash'],
    registers,
  });
  const swapped = new Gauge({
    name: 'postern_routing_table_last_swap_timestamp_seconds',
    help: 'When the current table was published.',
    registers,
  });
  const reconciles = new Counter({
    name: 'postern_control_reconcile_total',
    help: 'Runs of the control loop by result; failed is a bug, the last table stays.',
    labelNames: ['result'],
    registers,
  });
  const durations = new Histogram({
    name: 'postern_control_reconcile_duration_seconds',
    help: 'Duration of a run of the control loop: parse, compile, publish.',
    buckets: HTTP_SECONDS,
    registers,
  });
  for (const result of ['published', 'unchanged', 'failed']) reconciles.inc({ result }, 0);
  for (const exposure of ['protected', 'public', 'denied']) routes.set({ exposure }, 0);

  const counts = verdictCounts();
  const count = (publication: Publication): void => {
    const { exposures, kinds } = counts(publication);
    for (const [exposure, number] of exposures) routes.set({ exposure }, number);
    objects.reset();
    for (const { kind, accepted, number } of kinds) objects.set({ kind, accepted }, number);
  };

  return {
    reconciled(result, seconds) {
      reconciles.inc({ result });
      durations.observe(seconds);
    },
    published(publication) {
      count(publication);
      const { snapshot, previous } = publication;
      if (snapshot === previous) return;
      generation.set(snapshot.generation);
      hash.reset();
      hash.set({ hash: snapshot.hash }, 1);
      swapped.set(now() / 1000);
    },
  };
}
