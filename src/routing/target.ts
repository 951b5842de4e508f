import { type Hostname, splitAuthority } from '../resources/hostname.ts';
import { NEVER_FORWARDED } from '../resources/method.ts';
import { canonicalPath, type PathFault, type RoutePath } from '../resources/path.ts';

/** What a request asks for, in the one form that match, decision, log and the forwarded line use (invariant 1). */
export interface RequestTarget {
  /** As sent: capital letters, and never CONNECT, TRACE or TRACK. */
  readonly method: string;
  readonly host: Hostname;
  readonly path: RoutePath;
  /** With its `?`, byte for byte as sent; `` where there is none. */
  readonly query: string;
  /** A `%2F` is in the path; only a Route that says `encodedSlashes: Keep` takes it (A007). */
  readonly encodedSlash: boolean;
}

export type TargetFault =
  | PathFault
  | 'BadMethod'
  | 'MethodNotAllowed'
  | 'TooLong'
  | 'BadHost'
  | 'AsteriskForm'
  | 'BadTarget'
  | 'AuthorityDiffers'
  | 'BadQuery';

/** Answer to each fault. All of them end the connection: after one, nothing that follows on it can be trusted. */
export const TARGET_FAULT_STATUS: Readonly<Record<TargetFault, 400 | 405 | 414>> = {
  BadMethod: 400,
  MethodNotAllowed: 405,
  TooLong: 414,
  BadHost: 400,
  AsteriskForm: 400,
  BadTarget: 400,
  AuthorityDiffers: 400,
  BadQuery: 400,
  NotAbsolute: 400,
  ForbiddenCharacter: 400,
  BadEscape: 400,
  EncodedControl: 400,
  EncodedBackslash: 400,
  InvalidUtf8: 400,
  DotSegment: 400,
};

/** Characters of a request-target (A017). */
export const MAX_TARGET = 16_384;

/** Upper case only: upstreams and clients fold `get` to `GET`, after it was decided about as something else (A021). */
const METHOD = /^[A-Z][A-Z0-9_-]{0,31}$/;
/** Visible ASCII but `#`, which ends a query, and `\`, which some parsers turn into `/`. */
const QUERY = /^(\?[!"$-[\]-~]*)?$/;

export type ParsedTarget =
  | { readonly ok: true; readonly target: RequestTarget }
  | { readonly ok: false; readonly fault: TargetFault };

/**
 * The request line and Host of a request to its target (RFC 9112 section 3, A001 to A017, A030 to A033). `authority` is
 * the value of the one Host line; who calls has refused requests with none or several. `target` is the request-target as
 * sent: origin-form, or absolute-form where its authority is the Host's.
 */
export function parseTarget(method: string, authority: string, target: string): ParsedTarget {
  if (!METHOD.test(method)) return failed('BadMethod');
  if (NEVER_FORWARDED.has(method)) return failed('MethodNotAllowed');
  if (target.length > MAX_TARGET) return failed('TooLong');
  const host = splitAuthority(authority);
  if (host === undefined) return failed('BadHost');
  const origin = target.startsWith('/') ? target : originForm(method, host, target);
  if (typeof origin !== 'string') return origin;
  const mark = origin.indexOf('?');
  const query = mark < 0 ? '' : origin.slice(mark);
  if (!QUERY.test(query)) return failed('BadQuery');
  const path = canonicalPath(mark < 0 ? origin : origin.slice(0, mark));
  if (!path.ok) return failed(path.fault);
  return {
    ok: true,
    target: { method, host: host.host, path: path.path, query, encodedSlash: path.encodedSlash },
  };
}

const failed = (fault: TargetFault): { readonly ok: false; readonly fault: TargetFault } => ({ ok: false, fault });

type Authority = NonNullable<ReturnType<typeof splitAuthority>>;

const SCHEME_PORTS: Readonly<Record<string, number>> = { http: 80, https: 443 };

/** RFC 9112 section 3.2.2: what is left of an absolute-form without scheme and authority. */
function originForm(method: string, host: Authority, target: string): string | ReturnType<typeof failed> {
  if (target === '*') return failed('AsteriskForm');
  const match = /^(https?):\/\/([^/?#]*)/i.exec(target);
  if (match === null) return failed('BadTarget');
  const authority = splitAuthority(match[2] ?? '');
  if (authority === undefined) return failed('BadTarget');
  const usual = SCHEME_PORTS[match[1]?.toLowerCase() ?? ''];
  if (authority.host !== host.host || (authority.port ?? usual) !== (host.port ?? usual))
    return failed('AuthorityDiffers');
  const rest = target.slice(match[0].length);
  // An empty path is `*` to OPTIONS (section 3.2.4) and `/` to everything else.
  if (rest === '' && method === 'OPTIONS') return failed('AsteriskForm');
  return rest.startsWith('/') ? rest : `/${rest}`;
}
