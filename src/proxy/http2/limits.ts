import type { ServerSessionOptions } from 'node:http2';
import type { GateLimits } from '../gate.ts';
import type { Allowance } from './rate.ts';

/** What a client could otherwise choose over HTTP/2 (invariant 7, A161). */
export interface Http2Limits {
  /** Requests of one connection that are at work at once. */
  readonly streams: number;
  /** Bytes of one request body that may be sent ahead of whoever reads it. */
  readonly streamWindow: number;
  /** Requests of one connection; after them it is told to go. */
  readonly streamsPerConnection: number;
  /** Streams of a connection that the client takes back before their answer (CVE-2023-44487). */
  readonly streamResets: Allowance;
  /** PING and SETTINGS frames of a connection: each is to be acknowledged (CVE-2019-9512, CVE-2019-9515). */
  readonly controlFrames: Allowance;
}

export const DEFAULT_HTTP2_LIMITS: Http2Limits = {
  // As many as RFC 9113 section 6.5.2 asks for at the least, and browsers use.
  streams: 100,
  streamWindow: 64 * 1024,
  streamsPerConnection: 10_000,
  // Scrubbing in a video or a map takes back hundreds in a few seconds, and then no more.
  streamResets: { burst: 500, perSecond: 25 },
  controlFrames: { burst: 100, perSecond: 10 },
};

/**
 * Every limit that node:http2 has, said: what a release changes decides nothing here. Those of ours strike first wherever
 * there are two, for only ours can be counted by reason.
 */
export function sessionOptions(limits: Http2Limits & GateLimits): ServerSessionOptions {
  return {
    // Megabytes. Streams that are open may go beyond it; no new one begins then.
    maxSessionMemory: 16,
    // Cookies come as a field for each (RFC 9113 section 8.2.3), and are one line to the gate, which counts exactly.
    maxHeaderListPairs: 4 * limits.headerLines,
    maxSettings: 32,
    maxOutstandingPings: 10,
    // Frames without content are among these (CVE-2019-9518).
    maxSessionInvalidFrames: 100,
    maxSessionRejectedStreams: 100,
    streamResetBurst: 2 * limits.streamResets.burst,
    streamResetRate: 2 * limits.streamResets.perSecond,
    maxDeflateDynamicTableSize: 4096,
    peerMaxConcurrentStreams: 0,
    strictFieldWhitespaceValidation: true,
    // An upstream that repeats a field does so over HTTP/1.1 too.
    strictSingleValueFields: false,
    settings: {
      maxConcurrentStreams: limits.streams,
      initialWindowSize: limits.streamWindow,
      maxFrameSize: 16_384,
      headerTableSize: 4096,
      // Twice what the gate lets in, so that most of what is too large is told so; 32 is what RFC 9113 section 6.5.2 adds.
      maxHeaderListSize: 2 * (limits.headerBytes + limits.targetBytes + 32 * limits.headerLines),
      enablePush: false,
      enableConnectProtocol: false,
    },
  };
}
