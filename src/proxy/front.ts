import { answerHealth, type HealthCheck, inOrder, redirectToHttps, refuseMisdirected } from './admission.ts';
import { ConnectionLimits } from './connection-limits.ts';
import { DEFAULT_LIMITS } from './limits.ts';
import { createProxyListener, type ProxyListener } from './listener.ts';
import type { ProxyListenerOptions } from './listener-options.ts';
import type { Cut } from './record.ts';
import type { CertificateStore } from './tls/certificate-store.ts';
import type { TicketKeys } from './tls/session-tickets.ts';

/** The listeners as they are named in settings. */
export type ListenerName = 'http' | 'https';

export interface FrontOptions
  extends Omit<
    ProxyListenerOptions,
    'admit' | 'certificates' | 'connections' | 'ticketKeys' | 'hsts' | 'proxyHeader' | 'http2'
  > {
  /** Where connections begin with a PROXY header; default: nowhere. */
  readonly proxyProtocol?: readonly ListenerName[];
  /** `--health-path`; undefined: there is none. */
  readonly health?: HealthCheck | undefined;
  /** Undefined: there is no HTTPS listener, and the plain one serves. */
  readonly https?: HttpsOptions | undefined;
}

export interface HttpsOptions {
  readonly certificates: CertificateStore;
  /**
   * What the plain listener does then. `Serve` is for where TLS ends in front of it: there every request comes plain, and
   * a redirect to https would come back for ever.
   */
  readonly plain: 'Redirect' | 'Serve';
  /** Undefined: no session is resumed. */
  readonly ticketKeys?: TicketKeys | undefined;
  /** Value of Strict-Transport-Security; undefined: none is written. */
  readonly hsts?: string | undefined;
  /** `--http2`. */
  readonly http2?: boolean;
}

/** Every way in: the same journey behind a plain listener and, where there are certificates, an HTTPS one. */
export interface Front {
  readonly plain: ProxyListener;
  readonly https: ProxyListener | undefined;
  /** Both go on serving, each answer being the last of its connection (F23). */
  drain(): void;
  /** Both stop accepting; what is in flight has `grace` milliseconds: gives what was cut then (F26). */
  close(grace: number): Promise<Cut>;
}

export function createFront({ health, https, proxyProtocol = [], ...options }: FrontOptions): Front {
  const { limits = {}, trustedProxies = [] } = options;
  const connections = new ConnectionLimits({ ...DEFAULT_LIMITS, ...limits }, trustedProxies);
  const healthCheck = health === undefined ? undefined : answerHealth(health);
  const redirect = https?.plain === 'Redirect' ? redirectToHttps(options.external) : undefined;
  const listeners = {
    plain: createProxyListener({
      ...options,
      connections,
      admit: inOrder([healthCheck, redirect]),
      proxyHeader: proxyProtocol.includes('http'),
    }),
    https:
      https === undefined
        ? undefined
        : createProxyListener({
            ...options,
            connections,
            certificates: https.certificates,
            ticketKeys: https.ticketKeys,
            hsts: https.hsts,
            proxyHeader: proxyProtocol.includes('https'),
            http2: https.http2,
            admit: inOrder([healthCheck, refuseMisdirected(https.certificates)]),
          }),
  };
  return {
    ...listeners,
    drain() {
      listeners.plain.drain();
      listeners.https?.drain();
    },
    async close(grace) {
      const [plain, secure] = await Promise.all([listeners.plain.close(grace), listeners.https?.close(grace)]);
      return {
        requests: plain.requests + (secure?.requests ?? 0),
        tunnels: plain.tunnels + (secure?.tunnels ?? 0),
      };
    },
  };
}
