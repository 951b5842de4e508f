import * as http from 'node:http';
import * as https from 'node:https';
import { isIP } from 'node:net';
import * as tls from 'node:tls';
import type { Milliseconds } from '../../../resources/duration.ts';
import { type EgressProxy, proxyFor } from '../../../resources/egress-proxy.ts';
import type { PluginNetwork } from '../../contract.ts';
import { fault, faultOf, type ProviderFault, proxyFaultOf } from './http-fault.ts';
import { portOf, socketHost } from './provider-address.ts';
import { createReach } from './reach.ts';
import { type ReadAnswer, readAnswer } from './read-answer.ts';
import { openTunnel, type ProxyWay, proxyHeaders, proxyName, proxyStatus, requestVia, toProxy } from './tunnel.ts';
import { createTurns } from './turns.ts';

export interface ProviderRequest {
  readonly method: 'GET' | 'POST';
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** A whole answer, body included; redirects are answers like others and are never followed. */
export type ProviderAnswer = ReadAnswer;

export type ProviderHttp = {
  /** Never rejects. */
  call(request: ProviderRequest): Promise<ProviderAnswer | ProviderFault>;
  /** Why a URL would never be called, as far as its text says; undefined where it may be. */
  refuses(url: URL): string | undefined;
  /** Ends what is under way with `Stopped`. */
  stop(): void;
};

export interface ProviderHttpOptions {
  /** Of one whole call: waiting for its turn, names, connecting and the proxy included. */
  readonly deadline: Milliseconds;
  /** PEM; undefined: the public roots. */
  readonly ca: string | undefined;
  /** `http.proxy` of the plugin, which then is the way of every call. */
  readonly proxy: EgressProxy | undefined;
  readonly network: PluginNetwork;
}

/** Calls side by side to one provider; more wait, within their own deadline (F32). */
const MAX_RUNNING = 16;
const MAX_PENDING = 256;

/**
 * HTTP as a client of a provider needs it, and no more: one deadline for the whole call, a cap on bytes, no content coding
 * (so that a small answer can't grow), no redirects, an optional private CA and proxy, and a check of every address that is
 * connected to. `fetch` can't be given a CA without a second HTTP client, and hides how far an answer has come.
 * Connections aren't kept: a login is rare, and a code must not be lost on a socket that the provider was closing.
 */
export function providerHttp({ deadline, ca, proxy, network }: ProviderHttpOptions): ProviderHttp {
  const reach = createReach(network.addresses, network);
  const viaNamed: ProxyWay | undefined = proxy && { proxy, reach, ca };
  // The operator's own proxy is usually private, and not the plugin's choice.
  const viaOperators = createReach({ kind: 'Any' }, network);
  const wayTo = (url: URL): ProxyWay | undefined => {
    const scheme = url.protocol === 'https:' ? 'https' : 'http';
    const found = proxyFor(network.proxies, { scheme, host: socketHost(url), port: portOf(url) });
    return viaNamed ?? (found && { proxy: found, reach: viaOperators, ca });
  };
  const secure = { minVersion: 'TLSv1.2', ...(ca === undefined ? {} : { ca }) } as const;
  const refuses = (url: URL): string | undefined => reach.literal(socketHost(url), portOf(url));
  /** Ends each call that is under way. */
  const leaving = new Set<() => void>();
  let stopped = false;
  const turn = createTurns(MAX_RUNNING);
  let pending = 0;

  async function exchange(request: ProviderRequest, signal: AbortSignal): Promise<ProviderAnswer | ProviderFault> {
    const { url } = request;
    const host = socketHost(url);
    const refused = refuses(url);
    if (refused !== undefined) return fault('Forbidden', refused);
    const way = wayTo(url);
    if (way === undefined) {
      const direct = { ...secure, agent: false, lookup: reach.lookup(portOf(url)) } as const;
      return send(
        (url.protocol === 'https:' ? https : http).request(url, { ...direct, ...told(request) }),
        request,
        signal,
      );
    }
    if (url.protocol === 'http:') return sendThrough(way, request, signal);
    const tunnel = await openTunnel(way, url, signal);
    if (!tunnel.ok) return tunnel;
    const createConnection = (): tls.TLSSocket =>
      tls.connect({ ...secure, socket: tunnel.socket, host, ...(isIP(host) === 0 ? { servername: host } : {}) });
    return send(https.request(url, { createConnection, ...told(request) }), request, signal);
  }

  return {
    async call(request) {
      if (stopped) return fault('Stopped', 'was not asked: the plugin was replaced');
      if (pending >= MAX_PENDING) return fault('Busy', `was not asked: ${MAX_PENDING} calls are waiting already`);
      pending += 1;
      const over = new AbortController();
      const { promise, resolve } = Promise.withResolvers<ProviderAnswer | ProviderFault>();
      const leave = (): void => resolve(fault('Stopped', 'was left: the plugin was replaced'));
      leaving.add(leave);
      const late = (): void => resolve(fault('Timeout', `gave no whole answer within ${deadline} ms`));
      const timer = setTimeout(late, deadline);
      try {
        void turn(() => exchange(request, over.signal), over.signal)
          // Node refuses to send some requests at all, by an exception.
          .catch((error: unknown) =>
            fault('BadAnswer', `could not be asked (${error instanceof Error ? error.name : typeof error})`),
          )
          .then(resolve);
        return await promise;
      } finally {
        pending -= 1;
        leaving.delete(leave);
        clearTimeout(timer);
        over.abort(OVER);
      }
    },
    refuses,
    stop() {
      stopped = true;
      for (const leave of leaving) leave();
    },
  };
}

/** Without a reason of its own each end of a call would make an exception with a stack, which takes longer than the call. */
const OVER = 'over';

/** Plain http to a proxy names the whole URL (RFC 9112 section 3.2.2). */
async function sendThrough(
  way: ProxyWay,
  request: ProviderRequest,
  signal: AbortSignal,
): Promise<ProviderAnswer | ProviderFault> {
  const name = proxyName(way.proxy);
  const own = way.reach.literal(way.proxy.host, way.proxy.port);
  if (own !== undefined) return fault('Forbidden', `was not asked, for ${name} ${own}`);
  const { headers, method } = told(request);
  const path = request.url.href;
  const all = { ...headers, host: request.url.host, ...proxyHeaders(way.proxy) };
  const asked = requestVia(way)({ ...toProxy(way), path, method, headers: all });
  const answer = await send(asked, request, signal, (error) => proxyFaultOf(error, name));
  return answer.ok && answer.status === 407
    ? fault('Proxy', `could not be asked, for ${name} ${proxyStatus(answer.status)}`)
    : answer;
}

const told = ({ method, headers, body }: ProviderRequest) => ({
  method,
  headers: {
    ...headers,
    'accept-encoding': 'identity',
    ...(body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) }),
  },
});

/** Ends by `signal`; Node's own way makes an exception even where all was answered. */
function send(
  asked: http.ClientRequest,
  { body }: ProviderRequest,
  signal: AbortSignal,
  explain: (error: Error) => ProviderFault = faultOf,
): Promise<ProviderAnswer | ProviderFault> {
  return new Promise((resolve) => {
    asked.on('error', (error) => resolve(explain(error)));
    asked.on('response', (response) => readAnswer(response, resolve));
    if (signal.aborted) asked.destroy();
    signal.addEventListener('abort', () => asked.destroy(), { once: true });
    asked.end(body);
  });
}
