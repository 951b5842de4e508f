import type { OverloadCause } from '../../proxy/overload/overload.ts';
import { counterFamily, type Family, gaugeFamily } from '../families.ts';

export interface OverloadMetrics {
  /** An episode began, or ended. */
  turned(cause: OverloadCause, over: boolean): void;
}

const CAUSES: readonly OverloadCause[] = ['memory', 'loop_delay'];

export function overloadMetrics(): OverloadMetrics & { readonly families: readonly Family[] } {
  const now = gaugeFamily({
    name: 'postern_overloaded',
    help: 'Whether new requests are answered 503 because there is too much to do, by cause.',
    labels: ['cause'],
  });
  const episodes = counterFamily({
    name: 'postern_overload_episodes_total',
    help: 'How often that began, by cause.',
    labels: ['cause'],
  });
  for (const cause of CAUSES) {
    now.at(cause);
    episodes.at(cause);
  }
  return {
    families: [now, episodes],
    turned(cause, over) {
      now.at(cause).value = over ? 1 : 0;
      if (over) episodes.at(cause).value += 1;
    },
  };
}
