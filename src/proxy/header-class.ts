import { lowerAscii } from '../resources/hostname.ts';
import { foldHeaderName, HEADER_NAME, type IdentityHeaders } from '../resources/identity-headers.ts';
import { HOP_BY_HOP, OUR_PREFIXES, OURS, SINGLE_HEADERS } from '../resources/reserved-headers.ts';
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
  /** The name as servers read it that fold what is no letter or digit (A040). */
  readonly folded: string;
  /** One bit of its own where a request may have only one such line; otherwise 0. */
  readonly single: number;
}

export type HeaderClassifier = (name: string) => HeaderInfo;

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

const DROPPED: ReadonlySet<string> = new Set([...HOP_BY_HOP, ...OURS]);

/** Classifies header names; each spelling is looked at once and then remembered, bounded. */
export const headerClassifier = (identity: IdentityHeaders): HeaderClassifier =>
  rememberNames((spelling) => classify(spelling, identity));

function classify(spelling: string, identity: IdentityHeaders): HeaderInfo {
  const name = lowerAscii(spelling);
  const index = SINGLE_HEADERS.indexOf(name);
  const single = index < 0 ? 0 : 1 << index;
  return { kind: kindOf(spelling, name, identity), name, folded: foldHeaderName(name), single };
}

function kindOf(spelling: string, name: string, identity: IdentityHeaders): HeaderKind {
  if (!HEADER_NAME.test(spelling)) return 'Invalid';
  const special = SPECIAL.get(name);
  if (special !== undefined) return special;
  if (identity.has(name)) return 'Identity';
  // `Transfer_Encoding` and `x.forwarded~for` are the real ones to whoever folds (A040).
  const folded = foldHeaderName(name);
  if (SPECIAL.has(folded) || DROPPED.has(folded)) return 'Drop';
  return OUR_PREFIXES.some((prefix) => folded.startsWith(prefix)) ? 'Drop' : 'Pass';
}
