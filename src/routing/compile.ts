import type { Parsed } from '../resources/resource.ts';
import { bindPlugins } from './bindings.ts';
import { hostCertificates } from './certificates.ts';
import { closures } from './closures.ts';
import { type CompiledHosts, compileHosts } from './compile-hosts.ts';
import { compilePlugins } from './compile-plugins.ts';
import { draftRoute, type RouteDraft } from './compile-routes.ts';
import type { PlacedRoute } from './findings.ts';
import { grantsOf } from './grants.ts';
import { guardedBackends } from './guards.ts';
import { hostOwners } from './host-owners.ts';
import { CompileMemory, type Remembered } from './memory.ts';
import { indexObjects, type Objects } from './objects.ts';
import type { CompileOptions } from './options.ts';
import type { Known } from './references.ts';
import type { Compiled } from './snapshot.ts';
import { finish, type Steps } from './steps.ts';
import { indexHosts } from './table.ts';
import { verdictsOf } from './verdicts.ts';

export { CompileMemory } from './memory.ts';
export type { CompileOptions } from './options.ts';

/**
 * All objects of one moment to the table, the plugins that have to run, and a verdict on each object. Pure; the order
 * of `parsed` doesn't matter. Breaking any object, or deleting any but a Route, adds nothing that can be reached without
 * login, and lets no identity header pass that was removed before; in a cluster no namespace changes what is reachable on
 * the hosts of another.
 */
export const compile = (parsed: readonly Parsed[], options: CompileOptions): Compiled =>
  finish(compileSteps(parsed, options));

/**
 * The same, in steps of well under a millisecond. `memory`: of the runs before, which makes what didn't change cheap, and
 * the very same value; all else is as without it. Parsed objects are told apart by identity and never changed.
 */
export function* compileSteps(
  parsed: readonly Parsed[],
  options: CompileOptions,
  memory: CompileMemory = new CompileMemory(),
): Steps<Compiled> {
  const { mode } = options;
  const parts = memory.begin(options);
  const objects = yield* indexObjects(parsed, parts.index);
  const owners = yield* hostOwners(objects, mode, parts.owners);
  const grants = parts.grants.get('grants', objects.grants, () => grantsOf(objects.grants));
  const plugins = yield* compilePlugins(objects, options, parts.plugins);
  const { watched } = parts;
  const known: Known = {
    services: yield* watched.services.become(objects.services),
    coreServices: yield* watched.coreServices.become(objects.coreServices),
    owners: yield* watched.owners.become(owners.of),
    plugins: yield* watched.plugins.become(plugins),
    grants,
    options,
  };
  const drafts = yield* draftRoutes(objects, known, parts);
  const closed = yield* closures(objects, owners);
  const guarded = yield* watched.guarded.become(yield* guardedBackends(objects, grants, mode));
  const hosts = yield* compileHosts({ drafts, closed, known, guarded }, parts);
  const placed = yield* placeRoutes(drafts, hosts);
  const certificates = yield* hostCertificates(placed, objects.secrets, mode, parts.certificates);
  const compiled = {
    table: yield* indexHosts([...hosts.values()].map(({ table }) => table)),
    plugins: yield* bindPlugins(hosts.values(), plugins, parts.bindings),
    certificates: certificates.byHost,
    verdicts: yield* verdictsOf({ objects, known, plugins, placed, hosts, certificates }, parts.verdicts),
  };
  yield* memory.end();
  return compiled;
}

/** Routes that are handled between two steps. */
const STRIDE = 32;

function* draftRoutes(objects: Objects, known: Known, { drafts }: Remembered): Steps<readonly RouteDraft[]> {
  const drafted: RouteDraft[] = [];
  for (const route of objects.routes) {
    if (drafted.length % STRIDE === 0) yield;
    const policy = objects.policies.get(route.name);
    drafted.push(drafts.get(route.name, [route, policy, known.grants], () => draftRoute(route, policy, known)));
  }
  return drafted;
}

function* placeRoutes(drafts: readonly RouteDraft[], hosts: CompiledHosts): Steps<readonly PlacedRoute[]> {
  const placed: PlacedRoute[] = [];
  for (const draft of drafts) {
    if (placed.length % STRIDE === 0) yield;
    placed.push({ draft, shares: draft.at.hosts.flatMap((host) => hosts.get(host)?.shares.get(draft) ?? []) });
  }
  return placed;
}
