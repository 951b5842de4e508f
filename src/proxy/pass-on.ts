import type { Hostname } from '../resources/hostname.ts';
import type { RoutePath } from '../resources/path.ts';
import type { Backend } from '../resources/resource.ts';
import type { RouteFilters } from '../routing/filters.ts';
import type { RouteEntry } from '../routing/snapshot.ts';
import type { RequestTarget } from '../routing/target.ts';
import { brokenOff, limitBody } from './body-limits.ts';
import { FAILURE_STATUS, type ForwardFailure, type UpstreamResponse } from './forwarder.ts';
import type { CheckedHead } from './gate.ts';
import { authorityOf, clientHeaders, upstreamHeaders } from './headers.ts';
import * as notices from './pages/notices.ts';
import { type Reply, reply } from './reply.ts';
import type { Switching } from './upgrade.ts';
import type { Journey, Passage } from './world.ts';

/** Strips, injects, and passes the request and its response on. A reply where no response came. */
export async function forward(
  journey: Journey,
  head: CheckedHead,
  target: RequestTarget,
  entry: RouteEntry,
  passage: Passage,
): Promise<Reply | Switching | undefined> {
  const { world, exchange, record } = journey;
  const { action } = entry;
  if (action.kind !== 'Forward') throw new Error(`Route ${entry.route} has nowhere to forward to`);
  const { backend } = action;
  const { filters } = entry;
  const body = limitBody(exchange.body(head), head.framing, entry, world.limits);
  const headers = upstreamHeaders(head, {
    authority: authorityFor(backend, filters?.host, target.host),
    forwardedFor: journey.forwardedFor,
    host: target.host,
    forwardedHeader: world.forwardedHeader,
    external: world.external,
    requestId: record.requestId,
    plugins: passage.headers,
    removeAuthorization: entry.removeAuthorization,
    change: filters?.requestHeaders,
    prefix: filters?.strips === true ? strippedPrefix(entry) : undefined,
  });
  const asked = world.now();
  try {
    const result = await world.forwarder.forward({
      backend,
      upstream: action.upstream,
      timeouts: action.timeouts,
      method: head.method,
      target: target.path + target.query,
      headers,
      framing: head.framing,
      body,
      client: exchange,
      upgrade: head.upgrade,
      until: passage.until,
    });
    if (result.kind === 'Failed') {
      record.cause = result.cause;
      const ofClient = brokenOff(body, exchange.bodyFault);
      if (ofClient !== undefined) return ofClient;
      return upstreamFailed(result, passage.cookies);
    }
    if (result.kind === 'Switched') {
      return {
        kind: 'Switching',
        protocol: head.upgrade ?? '',
        headers: clientHeaders(result.headers, passage.cookies, record.requestId, filters, journey.cors),
        upstream: result.side,
        terms: { idle: action.timeouts.idle, until: passage.until },
      };
    }
    await passOn(journey, result, filters, passage);
    return undefined;
  } finally {
    record.upstreamMs = world.now() - asked;
  }
}

function strippedPrefix({ path }: RouteEntry): RoutePath | undefined {
  return path.type === 'Prefix' && path.value !== '/' ? path.value : undefined;
}

/** What the Service is asked for in `Host` (A016, A033): never what only stands in a request. */
function authorityFor(backend: Backend, host: RouteFilters['host'], asked: Hostname): string {
  if (host !== undefined) return host === 'Client' ? asked : host;
  return backend.kind === 'Url' ? authorityOf(backend) : asked;
}

async function passOn(
  { world, exchange, record, cors }: Journey,
  response: UpstreamResponse,
  filters: RouteFilters | undefined,
  { cookies, until }: Passage,
): Promise<void> {
  record.status = response.status;
  record.outcome = 'forwarded';
  const headers = clientHeaders(response.headers, cookies, record.requestId, filters, cors);
  const end = await exchange.stream(response.status, headers, response.length, response.body);
  if (end === 'ClientGone') record.outcome = 'client_gone';
  else if (end === 'Aborted') {
    const over = until !== undefined && world.wall() >= until;
    record.outcome = over ? 'session_ended' : 'upstream_failed';
    record.reason = over ? 'session_end' : 'truncated';
  }
}

function upstreamFailed(failure: ForwardFailure, cookies: readonly string[]): Reply {
  const status = FAILURE_STATUS[failure.code];
  switch (failure.code) {
    case 'client_gone':
      return reply(0, 'client_gone', failure.code, undefined);
    case 'bad_request_body':
    case 'client_timeout':
      return reply(status, 'bad_request', failure.code, notices.badRequest(), { close: true });
    case 'no_endpoint':
    case 'pending_full':
    case 'pending_timeout':
      return reply(status, 'upstream_failed', failure.code, notices.serviceDown(), {
        cookies,
        headers: [{ name: 'Retry-After', value: '5' }],
      });
    default: {
      const notice = status === 504 ? notices.gatewayTimeout() : notices.badGateway();
      return reply(status, 'upstream_failed', failure.code, notice, { cookies });
    }
  }
}
