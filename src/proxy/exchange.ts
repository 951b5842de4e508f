import type { Hostname } from '../resources/hostname.ts';
import type { BodySource } from './body.ts';
import type { ClientPresence } from './forwarder.ts';
import type { CheckedHead, RequestHead } from './gate.ts';
import type { TunnelSide } from './tunnel-side.ts';

/**
 * One request and the way to answer it, as the journey sees it: values, and no socket. A front makes it; there can be
 * several kinds of front.
 */
export interface Exchange extends ClientPresence {
  readonly head: RequestHead;
  /** Address of the peer. */
  readonly client: string;
  /** What a TLS connection was opened for (SNI, RFC 6066 section 3), canonical; undefined where it named nothing. */
  readonly serverName: Hostname | undefined;
  /** Body bytes so far. */
  readonly requestBytes: number;
  readonly responseBytes: number;
  /** Which limit made the body of the request break off; undefined: none. */
  readonly bodyFault: 'bodyTimeout' | 'bodyRate' | undefined;
  /** Whether the answer has begun; from then on there can be no other. */
  readonly answered: boolean;
  /** The body of the request; undefined where its framing says that there is none. Starting it sends a 100 that is waited for. */
  body(head: CheckedHead): BodySource | undefined;
  /**
   * A whole answer; its framing is made here. `headers`: names and values in turn. With `close` it is the last one of its
   * connection. What is left of the request body is read up to a cap; beyond it the connection ends (A068).
   */
  answer(status: number, headers: readonly string[], body: string | undefined, close: boolean): void;
  /** An answer whose body comes from somewhere else. Resolves when it was sent, or when the client is gone. */
  stream(
    status: number,
    headers: readonly string[],
    length: number | undefined,
    body: BodySource | undefined,
  ): Promise<StreamEnd>;
  /** An interim answer of the upstream: 103, with all its header lines. Passed on where the client can take it. */
  hint(status: number, headers: readonly string[]): void;
  /**
   * Answers 101 to a head that asked for an upgrade (`head.upgrade`), with these headers and those that make it one, and
   * gives the connection. Undefined: the client is gone.
   * @throws before a byte was sent, where a header can't be sent or this front can't hand its connection over.
   */
  switchProtocols(protocol: string, headers: readonly string[]): TunnelSide | undefined;
  /** Ends the connection at once. */
  abort(): void;
}

/** `Aborted`: the source broke off, so the client saw the connection break. */
export type StreamEnd = 'Complete' | 'Aborted' | 'ClientGone';
