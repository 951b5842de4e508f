import type { ObjectKey } from '../resources/keys.ts';
import { formatPath, type Problem } from '../resources/problem.ts';
import { describeTable } from '../routing/describe.ts';
import type { PluginBinding, Verdict } from '../routing/snapshot.ts';
import type { Control } from './control.ts';

/**
 * Everything that is served now, as JSON for people: the table, the running plugins, and what is said of each object.
 * Configs of plugins aren't in it, so no secret is (A180). Undefined before the first publication.
 */
export function describeControl(control: Pick<Control, 'current' | 'verdicts' | 'instances'>): unknown {
  const snapshot = control.current();
  if (snapshot === undefined) return undefined;
  const statuses = control.instances();
  return {
    generation: snapshot.generation,
    hash: snapshot.hash,
    objects: byKey(control.verdicts(), describeVerdict),
    plugins: byKey(snapshot.plugins, (binding, key) => ({ ...describeBinding(binding), status: statuses.get(key) })),
    hosts: describeTable(snapshot.table),
  };
}

const describeVerdict = (verdict: Verdict): unknown => ({
  exposure: verdict.exposure,
  authorization: verdict.authorization,
  clients: verdict.clients,
  redirectURIs: verdict.redirectURIs.length === 0 ? undefined : verdict.redirectURIs,
  routes: verdict.routes,
  observedGeneration: verdict.observedGeneration,
  conditions: verdict.conditions,
  problems: verdict.problems.length === 0 ? undefined : verdict.problems.map(describeProblem),
  warnings: verdict.warnings.length === 0 ? undefined : verdict.warnings.map(describeProblem),
});

const describeProblem = ({ reason, path, message }: Problem): unknown => ({ reason, field: formatPath(path), message });

const describeBinding = ({ config, reserved, needs }: PluginBinding): object => ({
  identity: config.identity,
  reserved: reserved.map(({ purpose, path }) => `${purpose} ${path}`),
  needs,
});

function byKey<T>(map: ReadonlyMap<ObjectKey, T>, describe: (value: T, key: ObjectKey) => unknown): unknown {
  const entries = [...map].map(([key, value]) => [key, describe(value, key)] as const);
  entries.sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries);
}
