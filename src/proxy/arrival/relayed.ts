/**
 * Whom a proxy says that it speaks for (PROXY protocol, haproxy's doc/proxy-protocol.txt): a canonical address, or
 * `UNKNOWN_CLIENT` where it names none. That is so for its health checks, and for clients of whom it has no address itself;
 * haproxy 2.6 says the same LOCAL for both. So it is never taken for the proxy's own address, which is a trusted one.
 */
export type Relayed = string;

/** What the first bytes of a connection are. */
export type ProxyHeader =
  /** So far they may become a header. */
  | { readonly kind: 'More' }
  | { readonly kind: 'Fault' }
  /** `length`: bytes of the header; what follows is TLS or HTTP. */
  | { readonly kind: 'Header'; readonly length: number; readonly relayed: Relayed };

export const MORE: ProxyHeader = { kind: 'More' };
export const FAULT: ProxyHeader = { kind: 'Fault' };
