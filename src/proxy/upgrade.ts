import { originOf } from '../resources/external.ts';
import type { RouteEntry } from '../routing/snapshot.ts';
import type { RequestTarget } from '../routing/target.ts';
import type { CheckedHead } from './gate.ts';
import * as notices from './pages/notices.ts';
import { type Reply, reply } from './reply.ts';
import { headerOf } from './request-view.ts';
import type { TunnelTerms } from './tunnel.ts';
import type { TunnelSide } from './tunnel-side.ts';
import type { Journey } from './world.ts';

/** The upstream has switched; the client's connection follows. */
export interface Switching {
  readonly kind: 'Switching';
  readonly protocol: string;
  /** Of the 101, names and values in turn. */
  readonly headers: readonly string[];
  readonly upstream: TunnelSide;
  readonly terms: TunnelTerms;
}

/**
 * Whether a Route lets this upgrade through; a refusal, or undefined. A page of another origin can open a WebSocket to us,
 * and the browser adds the session where SameSite lets it (a sibling host is the same site): so behind a login only pages
 * of the Route's own origin may, and those that the Route names (RFC 6455 section 10.2). Who sends no Origin is no browser.
 */
export function refuseUpgrade(
  { world }: Journey,
  head: CheckedHead,
  { exposure, websocket }: RouteEntry,
  { host }: RequestTarget,
): Reply | undefined {
  if (websocket?.enabled === false) return refused('upgrades_off', notices.upgradeRefused());
  const origin = headerOf(head, 'origin');
  const allowed = websocket?.allowedOrigins;
  if (origin === undefined || (allowed === undefined && exposure === 'Public')) return undefined;
  if (origin === originOf(world.external, host)) return undefined;
  if (allowed?.includes(origin) === true || allowed?.includes('*') === true) return undefined;
  return refused('origin', notices.originRefused());
}

const refused = (reason: string, notice: Reply['notice']): Reply =>
  reply(403, 'upgrade_refused', reason, notice, { close: true });

/** No client follows a redirect of an upgrade, and none of them can show a login: it hears 401 (A082). */
export const withoutRedirect = (answer: Reply): Reply =>
  answer.status >= 300 && answer.status < 400
    ? reply(401, 'unauthenticated', answer.reason, notices.unauthenticated(), {
        headers: [{ name: 'WWW-Authenticate', value: 'Bearer realm="postern"' }],
        close: true,
      })
    : answer;

/** Passes the 101 on and the bytes of both sides from then on, until the connections are gone. */
export async function joinTunnel(journey: Journey, switching: Switching): Promise<void> {
  const { world, record } = journey;
  const { upstream, terms } = switching;
  const client = switchClient(journey, switching);
  if (client === undefined) {
    upstream.destroy();
    record.outcome = 'client_gone';
    return;
  }
  record.status = 101;
  record.outcome = 'forwarded';
  world.observer.tunnel?.();
  record.tunnel = await world.tunnels.join(client, upstream, terms);
}

/** A header that can't be sent throws before anything was; the upstream's connection must not outlive that. */
function switchClient({ exchange }: Journey, { protocol, headers, upstream }: Switching): TunnelSide | undefined {
  try {
    return exchange.switchProtocols(protocol, headers);
  } catch (error) {
    upstream.destroy();
    throw error;
  }
}
