import { type Problem, problem } from './problem.ts';
import type { Backend, UpstreamProtocol } from './resource.ts';

/**
 * `Service.protocol` as written: the names are those of ALPN (RFC 9113 section 3.1) where there is one. `h2` is HTTP/2 over
 * TLS, `h2c` HTTP/2 without: nothing is guessed from what a client sends.
 */
export const UPSTREAM_PROTOCOLS = ['http', 'https', 'h2c', 'h2'] as const satisfies readonly UpstreamProtocol[];

export const CONTRADICTS = {
  http: 'contradicts spec.url, which begins with http://; write http or h2c, or leave it out',
  https: 'contradicts spec.url, which begins with https://; write https or h2, or leave it out',
} as const;

/** The backend with what is spoken to it. A protocol that the URL contradicts is a problem, never a choice of ours. */
export function withProtocol(
  backend: Backend | undefined,
  protocol: UpstreamProtocol | undefined,
  problems: Problem[],
): Backend | undefined {
  if (backend === undefined || protocol === undefined) return backend;
  if (backend.kind === 'Service' || isOverTls(protocol) === (backend.scheme === 'https'))
    return { ...backend, protocol };
  problems.push(problem('Invalid', ['spec', 'protocol'], CONTRADICTS[backend.scheme]));
  return undefined;
}

const isOverTls = (protocol: UpstreamProtocol): boolean => protocol === 'https' || protocol === 'h2';

/** Whether connections to it are over TLS. Of two things that say so one is enough. */
export const isSecure = (backend: Backend): boolean =>
  (backend.kind === 'Url' && backend.scheme === 'https') ||
  (backend.protocol !== undefined && isOverTls(backend.protocol));
