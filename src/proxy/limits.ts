import type { GateLimits } from './gate.ts';
import { DEFAULT_HTTP2_LIMITS, type Http2Limits } from './http2/limits.ts';
import type { FrontLimits } from './node-exchange.ts';

/** Every number that a client could otherwise choose (invariant 7, A160, T16). Times in milliseconds. */
export interface ProxyLimits extends GateLimits, FrontLimits, Http2Limits {
  /** Open connections; more are closed at once. */
  readonly connections: number;
  /** Requests of one connection that wait for the one before them. */
  readonly pipelined: number;
  /** From the first byte of a connection, or of its next request, to the end of the head. */
  readonly headTimeout: number;
  /** Between requests of a connection. */
  readonly keepAlive: number;
  /** How often the two above are looked at. */
  readonly checkInterval: number;
  /** From a connection to the end of its TLS handshake. */
  readonly handshakeTimeout: number;
  /** Handshakes under way; beyond them the oldest ends. */
  readonly handshakes: number;
}

export const DEFAULT_LIMITS: ProxyLimits = {
  // A callback brings back a sealed `state`, which with a long return path has up to 12 KB.
  targetBytes: 16 * 1024,
  headerLines: 128,
  headerBytes: 32 * 1024,
  drainBytes: 256 * 1024,
  drainTimeout: 5000,
  flushTimeout: 30_000,
  connections: 10_000,
  pipelined: 64,
  headTimeout: 10_000,
  keepAlive: 65_000,
  handshakeTimeout: 10_000,
  handshakes: 1000,
  checkInterval: 1000,
  ...DEFAULT_HTTP2_LIMITS,
};
