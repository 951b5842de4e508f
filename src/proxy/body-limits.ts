import type { RouteEntry } from '../routing/snapshot.ts';
import type { BodySource, Framing } from './body.ts';
import { LimitedBody } from './limited-body.ts';
import type { ProxyLimits } from './limits.ts';
import * as notices from './pages/notices.ts';
import { type Reply, reply } from './reply.ts';

type Limits = Pick<ProxyLimits, 'bodyBytes'>;

/** A body that its head already says is more than the Route takes: nothing of it is read, and nobody is asked for it. */
export function announcedTooLarge(
  framing: Framing,
  { maxRequestBody }: RouteEntry,
  { bodyBytes }: Limits,
): Reply | undefined {
  return framing.kind === 'Length' && framing.bytes > (maxRequestBody ?? bodyBytes) ? tooLarge() : undefined;
}

/** The body as it may go on: what has no announced length is counted. */
export function limitBody(
  body: BodySource | undefined,
  framing: Framing,
  { maxRequestBody }: RouteEntry,
  { bodyBytes }: Limits,
): BodySource | undefined {
  const most = maxRequestBody ?? bodyBytes;
  return body === undefined || framing.kind === 'Length' || most === Number.POSITIVE_INFINITY
    ? body
    : new LimitedBody(body, most);
}

/** Where a request failed because its body broke off by our own doing. */
export function brokenOff(
  body: BodySource | undefined,
  fault: 'bodyTimeout' | 'bodyRate' | undefined,
): Reply | undefined {
  if (body instanceof LimitedBody && body.exceeded) return tooLarge();
  if (fault === undefined) return undefined;
  const reason = fault === 'bodyTimeout' ? 'body_timeout' : 'body_too_slow';
  return reply(408, 'bad_request', reason, notices.badRequest(), { close: true });
}

const tooLarge = (): Reply => reply(413, 'bad_request', 'body_too_large', notices.bodyTooLarge(), { close: true });
