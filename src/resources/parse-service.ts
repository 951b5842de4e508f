import { claimOfService } from './claims.ts';
import { type Milliseconds, milliseconds, parseTimeout, TIMEOUT_HINT } from './duration.ts';
import { namespacedName } from './keys.ts';
import type { Identity } from './object-identity.ts';
import { settled } from './plain.ts';
import { pluginRefs, repeatedKinds } from './plugin-refs.ts';
import { type Problem, problem } from './problem.ts';
import { invalidObject, readSpec } from './read-spec.ts';
import type { Backend, Parsed } from './resource.ts';
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
    problems.push(...read.told(found));
    if (read.whole && backend !== undefined && problems.length === 0) {
      const { key, name, meta } = identity;
      const plugins = settled(pluginRefs(spec.plugins, meta.namespace));
      return { ok: true, value: { kind: 'Service', key, name, meta, backend, timeouts, plugins } };
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

type TimeoutName = keyof ServiceSpec['timeouts'];

function timeoutsOf(spec: ServiceSpec, problems: Problem[]): Readonly<Record<TimeoutName, Milliseconds>> {
  const read = (name: TimeoutName): Milliseconds => {
    const parsed = parseTimeout(spec.timeouts[name]);
    if (parsed === undefined) problems.push(problem('Invalid', ['spec', 'timeouts', name], TIMEOUT_HINT));
    return parsed ?? milliseconds(0);
  };
  return { connect: read('connect'), response: read('response'), idle: read('idle') };
}
