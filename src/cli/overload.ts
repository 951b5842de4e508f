import type { OverloadMetrics } from '../observe/metrics/overload.ts';
import type { PluginLog } from '../plugins/contract.ts';
import type { Turn } from '../proxy/overload/marks.ts';
import { garbageCollector, MemoryGauge, oldGenerationLimit, PROCESS_MEMORY } from '../proxy/overload/memory.ts';
import { type OverloadWatch, watchOverload } from '../proxy/overload/watch.ts';
import type { Limits } from './read-limits.ts';

export interface OverloadParts {
  readonly limits: Limits;
  readonly log: PluginLog;
  readonly metrics: OverloadMetrics;
  /** That node was started with. */
  readonly flags: string;
  now(): number;
}

/** Watches memory and event loop of this process, and tells of each episode once at its beginning and once at its end. */
export function openOverload({ limits, log, metrics, flags, now }: OverloadParts): OverloadWatch {
  const watch = watchOverload({
    marks: limits,
    memory: new MemoryGauge(PROCESS_MEMORY, oldGenerationLimit(flags)),
    collect: garbageCollector(),
    now,
    onTurn(turn) {
      metrics.turned(turn.cause, turn.over);
      tell(turn, limits, log);
    },
  });
  watch.start();
  return watch;
}

function tell({ cause, over, pressure }: Turn, { memory, loopDelay }: Limits, log: PluginLog): void {
  const fields =
    cause === 'memory'
      ? { cause, used: share(pressure.memory), mark: share(memory) }
      : { cause, delay_ms: Math.round(pressure.delay), mark_ms: loopDelay };
  if (over) log.warn(fields, 'overloaded: new requests are answered 503 until it is better');
  else log.info(fields, 'no longer overloaded');
}

const share = (value: number): string => `${Math.round(value * 100)}%`;
