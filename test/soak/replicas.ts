import { pause } from './random.ts';
import { Replica, type ReplicaOptions } from './replica.ts';
import type { Tally } from './tally.ts';

/** How long after its SIGTERM a replica still gets new requests, as from a load balancer that hears of it late. */
const HEARD_AFTER = 500;

/**
 * Two replicas with the same keys and objects. One lives as long as the soak, for the slope of its memory; the other is
 * replaced now and then as a rolling update does it: a new one is started, and once that is ready the old one gets SIGTERM.
 * Clients choose a replica for each request, as behind a load balancer, so a session made by one is used at all.
 */
export class Replicas {
  readonly steady: Replica;
  readonly #options: ReplicaOptions;
  readonly #tally: Tally;
  #rolled: Replica;
  #retired: Replica | undefined;
  #generation = 1;
  #turn = 0;

  private constructor(options: ReplicaOptions, tally: Tally, steady: Replica, rolled: Replica) {
    this.#options = options;
    this.#tally = tally;
    this.steady = steady;
    this.#rolled = rolled;
  }

  static async start(options: ReplicaOptions, tally: Tally): Promise<Replicas> {
    const steady = await Replica.start('steady', options, tally);
    return new Replicas(options, tally, steady, await Replica.start('rolled-1', options, tally));
  }

  /** Whom the next request goes to. */
  pick(): Replica {
    this.#turn += 1;
    return this.#turn % 2 === 0 ? this.steady : this.#rolled;
  }

  /** Those that requests go to. */
  get serving(): readonly Replica[] {
    return [this.steady, this.#rolled];
  }

  /** Every process that there is. */
  get all(): readonly Replica[] {
    return this.#retired === undefined ? this.serving : [...this.serving, this.#retired];
  }

  /**
   * Puts a new one in the place of the second; resolves when the old one has ended. `alone`: what the start of a process has
   * to be kept apart from.
   */
  async roll(alone: <T>(run: () => Promise<T>) => Promise<T>): Promise<void> {
    const old = this.#rolled;
    this.#generation += 1;
    const fresh = await alone(() => Replica.start(`rolled-${this.#generation}`, this.#options, this.#tally));
    const ended = old.end();
    await pause(HEARD_AFTER);
    this.#retired = old;
    this.#rolled = fresh;
    this.#tally.count('drains', `ended after ${Math.round((await ended) / 5000) * 5} s`);
    this.#retired = undefined;
  }

  async endAll(): Promise<void> {
    await Promise.all(this.serving.filter(({ ended }) => !ended).map((replica) => replica.end()));
  }
}
