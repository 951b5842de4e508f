import { namespaceOf, type ObjectKey } from '../resources/keys.ts';
import type { Problem } from '../resources/problem.ts';
import { getOrAdd } from './collections.ts';
import type { CompiledHost } from './compile-host.ts';
import type { Hosts } from './compile-hosts.ts';
import type { PluginState } from './compile-plugins.ts';
import type { RouteDraft } from './compile-routes.ts';
import { conditionsOf, unusual, WHOLE } from './conditions.ts';
import { messages, placedRoute, verdict } from './findings.ts';
import type { Verdict } from './snapshot.ts';
import type { Steps } from './steps.ts';

/** Which Routes use a plugin, and on which hosts it is denied. */
export class PluginUses {
  readonly #routes = new Map<ObjectKey, Set<RouteDraft>>();
  /** On how many hosts a plugin is denied, whoever names it there. */
  readonly #troubled = new Map<ObjectKey, number>();

  /** A Route is another one. Answers the plugins that are used otherwise now. */
  replace(before: RouteDraft | undefined, after: RouteDraft | undefined): readonly ObjectKey[] {
    const keys: ObjectKey[] = [];
    if (before !== undefined) keys.push(...this.#remove(before));
    if (after !== undefined) keys.push(...this.#add(after));
    return keys;
  }

  #remove(draft: RouteDraft): readonly ObjectKey[] {
    for (const key of draft.permitted) {
      const routes = this.#routes.get(key);
      routes?.delete(draft);
      if (routes?.size === 0) this.#routes.delete(key);
    }
    return draft.permitted;
  }

  #add(draft: RouteDraft): readonly ObjectKey[] {
    for (const key of draft.permitted) getOrAdd(this.#routes, key, () => new Set()).add(draft);
    return draft.permitted;
  }

  /** A host is another. Answers the plugins that it denies, or denied. */
  deny(before: CompiledHost | undefined, after: CompiledHost | undefined): readonly ObjectKey[] {
    const [was, is] = [[...(before?.denials.keys() ?? [])], [...(after?.denials.keys() ?? [])]];
    for (const key of is) this.#troubled.set(key, (this.#troubled.get(key) ?? 0) + 1);
    for (const key of was) {
      const count = (this.#troubled.get(key) ?? 0) - 1;
      if (count > 0) this.#troubled.set(key, count);
      else this.#troubled.delete(key);
    }
    return [...was, ...is];
  }

  isTroubled(key: ObjectKey): boolean {
    return this.#troubled.has(key);
  }

  *of(key: ObjectKey, hosts: Pick<Hosts, 'get'>): Steps<PluginUse> {
    const routes = this.#routes.get(key) ?? NO_ROUTES;
    const there = new Set<string>();
    const denied = new Map<string, Problem>();
    let looked = 0;
    for (const draft of this.isTroubled(key) ? routes : NO_ROUTES) {
      if (++looked % STRIDE === 0) yield;
      noteHosts({ there, denied }, key, draft, hosts);
    }
    const inOrder = [...denied].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, denial]) => denial);
    return { routes: routes.size, denied: inOrder, everywhere: denied.size > 0 && denied.size === there.size };
  }
}

/** Routes that are handled between two steps. */
const STRIDE = 64;

const NO_ROUTES: ReadonlySet<RouteDraft> = new Set();

export interface PluginUse {
  /** How many use it. */
  readonly routes: number;
  /** Why it can't be used, in order of host. */
  readonly denied: readonly Problem[];
  /** On every host on which it is named. */
  readonly everywhere: boolean;
}

/** What another namespace's Route makes of the plugin on hosts of its own is for that Route's verdict. */
function noteHosts(
  use: { readonly there: Set<string>; readonly denied: Map<string, Problem> },
  plugin: ObjectKey,
  draft: RouteDraft,
  hosts: Pick<Hosts, 'get'>,
): void {
  if (namespaceOf(draft.route.name) !== pluginNamespace(plugin)) return;
  for (const { places } of placedRoute(draft, hosts).shares) {
    const host = places.kept[0]?.host;
    if (host === undefined) continue;
    const denial = hosts.get(host)?.denials.get(plugin);
    use.there.add(host);
    if (denial !== undefined) use.denied.set(host, denial);
  }
}

const pluginNamespace = (key: ObjectKey): string | undefined => key.split('/')[1];

export function pluginVerdict(
  state: Exclude<PluginState, { kind: 'Broken' }>,
  { routes, denied, everywhere }: PluginUse,
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
