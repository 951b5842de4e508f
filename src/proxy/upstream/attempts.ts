import type { OutgoingRequest } from '../forwarder.ts';
import type { ExchangeConnection } from './exchange-connection.ts';
import type { Pool } from './pool.ts';
import type { Upstream } from './upstream.ts';

/** RFC 9110 section 9.2.2: sending such a request twice is the same as once. */
const IDEMPOTENT: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE']);

/**
 * Where a request that failed is tried again: elsewhere, where no connection came about, so that nothing was sent; and once on a
 * fresh connection, where nothing was received and the request has no body and may be sent twice (F25, F42), or the upstream
 * says that it did nothing about it (HTTP/2). And only as often as the Service says, and is good for. Made when something failed.
 */
export class Attempts {
  readonly #request: OutgoingRequest;
  readonly #upstream: Upstream;
  /** Where it was tried in vain. */
  readonly #tried: Pool[] = [];
  #retries = 0;
  #repeated = false;

  constructor(request: OutgoingRequest, upstream: Upstream) {
    this.#request = request;
    this.#upstream = upstream;
  }

  /** No connection came about: nothing was sent, and no byte of the body was asked for, whatever the method. */
  afterNoConnection(pool: Pool | undefined): Pool | undefined {
    const other = this.#mayRetry() ? this.#elsewhere(pool) : undefined;
    return other !== undefined && this.#upstream.mayRetry() ? this.#again(other, 'connect') : undefined;
  }

  /**
   * The connection ended before a response came: elsewhere where there is another place, otherwise only where it was a kept
   * connection that turned out dead.
   */
  afterReset(
    pool: Pool | undefined,
    connection: ExchangeConnection | undefined,
    unprocessed: boolean,
  ): Pool | undefined {
    const { body, method } = this.#request;
    if (this.#repeated || body !== undefined) return undefined;
    if (!unprocessed && !IDEMPOTENT.has(method)) return undefined;
    if (pool === undefined || connection === undefined || connection.heard || !this.#mayRetry()) return undefined;
    const kept = connection.uses > 1;
    const place = this.#elsewhere(pool) ?? (kept || unprocessed ? pool : undefined);
    if (place === undefined || !this.#upstream.mayRetry()) return undefined;
    // Of a kept connection that was dead already this says nothing about the endpoint, nor does one that ends in good order.
    if (!kept && !unprocessed) this.#upstream.failed(pool);
    this.#repeated = true;
    return this.#again(place, 'reset');
  }

  #mayRetry(): boolean {
    return this.#retries < this.#upstream.settings.policy.retries.attempts;
  }

  #elsewhere(pool: Pool | undefined): Pool | undefined {
    if (pool === undefined) return undefined;
    this.#tried.push(pool);
    return this.#upstream.another(this.#tried);
  }

  #again(place: Pool, cause: 'connect' | 'reset'): Pool {
    this.#retries += 1;
    this.#upstream.retried(cause);
    return place;
  }
}
