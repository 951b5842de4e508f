import type { Cut } from '../../proxy/record.ts';
import { counterFamily, type Family } from '../families.ts';

export interface DrainMetrics {
  readonly family: Family;
  cut(cut: Cut): void;
}

/** What the end of `--drain` cut off (F26). The process ends soon after; its log has the same numbers for whoever scrapes too late. */
export function drainMetrics(): DrainMetrics {
  const family = counterFamily({
    name: 'postern_drain_forced_closes_total',
    help: 'Requests, and connections switched to another protocol, that were cut because the drain time was over.',
    labels: ['kind'],
  });
  const requests = family.at('request');
  const tunnels = family.at('tunnel');
  return {
    family,
    cut(cut) {
      requests.value += cut.requests;
      tunnels.value += cut.tunnels;
    },
  };
}
