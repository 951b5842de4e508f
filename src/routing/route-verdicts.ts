import { originOf } from '../resources/external.ts';
import { parseAuthority } from '../resources/hostname.ts';
import { type NamespacedName, namespaceOf } from '../resources/keys.ts';
import { type Problem, problem, sentences } from '../resources/problem.ts';
import { getOrAdd } from './collections.ts';
import { certificateReady, conditionsOf, type Programming, unusual, WHOLE } from './conditions.ts';
import type { PlacedEntry } from './entries.ts';
import { hostDenial } from './exposure.ts';
import { type Findings, messages, verdict } from './findings.ts';
import type { CompileMode } from './options.ts';
import type { Known } from './references.ts';
import type { PlacedDraft, Reservations } from './reserved.ts';
import { ownerFlag, type RouteHosts } from './route-hosts.ts';
import type { Condition, Exposure, Verdict } from './snapshot.ts';

const NONE: readonly Problem[] = [];

export function* routeVerdicts(findings: Findings): Generator<Verdict> {
  const entries = new Map<NamespacedName, PlacedEntry[]>();
  for (const placed of findings.entries) getOrAdd(entries, placed.entry.route, () => []).push(placed);
  for (const placed of findings.placed) {
    yield routeVerdict(placed, entries.get(placed.draft.route.name) ?? [], findings);
  }
}

function routeVerdict({ draft, places }: PlacedDraft, entries: readonly PlacedEntry[], findings: Findings): Verdict {
  const { route, at } = draft;
  const conflicts = conflictProblems(places.lost, route.paths);
  const hosts = [...new Set(places.kept.map(({ host }) => host))];
  const denials = hosts.flatMap((host) => pluginDenial(draft, host, findings.reservations) ?? []);
  const lostAll = places.kept.length === 0;
  const deniedAll = !lostAll && denials.length === hosts.length;
  const warnings = findings.warnings.get(route.name) ?? NONE;
  const shut = warnings.filter(({ reason }) => reason === 'Closed');
  const opens = warnings.filter(({ reason }) => reason === 'OpensProtectedPath');
  const waiting = at.hosts.length === 0 ? at.pending : NONE;
  const refusing = [...(lostAll ? conflicts : []), ...waiting, ...draft.problems, ...(deniedAll ? denials : [])];
  const partly = [...conflicts, ...at.pending, ...denials, ...shut];
  const allBehind = entries.length > 0 && entries.every(({ behind }) => behind !== undefined);
  const certificate = findings.certificates.problems.get(route.name);
  const programming: Programming =
    partly.length === 0 ? WHOLE : { kind: allBehind ? 'Overridden' : 'Partly', message: messages(partly) };
  return verdict(route, {
    problems: [...conflicts, ...at.pending, ...draft.problems, ...denials, ...(certificate ?? NONE)],
    warnings,
    exposure: exposureOfRoute(entries),
    authorization: draft.plugins.length === 0 ? undefined : draft.policy === undefined ? 'AnyAccount' : 'Rules',
    redirectURIs: redirectURIs(draft, findings.known),
    conditions: conditionsOf(
      refusing,
      true,
      programming,
      [
        ...(opens.length === 0 ? [] : [unusual('OpensProtectedPath', messages(opens))]),
        ...unreserved(at, findings.known.options.mode),
      ],
      certificate === undefined ? [] : [certificateReady(certificate)],
    ),
  });
}

function unreserved({ route, unreserved: hosts }: RouteHosts, mode: CompileMode): readonly Condition[] {
  if (hosts.length === 0 || mode.kind === 'Files' || !mode.manyNamespaces) return [];
  const namespace = namespaceOf(route.name);
  const flags = hosts.map((host) => ownerFlag(host, namespace)).join(' ');
  const message = `${hosts.join(', ')}: of namespace ${namespace} only as long as a Route of it is the oldest that names it; start Postern with ${flags}`;
  return [unusual('HostNotReserved', sentences([message]))];
}

function conflictProblems(lost: PlacedDraft['places']['lost'], paths: readonly unknown[]): readonly Problem[] {
  if (lost.length === 0) return NONE;
  const groups = new Map<string, { at: number; text: string; winner: string; methods: string[] }>();
  for (const { host, path, method, winner } of lost) {
    const at = paths.indexOf(path);
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
function pluginDenial(
  draft: PlacedDraft['draft'],
  host: PlacedEntry['entry']['host'],
  reservations: Reservations,
): Problem | undefined {
  const denial = hostDenial(draft, host, reservations);
  return (
    denial && problem('PluginInvalid', ['spec', 'plugins'], `a plugin can't be used on ${host}: ${denial.message}`)
  );
}

function exposureOfRoute(entries: readonly PlacedEntry[]): Exposure {
  const open = entries.filter(({ behind }) => behind === undefined).map(({ entry }) => entry.exposure);
  if (open.includes('Public')) return 'Public';
  return open.includes('Protected') ? 'Protected' : 'Denied';
}

/** To register at the provider. A wildcard host has as many as it has names, so it has none here. */
function redirectURIs({ at, permitted }: PlacedDraft['draft'], known: Known): readonly string[] {
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
