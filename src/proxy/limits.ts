import type { GateLimits } from './gate.ts';
import { DEFAULT_HTTP2_LIMITS, type Http2Limits } from './http2/limits.ts';
import type { FrontLimits } from './node-exchange.ts';

/**
 * Every number that a client could otherwise choose (invariant 7, A160, T16). Times in milliseconds, sizes in bytes.
 * Infinity stands for no limit, where limit-table.ts lets one be off.
 */
export interface ProxyLimits extends GateLimits, FrontLimits, Http2Limits {
  /** Open connections, of all listeners together; more are closed at once. */
  readonly connections: number;
  /** Of one address. */
  readonly connectionsPerAddress: number;
  /** Then the connection ends with the answer. */
  readonly requestsPerConnection: number;
  /** Requests of one connection that wait for the one before them. */
  readonly pipelinedRequests: number;
  /** Body of a request whose Route says nothing of it. */
  readonly bodyBytes: number;
  /** From the first byte of a connection, or of its next request, to the end of the head. */
  readonly headTimeout: number;
  /** Longest silence of a client in the middle of a body. */
  readonly bodyTimeout: number;
  /** Bytes of a body in a second, on average, once `bodyTimeout` has passed; 0: any. */
  readonly bodyRate: number;
  /** From the head of a request to the end of its answer. */
  readonly requestTimeout: number;
  /** Between requests of a connection. */
  readonly keepAliveTimeout: number;
  /** From a connection to the end of its TLS handshake. */
  readonly handshakeTimeout: number;
  /** Handshakes under way; beyond them the oldest ends. */
  readonly handshakes: number;
  /** Share of the memory, 0 to 1, beyond which new work is refused. */
  readonly memory: number;
  /** Delay of the event loop beyond which new work is refused. */
  readonly loopDelay: number;
  /** How often time-outs are looked at; no setting. */
  readonly checkInterval: number;
}

/** What a user can set. */
export type LimitName = Exclude<keyof ProxyLimits, 'checkInterval' | 'streamWindow' | 'streamResets' | 'controlFrames'>;

const MOST_HANDSHAKES = 1000;

/** What follows from another limit where it isn't set itself. */
export const derivedLimits = (connections: number): Pick<ProxyLimits, 'connectionsPerAddress' | 'handshakes'> => ({
  // Nobody alone takes all; less would hit whoever is behind one address: a company's NAT, or a node that passes on.
  connectionsPerAddress: Math.ceil(connections / 2),
  handshakes: Math.min(connections, MOST_HANDSHAKES),
});

const CONNECTIONS = 10_000;

export const DEFAULT_LIMITS: ProxyLimits = {
  connections: CONNECTIONS,
  ...derivedLimits(CONNECTIONS),
  requestsPerConnection: 10_000,
  pipelinedRequests: 64,
  // A callback brings back a sealed `state`, which with a long return path has up to 12 KB.
  targetBytes: 16 * 1024,
  headerLines: 128,
  headerBytes: 32 * 1024,
  bodyBytes: Number.POSITIVE_INFINITY,
  discardBytes: 256 * 1024,
  handshakeTimeout: 10_000,
  headTimeout: 10_000,
  bodyTimeout: 60_000,
  bodyRate: 240,
  sendTimeout: 30_000,
  requestTimeout: Number.POSITIVE_INFINITY,
  keepAliveTimeout: 65_000,
  halfClosedTimeout: 10_000,
  discardTimeout: 5000,
  memory: 0.9,
  loopDelay: 500,
  checkInterval: 1000,
  ...DEFAULT_HTTP2_LIMITS,
};
