import { originOf } from '../resources/external.ts';
import { parseAuthority } from '../resources/hostname.ts';
import { type NamespacedName, namespaceOf, type ObjectKey } from '../resources/keys.ts';
import type { Metadata } from '../resources/metadata.ts';
import { type Problem, problem, sentences } from '../resources/problem.ts';
import type { ServiceResource } from '../resources/resource.ts';
import { getOrAdd } from './collections.ts';
import type { PluginState } from './compile-plugins.ts';
import { conditionsOf, type Programming, unusual } from './conditions.ts';
import type { PlacedEntry } from './entries.ts';
import { hostDenial } from './exposure.ts';
import type { Broken } from './objects.ts';
import { backendProblem, type Known, resolvePlugin } from './references.ts';
import type { PlacedDraft, Reservations } from './reserved.ts';
import type { Exposure, Verdict } from './snapshot.ts';
import type { Warnings } from './warnings.ts';

/** What compiling found, as far as verdicts tell it. */
export interface Findings {
  readonly known: Known;
  readonly placed: readonly PlacedDraft[];
  readonly entries: readonly PlacedEntry[];
  readonly reservations: Reservations;
  readonly warnings: Warnings;
}

const NONE: readonly Problem[] = [];
const WHOLE: Programming = { kind: 'Whole' };

/** One verdict for every object, in order of key; a valid Secret has nothing to tell. */
export function verdictsOf(findings: Findings): ReadonlyMap<ObjectKey, Verdict> {
  const { objects } = findings.known;
  const verdicts = [
    ...objects.broken.map(brokenVerdict),
    ...serviceVerdicts(findings),
    ...pluginVerdicts(findings),
    ...routeVerdicts(findings),
  ];
  return new Map(verdicts.sort((a, b) => (a.key < b.key ? -1 : 1)).map((verdict) => [verdict.key, verdict]));
}

function verdict(of: { readonly key: ObjectKey; readonly meta: Metadata }, rest: Partial<Verdict>): Verdict {
  return {
    key: of.key,
    observedGeneration: of.meta.generation,
    conditions: [],
    problems: [],
    warnings: [],
    exposure: undefined,
    authorization: undefined,
    redirectURIs: [],
    routes: undefined,
    ...rest,
  };
}

function brokenVerdict(broken: Broken): Verdict {
  const exposure: Exposure | undefined = broken.claims[0]?.kind === 'Route' ? 'Denied' : undefined;
  const { problems } = broken;
  return verdict(broken, { problems, exposure, conditions: conditionsOf(problems, false, WHOLE, []) });
}

function* serviceVerdicts({ known }: Findings): Generator<Verdict> {
  for (const found of known.objects.services.values()) {
    if (found.kind === 'Broken') continue;
    const problems = serviceProblems(found.value, known);
    yield verdict(found.value, { problems, conditions: conditionsOf(problems, true, WHOLE, []) });
  }
}

function serviceProblems(service: ServiceResource, known: Known): readonly Problem[] {
  const backend = backendProblem(service, known.options);
  const plugins = service.plugins.flatMap(
    (ref, index) => resolvePlugin(ref, namespaceOf(service.name), ['spec', 'plugins', index], known) ?? [],
  );
  return backend === undefined ? plugins : [backend, ...plugins];
}

function* pluginVerdicts({ known, placed, reservations }: Findings): Generator<Verdict> {
  const uses = new Map<ObjectKey, { routes: number; hosts: Set<string>; denied: Map<string, Problem> }>();
  for (const { draft, places } of placed) {
    for (const plugin of draft.permitted) {
      const use = getOrAdd(uses, plugin, () => ({ routes: 0, hosts: new Set(), denied: new Map() }));
      use.routes += 1;
      for (const { host } of places.kept) {
        const denial = reservations.denial(host, plugin);
        use.hosts.add(host);
        if (denial !== undefined) use.denied.set(host, denial);
      }
    }
  }
  for (const [key, state] of known.plugins) {
    if (state.kind === 'Broken') continue;
    const use = uses.get(key);
    const denied = [...(use?.denied ?? [])].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, denial]) => denial);
    const everywhere = denied.length > 0 && denied.length === use?.hosts.size;
    yield pluginVerdict(state, use?.routes ?? 0, denied, everywhere);
  }
}

function pluginVerdict(
  state: Exclude<PluginState, { kind: 'Broken' }>,
  routes: number,
  denied: readonly Problem[],
  everywhere: boolean,
): Verdict {
  const plugin = state.kind === 'Compiled' ? state.plugin : undefined;
  const own = state.kind === 'Compiled' ? [] : state.problems;
  const insecure = plugin?.insecure ?? [];
  return verdict(state.resource, {
    problems: [...own, ...denied],
    warnings: plugin?.warnings ?? [],
    routes,
    conditions: conditionsOf(
      everywhere ? [...own, ...denied] : own,
      true,
      denied.length === 0 ? WHOLE : { kind: 'Partly', message: messages(denied) },
      insecure.length === 0 ? [] : [unusual('Insecure', `In use: ${insecure.join(', ')}.`)],
    ),
  });
}

function* routeVerdicts(findings: Findings): Generator<Verdict> {
  const entries = new Map<NamespacedName, PlacedEntry[]>();
  for (const placed of findings.entries) getOrAdd(entries, placed.entry.route, () => []).push(placed);
  for (const placed of findings.placed) {
    yield routeVerdict(placed, entries.get(placed.draft.route.name) ?? [], findings);
  }
}

function routeVerdict({ draft, places }: PlacedDraft, entries: readonly PlacedEntry[], findings: Findings): Verdict {
  const { route } = draft;
  const conflicts = conflictProblems(places.lost, route.paths);
  const hosts = [...new Set(places.kept.map(({ host }) => host))];
  const denials = hosts.flatMap((host) => pluginDenial(draft, host, findings.reservations) ?? []);
  const lostAll = places.kept.length === 0;
  const deniedAll = !lostAll && denials.length === hosts.length;
  const warnings = findings.warnings.get(route.name) ?? NONE;
  const shut = warnings.filter(({ reason }) => reason === 'Closed');
  const opens = warnings.filter(({ reason }) => reason === 'OpensProtectedPath');
  const refusing = [...(lostAll ? conflicts : []), ...draft.problems, ...(deniedAll ? denials : [])];
  const partly = [...conflicts, ...denials, ...shut];
  const allBehind = entries.length > 0 && entries.every(({ behind }) => behind !== undefined);
  const programming: Programming =
    partly.length === 0 ? WHOLE : { kind: allBehind ? 'Overridden' : 'Partly', message: messages(partly) };
  return verdict(route, {
    problems: [...conflicts, ...draft.problems, ...denials],
    warnings,
    exposure: exposureOfRoute(entries),
    authorization: draft.plugins.length === 0 ? undefined : draft.policy === undefined ? 'AnyAccount' : 'Rules',
    redirectURIs: redirectURIs(draft, findings.known),
    conditions: conditionsOf(
      refusing,
      true,
      programming,
      opens.length === 0 ? [] : [unusual('OpensProtectedPath', messages(opens))],
    ),
  });
}

const messages = (problems: readonly Problem[]): string => sentences(problems.map(({ message }) => message));

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
function redirectURIs({ route, permitted }: PlacedDraft['draft'], known: Known): readonly string[] {
  const uris = new Set<string>();
  for (const pattern of route.hosts) {
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
