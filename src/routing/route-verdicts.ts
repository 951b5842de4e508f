import { originOf } from '../resources/external.ts';
import { parseAuthority } from '../resources/hostname.ts';
import { namespaceOf } from '../resources/keys.ts';
import { type Problem, problem, sentences } from '../resources/problem.ts';
import { getOrAdd } from './collections.ts';
import type { HostShare } from './compile-host.ts';
import type { RouteDraft } from './compile-routes.ts';
import { certificateReady, conditionsOf, type Programming, unusual, WHOLE } from './conditions.ts';
import type { LostClaim } from './conflicts.ts';
import type { PlacedEntry } from './entries.ts';
import { messages, type PlacedRoute, verdict } from './findings.ts';
import type { CompileMode } from './options.ts';
import type { Known } from './references.ts';
import { ownerFlags, type RouteHosts } from './route-hosts.ts';
import type { Condition, Exposure, Verdict } from './snapshot.ts';

const NONE: readonly Problem[] = [];

/** `certificate`: problems of the one that it names; undefined where it names none. */
export function routeVerdict(
  { draft, shares }: PlacedRoute,
  certificate: readonly Problem[] | undefined,
  known: Known,
): Verdict {
  const { route, at } = draft;
  const conflicts = conflictProblems(
    shares.flatMap(({ places }) => places.lost),
    route.paths,
  );
  const served = shares.filter(({ places }) => places.kept.length > 0);
  const denials = served.flatMap(({ places, denial }) => (denial ? pluginDenial(places, denial) : []));
  const lostAll = served.length === 0;
  const deniedAll = !lostAll && denials.length === served.length;
  const warnings = warningsOf(shares);
  const shut = warnings.filter(({ reason }) => reason === 'Closed' || reason === 'NeverAsked');
  const opens = warnings.filter(({ reason }) => reason === 'OpensProtectedPath');
  const waiting = at.hosts.length === 0 ? at.pending : NONE;
  const refusing = [...(lostAll ? conflicts : []), ...waiting, ...draft.problems, ...(deniedAll ? denials : [])];
  const partly = [...conflicts, ...at.pending, ...denials, ...shut];
  const entries = shares.flatMap((share) => share.entries);
  const allBehind = entries.length > 0 && entries.every(({ behind }) => behind !== undefined);
  const programming: Programming =
    partly.length === 0 ? WHOLE : { kind: allBehind ? 'Overridden' : 'Partly', message: messages(partly) };
  return verdict(route, {
    problems: [...conflicts, ...at.pending, ...draft.problems, ...denials, ...(certificate ?? NONE)],
    warnings,
    exposure: exposureOfRoute(entries),
    authorization: draft.plugins.length === 0 ? undefined : draft.policy === undefined ? 'AnyAccount' : 'Rules',
    clients: route.filters?.clients === undefined ? undefined : 'Listed',
    redirectURIs: redirectURIs(draft, known),
    hosts: known.options.mode.kind === 'Files' || at.pending.length > 0 ? undefined : at.hosts,
    conditions: conditionsOf(
      refusing,
      true,
      programming,
      [
        ...(opens.length === 0 ? [] : [unusual('OpensProtectedPath', messages(opens))]),
        ...unreserved(at, known.options.mode),
      ],
      certificate === undefined ? [] : [certificateReady(certificate)],
    ),
  });
}

/** Each text once. */
function warningsOf(shares: readonly HostShare[]): readonly Problem[] {
  const all = [...shares.flatMap(({ slashes }) => slashes), ...shares.flatMap(({ warnings }) => warnings)];
  const texts = new Set<string>();
  return all.filter(({ message }) => texts.size < texts.add(message).size);
}

function unreserved({ route, unreserved: hosts }: RouteHosts, mode: CompileMode): readonly Condition[] {
  if (hosts.length === 0 || mode.kind === 'Files' || !mode.manyNamespaces) return [];
  const namespace = namespaceOf(route.name);
  const message = `${hosts.join(', ')}: of namespace ${namespace} only as long as a Route of it names it; start Postern with ${ownerFlags(hosts, namespace)}`;
  return [unusual('HostNotReserved', sentences([message]))];
}

function conflictProblems(lost: readonly LostClaim[], paths: readonly unknown[]): readonly Problem[] {
  if (lost.length === 0) return NONE;
  const groups = new Map<string, { at: number; text: string; winner: string; methods: string[] }>();
  const indices = new Map(paths.map((path, at) => [path, at]));
  for (const { host, path, method, winner } of lost) {
    const at = indices.get(path) ?? -1;
    const key = `${host} ${at} ${winner}`;
    const group = getOrAdd(groups, key, () => ({ at, text: `${path.value} on ${host}`, winner, methods: [] }));
    if (method !== undefined) group.methods.push(method);
  }
  return [...groups.values()].map(({ at, text, winner, methods }) => {
    const what = methods.length === 0 ? text : `${methods.sort().join(', ')} ${text}`;
    return problem('Conflicted', ['spec', 'paths', at], `${what} belongs to Route ${winner}; change one of the two`);
  });
}

/** The plugin's problem on one host, told where the Route names it. */
const pluginDenial = ({ kept }: HostShare['places'], { message }: Problem): Problem =>
  problem('PluginInvalid', ['spec', 'plugins'], `a plugin can't be used on ${kept[0]?.host}: ${message}`);

function exposureOfRoute(entries: readonly PlacedEntry[]): Exposure {
  const open = entries.filter(({ behind }) => behind === undefined).map(({ entry }) => entry.exposure);
  if (open.includes('Public')) return 'Public';
  return open.includes('Protected') ? 'Protected' : 'Denied';
}

/** To register at the provider. A wildcard host has as many as it has names, so it has none here. */
function redirectURIs({ at, permitted }: RouteDraft, known: Known): readonly string[] {
  const uris = new Set<string>();
  for (const pattern of at.hosts) {
    const host = pattern.startsWith('*') ? undefined : parseAuthority(pattern);
    if (host === undefined) continue;
    for (const key of permitted) {
      const state = known.plugins.get(key);
      if (state?.kind !== 'Compiled') continue;
      for (const { purpose, path } of state.plugin.reserved) {
        if (purpose === 'callback') uris.add(`${originOf(known.options.external, host)}${path}`);
      }
    }
  }
  return [...uris];
}
