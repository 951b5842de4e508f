import type { Acquire } from '../control/lease.ts';
import type { Cidr } from '../resources/address-policy.ts';
import type { ExternalAddress } from '../resources/external.ts';
import type { IdentityHeaders } from '../resources/identity-headers.ts';
import type { Admission } from './admission.ts';
import type { ConnectionLimits } from './connection-limits.ts';
import type { Forwarder } from './forwarder.ts';
import type { ProxyLimits } from './limits.ts';
import type { Overload } from './overload/overload.ts';
import type { RequestObserver } from './record.ts';
import type { CertificateStore } from './tls/certificate-store.ts';
import type { TicketKeys } from './tls/session-tickets.ts';
import type { ProxyLog } from './world.ts';

/** What a public listener is made of. */
export interface ProxyListenerOptions {
  readonly acquire: Acquire;
  readonly forwarder: Forwarder;
  readonly observer: RequestObserver;
  readonly external: ExternalAddress;
  readonly identityHeaders: IdentityHeaders;
  readonly log: ProxyLog;
  readonly limits?: Partial<ProxyLimits>;
  /** Peers whose `X-Forwarded-For` is believed; default: none. */
  readonly trustedProxies?: readonly Cidr[];
  /** Upstreams get `Forwarded` besides `X-Forwarded-*`; default: they don't. */
  readonly forwardedHeader?: boolean;
  /** Connections of all listeners together; default: of this one. */
  readonly connections?: ConnectionLimits | undefined;
  /** Whether there is too much to do already; default: never. */
  readonly overload?: Overload | undefined;
  /** What is answered before any Route is looked for. */
  readonly admit?: Admission | undefined;
  /** HTTPS with these; default: plain http. */
  readonly certificates?: CertificateStore | undefined;
  /** With HTTPS: sessions are resumed by tickets; default: they aren't. */
  readonly ticketKeys?: TicketKeys | undefined;
  /** With HTTPS: value of Strict-Transport-Security on every answer. */
  readonly hsts?: string | undefined;
  /** Every connection begins with a PROXY header of a trusted proxy, or ends. */
  readonly proxyHeader?: boolean | undefined;
  /** HTTP/2 besides, over TLS alone. Default: no. */
  readonly http2?: boolean | undefined;
  /** Milliseconds of a monotonic clock. */
  now(): number;
  /** Unique; default: 96 random bits of this process and a count. */
  requestId?(): string;
}
