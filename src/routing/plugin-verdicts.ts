import { namespaceOf, type ObjectKey } from '../resources/keys.ts';
import type { Problem } from '../resources/problem.ts';
import { getOrAdd } from './collections.ts';
import type { PluginState } from './compile-plugins.ts';
import { conditionsOf, unusual, WHOLE } from './conditions.ts';
import { type Findings, messages, type PlacedRoute, verdict } from './findings.ts';
import type { Memo } from './memo.ts';
import type { Verdict } from './snapshot.ts';
import type { Steps } from './steps.ts';

export function* pluginVerdicts(findings: Findings, memory: Memo<ObjectKey, Verdict>): Steps<readonly Verdict[]> {
  const uses = yield* usesOf(findings);
  const verdicts: Verdict[] = [];
  for (const [key, state] of findings.plugins) {
    if (state.kind === 'Broken') continue;
    if (verdicts.length % STRIDE === 0) yield;
    const use = uses.get(key) ?? UNUSED;
    const denied = [...use.denied].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, denial]) => denial);
    const everywhere = denied.length > 0 && denied.length === use.hosts.size;
    const inputs = [state, use.routes, everywhere, ...denied];
    verdicts.push(memory.get(key, inputs, () => pluginVerdict(state, use.routes, denied, everywhere)));
  }
  return verdicts;
}

/** Routes that are handled between two steps. */
const STRIDE = 64;

/** `hosts` and `denied` (by host) only where the plugin is denied somewhere. */
interface Use {
  routes: number;
  readonly hosts: Set<string>;
  readonly denied: Map<string, Problem>;
}
const UNUSED: Use = { routes: 0, hosts: new Set(), denied: new Map() };

function* usesOf({ placed, hosts }: Findings): Steps<ReadonlyMap<ObjectKey, Use>> {
  const uses = new Map<ObjectKey, Use>();
  const troubled = new Set<ObjectKey>();
  for (const { denials } of hosts.values()) for (const key of denials.keys()) troubled.add(key);
  for (const [at, route] of placed.entries()) {
    if (at % STRIDE === 0) yield;
    for (const plugin of route.draft.permitted) {
      const use = getOrAdd(uses, plugin, (): Use => ({ routes: 0, hosts: new Set(), denied: new Map() }));
      use.routes += 1;
      if (troubled.has(plugin)) noteHosts(use, plugin, route, hosts);
    }
  }
  return uses;
}

/** What another namespace's Route makes of the plugin on hosts of its own is for that Route's verdict. */
function noteHosts(use: Use, plugin: ObjectKey, { draft, shares }: PlacedRoute, hosts: Findings['hosts']): void {
  if (namespaceOf(draft.route.name) !== pluginNamespace(plugin)) return;
  for (const { places } of shares) {
    const host = places.kept[0]?.host;
    if (host === undefined) continue;
    const denial = hosts.get(host)?.denials.get(plugin);
    use.hosts.add(host);
    if (denial !== undefined) use.denied.set(host, denial);
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
