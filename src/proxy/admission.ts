import { type ExternalAddress, originOf } from '../resources/external.ts';
import type { RoutePath } from '../resources/path.ts';
import type { HeaderLine } from '../routing/decision.ts';
import { match } from '../routing/match.ts';
import type { Snapshot } from '../routing/snapshot.ts';
import type { RequestTarget } from '../routing/target.ts';
import type { Exchange } from './exchange.ts';
import * as notices from './pages/notices.ts';
import { type Reply, reply } from './reply.ts';
import type { CertificateStore } from './tls/certificate-store.ts';

/**
 * What a listener answers itself to a request that can be read in one way only, before any Route is looked for; undefined:
 * it goes on.
 */
export type Admission = (target: RequestTarget, exchange: Exchange, snapshot: Snapshot) => Reply | undefined;

/** The first that answers. Undefined where there is none, so that the usual request pays for nothing. */
export function inOrder(admissions: readonly (Admission | undefined)[]): Admission | undefined {
  const all = admissions.filter((admission) => admission !== undefined);
  const [first, ...rest] = all;
  if (first === undefined || rest.length === 0) return first;
  return (target, exchange, snapshot) => {
    for (const admission of all) {
      const answer = admission(target, exchange, snapshot);
      if (answer !== undefined) return answer;
    }
    return undefined;
  };
}

export interface HealthCheck {
  /** Canonical; compared exactly, so that no suffix and no other spelling opens anything (A018). */
  readonly path: RoutePath;
  /** False while ending: a load balancer takes this replica out before it is gone (F23). */
  ready(): boolean;
}

const HEALTH_METHODS: readonly HeaderLine[] = [{ name: 'Allow', value: 'GET, HEAD' }];

/** `--health-path`: for load balancers, whatever the host. Who asks plays no part (A019). */
export const answerHealth =
  ({ path, ready }: HealthCheck): Admission =>
  (target) => {
    if (target.path !== path) return undefined;
    if (target.method !== 'GET' && target.method !== 'HEAD') {
      return reply(405, 'health', 'method_not_allowed', notices.methodNotAllowed(), { headers: HEALTH_METHODS });
    }
    return ready()
      ? reply(200, 'health', 'ready', undefined, { text: 'ok\n' })
      : reply(503, 'health', 'not_ready', undefined, { text: 'not ready\n' });
  };

/**
 * Plain http where HTTPS is on: every host that a Route names is to be asked over TLS, unknown ones are 404 (A036). The
 * host is the canonical one, so the answer leads to nowhere but where the request was sent to. 308 keeps the method.
 */
export const redirectToHttps =
  ({ port }: Pick<ExternalAddress, 'port'>): Admission =>
  (target, _exchange, { table }) => {
    if (match(table, target, () => undefined).kind === 'NoHost') {
      return reply(404, 'no_route', 'no_host', notices.unknownHost());
    }
    const location = `${originOf({ scheme: 'https', port }, target.host)}${target.path}${target.query}`;
    return reply(308, 'redirected', 'https', undefined, { headers: [{ name: 'Location', value: location }] });
  };

/**
 * RFC 9110 section 7.4: a connection that was opened for one host asks for another, which has another certificate (A035).
 * Whoever checked the one hasn't checked the other. The client is to open a connection of its own for it.
 */
export const refuseMisdirected =
  (certificates: CertificateStore): Admission =>
  ({ host }, { serverName }) =>
    serverName === host || certificates.sharesCertificate(serverName, host)
      ? undefined
      : reply(421, 'bad_request', 'misdirected', notices.misdirected(), { close: true });
