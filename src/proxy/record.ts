import type { NamespacedName, ObjectKey } from '../resources/keys.ts';
import type { LimitName } from './limits.ts';
import type { TunnelEnd } from './tunnel.ts';

/** Everything that is logged and counted of one request; filled on its way, handed over once at its end. */
export interface RequestRecord {
  readonly requestId: string;
  /** Milliseconds of a monotonic clock. */
  readonly startedAt: number;
  /** Address of the peer, or the one that a trusted peer names. */
  client: string;
  method: string;
  /** Canonical host, or `` while none is known. */
  host: string;
  /** Canonical path without query, or ``. */
  path: string;
  route: NamespacedName | undefined;
  service: NamespacedName | undefined;
  plugin: ObjectKey | undefined;
  /** Status sent; 0 where the client was gone before. */
  status: number;
  outcome: Outcome;
  /** Narrower than the outcome: a refusal's reason, a plugin's outcome word, a failure's code. */
  reason: string | undefined;
  /** In words, what went wrong on the way to the upstream: for whoever runs Postern, who may have a setting to change. */
  cause?: string;
  /** Name of the authorization rule that decided. */
  rule: string | undefined;
  requestBytes: number;
  responseBytes: number;
  /** Milliseconds waiting for and reading from the upstream; undefined where none was asked. */
  upstreamMs: number | undefined;
  durationMs: number;
  /** What ended the tunnel that the request became; undefined: it stayed a request. */
  tunnel?: TunnelEnd;
}

export type Outcome =
  | 'forwarded'
  | 'bad_request'
  | 'no_route'
  /** The load balancer's question on the traffic port. */
  | 'health'
  /** From plain http to https. */
  | 'redirected'
  /** Answered without login, as the `cors` of a Route says. */
  | 'preflight'
  | 'refused'
  /** There is too much to do already. */
  | 'overloaded'
  | 'login'
  | 'unauthenticated'
  | 'forbidden'
  /** Of another origin, or on a Route that has none. */
  | 'upgrade_refused'
  | 'plugin'
  | 'upstream_failed'
  | 'client_gone'
  /** The session ended before the answer did (A084). */
  | 'session_ended'
  | 'internal_error';

/** What the end of the drain time cut off (F26). */
export interface Cut {
  /** Whose answer wasn't over, over HTTP/1.1 and HTTP/2. */
  readonly requests: number;
  /** Connections that were switched to another protocol: most have no end of their own. */
  readonly tunnels: number;
}

/** Log and metrics, as the proxy sees them. None of these can throw. */
export interface RequestObserver {
  started(): void;
  finished(record: RequestRecord): void;
  connection(change: 1 | -1): void;
  /** A request that was started became a tunnel; its `finished` tells the end of it. */
  tunnel?(): void;
  /** Bytes that never became a request: reason of a closed set. */
  rejected(reason: string): void;
  /** A limit of the listeners struck, and no record of a request will say so. */
  limited(limit: LimitName): void;
  /** The drain time is over, and this was still under way. */
  cut?(cut: Cut): void;
}
