import type { Milliseconds } from './duration.ts';
import type { NamespacedName } from './keys.ts';
import type { Redacted } from './redacted.ts';

/** How an upstream is talked to and what protects it, as its Service says; nothing in it refers to another object. */
export interface UpstreamPolicy {
  /** Put before every request path; without a slash at its end, or ``. */
  readonly basePath: string;
  readonly loadBalancing: 'RoundRobin' | 'LeastRequest';
  readonly limits: UpstreamLimits;
  readonly retries: UpstreamRetries;
  /** Undefined: endpoints that fail are asked like any other. */
  readonly passive: PassiveHealthCheck | undefined;
}

/** Of one replica of Postern. */
export interface UpstreamLimits {
  readonly connectionsPerEndpoint: number;
  /** Requests to the whole Service that wait for a connection. */
  readonly pending: number;
  /** How long one of them waits. */
  readonly pendingTimeout: Milliseconds;
}

export interface UpstreamRetries {
  /** How often a request is tried again at most. */
  readonly attempts: number;
}

/** When an endpoint is left out because of what its answers were (F44). */
export interface PassiveHealthCheck {
  /** 502, 503, 504, resets and time-outs in a row. */
  readonly consecutiveFailures: number;
  /** The first time that long; each further time that much longer. */
  readonly ejectionTime: Milliseconds;
  readonly maxEjectionTime: Milliseconds;
  /** Of all endpoints, at most 50: more are never left out. */
  readonly maxEjectedPercent: number;
}

/** Towards https upstreams, as a Service says it. */
export interface UpstreamTlsRefs {
  /** False only with `insecure.unverifiedTLS`. */
  readonly verify: boolean;
  /** Undefined: the host of the URL. */
  readonly serverName: string | undefined;
  readonly caRef: { readonly name: string; readonly key: string } | undefined;
  /** Name of a Secret of the same namespace. */
  readonly clientCertRef: string | undefined;
}

/** The same with its references resolved. */
export interface UpstreamTls {
  readonly verify: boolean;
  readonly serverName: string | undefined;
  /** PEM; undefined: the public roots. */
  readonly ca: string | undefined;
  readonly client: ClientCertificate | undefined;
}

/** PEM, leaf first. */
export interface ClientCertificate {
  readonly certificate: string;
  readonly key: Redacted;
}

/** Everything about an upstream but where it is. Plain data; connections are shared by nobody whose settings differ. */
export interface UpstreamSettings {
  /** The Service: whose connections, counts and limits these are. */
  readonly service: NamespacedName;
  readonly policy: UpstreamPolicy;
  /** Defined exactly where the connections are over TLS. */
  readonly tls: UpstreamTls | undefined;
}

export function sameUpstream(a: UpstreamSettings, b: UpstreamSettings): boolean {
  return a === b || (a.service === b.service && samePolicy(a.policy, b.policy) && sameTls(a.tls, b.tls));
}

export const samePolicy = (a: UpstreamPolicy, b: UpstreamPolicy): boolean =>
  a === b ||
  (a.basePath === b.basePath &&
    a.loadBalancing === b.loadBalancing &&
    a.limits.connectionsPerEndpoint === b.limits.connectionsPerEndpoint &&
    a.limits.pending === b.limits.pending &&
    a.limits.pendingTimeout === b.limits.pendingTimeout &&
    a.retries.attempts === b.retries.attempts &&
    samePassive(a.passive, b.passive));

function samePassive(a: PassiveHealthCheck | undefined, b: PassiveHealthCheck | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  return (
    a.consecutiveFailures === b.consecutiveFailures &&
    a.ejectionTime === b.ejectionTime &&
    a.maxEjectionTime === b.maxEjectionTime &&
    a.maxEjectedPercent === b.maxEjectedPercent
  );
}

function sameTls(a: UpstreamTls | undefined, b: UpstreamTls | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  return a.verify === b.verify && a.serverName === b.serverName && a.ca === b.ca && sameCertificate(a.client, b.client);
}

function sameCertificate(a: ClientCertificate | undefined, b: ClientCertificate | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  return a.certificate === b.certificate && (a.key === b.key || a.key.reveal() === b.key.reveal());
}
