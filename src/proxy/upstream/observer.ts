import type { NamespacedName } from '../../resources/keys.ts';
import type { EjectionCause } from './endpoint-health.ts';

/** What is counted of upstreams beyond the requests themselves; by Service. None of these can throw. */
export interface UpstreamObserver {
  /** `connect`: no connection came about elsewhere; `reset`: one broke before anything came back. */
  retried(service: NamespacedName, cause: 'connect' | 'reset'): void;
  /** It could have been tried again, but the Service's share of retries is used up. */
  notRetried(service: NamespacedName): void;
  ejected(service: NamespacedName, cause: EjectionCause): void;
  /** `timeouts.request` was over, whether or not the response had begun. */
  requestTimedOut(service: NamespacedName): void;
}

/** How things are now. */
export interface UpstreamCounts {
  readonly service: NamespacedName;
  readonly endpoints: number;
  readonly ejected: number;
  /** Requests that wait for a connection. */
  readonly pending: number;
  /** Connections with a request on them, and without. */
  readonly active: number;
  readonly idle: number;
}

export const UNOBSERVED: UpstreamObserver = {
  retried: () => undefined,
  notRetried: () => undefined,
  ejected: () => undefined,
  requestTimedOut: () => undefined,
};
