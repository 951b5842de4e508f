import { describeFilters, type FilterDescription } from './describe-filters.ts';
import type { RouteEntry } from './snapshot.ts';
import type { HostTable, PathNode, PatternTable, RouteTable, Slot } from './table.ts';
import { formatUpstream } from './upstreams.ts';

/** Plain JSON, for golden files and the debug page. */
export type Description = { readonly [host: string]: HostDescription };

interface HostDescription {
  readonly closed?: EntryDescription;
  /** Path to `purpose plugin`. */
  readonly reserved?: { readonly [path: string]: string };
  /** `Prefix /orders` to the Routes that are asked there, in order. */
  readonly paths: { readonly [path: string]: readonly EntryDescription[] };
  /** Why none of those below is asked. */
  readonly closedRegularExpressions?: EntryDescription;
  /** Asked where none of `paths` covers the path, in this order. */
  readonly regularExpressions?: { readonly [expression: string]: readonly EntryDescription[] };
}

interface EntryDescription {
  readonly route: string;
  readonly methods?: readonly string[];
  readonly headers?: readonly string[];
  /** As they are meant, not as they are escaped. */
  readonly queryParams?: readonly string[];
  readonly exposure: string;
  /** Why it is Denied. */
  readonly reason?: string;
  readonly plugins?: readonly string[];
  readonly authorization?: readonly string[];
  readonly backend?: string;
  readonly clientAuthorization?: 'Removed' | 'Passed';
  readonly filters?: FilterDescription;
}

/** The table as people read it: hosts in order of name, paths in order of text. No secret is in a table. */
export function describeTable(table: RouteTable): Description {
  const hosts = [...table.exact.values(), ...table.wildcards.values(), ...(table.any === undefined ? [] : [table.any])];
  hosts.sort((a, b) => (a.pattern < b.pattern ? -1 : 1));
  return Object.fromEntries(hosts.map((host) => [host.pattern, describeHost(host)]));
}

function describeHost(host: HostTable): HostDescription {
  const paths: [string, readonly EntryDescription[]][] = [];
  collect(host.paths, '', paths);
  paths.sort(([a], [b]) => (a < b ? -1 : 1));
  const { patterns } = host;
  const reserved = [...host.reserved].map(([path, to]) => [path, `${to.purpose} ${to.plugin}`] as const).sort();
  return {
    ...(host.closed === undefined ? {} : { closed: describeEntry(host.closed.entry) }),
    ...(reserved.length === 0 ? {} : { reserved: Object.fromEntries(reserved) }),
    paths: Object.fromEntries(paths),
    ...(patterns === undefined ? {} : describePatterns(patterns)),
  };
}

function describePatterns({ expressions, slots, closed }: PatternTable): Partial<HostDescription> {
  const inOrder = expressions.split('\n').map((expression, at) => [expression, slots[at]] as const);
  const [refusing] = closed ?? [];
  return {
    ...(refusing === undefined ? {} : { closedRegularExpressions: describeEntry(refusing.entry) }),
    regularExpressions: Object.fromEntries(
      inOrder.map(([expression, slot]) => [expression, (slot ?? []).map(({ entry }) => describeEntry(entry))]),
    ),
  };
}

function collect(node: PathNode, at: string, out: [string, readonly EntryDescription[]][]): void {
  const add = (type: string, path: string, slot: Slot | undefined): void => {
    if (slot !== undefined) out.push([`${type} ${path}`, slot.map(({ entry }) => describeEntry(entry))]);
  };
  add('Exact', at, node.exact);
  add('Prefix', at === '' ? '/' : at, node.prefix);
  for (const [segment, child] of node.children) collect(child, `${at}/${segment}`, out);
}

function describeEntry(entry: RouteEntry): EntryDescription {
  const { action, authorization, exposure } = entry;
  return {
    route: entry.route,
    ...(entry.methods === undefined ? {} : { methods: entry.methods }),
    ...(entry.headers.length === 0 ? {} : { headers: entry.headers.map(({ name, value }) => `${name}: ${value}`) }),
    ...(entry.queryParams === undefined
      ? {}
      : { queryParams: entry.queryParams.map(({ name, value }) => `${name}=${value}`) }),
    exposure,
    ...(action.kind === 'Refuse'
      ? { reason: action.reason }
      : { backend: formatUpstream(action.backend, action.upstream.policy) }),
    ...(entry.plugins.length === 0 ? {} : { plugins: entry.plugins }),
    ...(authorization === undefined ? {} : { authorization: authorization.rules.map((rule) => rule.name) }),
    ...(exposure === 'Denied' ? {} : { clientAuthorization: entry.removeAuthorization ? 'Removed' : 'Passed' }),
    ...(entry.filters === undefined ? {} : { filters: describeFilters(entry.filters) }),
  };
}
