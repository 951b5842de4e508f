import type { Control } from '../control/control.ts';
import type { RequestQuestion } from '../observe/debug.ts';
import { describeTable } from '../routing/describe.ts';
import { match } from '../routing/match.ts';
import { parseTarget } from '../routing/target.ts';

/** The table and what is said of each object, for `/debug/snapshot`: names and rules, no secret is in either. */
export function debugSnapshot(control: Pick<Control, 'current' | 'verdicts'>): unknown {
  const snapshot = control.current();
  if (snapshot === undefined) return undefined;
  return {
    generation: snapshot.generation,
    hash: snapshot.hash,
    table: describeTable(snapshot.table),
    objects: [...control.verdicts().values()],
  };
}

/** What would be done with a request, for `/debug/routes/match`: the same target and match as the proxy's, no plugin asked. */
export function explainRequest(control: Pick<Control, 'current'>, question: RequestQuestion): unknown {
  const snapshot = control.current();
  if (snapshot === undefined) return undefined;
  const parsed = parseTarget(question.method, question.host, question.path);
  if (!parsed.ok) return { result: 'BadTarget', fault: parsed.fault };
  const { method, host, path, query } = parsed.target;
  const target = { method, host, path, query };
  const found = match(snapshot.table, parsed.target, (name) => question.headers.get(name));
  if (found.kind !== 'Route') return { result: found.kind, target, ...found, kind: undefined };
  const { route, exposure, plugins, authorization, action, removeAuthorization, ...entry } = found.entry;
  return {
    result: 'Route',
    target,
    route,
    exposure,
    matched: { host: entry.host, path: entry.path, methods: entry.methods, headers: entry.headers },
    plugins,
    rules: authorization?.rules.map(({ name }) => name),
    action,
    removeAuthorization,
  };
}
