import { foldHeaderName, IDENTITY_HEADER_NAMES } from './identity-headers.ts';

/** RFC 9110 section 7.6.1, what older software knows besides, and what goes with an upgrade to h2c (A071). */
export const HOP_BY_HOP: readonly string[] = ['keep-alive', 'te', 'trailer', 'http2-settings'];

/**
 * Headers that say who sent a request, from where, or what it originally asked for (A003, A037, A050). They are ours to
 * write; nobody in front of us is trusted. `proxy-` has `Proxy-Connection`, `Proxy-Authorization`; `proxy` is httpoxy.
 */
export const OURS: readonly string[] = [
  'forwarded',
  'x-forwarded',
  'x-request-id',
  'proxy',
  // The peer's address, or another host, as some frameworks believe it.
  'x-real-ip',
  'x-client-ip',
  'x-cluster-client-ip',
  'true-client-ip',
  'cf-connecting-ip',
  'x-host',
  'x-http-host-override',
  // Another method than the one that was decided about (A021).
  'x-http-method-override',
  'x-http-method',
  'x-method-override',
];
export const OUR_PREFIXES: readonly string[] = ['x-forwarded-', 'x-original-', 'x-rewrite-', 'x-envoy-', 'proxy-'];

/** Of two such lines two readers may each take another one, so neither is believed (A032, A060, T14). */
export const SINGLE_HEADERS: readonly string[] = [
  'host',
  'content-length',
  'transfer-encoding',
  'authorization',
  'proxy-authorization',
  'content-type',
  'content-range',
  'content-location',
  'expect',
  'origin',
  'upgrade',
  // RFC 6455 section 11.3.
  'sec-websocket-key',
  'sec-websocket-version',
  'referer',
  'range',
  'user-agent',
  'from',
  'max-forwards',
  'if-modified-since',
  'if-unmodified-since',
  'if-range',
  'sec-fetch-mode',
  'sec-fetch-dest',
  'sec-fetch-site',
  'sec-fetch-user',
  'sec-purpose',
];

/** Of the message itself, or of this connection. */
const OF_THE_MESSAGE = [
  'content-length',
  'transfer-encoding',
  'connection',
  'expect',
  'upgrade',
  'sec-websocket-*',
  'cdn-loop',
  ...HOP_BY_HOP,
];

/** Headers of a request that no Route changes, each with what its owner is told. Names may end in `*`. */
export const UNCHANGEABLE_IN_REQUESTS: readonly UnchangeableHeaders[] = [
  {
    names: IDENTITY_HEADER_NAMES,
    message: 'is an identity header, which no client can send and only plugins write; take it away',
  },
  { names: ['host'], message: 'is written by Postern; write rewrite.host or preserveHost instead' },
  {
    names: ['authorization'],
    message:
      'is the client’s or a plugin’s; write clientAuthorization, or upstream.accessToken of the plugin, and take it away',
  },
  { names: ['cookie'], message: 'carries sessions, so it can’t be changed; take it away' },
  {
    names: [...OF_THE_MESSAGE, ...OURS, ...OUR_PREFIXES.map((prefix) => `${prefix}*`)],
    message: 'belongs to the connection or is written by Postern itself; take it away',
  },
];

/** The same of a response. */
export const UNCHANGEABLE_IN_RESPONSES: readonly UnchangeableHeaders[] = [
  {
    names: [
      'connection',
      'keep-alive',
      'te',
      'trailer',
      'upgrade',
      'sec-websocket-*',
      'transfer-encoding',
      'content-length',
      'proxy-*',
      'x-request-id',
    ],
    message: 'belongs to the connection or is written by Postern itself; take it away',
  },
];

/** What can be taken from a response, but not be written. */
export const COOKIES_OF_RESPONSES: UnchangeableHeaders = {
  names: ['set-cookie'],
  message: 'sets cookies, which the service does itself; take it away',
};

/** Where `cors` writes them. */
export const CORS_HEADERS: UnchangeableHeaders = {
  names: ['access-control-*'],
  message: 'is written by cors of this Route; take it away',
};

export interface UnchangeableHeaders {
  readonly names: readonly string[];
  readonly message: string;
}

/** Why a header can't be changed; undefined where it can. In any spelling that some server takes for one of these (A040). */
export function whyUnchangeable(name: string, all: readonly UnchangeableHeaders[]): string | undefined {
  const folded = foldHeaderName(name);
  return all.find(({ names }) => names.some((one) => covers(one, folded)))?.message;
}

const covers = (name: string, folded: string): boolean =>
  name.endsWith('*') ? folded.startsWith(name.slice(0, -1)) : folded === name;
