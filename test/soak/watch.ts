import type { Replica } from './replica.ts';
import type { Replicas } from './replicas.ts';
import { look, type Sample } from './samples.ts';
import { secondHalf, slopePerHour } from './slope.ts';
import type { Tally } from './tally.ts';

/** What was seen of each process, by its name. */
export class Watch {
  readonly #tally: Tally;
  readonly #lives = new Map<string, Sample[]>();
  #loadUntil = Number.POSITIVE_INFINITY;

  constructor(tally: Tally) {
    this.#tally = tally;
  }

  /** Looks at every process once. */
  async lookAtAll(replicas: Replicas): Promise<void> {
    await Promise.all(replicas.all.map((replica) => this.lookAt(replica)));
  }

  async lookAt(replica: Replica): Promise<Sample | undefined> {
    try {
      const sample = await look(replica, this.#tally);
      const life = this.#lives.get(replica.name) ?? [];
      this.#lives.set(replica.name, life);
      life.push(sample);
      return sample;
    } catch (error) {
      // Its last moments.
      if (!replica.ending) this.#tally.unexpected(`a look at ${replica.name}: ${error}`);
      return undefined;
    }
  }

  /** What is seen from now on counts for no slope. */
  loadEnded(): void {
    this.#loadUntil = performance.now();
  }

  /** MiB that the resident memory has grown in the second half of a life; undefined for a life too short to tell. */
  growth(name: string, least: number): number | undefined {
    const half = secondHalf(this.#points(name, 'residentMiB'));
    const span = (half.at(-1)?.at ?? 0) - (half[0]?.at ?? 0);
    const slope = slopePerHour(half);
    return slope === undefined || span < least ? undefined : (slope * span) / 3_600_000;
  }

  /** A line for each process. */
  lines(): readonly string[] {
    return [...this.#lives.keys()].map((name) => this.#line(name));
  }

  #line(name: string): string {
    const life = this.#lives.get(name) ?? [];
    const most = (field: keyof Sample): number => Math.max(...life.map((sample) => sample[field]));
    const now = life.at(-1);
    const pair = (field: keyof Sample): string => `${Math.round(now?.[field] ?? 0)}/${Math.round(most(field))}`;
    const slope = (field: keyof Sample): string => {
      const found = slopePerHour(secondHalf(this.#points(name, field)));
      return found === undefined ? '?' : `${found >= 0 ? '+' : ''}${found.toFixed(0)}`;
    };
    const minutes = ((now?.at ?? 0) - (life[0]?.at ?? 0)) / 60_000;
    const late = life.map(({ loopP99 }) => loopP99).sort((a, b) => a - b)[Math.floor(life.length / 2)] ?? 0;
    return [
      `${name.padEnd(10)} ${minutes.toFixed(1)} min, now/most:`,
      `rss ${pair('residentMiB')} MiB (${slope('residentMiB')} MiB/h), heap ${pair('heapMiB')} MiB, old ${pair('oldMiB')} MiB (${slope('oldMiB')} MiB/h),`,
      `fds ${pair('fds')}, connections ${pair('connections')}, tunnels ${pair('tunnels')}, in flight ${pair('inFlight')},`,
      `upstream ${pair('upstreamConnections')}, loop p99 ${late.toFixed(1)} ms (median; most ${most('loopP99').toFixed(0)})`,
    ].join(' ');
  }

  #points(name: string, field: keyof Sample) {
    const life = (this.#lives.get(name) ?? []).filter(({ at }) => at < this.#loadUntil);
    return life.map((sample) => ({ at: sample.at, value: sample[field] }));
  }
}
