import type { Compiled } from '../../src/routing/snapshot.ts';
import { outcome } from './probes.ts';
import { type Probe, parseOne, type Raw } from './support.ts';
import { idOf, isRaw, type Mutation, mutate } from './worlds.ts';

/** Everything that a change made reachable, or let through, or guarded otherwise. */
export function widened(before: Compiled, after: Compiled, probes: readonly Probe[]): readonly string[] {
  const found: string[] = [];
  for (const probe of probes) {
    const was = outcome(before.table, probe);
    const is = outcome(after.table, probe);
    if (was === undefined || is === undefined) continue;
    const text = `${probe.method} ${probe.host}${probe.path} ${JSON.stringify(probe.headers)}`;
    if (is.kind === 'Public' && was.kind !== 'Public') found.push(`${text}: ${was.kind} ${was.guard} became Public`);
    // A Public Route is guarded too: by the addresses that it is for.
    if (is.kind !== 'Closed' && was.kind === is.kind && is.guard !== was.guard) {
      found.push(`${text}: ${was.guard} became ${is.guard}`);
    }
    if (is.kind !== 'Closed' && was.removeAuthorization && !is.removeAuthorization) {
      found.push(`${text}: Authorization was removed and passes now`);
    }
  }
  return found;
}

/**
 * Whether a change broke an object: it can't be parsed any more, or it can and is refused at the very places where it
 * was before (a change to another valid place, or to fewer, is a change of mind).
 */
export function isBroken(before: Raw, after: unknown, compiled: Compiled, vouched = false): boolean {
  const parsed = parseOne(after, vouched);
  if (parsed === undefined) return false;
  if (!parsed.ok) return true;
  if (JSON.stringify(placeOf(before)) !== JSON.stringify(placeOf(after))) return false;
  const verdict = compiled.verdicts.get(parsed.value.key);
  return (
    verdict?.conditions.some(({ type, status }) => /^(Accepted|ResolvedRefs)$/.test(type) && status !== 'True') ?? false
  );
}

const placeOf = (value: unknown): unknown => {
  const spec: unknown = isRaw(value) ? value.spec : undefined;
  if (typeof spec !== 'object' || spec === null) return undefined;
  return ['hosts', 'paths', 'methods', 'headers', 'queryParams'].map(
    (name): unknown => Reflect.get(spec, name) ?? null,
  );
};

/** The world after one object was broken by a mutation, or deleted; undefined where that is no change that is meant. */
export function change(world: readonly unknown[], index: number, mutation: Mutation | undefined) {
  const at = index % world.length;
  const target = world[at];
  if (!isRaw(target)) return undefined;
  if (mutation === undefined) {
    if (target.kind === 'Route') return undefined;
    // An object is everything of its name: taking away one of two that are the same is a repair.
    return { target, after: world.filter((other) => !isRaw(other) || idOf(other) !== idOf(target)), broken: undefined };
  }
  const broken = mutate(target, mutation);
  const renamed = isRaw(broken) && broken.metadata.name !== target.metadata.name;
  if (renamed && world.filter((other) => isRaw(other) && idOf(other) === idOf(target)).length > 1) return undefined;
  return { target, after: world.with(at, broken), broken };
}
