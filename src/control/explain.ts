import { describeFilters } from '../routing/describe-filters.ts';
import { landing } from '../routing/landing.ts';
import { type Match, match } from '../routing/match.ts';
import { rewritePath } from '../routing/rewrite.ts';
import type { RouteEntry } from '../routing/snapshot.ts';
import type { RouteMatch, RouteTable } from '../routing/table.ts';
import { parseTarget, type RequestTarget, TARGET_FAULT_STATUS, type TargetFault } from '../routing/target.ts';
import { formatUpstream } from '../routing/upstreams.ts';
import type { Control } from './control.ts';

export interface Question {
  readonly method: string;
  /** As in a Host header. */
  readonly host: string;
  /** As in a request line. */
  readonly path: string;
  /** Names in lower case. */
  readonly headers: ReadonlyMap<string, string>;
}

/** What would be done with a request, as JSON for people. It is only looked up: no plugin is asked, nothing is sent. */
export interface Explanation {
  /** Undefined where this depends on a plugin or the upstream. */
  readonly status: number | undefined;
  readonly answer: string;
  readonly why: string;
  readonly fault?: TargetFault;
  readonly host?: string;
  readonly path?: string;
  /** The path that the Service is asked for, where the Route changes it. */
  readonly sent?: string;
  /** The Route that was matched, and what guards it. */
  readonly matched?: object;
}

/** Undefined before the first publication. */
export function explainRequest(control: Pick<Control, 'current'>, question: Question): Explanation | undefined {
  const snapshot = control.current();
  return snapshot === undefined ? undefined : explain(snapshot.table, question);
}

/** The same canonical target and the same match as for a request (invariant 1). */
export function explain(table: RouteTable, { method, host, path, headers }: Question): Explanation {
  const parsed = parseTarget(method, host, path);
  if (!parsed.ok) {
    const { fault } = parsed;
    return { status: TARGET_FAULT_STATUS[fault], answer: 'BadTarget', fault, why: FAULTS[fault] };
  }
  const { target } = parsed;
  const found = match(table, target, (name) => headers.get(name));
  const asked = { host: target.host, path: target.path };
  if (found.kind === 'Route' && target.encodedSlash && found.entry.encodedSlashes === 'Reject') {
    const why = 'The path has an encoded slash, which the Route rejects (encodedSlashes).';
    return { ...asked, status: 400, answer: 'BadTarget', why, matched: describeEntry(found.entry) };
  }
  const rewritten = found.kind === 'Route' ? explainRewrite(table, found, target) : undefined;
  return { ...asked, ...explainMatch(found), ...rewritten };
}

/** Where the Route changes the path: what its Service is asked for, or why it isn't (A005). */
function explainRewrite(table: RouteTable, found: RouteMatch, target: RequestTarget): Partial<Explanation> | undefined {
  const { entry } = found;
  if (entry.filters?.path === undefined || entry.action.kind === 'Refuse') return undefined;
  const sent = rewritePath(entry.filters.path, entry.path, target.path);
  if (sent === undefined) {
    const why = 'The path that the Route makes of it could not be asked for itself, or is the gateway’s own.';
    return { status: 400, answer: 'BadTarget', why };
  }
  if (landing(table, found, target.host, sent).kind !== 'Guarded') return { sent };
  const why = `Its Service would be asked for ${sent}, which another Route of this host guards in another way.`;
  return { status: 403, answer: 'Guarded', why, sent };
}

function explainMatch(found: Match): Pick<Explanation, 'status' | 'answer' | 'why' | 'matched'> {
  switch (found.kind) {
    case 'NoHost':
      return { status: 404, answer: found.kind, why: 'No Route names this host.' };
    case 'NotFound':
      return {
        status: 404,
        answer: found.kind,
        why: 'No Route of this host fits the path, the method, the headers and the query.',
      };
    case 'MethodNotAllowed':
      return { status: 405, answer: found.kind, why: servedHere(found.allow) };
    case 'Ambiguous':
      return {
        status: 400,
        answer: found.kind,
        why: `A server behind the gateway could read another ${found.of === 'Path' ? 'path' : 'query parameter'} out of it, with another guard.`,
      };
    case 'Reserved':
      return { status: undefined, answer: found.kind, why: `${found.plugin} answers itself: its ${found.purpose}.` };
    case 'ReservedNotFound':
      return {
        status: 404,
        answer: found.kind,
        why: 'Paths under /_oidc/ are the gateway’s, and nothing answers at this one.',
      };
    case 'Route':
      return explainEntry(found.entry);
  }
}

function explainEntry(entry: RouteEntry): Pick<Explanation, 'status' | 'answer' | 'why' | 'matched'> {
  const matched = describeEntry(entry);
  if (entry.action.kind === 'Refuse') {
    return { status: 503, answer: 'Denied', why: `The Route is Denied: ${entry.action.reason}.`, matched };
  }
  const to = formatUpstream(entry.action.backend, entry.action.upstream.policy);
  if (entry.exposure === 'Public')
    return { status: undefined, answer: 'Public', why: `Everybody is let through to ${to}.`, matched };
  const rules = entry.authorization === undefined ? 'any account of theirs' : 'who passes the rules of the Route';
  return {
    status: undefined,
    answer: 'Protected',
    why: `${entry.plugins.join(', ')} must prove an identity; ${rules} is let through to ${to}.`,
    matched,
  };
}

const describeEntry = (entry: RouteEntry): object => ({
  route: entry.route,
  host: entry.host,
  path: `${entry.path.type} ${entry.path.value}`,
  methods: entry.methods,
  headers: entry.headers.length === 0 ? undefined : entry.headers,
  queryParams: entry.queryParams,
  exposure: entry.exposure,
  plugins: entry.plugins.length === 0 ? undefined : entry.plugins,
  rules: entry.authorization?.rules.map(({ name }) => name),
  removesAuthorization: entry.removeAuthorization,
  filters: entry.filters && describeFilters(entry.filters),
});

const FAULTS: Readonly<Record<TargetFault, string>> = {
  BadMethod: 'The method is not written in capital letters, as a method is.',
  MethodNotAllowed: 'CONNECT, TRACE and TRACK are never forwarded.',
  TooLong: 'The request-target is too long.',
  BadHost: 'The host is not a host name or address.',
  AsteriskForm: 'A request for * is for no path.',
  BadTarget: 'The request-target is neither a path nor a whole http address.',
  AuthorityDiffers: 'The address names another host than the Host header.',
  BadQuery: 'The query has a character that must be percent-encoded.',
  NotAbsolute: 'The path does not begin with a slash.',
  ForbiddenCharacter: 'The path has a character that must be percent-encoded.',
  BadEscape: 'The path has a % that is not followed by two hexadecimal digits.',
  EncodedControl: 'The path has an encoded control character.',
  EncodedBackslash: 'The path has an encoded backslash.',
  InvalidUtf8: 'The path has escapes that are not UTF-8.',
  DotSegment: 'The path has a . or .. segment.',
};

const servedHere = (methods: readonly string[]): string =>
  methods.length === 0 ? 'The Routes here are for other methods, and Denied.' : `Here only: ${methods.join(', ')}.`;
