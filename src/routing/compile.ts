import type { HostPattern } from '../resources/hostname.ts';
import type { NamespacedName } from '../resources/keys.ts';
import type { Parsed } from '../resources/resource.ts';
import { type ParsedObjects, parsedObjects } from './changes.ts';
import type { CompiledHost } from './compile-host.ts';
import type { RouteDraft } from './compile-routes.ts';
import type { Change } from './derived.ts';
import { guardsOfBroken } from './guards.ts';
import type { Broken, RouteState } from './indexed.ts';
import { CompileMemory, type Stages } from './memory.ts';
import type { ObjectChanges } from './objects.ts';
import type { CompileOptions } from './options.ts';
import type { Compiled } from './snapshot.ts';
import { finish, type Steps } from './steps.ts';
import { EMPTY_TABLE, indexHosts, withChanged } from './table.ts';

export { CompileMemory } from './memory.ts';
export type { CompileOptions } from './options.ts';

/**
 * All objects of one moment to the table, the plugins that have to run, and a verdict on each object. Pure; the order
 * of `parsed` doesn't matter. Breaking any object, or deleting any but a Route, adds nothing that can be reached without
 * login, and lets no identity header pass that was removed before; in a cluster no namespace changes what is reachable on
 * the hosts of another.
 */
export function compile(parsed: readonly Parsed[], options: CompileOptions): Compiled {
  const compiled = finish(compileSteps(parsedObjects(parsed), options));
  return { ...compiled, plugins: inOrder(compiled.plugins), verdicts: inOrder(compiled.verdicts) };
}

const inOrder = <K, V>(map: ReadonlyMap<K, V>): ReadonlyMap<K, V> =>
  new Map([...map].sort(([a], [b]) => (a < b ? -1 : 1)));

/**
 * The same, in steps of well under a millisecond. `memory`: of the runs before; then the work is that for what changed, and
 * what didn't stays the very same value; all else is as without it. Parsed objects are never changed.
 */
export function* compileSteps(
  objects: ParsedObjects,
  options: CompileOptions,
  memory: CompileMemory = new CompileMemory(),
): Steps<Compiled> {
  const { stages, changes } = memory.begin(objects, options);
  const changed = yield* stages.objects.take(changes);
  const renamed = yield* stages.owners.take(changed.routes);
  yield* compilePlugins(stages, changed);
  yield* resolveUpstreams(stages, changed);
  yield* draftRoutes(stages, changed);
  yield* stages.guarded.settle(stages.objects.grants, changed.services, changed.grants);
  if (renamed || changed.routes.some(isBreaking)) yield* stages.hosts.close(brokenRoutes(stages));
  const hosts = yield* compileHosts(stages);
  const certificates = yield* stages.certificates.run();
  const bindings = yield* stages.bindings.run();
  for (const key of changed.broken) stages.verdicts.broken.mark(key);
  for (const { key } of changed.services) stages.verdicts.services.mark(key);
  const verdicts = yield* stages.verdicts.run();
  const { compiled: before } = stages;
  stages.compiled = {
    table: yield* indexHosts(
      before?.table ?? EMPTY_TABLE,
      after(hosts, ({ table }) => table),
    ),
    plugins: yield* withChanged(
      before?.plugins ?? new Map(),
      after(bindings, (binding) => binding),
    ),
    certificates: yield* withChanged(
      before?.certificates ?? new Map(),
      after(certificates, ({ certificate }) => certificate),
    ),
    verdicts: stages.verdicts.all,
    changed: before && {
      hosts: keysOf(hosts),
      plugins: keysOf(bindings),
      certificates: keysOf(certificates),
      verdicts,
    },
  };
  memory.end(objects);
  return stages.compiled;
}

/** Changes that are handled between two steps. */
const STRIDE = 64;

function* compilePlugins({ plugins, pluginStates, bindings, verdicts }: Stages, changed: ObjectChanges): Steps<void> {
  for (const key of changed.plugins) plugins.mark(key);
  for (const { key, after: state } of yield* plugins.run()) {
    pluginStates.set(key, state);
    bindings.mark(key);
    verdicts.plugins.mark(key);
  }
}

function* resolveUpstreams({ upstreams, upstreamStates }: Stages, changed: ObjectChanges): Steps<void> {
  for (const { key } of changed.services) upstreams.mark(key);
  for (const { key, after: state } of yield* upstreams.run()) upstreamStates.set(key, state);
}

function* draftRoutes(
  { drafts, hosts, guarded, certificates, uses, verdicts }: Stages,
  changed: ObjectChanges,
): Steps<void> {
  for (const { key, before, after: state } of changed.routes) {
    drafts.mark(key);
    for (const service of guardsOf(state)) guarded.count(key, service, 1);
    for (const service of guardsOf(before)) guarded.count(key, service, -1);
  }
  for (const [at, { key, before, after: draft }] of (yield* drafts.run()).entries()) {
    if (at % STRIDE === 0) yield;
    if (draft?.guards === true) guarded.count(key, draft.route.service, 1);
    if (before?.guards === true) guarded.count(key, before.route.service, -1);
    hosts.replace(before, draft);
    certificates.replace(before, draft);
    for (const plugin of uses.replace(before, draft)) verdicts.plugins.mark(plugin);
    verdicts.routes.mark(key);
  }
}

function* compileHosts(stages: Stages): Steps<readonly Change<HostPattern, CompiledHost>[]> {
  const { hosts, bindings, uses, verdicts } = stages;
  const compiled = yield* hosts.run();
  for (const { before, after: host } of compiled) {
    yield;
    yield* bindings.replace(before, host);
    for (const plugin of uses.deny(before, host)) verdicts.plugins.mark(plugin);
  }
  for (const { before, after: host } of compiled) {
    yield;
    for (const [draft, share] of host?.shares ?? []) if (before?.shares.get(draft) !== share) reshare(draft, stages);
  }
  return compiled;
}

/** What became of a Route on some host is another. */
function reshare(draft: RouteDraft, { certificates, uses, verdicts }: Stages): void {
  verdicts.routes.mark(draft.route.name);
  certificates.mark(draft);
  for (const plugin of draft.permitted) if (uses.isTroubled(plugin)) verdicts.plugins.mark(plugin);
}

const isBroken = (state: RouteState | undefined): boolean => state?.found.kind === 'Broken';

const isBreaking = ({ before, after: state }: Change<NamespacedName, RouteState>): boolean =>
  isBroken(before) || isBroken(state);

const guardsOf = (state: RouteState | undefined): readonly (NamespacedName | undefined)[] =>
  state?.found.kind === 'Broken' ? guardsOfBroken(state.found) : [];

const brokenRoutes = ({ objects }: Stages): readonly Broken[] =>
  [...objects.broken.entries()].flatMap(([, broken]) => (broken.claims[0]?.kind === 'Route' ? [broken] : []));

const keysOf = <K>(changes: readonly Change<K, unknown>[]): ReadonlySet<K> => new Set(changes.map(({ key }) => key));

const after = <K, V, P>(changes: readonly Change<K, V>[], part: (value: V) => P): ReadonlyMap<K, P | undefined> =>
  new Map(changes.map(({ key, after: value }) => [key, value && part(value)]));
