import type { HeaderLine, Notice } from '../routing/decision.ts';
import type { RouteEntry } from '../routing/snapshot.ts';
import { TARGET_FAULT_STATUS, type TargetFault } from '../routing/target.ts';
import type { GateFault } from './gate.ts';
import type { OverloadCause } from './overload/overload.ts';
import * as notices from './pages/notices.ts';
import { type Reply, reply } from './reply.ts';

/* What the proxy answers itself, before anybody was asked. */

/** RFC 9110 section 15.5.6, for methods that are never forwarded (A015). */
const ALLOWED: readonly HeaderLine[] = [{ name: 'Allow', value: 'GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS' }];
/** Seconds after which what is closed or not there yet is worth another look. */
const RETRY_AFTER: readonly HeaderLine[] = [{ name: 'Retry-After', value: '10' }];
const SOON: readonly HeaderLine[] = [{ name: 'Retry-After', value: '2' }];

/** Nothing of such a head is used, its Accept neither: the answer is JSON, and the last of its connection. */
export const refuseHead = ({ status, reason }: GateFault): Reply =>
  reply(status, 'bad_request', reason, headNotice(status), { close: true });

function headNotice(status: number): Notice {
  if (status === 508) return notices.goesRound();
  return status === 414 || status === 431 ? notices.requestTooLarge() : notices.badRequest();
}

export function badTarget(fault: TargetFault): Reply {
  const status = TARGET_FAULT_STATUS[fault];
  const notice = status === 405 ? notices.methodNotAllowed() : headNotice(status);
  return reply(status, 'bad_request', fault, notice, { close: true, headers: status === 405 ? ALLOWED : [] });
}

export const notStarted = (): Reply =>
  reply(503, 'refused', 'starting', notices.starting(), { headers: RETRY_AFTER, close: true });

/** `cause`: what there is too little of. The connection goes too, so that the next one may reach another replica. */
export const overloaded = (cause: OverloadCause): Reply =>
  reply(503, 'overloaded', cause, notices.overloaded(), { headers: SOON, close: true });

export const methodNotAllowed = (allow: readonly string[]): Reply =>
  reply(405, 'no_route', 'method_not_allowed', notices.methodNotAllowed(), {
    headers: [{ name: 'Allow', value: allow.join(', ') }],
  });

export const refuseRoute = ({ action }: RouteEntry): Reply =>
  reply(503, 'refused', action.kind === 'Refuse' ? action.reason : 'Denied', notices.routeRefused(), {
    headers: RETRY_AFTER,
  });
