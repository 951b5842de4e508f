import { namespacedName } from './keys.ts';
import { type Problem, problem } from './problem.ts';
import type { PluginRef } from './resource.ts';

interface WireRef {
  readonly kind: string;
  readonly name: string;
  readonly namespace?: string | undefined;
}

/** References with their namespace filled in. */
export const pluginRefs = (refs: readonly WireRef[], namespace: string): readonly PluginRef[] =>
  refs.map((ref) => ({ kind: ref.kind, name: namespacedName(ref.namespace ?? namespace, ref.name) }));

/** At most one plugin of a kind guards one place: two that both log in would answer each other's redirects. */
export function repeatedKinds(refs: readonly WireRef[]): Problem[] {
  const kinds = new Set<string>();
  const problems: Problem[] = [];
  for (const [at, { kind }] of refs.entries()) {
    if (kinds.has(kind)) {
      const message = 'a plugin of this kind is named above; keep one of them';
      problems.push(problem('Invalid', ['spec', 'plugins', at], message));
    }
    kinds.add(kind);
  }
  return problems;
}
