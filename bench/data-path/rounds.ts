import { cpuSeconds } from '../process.ts';
import { type Figure, median } from '../statistics.ts';
import type { Contender } from './contender.ts';

export interface Round {
  /** Microseconds of processor for each request, or whatever is counted. */
  readonly cpu: number;
  /** Milliseconds. */
  readonly p50: number;
  readonly p99: number;
  readonly perSecond: number;
}

export interface Load {
  readonly count: number;
  readonly seconds: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

/** Five is the least that a median is taken of. */
const ROUNDS = Number(process.env['BENCH_ROUNDS'] ?? 5);

/** Every contender in each round, so that what else the machine does hits all alike. The first round warms up and isn't counted. */
export async function interleaved(
  contenders: readonly Contender[],
  load: (contender: Contender) => Promise<Load>,
): Promise<ReadonlyMap<string, readonly Round[]>> {
  const rounds = new Map<string, Round[]>(contenders.map(({ name }) => [name, []]));
  for (let round = 0; round <= ROUNDS; round++) {
    for (const contender of contenders) {
      const before = cpuSeconds(contender.pid);
      const { count, seconds, p50Ms, p99Ms } = await load(contender);
      const cpu = ((cpuSeconds(contender.pid) - before) / count) * 1e6;
      if (round > 0) rounds.get(contender.name)?.push({ cpu, p50: p50Ms, p99: p99Ms, perSecond: count / seconds });
    }
  }
  for (const [name, all] of rounds) {
    const of = (pick: (round: Round) => number): string => median(all.map(pick)).toFixed(1);
    console.log(`  ${name}: ${of((r) => r.cpu)} µs CPU, p50 ${of((r) => r.p50)} ms, p99 ${of((r) => r.p99)} ms`);
  }
  return rounds;
}

/** Median of the ratios of each round. */
export function ratio(
  rounds: ReadonlyMap<string, readonly Round[]>,
  name: string,
  against: string,
  pick: (round: Round) => number = (round) => round.cpu,
): number {
  const others = rounds.get(against) ?? [];
  return median((rounds.get(name) ?? []).map((round, i) => pick(round) / (others[i] ? pick(others[i]) : Number.NaN)));
}

export function ratioFigure(figure: string, against: string, value: number, most?: number): Figure {
  if (most === undefined) return { figure, against, value, unit: '×' };
  return { figure, against, value, unit: '×', goal: `≤ ${most.toFixed(2)} ×`, met: value <= most };
}
