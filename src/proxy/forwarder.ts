import type { Backend, Timeouts } from '../resources/resource.ts';
import type { UpstreamSettings } from '../resources/upstream.ts';
import type { BodySource, Framing } from './body.ts';
import type { TunnelSide } from './tunnel-side.ts';

/** A request as it goes to an upstream. Plain values, so that neither side knows what the other is built on. */
export interface OutgoingRequest {
  readonly backend: Backend;
  /** How it is reached. The same value as long as nothing of it changes: connections are kept by it. */
  readonly upstream: UpstreamSettings;
  readonly timeouts: Timeouts;
  readonly method: string;
  /** Canonical path and query in origin-form, without the backend's base path. */
  readonly target: string;
  /** Checked lines, each ended by CRLF, Host included; nothing of framing or connection management, which the forwarder adds. */
  readonly headers: string;
  readonly framing: Framing;
  /** Undefined exactly where `framing` is None. */
  readonly body: BodySource | undefined;
  readonly client: ClientPresence;
  /** The protocol that the upstream is asked to switch to; undefined: none. Goes over a connection of its own. */
  readonly upgrade?: string | undefined;
  /**
   * When the right to the answer ends, in milliseconds since the epoch: an answer that says no length and runs on is then
   * cut off (A084). Undefined: it doesn't.
   */
  readonly until?: number | undefined;
}

/** Whether anybody still waits for the answer. */
export interface ClientPresence {
  readonly gone: boolean;
  /** At most one callback at a time; undefined takes it back. Never called synchronously. */
  onGone(callback: (() => void) | undefined): void;
  /** Early hints of the upstream (RFC 8297): names and values in turn, as received. Any number of times, before the response. */
  hint?(status: number, headers: readonly string[]): void;
}

export interface UpstreamResponse {
  readonly kind: 'Response';
  /** 200 to 599 and whatever else an upstream makes up; never 1xx. */
  readonly status: number;
  /** Names and values in turn, as received. */
  readonly headers: readonly string[];
  /** Bytes of the body where framing says so; undefined: known only when it ends. */
  readonly length: number | undefined;
  /** Undefined: there is none. Has to be started or cancelled. */
  readonly body: BodySource | undefined;
}

export interface ForwardFailure {
  readonly kind: 'Failed';
  readonly code: FailureCode;
  /** For the log; never for the client. */
  readonly cause: string;
}

/** The upstream has switched to the protocol that it was asked for, and to no other. */
export interface UpstreamSwitch {
  readonly kind: 'Switched';
  /** Of the 101, names and values in turn, as received. */
  readonly headers: readonly string[];
  /** Has to be started or destroyed. */
  readonly side: TunnelSide;
}

export type ForwardResult = UpstreamResponse | UpstreamSwitch | ForwardFailure;

/** Why no response came. A closed set: reason label of metrics. */
export type FailureCode =
  | 'no_endpoint'
  /** Too many requests to the Service wait for a connection, or this one waited too long. */
  | 'pending_full'
  | 'pending_timeout'
  | 'name_not_resolved'
  | 'address_not_allowed'
  | 'connect_refused'
  | 'connect_failed'
  | 'connect_timeout'
  | 'tls_failed'
  | 'reset'
  | 'response_timeout'
  /** `timeouts.request`. */
  | 'request_timeout'
  | 'upload_stalled'
  | 'bad_response'
  | 'bad_request_body'
  | 'client_timeout'
  | 'client_gone';

/** DESIGN: Failure behaviour. */
export const FAILURE_STATUS: Readonly<Record<FailureCode, number>> = {
  no_endpoint: 503,
  pending_full: 503,
  pending_timeout: 503,
  name_not_resolved: 502,
  address_not_allowed: 502,
  connect_refused: 502,
  connect_failed: 502,
  connect_timeout: 504,
  tls_failed: 502,
  reset: 502,
  response_timeout: 504,
  request_timeout: 504,
  upload_stalled: 504,
  bad_response: 502,
  bad_request_body: 400,
  client_timeout: 408,
  client_gone: 0,
};

export interface Forwarder {
  /** Never rejects: what goes wrong is data. */
  forward(request: OutgoingRequest): Promise<ForwardResult>;
  /** Ends idle and busy connections. */
  close(): void;
}
