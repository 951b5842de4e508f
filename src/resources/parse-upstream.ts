import { type Milliseconds, milliseconds, parseTimeout, TIMEOUT_HINT } from './duration.ts';
import { parseHostPattern } from './hostname.ts';
import { type FieldPath, type Problem, problem } from './problem.ts';
import type { Backend, ServiceUpstream } from './resource.ts';
import type { ServiceSpec } from './service.ts';
import { parseBasePath } from './service-url.ts';
import {
  type PassiveHealthCheck,
  samePolicy,
  type UpstreamLimits,
  type UpstreamPolicy,
  type UpstreamTlsRefs,
} from './upstream.ts';
import { isSecure } from './upstream-protocol.ts';

/** How the backend of a Service is reached. Where something is added to `problems`, what comes back is of no use. */
export function readUpstream(spec: ServiceSpec, backend: Backend, problems: Problem[]): ServiceUpstream {
  const policy: UpstreamPolicy = {
    basePath: basePathOf(spec, backend, problems),
    loadBalancing: spec.loadBalancing,
    limits: limitsOf(spec, problems),
    retries: spec.retries,
    passive: passiveOf(spec, problems),
  };
  const tls = tlsOf(spec, backend, problems);
  return { policy: settledPolicy(policy), tls };
}

function basePathOf({ path }: ServiceSpec, backend: Backend, problems: Problem[]): string {
  const at: FieldPath = ['spec', 'path'];
  if (backend.kind === 'Url') {
    if (path !== undefined) problems.push(problem('Invalid', at, URL_PATH));
    return backend.basePath;
  }
  if (path === undefined) return '';
  const checked = parseBasePath(path);
  if (checked.ok) return checked.path;
  problems.push(problem('Invalid', at, checked.message));
  return '';
}

function limitsOf({ limits }: ServiceSpec, problems: Problem[]): UpstreamLimits {
  const { connectionsPerEndpoint, pending } = limits;
  const pendingTimeout = timeoutOf(limits.pendingTimeout, ['spec', 'limits', 'pendingTimeout'], problems);
  return { connectionsPerEndpoint, pending, pendingTimeout };
}

function passiveOf({ healthCheck }: ServiceSpec, problems: Problem[]): PassiveHealthCheck | undefined {
  const { enabled, consecutiveFailures, maxEjectedPercent, ...times } = healthCheck.passive;
  const path: FieldPath = ['spec', 'healthCheck', 'passive'];
  const ejectionTime = timeoutOf(times.ejectionTime, [...path, 'ejectionTime'], problems);
  const maxEjectionTime = timeoutOf(times.maxEjectionTime, [...path, 'maxEjectionTime'], problems);
  if (maxEjectionTime < ejectionTime) {
    problems.push(problem('Invalid', [...path, 'maxEjectionTime'], EJECTION_TIMES));
  }
  return enabled ? { consecutiveFailures, ejectionTime, maxEjectionTime, maxEjectedPercent } : undefined;
}

function timeoutOf(text: string, path: FieldPath, problems: Problem[]): Milliseconds {
  const parsed = parseTimeout(text);
  if (parsed === undefined) problems.push(problem('Invalid', path, TIMEOUT_HINT));
  return parsed ?? milliseconds(0);
}

/** What is said about TLS where there is none was meant for a connection that would then go out in the clear. */
function tlsOf(spec: ServiceSpec, backend: Backend, problems: Problem[]): UpstreamTlsRefs | undefined {
  const { tls, insecure } = spec;
  const path: FieldPath = ['spec', 'tls'];
  if (!isSecure(backend)) {
    if (Object.values(tls).some((value) => value !== undefined)) problems.push(problem('Invalid', path, TLS_ONLY));
    if (insecure.unverifiedTLS) problems.push(problem('Invalid', UNVERIFIED, TLS_ONLY));
    return undefined;
  }
  if (insecure.unverifiedTLS && tls.caRef !== undefined) {
    problems.push(problem('Invalid', UNVERIFIED, UNVERIFIED_CA));
  }
  return {
    verify: !insecure.unverifiedTLS,
    serverName: serverNameOf(tls.serverName, problems) ?? serviceName(backend),
    caRef: tls.caRef,
    clientCertRef: tls.clientCertRef?.name,
  };
}

export const UNVERIFIED: FieldPath = ['spec', 'insecure', 'unverifiedTLS'];

export const TLS_ONLY = 'is for TLS only; write protocol: https, or begin the url with https://, or leave this out';
export const UNVERIFIED_CA = 'excludes tls.caRef, for nothing would be verified; leave this out, or the caRef';
export const URL_PATH = 'is for backendRef; write the path into the url';
export const EJECTION_TIMES = 'must not be shorter than ejectionTime';

/** RFC 6066 section 3: a DNS name, never an address. */
function serverNameOf(text: string | undefined, problems: Problem[]): string | undefined {
  if (text === undefined) return undefined;
  const host = parseHostPattern(text);
  if (host !== undefined && !host.startsWith('*')) return host;
  const message = 'must be a DNS name in lower case, without port, wildcard and final dot';
  problems.push(problem('Invalid', ['spec', 'tls', 'serverName'], message));
  return undefined;
}

/** As certificates of a cluster's own services commonly name them. */
const serviceName = (backend: Backend): string | undefined =>
  backend.kind === 'Url' ? undefined : `${backend.name.split('/').reverse().join('.')}.svc`;

/** Most Services say nothing of all this: they share one value. */
const settledPolicy = (policy: UpstreamPolicy): UpstreamPolicy =>
  samePolicy(policy, DEFAULT_POLICY) ? DEFAULT_POLICY : policy;

export const DEFAULT_POLICY: UpstreamPolicy = {
  basePath: '',
  loadBalancing: 'RoundRobin',
  limits: { connectionsPerEndpoint: 4096, pending: 1024, pendingTimeout: milliseconds(5000) },
  retries: { attempts: 2 },
  passive: {
    consecutiveFailures: 5,
    ejectionTime: milliseconds(30_000),
    maxEjectionTime: milliseconds(300_000),
    maxEjectedPercent: 50,
  },
};
