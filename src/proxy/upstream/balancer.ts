import type { EndpointAddress } from '../endpoints.ts';
import type { Pool } from './pool.ts';

/** Endpoints that one request may try to connect to. */
const MAX_ATTEMPTS = 3;
/** Endpoints in a row that are passed over because they failed a moment ago; bounds the work for a request. */
const MAX_PASSED_OVER = 16;
/** A Service that nobody asked for during this time is forgotten, and with it whose turn it was. */
const FORGET_MS = 600_000;

export interface BalancerOptions {
  /** Where the Service's endpoints are, as of now; the same array as long as nothing changed. */
  readonly endpoints: () => readonly EndpointAddress[];
  readonly pool: (endpoint: EndpointAddress) => Pool;
  /** Milliseconds. */
  readonly now: () => number;
}

/** The endpoints of one port of a core Service, in turn, each with its own kept connections. */
export class Balancer {
  readonly #options: BalancerOptions;
  #endpoints: readonly EndpointAddress[] = [];
  /** Beside `#endpoints`, made when they are first needed. */
  #pools: (Pool | undefined)[] = [];
  /** Of endpoints that are gone, with exchanges that still run. */
  readonly #retired = new Set<Pool>();
  #turn = -1;
  #usedAt = 0;

  constructor(options: BalancerOptions) {
    this.#options = options;
  }

  /** Whose turn it is; undefined where there is no endpoint. */
  next(): Pool | undefined {
    this.#usedAt = this.#options.now();
    this.#follow();
    return this.#pick(NONE);
  }

  /** One that a request hasn't tried yet; undefined where there is none, or it has tried enough. */
  another(tried: readonly Pool[]): Pool | undefined {
    this.#follow();
    return tried.length < MAX_ATTEMPTS ? this.#pick(tried) : undefined;
  }

  /** Closes what is no more used. False: nothing is left to be kept. */
  sweep(): boolean {
    this.#follow();
    for (const pool of this.#pools) pool?.closeIdle();
    for (const pool of this.#retired) if (pool.quiet) this.#retired.delete(pool);
    return (
      this.#retired.size > 0 ||
      this.#options.now() - this.#usedAt < FORGET_MS ||
      this.#pools.some((pool) => pool?.quiet === false)
    );
  }

  destroy(): void {
    for (const pool of [...this.#pools, ...this.#retired]) pool?.destroy();
  }

  #pick(tried: readonly Pool[]): Pool | undefined {
    const count = this.#endpoints.length;
    let found: Pool | undefined;
    for (let passed = 0; passed < Math.min(count, MAX_PASSED_OVER); passed++) {
      this.#turn = this.#turn + 1 < count ? this.#turn + 1 : 0;
      const pool = this.#poolAt(this.#turn);
      if (pool === undefined || tried.includes(pool)) continue;
      if (!pool.avoided) return pool;
      // Where all have failed, the one whose turn it is may have come back.
      found ??= pool;
    }
    return found;
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
  }
}

const NONE: readonly Pool[] = [];

const keyOf = ({ host, port }: EndpointAddress): string => `${host} ${port}`;
