import { nameOf, namespaceOf, type ObjectKey } from '../resources/keys.ts';
import type { Problem } from '../resources/problem.ts';
import type { Backend, ServiceResource } from '../resources/resource.ts';
import { backendProblem } from './backends.ts';
import { getOrAdd } from './collections.ts';
import type { PluginState } from './compile-plugins.ts';
import { conditionsOf, unusual, WHOLE } from './conditions.ts';
import { type Findings, messages, verdict } from './findings.ts';
import { formatBackend } from './guards.ts';
import type { Broken } from './objects.ts';
import { type Known, resolvePlugin } from './references.ts';
import { routeVerdicts } from './route-verdicts.ts';
import type { Exposure, Verdict } from './snapshot.ts';

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

function brokenVerdict(broken: Broken): Verdict {
  const exposure: Exposure | undefined = broken.claims[0]?.kind === 'Route' ? 'Denied' : undefined;
  const { problems } = broken;
  return verdict(broken, { problems, exposure, conditions: conditionsOf(problems, false, WHOLE, []) });
}

function* serviceVerdicts({ known }: Findings): Generator<Verdict> {
  for (const found of known.objects.services.values()) {
    if (found.kind === 'Broken') continue;
    const problems = serviceProblems(found.value, known);
    const conditions = conditionsOf(problems, true, WHOLE, []);
    yield verdict(found.value, { problems, conditions, target: targetText(found.value.backend) });
  }
}

function serviceProblems(service: ServiceResource, known: Known): readonly Problem[] {
  const backend = backendProblem(service, known.objects, known.options.mode);
  const from = { kind: 'Service', namespace: namespaceOf(service.name) } as const;
  const plugins = service.plugins.flatMap(
    (ref, index) => resolvePlugin(ref, from, ['spec', 'plugins', index], known) ?? [],
  );
  return backend === undefined ? plugins : [backend, ...plugins];
}

/** A core Service is always of the Service's own namespace. */
const targetText = (backend: Backend): string =>
  backend.kind === 'Service' ? `${nameOf(backend.name)}:${backend.port}` : formatBackend(backend);

function* pluginVerdicts({ known, placed, reservations }: Findings): Generator<Verdict> {
  const uses = new Map<ObjectKey, { routes: number; hosts: Set<string>; denied: Map<string, Problem> }>();
  for (const { draft, places } of placed) {
    for (const plugin of draft.permitted) {
      const use = getOrAdd(uses, plugin, () => ({ routes: 0, hosts: new Set(), denied: new Map() }));
      use.routes += 1;
      // What another namespace's Route makes of it on hosts of its own is for that Route's verdict.
      if (namespaceOf(draft.route.name) !== pluginNamespace(plugin)) continue;
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

const pluginNamespace = (key: ObjectKey): string | undefined => key.split('/')[1];

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
