import { lowerAscii } from '../resources/hostname.ts';
import { foldHeaderName, HEADER_NAME, type IdentityHeaders } from '../resources/identity-headers.ts';
import { rememberNames } from './name-memo.ts';

/** What a header of a request is to a proxy. */
export type HeaderKind =
  | 'Pass'
  /** No token: the request is refused. */
  | 'Invalid'
  | 'Host'
  | 'ContentLength'
  | 'TransferEncoding'
  | 'Connection'
  | 'Expect'
  /** Asks for another protocol on this connection. */
  | 'Upgrade'
  | 'Authorization'
  | 'Cookie'
  /** Says through which gateways a request came (RFC 8586). */
  | 'Loop'
  /** Carries identity; only plugins write it (invariant 3). */
  | 'Identity'
  /** For this connection only, or written by us alone. */
  | 'Drop';

export interface HeaderInfo {
  readonly kind: HeaderKind;
  /** ASCII lower case. */
  readonly name: string;
  /** One bit of its own where a request may have only one such line; otherwise 0. */
  readonly single: number;
}

export type HeaderClassifier = (name: string) => HeaderInfo;

/** RFC 9110 section 7.6.1, what older software knows besides, and what goes with an upgrade to h2c (A071). */
const HOP_BY_HOP = new Set(['keep-alive', 'te', 'trailer', 'http2-settings']);

/**
 * Headers that say who sent a request, from where, or what it originally asked for (A003, A037, A050). They are ours to
 * write; nobody in front of us is trusted. `proxy-` has `Proxy-Connection`, `Proxy-Authorization`; `proxy` is httpoxy.
 */
const OURS = new Set([
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
]);
const OUR_PREFIXES = ['x-forwarded-', 'x-original-', 'x-rewrite-', 'x-envoy-', 'proxy-'];

const SPECIAL: ReadonlyMap<string, HeaderKind> = new Map([
  ['host', 'Host'],
  ['content-length', 'ContentLength'],
  ['transfer-encoding', 'TransferEncoding'],
  ['connection', 'Connection'],
  ['expect', 'Expect'],
  ['upgrade', 'Upgrade'],
  ['authorization', 'Authorization'],
  ['cookie', 'Cookie'],
  ['cdn-loop', 'Loop'],
]);

/** Of two such lines two readers may each take another one, so neither is believed (A032, A060, T14). */
const SINGLE = [
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

/** Classifies header names; each spelling is looked at once and then remembered, bounded. */
export const headerClassifier = (identity: IdentityHeaders): HeaderClassifier =>
  rememberNames((spelling) => classify(spelling, identity));

function classify(spelling: string, identity: IdentityHeaders): HeaderInfo {
  const name = lowerAscii(spelling);
  const index = SINGLE.indexOf(name);
  return { kind: kindOf(spelling, name, identity), name, single: index < 0 ? 0 : 1 << index };
}

function kindOf(spelling: string, name: string, identity: IdentityHeaders): HeaderKind {
  if (!HEADER_NAME.test(spelling)) return 'Invalid';
  const special = SPECIAL.get(name);
  if (special !== undefined) return special;
  if (identity.has(name)) return 'Identity';
  // `Transfer_Encoding` and `x.forwarded~for` are the real ones to whoever folds (A040).
  const folded = foldHeaderName(name);
  if (SPECIAL.has(folded) || HOP_BY_HOP.has(folded) || OURS.has(folded)) return 'Drop';
  return OUR_PREFIXES.some((prefix) => folded.startsWith(prefix)) ? 'Drop' : 'Pass';
}
