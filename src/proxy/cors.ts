import { canonicalHost } from '../resources/hostname.ts';
import { NEVER_FORWARDED } from '../resources/method.ts';
import type { HeaderLine } from '../routing/decision.ts';
import type { CorsPolicy } from '../routing/filters.ts';
import { match } from '../routing/match.ts';
import type { RouteMatch, RouteTable } from '../routing/table.ts';
import type { RequestTarget } from '../routing/target.ts';
import { type Reply, reply } from './reply.ts';
import type { HeadView } from './request-view.ts';

/*
 * Cross-origin requests of scripts (Fetch standard, section 3.3). Who may come in is decided by plugins and rules; this
 * only tells browsers which pages may read the answer, so an answer of ours says it too: a page has to see its 401.
 */

export const NO_LINES: readonly string[] = [];

/** Names and values in turn, for any answer of the Route. An origin is repeated only where it was found in the list. */
export function corsLines(policy: CorsPolicy, origin: string | undefined): readonly string[] {
  const allowed = origin !== undefined && isAllowed(policy, origin);
  if (policy.any) return allowed ? ['Access-Control-Allow-Origin', '*', ...policy.answer] : NO_LINES;
  // Whoever keeps the answer for another origin has to know that it is for this one, or for none.
  if (!allowed) return VARIES;
  return ['Access-Control-Allow-Origin', origin, ...policy.answer, ...VARIES];
}

const VARIES: readonly string[] = ['Vary', 'Origin'];

function isAllowed({ any, exact, suffixes }: CorsPolicy, origin: string): boolean {
  if (any || exact.has(origin)) return true;
  if (suffixes.length === 0 || !origin.startsWith(HTTPS)) return false;
  const host = origin.slice(HTTPS.length);
  // What isn't wholly a host name could end in the right way: https://evil.example/.example.com.
  return (
    suffixes.some((suffix) => host.length > suffix.length && host.endsWith(suffix)) && canonicalHost(host) === host
  );
}

const HTTPS = 'https://';

/**
 * The Route that a preflight asks about: that which would serve the method that it names, where this one has `cors`.
 * Undefined: it is no preflight that we answer, but an ordinary request, which passes as any other does (A020).
 */
export function findPreflight(table: RouteTable, target: RequestTarget, view: HeadView): RouteMatch | undefined {
  const method = view.header('access-control-request-method');
  if (method === undefined || view.header('origin') === undefined || NEVER_FORWARDED.has(method)) return undefined;
  const found = match(table, { ...target, method }, (name) => view.header(name));
  if (found.kind !== 'Route' || found.entry.exposure === 'Denied' || found.entry.filters?.cors === undefined)
    return undefined;
  return target.encodedSlash && found.entry.encodedSlashes === 'Reject' ? undefined : found;
}

/** The answer to a preflight, besides `corsLines`. No plugin is asked and nothing is sent upstream. */
export function preflightReply(policy: CorsPolicy, origin: string | undefined): Reply {
  if (origin === undefined || !isAllowed(policy, origin)) return reply(403, 'preflight', 'origin', undefined);
  const headers: HeaderLine[] = [];
  for (let i = 0; i < policy.preflight.length; i += 2)
    headers.push({ name: policy.preflight[i] ?? '', value: policy.preflight[i + 1] ?? '' });
  return reply(204, 'preflight', 'allowed', undefined, { headers });
}
