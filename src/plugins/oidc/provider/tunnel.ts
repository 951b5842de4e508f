import * as http from 'node:http';
import * as https from 'node:https';
import { isIP, type Socket } from 'node:net';
import * as tls from 'node:tls';
import type { EgressProxy } from '../../../resources/egress-proxy.ts';
import { fault, type ProviderFault, proxyFaultOf } from './http-fault.ts';
import { portOf, socketHost } from './provider-address.ts';
import type { Reach } from './reach.ts';

/** A proxy, and how far calls to it may go. */
export interface ProxyWay {
  readonly proxy: EgressProxy;
  readonly reach: Reach;
  /** PEM: besides the public roots, what the certificate of a proxy over TLS may come from. */
  readonly ca: string | undefined;
}

export const proxyName = ({ scheme, host, port }: EgressProxy): string =>
  `the proxy ${scheme}://${host.includes(':') ? `[${host}]` : host}:${port}`;

/** What a request has to say to the proxy itself. */
export const proxyHeaders = ({ credentials }: EgressProxy): Readonly<Record<string, string>> =>
  credentials === undefined
    ? {}
    : { 'proxy-authorization': `Basic ${Buffer.from(credentials.reveal()).toString('base64')}` };

/** Options of a request that goes to the proxy, whatever its target. */
export function toProxy({ proxy, reach, ca }: ProxyWay): https.RequestOptions {
  return {
    host: proxy.host,
    port: proxy.port,
    agent: false,
    lookup: reach.lookup(proxy.port),
    ...(proxy.scheme === 'http'
      ? {}
      : {
          // Node would take the name from the Host header, which is the target's.
          servername: isIP(proxy.host) === 0 ? proxy.host : '',
          minVersion: 'TLSv1.2',
          ...(ca === undefined ? {} : { ca: [...tls.getCACertificates('default'), ca] }),
        }),
  };
}

export const requestVia = ({ proxy }: ProxyWay): typeof http.request =>
  proxy.scheme === 'https' ? https.request : http.request;

/**
 * A connection through the proxy to the host of `target` (RFC 9110 section 9.3.6), on which nothing was said yet. The
 * proxy resolves the name. Never rejects; ends by `signal`.
 */
export function openTunnel(
  way: ProxyWay,
  target: URL,
  signal: AbortSignal,
): Promise<{ readonly ok: true; readonly socket: Socket } | ProviderFault> {
  const name = proxyName(way.proxy);
  const own = way.reach.literal(way.proxy.host, way.proxy.port);
  if (own !== undefined) return Promise.resolve(fault('Forbidden', `was not asked, for ${name} ${own}`));
  const host = socketHost(target);
  const authority = `${host.includes(':') ? `[${host}]` : host}:${portOf(target)}`;
  return new Promise((resolve) => {
    const asked = requestVia(way)({
      ...toProxy(way),
      method: 'CONNECT',
      path: authority,
      signal,
      headers: { host: authority, ...proxyHeaders(way.proxy) },
    });
    const refuse = (why: string): void => {
      asked.destroy();
      resolve(fault('Proxy', `could not be asked, for ${name} ${why}`));
    };
    asked.on('error', (error) => resolve(proxyFaultOf(error, name)));
    asked.on('connect', (response, socket, head) => {
      const { statusCode = 0 } = response;
      if (statusCode < 200 || statusCode > 299 || head.length > 0) {
        socket.destroy();
        refuse(head.length > 0 && statusCode < 300 ? 'spoke out of turn' : proxyStatus(statusCode));
      } else if (signal.aborted) {
        socket.destroy();
      } else {
        resolve({ ok: true, socket });
      }
    });
    // Some answer CONNECT like any other request.
    asked.on('response', ({ statusCode = 0 }) => refuse(proxyStatus(statusCode)));
    asked.end();
  });
}

export const proxyStatus = (status: number): string =>
  status === 407 ? 'wants a user name and password (407)' : `refused (${status})`;
