import { parseAuthority } from '../../src/resources/hostname.ts';
import { canonicalPath } from '../../src/resources/path.ts';
import { type Landing, landing } from '../../src/routing/landing.ts';
import type { Match } from '../../src/routing/match.ts';
import { rewritePath } from '../../src/routing/rewrite.ts';
import type { RouteMatch, RouteTable } from '../../src/routing/table.ts';
import { ask, type Probe, type Raw } from './support.ts';

const PATH_TAILS = ['', '/', '/zz', 'z', ';v=1', '/b/c'];
const QUERIES = ['', '?v=1', '?v=2&V=1'];
const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'get', 'FOO'];

/** Requests at, below and just beside everything that the objects name. */
export function probesOf(objects: readonly Raw[]): readonly Probe[] {
  const hosts = new Set(['unknown.z', 'deep.a.x']);
  const paths = new Set(['/', '/zz', '/_oidc', '/_oidc/p/callback', '/_oidc/none', '/a%2Fb', '/cb', '/a/cb']);
  for (const { kind, spec } of objects) {
    if (kind !== 'Route') continue;
    for (const host of strings(spec, 'hosts')) hosts.add(host.replace('*', 'any'));
    for (const path of values(spec, 'paths')) {
      for (const text of [...strings({ path }, 'path'), ...strings(path, 'value')]) {
        for (const tail of PATH_TAILS) paths.add(`${text === '/' ? '' : text}${tail}` || '/');
      }
    }
  }
  const queries = objects.some(({ spec }) => values(spec, 'queryParams')[0] !== undefined) ? QUERIES : [''];
  const probes: Probe[] = [];
  for (const host of hosts) {
    for (const path of paths) {
      for (const method of METHODS) {
        for (const headers of [{}, { 'x-v': '1' }]) {
          for (const query of method === 'GET' ? queries : ['']) probes.push({ method, host, path, headers, query });
        }
      }
    }
  }
  return probes;
}

const values = (of: unknown, name: string): readonly unknown[] => {
  const value: unknown = typeof of === 'object' && of !== null ? Reflect.get(of, name) : undefined;
  return Array.isArray(value) ? value : [value];
};
const strings = (of: unknown, name: string): readonly string[] =>
  values(of, name).filter((value) => typeof value === 'string');

/** What a request meets, as far as the promise is about it. */
export interface Outcome {
  readonly kind: 'Public' | 'Protected' | 'Closed';
  /** Plugins and authorization where Protected, and who may come from where; what it was otherwise, for messages. */
  readonly guard: string;
  readonly removeAuthorization: boolean;
  readonly match: Match;
}

export function outcome(table: RouteTable, probe: Probe): Outcome | undefined {
  const match = ask(table, probe);
  if (match === undefined) return undefined;
  if (match.kind !== 'Route') return { kind: 'Closed', guard: match.kind, removeAuthorization: true, match };
  const { exposure, plugins, authorization, removeAuthorization, filters } = match.entry;
  if (exposure === 'Denied') return { kind: 'Closed', guard: 'Denied', removeAuthorization: true, match };
  const there = landingOf(table, match, probe);
  if (there.kind === 'Guarded') return { kind: 'Closed', guard: 'Rewritten', removeAuthorization: true, match };
  const from = filters?.clients?.map(({ text }) => text) ?? null;
  const guard = JSON.stringify([plugins, authorization ?? null, from, there]);
  return { kind: exposure, guard, removeAuthorization, match };
}

/** What guards the place at the backend that a rewritten request gets to (A005). */
function landingOf(table: RouteTable, match: RouteMatch, probe: Probe): Landing {
  const rewrite = match.entry.filters?.path;
  const host = parseAuthority(probe.host);
  const asked = canonicalPath(probe.path);
  if (rewrite === undefined || host === undefined || !asked.ok) return { kind: 'Free' };
  const path = rewritePath(rewrite, match.entry.path, asked.path);
  return path === undefined ? { kind: 'Guarded' } : landing(table, match, host, path);
}
