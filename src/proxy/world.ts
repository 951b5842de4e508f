import type { ProvenIdentity } from '../authorization/identity.ts';
import type { Acquire } from '../control/lease.ts';
import type { ExternalAddress } from '../resources/external.ts';
import type { Admission } from './admission.ts';
import type { ClientAddresses } from './client-address.ts';
import type { Exchange } from './exchange.ts';
import type { Forwarder } from './forwarder.ts';
import type { CheckedHead } from './gate.ts';
import type { HeaderClassifier } from './header-class.ts';
import type { PluginHeaders } from './headers.ts';
import type { ProxyLimits } from './limits.ts';
import type { Overload } from './overload/overload.ts';
import type { RequestObserver, RequestRecord } from './record.ts';
import type { Tunnels } from './tunnels.ts';

/** Bugs go here, once each. */
export interface ProxyLog {
  error(fields: Readonly<Record<string, unknown>>, message: string): void;
}

/** Everything the journey needs and doesn't make. */
export interface ProxyWorld {
  readonly acquire: Acquire;
  readonly forwarder: Forwarder;
  readonly observer: RequestObserver;
  readonly external: ExternalAddress;
  readonly classify: HeaderClassifier;
  readonly log: ProxyLog;
  readonly limits: ProxyLimits;
  readonly overload: Overload;
  /** Whether the connections of this listener are TLS. */
  readonly secure: boolean;
  /** What this listener answers before any Route does. */
  readonly admit: Admission | undefined;
  /** Whether upstreams get `Forwarded` too. */
  readonly forwardedHeader: boolean;
  readonly tunnels: Tunnels;
  /** Undefined: no peer is believed. */
  readonly clients: ClientAddresses | undefined;
  /** Milliseconds of a monotonic clock. */
  now(): number;
  /** Milliseconds since the epoch. */
  wall(): number;
  requestId(): string;
}

/** One request on its way. */
export interface Journey {
  readonly world: ProxyWorld;
  readonly exchange: Exchange;
  readonly record: RequestRecord;
  /** Undefined until the gate has let it in: nothing of a refused one is used, not even which form of answer it wants. */
  head: CheckedHead | undefined;
  /** `X-Forwarded-For` for the upstream. */
  forwardedFor: string;
  /** What every answer says to pages of other origins; names and values in turn. Of the matched Route. */
  cors: readonly string[];
}

/** What the plugins of a Route said, when all let the request go on. */
export interface Passage {
  readonly identity: ProvenIdentity | undefined;
  readonly headers: PluginHeaders;
  readonly cookies: readonly string[];
  /** The first moment at which the identity isn't proven any more, in milliseconds since the epoch; undefined: none. */
  readonly until: number | undefined;
}

export const newRecord = (exchange: Exchange, world: ProxyWorld): RequestRecord => ({
  requestId: world.requestId(),
  startedAt: world.now(),
  client: exchange.client,
  method: exchange.head.method,
  host: '',
  path: '',
  route: undefined,
  service: undefined,
  plugin: undefined,
  status: 0,
  outcome: 'internal_error',
  reason: undefined,
  rule: undefined,
  requestBytes: 0,
  responseBytes: 0,
  upstreamMs: undefined,
  durationMs: 0,
});
