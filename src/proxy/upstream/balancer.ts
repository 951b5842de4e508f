import type { PassiveHealthCheck, UpstreamPolicy } from '../../resources/upstream.ts';
import type { EndpointAddress } from '../endpoints.ts';
import type { EjectionCause } from './endpoint-health.ts';
import type { Pool } from './pool.ts';

/** Endpoints in a row that are passed over because they failed a moment ago; bounds the work for a request. */
const MAX_PASSED_OVER = 16;
/** A Service that nobody asked for during this time is forgotten, and with it whose turn it was. */
const FORGET_MS = 600_000;

export interface BalancerOptions {
  readonly policy: Pick<UpstreamPolicy, 'loadBalancing' | 'passive'>;
  /** Where the Service's endpoints are, as of now; the same array as long as nothing changed. */
  readonly endpoints: () => readonly EndpointAddress[];
  readonly pool: (endpoint: EndpointAddress) => Pool;
  /** Milliseconds. */
  readonly now: () => number;
  /** 0 ≤ x < 1. */
  readonly random: () => number;
  readonly onEjected: (cause: EjectionCause) => void;
}

/** Where a request goes. `Full`: there are endpoints, and all that may be asked have as many requests as they may have. */
export type Place = Pool | 'Full' | undefined;

/** The endpoints of one Service, each with its own kept connections: whose turn it is, and who is left out (F44). */
export class Balancer {
  readonly #options: BalancerOptions;
  readonly #leastRequest: boolean;
  #endpoints: readonly EndpointAddress[] = [];
  /** Beside `#endpoints`, made when they are first needed. */
  #pools: (Pool | undefined)[] = [];
  /** Of endpoints that are gone, with exchanges that still run. */
  readonly #retired = new Set<Pool>();
  #turn = -1;
  #usedAt = 0;
  /** So many are left out that leaving out does more harm than what it is against. */
  #panic = false;

  constructor(options: BalancerOptions) {
    this.#options = options;
    this.#leastRequest = options.policy.loadBalancing === 'LeastRequest';
  }

  /** Whose turn it is; undefined where there is no endpoint. */
  next(): Place {
    this.#usedAt = this.#options.now();
    this.#follow();
    return this.#chosen((this.#leastRequest ? this.#drawTwo() : undefined) ?? this.#pick(NONE));
  }

  /** One that a request hasn't tried yet; undefined where there is none. */
  another(tried: readonly Pool[]): Place {
    this.#follow();
    return this.#chosen(this.#pick(tried));
  }

  /** How a request to the endpoint ended, as far as that is the endpoint's doing. */
  answered(pool: Pool): void {
    pool.health.answered(this.#options.now());
  }

  failed(pool: Pool): void {
    const { passive } = this.#options.policy;
    if (passive === undefined) {
      this.answered(pool);
      return;
    }
    const now = this.#options.now();
    const cause = pool.health.failed(now, passive);
    if (cause === 'rate' && !this.#standsOut(pool, now)) return;
    if (cause !== undefined) this.#eject(pool, cause, now, passive);
  }

  notConnected(pool: Pool): void {
    const { passive } = this.#options.policy;
    const now = this.#options.now();
    const cause = pool.health.notConnected(now);
    if (cause !== undefined && passive !== undefined) this.#eject(pool, cause, now, passive);
  }

  /** Closes what is no more used. False: nothing is left to be kept. */
  sweep(): boolean {
    this.#follow();
    for (const pool of this.#pools) pool?.closeIdle();
    for (const pool of this.#retired) if (pool.quiet) this.#retired.delete(pool);
    this.#panic = this.ejected * 2 > this.#endpoints.length;
    return (
      this.#retired.size > 0 ||
      this.#options.now() - this.#usedAt < FORGET_MS ||
      this.#pools.some((pool) => pool?.quiet === false)
    );
  }

  destroy(): void {
    for (const pool of [...this.#pools, ...this.#retired]) pool?.destroy();
  }

  get size(): number {
    return this.#endpoints.length;
  }

  /** Endpoints that are left out. */
  get ejected(): number {
    const now = this.#options.now();
    let count = 0;
    for (const pool of this.#pools) if (pool?.health.ejected(now) === true) count += 1;
    return count;
  }

  /** Of all endpoints, those included that are gone. */
  connections(): { readonly active: number; readonly idle: number } {
    let [active, idle] = [0, 0];
    for (const pool of [...this.#pools, ...this.#retired]) {
      active += pool?.active ?? 0;
      idle += pool?.idle ?? 0;
    }
    return { active, idle };
  }

  #chosen(place: Place): Place {
    if (typeof place === 'object') place.health.chosen(this.#options.now());
    return place;
  }

  /** Of two, drawn by lot, the one with fewer requests under way ("power of two choices", Mitzenmacher 2001). */
  #drawTwo(): Pool | undefined {
    const count = this.#endpoints.length;
    if (count < 2) return undefined;
    const now = this.#options.now();
    const first = Math.floor(this.#options.random() * count);
    const second = (first + 1 + Math.floor(this.#options.random() * (count - 1))) % count;
    const [a, b] = [this.#ready(first, now), this.#ready(second, now)];
    if (a === undefined || b === undefined) return a ?? b;
    return b.active < a.active ? b : a;
  }

  #ready(at: number, now: number): Pool | undefined {
    const pool = this.#poolAt(at);
    return pool === undefined || pool.full || this.#isDoubtful(pool, now) ? undefined : pool;
  }

  #pick(tried: readonly Pool[]): Place {
    const count = this.#endpoints.length;
    const now = this.#options.now();
    let doubtful: Pool | undefined;
    let ejected: Pool | undefined;
    let full: 'Full' | undefined;
    for (let passed = 0; passed < Math.min(count, MAX_PASSED_OVER); passed++) {
      this.#turn = this.#turn + 1 < count ? this.#turn + 1 : 0;
      const pool = this.#poolAt(this.#turn);
      if (pool === undefined || tried.includes(pool)) continue;
      if (pool.full) full = 'Full';
      else if (!this.#isDoubtful(pool, now)) return pool;
      else if (pool.health.ejected(now)) ejected ??= pool;
      else doubtful ??= pool;
    }
    // Where all have failed, the one whose turn it is may have come back.
    return doubtful ?? ejected ?? full;
  }

  /** Better not, while there are others. */
  #isDoubtful({ health }: Pool, now: number): boolean {
    return health.avoided(now) || (health.ejected(now) && !this.#panic);
  }

  /** Whether it fails so much more often than the others that it can't be the Service as a whole. */
  #standsOut(pool: Pool, now: number): boolean {
    const own = pool.health.failedShare(now) ?? 0;
    let [sum, count] = [0, 0];
    for (const other of this.#pools) {
      const share = other === pool ? undefined : other?.health.failedShare(now);
      if (share === undefined) continue;
      sum += share;
      count += 1;
    }
    return count > 0 && own > (2 * sum) / count;
  }

  /** Never more of them than the policy says, so never the only one. */
  #eject(pool: Pool, cause: EjectionCause, now: number, passive: PassiveHealthCheck): void {
    if (pool.health.ejected(now) || !this.#pools.includes(pool)) return;
    const most = Math.floor((this.#endpoints.length * passive.maxEjectedPercent) / 100);
    if (this.ejected >= most) return;
    pool.health.eject(now, passive);
    this.#options.onEjected(cause);
  }

  #poolAt(at: number): Pool | undefined {
    const known = this.#pools[at];
    const endpoint = this.#endpoints[at];
    if (known !== undefined || endpoint === undefined) return known;
    const pool = this.#options.pool(endpoint);
    this.#pools[at] = pool;
    return pool;
  }

  /** Goes along with a change of the endpoints: who stays keeps its connections, who went is asked for nothing new. */
  #follow(): void {
    const now = this.#options.endpoints();
    if (now === this.#endpoints) return;
    const before = new Map<string, Pool>();
    for (const [at, endpoint] of this.#endpoints.entries()) {
      const pool = this.#pools[at];
      if (pool !== undefined) before.set(keyOf(endpoint), pool);
    }
    this.#endpoints = now;
    this.#pools = now.map((endpoint) => {
      const key = keyOf(endpoint);
      const pool = before.get(key);
      before.delete(key);
      return pool;
    });
    for (const pool of before.values()) {
      pool.retire();
      if (!pool.quiet) this.#retired.add(pool);
    }
    this.#panic = this.ejected * 2 > now.length;
  }
}

const NONE: readonly Pool[] = [];

const keyOf = ({ host, port }: EndpointAddress): string => `${host} ${port}`;
