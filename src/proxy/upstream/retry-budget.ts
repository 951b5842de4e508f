/** Parts of a retry that each request adds: retries are at most a fifth of all requests ... */
const PER_REQUEST = 1;
const PER_RETRY = 5;
/** ... and a few a second besides, so that a quiet Service has some too. */
const PER_SECOND = 3 * PER_RETRY;
/** What is left from quieter times: a Pod that goes under load may cost this many retries at once. */
const MOST = 100 * PER_RETRY;
const AT_FIRST = 30 * PER_RETRY;

/**
 * How many retries a Service is good for. Where most requests fail, each of them tried again would be the second half of the
 * outage; as Finagle and Envoy do, retries are held to a share of the requests.
 */
export class RetryBudget {
  readonly #now: () => number;
  #parts = AT_FIRST;
  #filledAt: number;

  /** `now`: milliseconds. */
  constructor(now: () => number) {
    this.#now = now;
    this.#filledAt = now();
  }

  request(): void {
    if (this.#parts < MOST) this.#parts += PER_REQUEST;
  }

  /** False: there is none left. */
  take(): boolean {
    const now = this.#now();
    const since = Math.floor(((now - this.#filledAt) / 1000) * PER_SECOND);
    if (since > 0) {
      this.#parts = Math.min(MOST, this.#parts + since);
      this.#filledAt = now;
    }
    if (this.#parts < PER_RETRY) return false;
    this.#parts -= PER_RETRY;
    return true;
  }
}
