/**
 * One end of a tunnel: a connection that was switched to another protocol (RFC 9110 section 7.8), as bytes and without a
 * socket. A front makes the client's, the forwarder the upstream's.
 */
export interface TunnelSide {
  /** Bytes of the peer that were given to the sink, and bytes that were written for it. */
  readonly received: number;
  readonly sent: number;
  /** What the peer sends goes to `sink` from now on, first of all what was held. Once. */
  start(sink: TunnelSink): void;
  /** Nothing more is read until `resume`. */
  pause(): void;
  resume(): void;
  /** `bytes` belong to the caller again afterwards. False: no more until the sink hears `drained`. */
  write(bytes: Buffer): boolean;
  /** Nothing more will be written; the peer sees the end after all that was written. */
  end(): void;
  /** As `end`, and then the connection is closed. */
  close(): void;
  /** Closes the connection at once. */
  destroy(): void;
}

/** What hears one end of a tunnel. */
export interface TunnelSink {
  /** `bytes` are only valid during the call: who keeps them copies them. */
  data(bytes: Buffer): void;
  drained(): void;
  /** The peer sends no more. */
  ended(): void;
  /** The connection is gone, by whatever way. The last call. */
  closed(): void;
}
