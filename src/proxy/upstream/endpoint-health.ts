import type { PassiveHealthCheck } from '../../resources/upstream.ts';

/** One that couldn't be connected to is left alone for this long while there are others. */
const AVOID_MS = 5000;
/** So many times in a row no connection came about: it is no accident. */
const NOT_CONNECTED = 2;
/** How long answers are counted, how many there have to be, and the share of failures among them that stands out. */
const WINDOW_MS = 10_000;
const WINDOW_LEAST = 20;
const WINDOW_FAILED = 0.4;

/** Why an endpoint is left out. A closed set: label of a metric. */
export type EjectionCause = 'connect' | 'consecutive' | 'rate';

/**
 * What is known of one endpoint from how it answered (F44). It says when the endpoint should be left out; whether there are
 * enough others is for the Balancer. Times are milliseconds of the forwarder's clock.
 */
export class EndpointHealth {
  #failuresInRow = 0;
  #notConnectedInRow = 0;
  #windowEnds = 0;
  #answers = 0;
  #failures = 0;
  #avoidedUntil = 0;
  #ejectedUntil = 0;
  #ejections = 0;
  #onTrial = false;

  /** It failed to be connected to, or was put to the test, a moment ago. */
  avoided(now: number): boolean {
    return this.#avoidedUntil > now;
  }

  ejected(now: number): boolean {
    return this.#ejectedUntil > now;
  }

  /** A request goes to it. Where it has not answered well since it was left out, one at a time is enough to see. */
  chosen(now: number): void {
    if (this.#onTrial) this.#avoidedUntil = now + AVOID_MS;
  }

  /** Of the answers of the last seconds, the share that failed; undefined where there are too few to tell. */
  failedShare(now: number): number | undefined {
    return now < this.#windowEnds && this.#answers >= WINDOW_LEAST ? this.#failures / this.#answers : undefined;
  }

  answered(now: number): void {
    this.#failuresInRow = 0;
    this.#notConnectedInRow = 0;
    if (this.#onTrial) {
      this.#onTrial = false;
      this.#avoidedUntil = 0;
    }
    this.#count(now);
  }

  /** A failure of a gateway's kind: 502, 503, 504, a reset, a time-out. Answers why it should be left out, if so. */
  failed(now: number, { consecutiveFailures }: PassiveHealthCheck): EjectionCause | undefined {
    this.#failuresInRow += 1;
    this.#count(now);
    this.#failures += 1;
    if (this.#onTrial || this.#failuresInRow >= consecutiveFailures) return 'consecutive';
    return (this.failedShare(now) ?? 0) >= WINDOW_FAILED ? 'rate' : undefined;
  }

  /** No connection came about. Answers why it should be left out, if so. */
  notConnected(now: number): EjectionCause | undefined {
    this.#notConnectedInRow += 1;
    this.#avoidedUntil = now + AVOID_MS;
    const again = this.#onTrial || this.#notConnectedInRow >= NOT_CONNECTED;
    this.#onTrial = true;
    return again ? 'connect' : undefined;
  }

  /** Each time it stays out longer; time spent well is forgiven. */
  eject(now: number, { ejectionTime, maxEjectionTime }: PassiveHealthCheck): void {
    const good = Math.floor(Math.max(0, now - this.#ejectedUntil) / maxEjectionTime);
    this.#ejections = Math.max(0, this.#ejections - good) + 1;
    this.#ejectedUntil = now + Math.min(maxEjectionTime, ejectionTime * this.#ejections);
    this.#onTrial = true;
    this.#failuresInRow = 0;
    this.#notConnectedInRow = 0;
    this.#windowEnds = 0;
  }

  #count(now: number): void {
    if (now >= this.#windowEnds) {
      this.#windowEnds = now + WINDOW_MS;
      this.#answers = 0;
      this.#failures = 0;
    }
    this.#answers += 1;
  }
}
