import { claimOfService } from './claims.ts';
import { type Milliseconds, milliseconds, parseTimeout, TIMEOUT_HINT } from './duration.ts';
import { namespacedName } from './keys.ts';
import type { Identity } from './object-identity.ts';
import { readUpstream } from './parse-upstream.ts';
import { settled } from './plain.ts';
import { pluginRefs, repeatedKinds } from './plugin-refs.ts';
import { type Problem, problem } from './problem.ts';
import { invalidObject, readSpec } from './read-spec.ts';
import type { Backend, Parsed, Timeouts } from './resource.ts';
import { type ServiceSpec, serviceSpec } from './service.ts';
import { parseServiceUrl } from './service-url.ts';
import { withProtocol } from './upstream-protocol.ts';

export function parseService(identity: Identity): Parsed {
  const read = readSpec(identity, serviceSpec);
  const problems: Problem[] = [...identity.problems, ...read.problems];
  if (read.spec !== undefined) {
    const { spec } = read;
    const found: Problem[] = repeatedKinds(spec.plugins);
    const backend = withProtocol(backendOf(spec, identity.meta.namespace, found), spec.protocol, found);
    const timeouts = timeoutsOf(spec, found);
    const upstream = backend && readUpstream(spec, backend, found);
    problems.push(...read.told(found));
    if (read.whole && backend !== undefined && upstream !== undefined && problems.length === 0) {
      const { key, name, meta } = identity;
      const plugins = settled(pluginRefs(spec.plugins, meta.namespace));
      return { ok: true, value: { kind: 'Service', key, name, meta, backend, upstream, timeouts, plugins } };
    }
  }
  return invalidObject(identity, problems, claimOfService(identity));
}

function backendOf(spec: ServiceSpec, namespace: string, problems: Problem[]): Backend | undefined {
  const { backendRef, url } = spec;
  if (backendRef !== undefined && url === undefined)
    return { kind: 'Service', name: namespacedName(namespace, backendRef.name), port: backendRef.port };
  if (url !== undefined && backendRef === undefined) {
    const checked = parseServiceUrl(url);
    if (checked.ok) return checked.url;
    problems.push(problem('Invalid', ['spec', 'url'], checked.message));
    return undefined;
  }
  const message =
    url === undefined ? 'names no backend; write either url or backendRef' : 'has both url and backendRef; keep one';
  problems.push(problem('Invalid', ['spec'], message));
  return undefined;
}

function timeoutsOf({ timeouts }: ServiceSpec, problems: Problem[]): Timeouts {
  const read = (name: keyof Timeouts, text: string): Milliseconds => {
    const parsed = parseTimeout(text);
    if (parsed === undefined) problems.push(problem('Invalid', ['spec', 'timeouts', name], TIMEOUT_HINT));
    return parsed ?? milliseconds(0);
  };
  const { connect, response, idle, request } = timeouts;
  const always = { connect: read('connect', connect), response: read('response', response), idle: read('idle', idle) };
  return request === undefined ? always : { ...always, request: read('request', request) };
}
