import { claimOfRoute, readHeldHosts } from './claims.ts';
import { type Milliseconds, parseTimeout, TIMEOUT_HINT } from './duration.ts';
import { headerMatches } from './header-matches.ts';
import { type HostPattern, lowerAscii, parseHostPattern } from './hostname.ts';
import { namespacedName } from './keys.ts';
import { methodFaults } from './method.ts';
import type { Identity } from './object-identity.ts';
import { checkPathPattern } from './path-pattern.ts';
import { settled } from './plain.ts';
import { pluginRefs, repeatedKinds } from './plugin-refs.ts';
import { type Problem, problem } from './problem.ts';
import { queryMatches } from './query-matches.ts';
import { invalidObject, readSpec } from './read-spec.ts';
import type { Parsed, PathMatch, RouteTimeouts } from './resource.ts';
import { type RouteSpec, routeSpec } from './route.ts';
import { routeFiltersOf } from './route-filters.ts';
import { checkRoutePath, isReserved, RESERVED } from './route-path.ts';
import { parseSize } from './size.ts';
import { websocketRules } from './websocket.ts';

export function parseRoute(identity: Identity): Parsed {
  const read = readSpec(identity, routeSpec, STAND_INS);
  const problems: Problem[] = [...identity.problems, ...read.problems];
  if (read.spec !== undefined) {
    const { spec } = read;
    const { key, name, meta } = identity;
    const found: Problem[] = [];
    const hosts = hostsOf(spec, found);
    const paths = pathsOf(spec, found);
    const headers = headerMatches(spec.headers, found);
    const queryParams = spec.queryParams && queryMatches(spec.queryParams, found);
    const timeouts = timeoutsOf(spec, found);
    const websocket = websocketRules(spec.websocket, found);
    const filters = routeFiltersOf(spec, found);
    checkMethods(spec, found);
    checkGuards(spec, found);
    problems.push(...read.told(found));
    if (read.whole && problems.length === 0) {
      return {
        ok: true,
        value: {
          kind: 'Route',
          key,
          name,
          meta,
          hosts,
          heldHosts: readHeldHosts(identity),
          paths: settled(paths),
          methods: spec.methods,
          headers: settled(headers),
          queryParams,
          service: namespacedName(spec.serviceRef.namespace ?? meta.namespace, spec.serviceRef.name),
          plugins: settled(pluginRefs(spec.plugins, meta.namespace)),
          access: spec.access,
          clientAuthorization: spec.clientAuthorization,
          authorization: spec.authorization,
          encodedSlashes: spec.encodedSlashes,
          maxRequestBody: spec.maxRequestBody === undefined ? undefined : parseSize(spec.maxRequestBody),
          websocket,
          tlsSecret: spec.tls && namespacedName(meta.namespace, spec.tls.secretRef.name),
          timeouts,
          filters,
        },
      };
    }
  }
  return invalidObject(identity, problems, claimOfRoute(identity));
}

const STAND_INS = {
  hosts: ['stand-in.invalid'],
  paths: [{ type: 'Prefix', value: '/' }],
  serviceRef: { name: 'stand-in' },
};

function hostsOf(spec: RouteSpec, problems: Problem[]): readonly HostPattern[] {
  const hosts = new Set<HostPattern>();
  for (const [at, text] of spec.hosts.entries()) {
    const host = parseHostPattern(text);
    if (host === undefined) problems.push(problem('Invalid', ['spec', 'hosts', at], hostMessage(text)));
    else if (hosts.has(host)) problems.push(problem('Invalid', ['spec', 'hosts', at], TWICE));
    else hosts.add(host);
  }
  return [...hosts];
}

const TWICE = 'is there twice; leave one out';

function hostMessage(text: string): string {
  const plain = lowerAscii(text)
    .replace(/^https?:\/\//, '')
    .replace(/\/.*$/s, '')
    .replace(/:[0-9]*$/, '')
    .replace(/\.$/, '');
  const form = 'must be a DNS name in lower case, without port, path and final dot';
  if (parseHostPattern(plain) !== undefined) return `${form}; write "${plain}"`;
  return `${form}, or *. and such a name, or *`;
}

function pathsOf(spec: RouteSpec, problems: Problem[]): readonly PathMatch[] {
  const paths: PathMatch[] = [];
  for (const [at, { type, value }] of spec.paths.entries()) {
    const checked = type === 'RegularExpression' ? checkPathPattern(value) : checkRoutePath(type, value);
    const field = ['spec', 'paths', at, 'value'];
    if (!checked.ok) problems.push(problem(checked.reason, field, checked.message));
    else if (type !== 'RegularExpression' && isReserved(checked.match.value))
      problems.push(problem('ReservedPath', field, `${RESERVED} is Postern’s own on every host; write another path`));
    else if (paths.some((path) => path.type === type && path.value === checked.match.value))
      problems.push(problem('Invalid', field, TWICE));
    else paths.push(checked.match);
  }
  return paths;
}

function checkMethods(spec: RouteSpec, problems: Problem[]): void {
  for (const { at, message } of methodFaults(spec.methods ?? []))
    problems.push(problem('Invalid', ['spec', 'methods', at], message));
}

/** What is wrong whatever the Service says; the rest is for compile. */
function checkGuards(spec: RouteSpec, problems: Problem[]): void {
  problems.push(...repeatedKinds(spec.plugins));
  const everybody = spec.hosts.indexOf('*');
  if (everybody >= 0 && spec.plugins.length > 0) {
    const message = '* can’t be protected, for a login needs a host to come back to; write the host names';
    problems.push(problem('Invalid', ['spec', 'hosts', everybody], message));
  }
  if (spec.access === 'Public' && spec.authorization !== undefined) {
    const message = 'rules need somebody who logged in; name a plugin instead of access: Public';
    problems.push(problem('AccessAmbiguous', ['spec', 'authorization'], message));
  }
}

const NO_TIMEOUTS: RouteTimeouts = Object.freeze({ response: undefined, idle: undefined });

function timeoutsOf({ timeouts }: RouteSpec, problems: Problem[]): RouteTimeouts {
  const read = (name: keyof RouteTimeouts): Milliseconds | undefined => {
    const text = timeouts[name];
    const parsed = text === undefined ? undefined : parseTimeout(text);
    if (text !== undefined && parsed === undefined)
      problems.push(problem('Invalid', ['spec', 'timeouts', name], TIMEOUT_HINT));
    return parsed;
  };
  const [response, idle, request] = [read('response'), read('idle'), read('request')];
  if (request !== undefined) return { response, idle, request };
  return response === undefined && idle === undefined ? NO_TIMEOUTS : { response, idle };
}
