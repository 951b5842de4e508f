/** Whom a proxy says that it speaks for (PROXY protocol, haproxy's doc/proxy-protocol.txt). */
export type Relayed =
  /** Canonical. */
  | { readonly kind: 'Client'; readonly address: string }
  /** For somebody whom it doesn't know. */
  | { readonly kind: 'Unknown' }
  /** For itself: a health check. */
  | { readonly kind: 'Local' };

/** What the first bytes of a connection are. */
export type ProxyHeader =
  /** So far they may become a header. */
  | { readonly kind: 'More' }
  | { readonly kind: 'Fault' }
  /** `length`: bytes of the header; what follows is TLS or HTTP. */
  | { readonly kind: 'Header'; readonly length: number; readonly relayed: Relayed };

export const MORE: ProxyHeader = { kind: 'More' };
export const FAULT: ProxyHeader = { kind: 'Fault' };
