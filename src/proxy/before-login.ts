import { originOf } from '../resources/external.ts';
import type { RouteFilters } from '../routing/filters.ts';
import type { RouteMatch } from '../routing/table.ts';
import type { RequestTarget } from '../routing/target.ts';
import { isListed } from './client-list.ts';
import { corsLines, preflightReply } from './cors.ts';
import * as notices from './pages/notices.ts';
import { cameOverPlainHttp } from './plain-http.ts';
import { type Reply, reply } from './reply.ts';
import type { HeadView } from './request-view.ts';
import type { Journey } from './world.ts';

/**
 * What the filters of a Route answer themselves, before anybody is asked who sends the request: addresses that it isn't
 * for, and plain http. Whatever is answered from here on, a page of an allowed origin may read.
 */
export function beforeLogin(
  journey: Journey,
  filters: RouteFilters,
  target: RequestTarget,
  view: HeadView,
): Reply | undefined {
  if (filters.cors !== undefined) journey.cors = corsLines(filters.cors, view.header('origin'));
  return refuseClient(journey, filters) ?? redirectPlainHttp(journey, filters, target);
}

/** A preflight carries no credentials and is never redirected, so of the filters only the addresses speak. */
export function answerPreflight(journey: Journey, { entry }: RouteMatch, view: HeadView): Reply {
  const { record } = journey;
  record.route = entry.route;
  const cors = entry.filters?.cors;
  if (cors === undefined) throw new Error(`Route ${entry.route} answers no preflight`);
  const origin = view.header('origin');
  journey.cors = corsLines(cors, origin);
  return refuseClient(journey, entry.filters) ?? preflightReply(cors, origin);
}

/** The address that log and limits go by; no other header, and no User-Agent, opens anything (A003, A019, A050). */
function refuseClient({ record }: Journey, filters: RouteFilters | undefined): Reply | undefined {
  if (filters?.clients === undefined || isListed(filters.clients, record.client)) return undefined;
  return reply(403, 'refused', 'client_address', notices.addressNotAllowed());
}

function redirectPlainHttp(journey: Journey, filters: RouteFilters, target: RequestTarget): Reply | undefined {
  const { external } = journey.world;
  if (!filters.httpsRedirect || external.scheme !== 'https' || !cameOverPlainHttp(journey)) return undefined;
  const value = `${originOf(external, target.host)}${target.path}${target.query}`;
  return reply(308, 'redirected', 'https', undefined, { headers: [{ name: 'Location', value }] });
}
