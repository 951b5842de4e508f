import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Parsed } from '../../src/resources/resource.ts';
import { Tracker } from '../../src/routing/cells.ts';
import { HostOwners } from '../../src/routing/host-owners.ts';
import type { RouteState } from '../../src/routing/indexed.ts';
import { readHosts } from '../../src/routing/namers.ts';
import { Objects } from '../../src/routing/objects.ts';
import type { CompileOptions } from '../../src/routing/options.ts';
import { finish } from '../../src/routing/steps.ts';
import { change, isBroken, widened } from './changes.ts';
import { clusterOptions, hostOwners } from './cluster.ts';
import { grantArb, namespaceArb, troubled } from './cluster-worlds.ts';
import { inSuccession } from './moments.ts';
import { probesOf } from './probes.ts';
import { parseAll, parseOne } from './support.ts';
import { isRaw, type Mutation, mutationArb } from './worlds.ts';

const runs = Number(process.env['SOUNDNESS_RUNS'] ?? 1500);

const worldArb = fc
  .tuple(
    troubled(namespaceArb('n')),
    troubled(namespaceArb('m')),
    fc.array(fc.oneof(grantArb('n'), grantArb('m')), { maxLength: 4 }),
  )
  .map((parts) => parts.flat());

/** With an entry for every host, and with none. */
const optionsArb: fc.Arbitrary<CompileOptions> = fc.constantFrom(
  clusterOptions({ hostOwners: hostOwners('a.x=n', 'b.x=m', 'c.y=n', '*.a.x=n', '*.x=m', '*=m') }),
  clusterOptions({ hostOwners: hostOwners('*.x=n', '*=n') }),
  clusterOptions(),
  clusterOptions({ manyNamespaces: false }),
);

const hostsOf = ({ found }: RouteState): readonly string[] =>
  found.kind === 'Valid' ? found.value.hosts : readHosts(found);

/** Ownership that rests on Routes ends with the last that names the host, and goes to the next oldest: an entry prevents that. */
function changesHands(before: readonly Parsed[], after: readonly Parsed[], { mode }: CompileOptions): boolean {
  const [was, is] = [before, after].map((parsed) => {
    const tracker = new Tracker();
    const owners = new HostOwners(tracker, mode);
    const changes = parsed.map((after) => ({ before: undefined, after }));
    const { routes } = finish(new Objects(tracker).take(changes));
    finish(owners.take(routes));
    return { named: new Set(routes.flatMap(({ after }) => (after === undefined ? [] : hostsOf(after)))), of: owners };
  });
  if (was === undefined || is === undefined) return false;
  return [...was.named].some((host) => {
    const owner = was.of.peek(host);
    const next = is.named.has(host) ? is.of.peek(host) : undefined;
    return owner.kind === 'ByRoute' && (next?.kind !== 'ByRoute' || next.namespace !== owner.namespace);
  });
}

/** What a change opened; undefined where it isn't one that is promised to open nothing. */
function opened(
  world: readonly unknown[],
  index: number,
  mutation: Mutation | undefined,
  options: CompileOptions,
): readonly string[] | undefined {
  const changed = change(world, index, mutation);
  if (changed === undefined || (mutation !== undefined && parseOne(changed.target, true)?.ok !== true))
    return undefined;
  const [was, is] = [world, changed.after].map((values) => parseAll(values, true));
  if (was === undefined || is === undefined || changesHands(was, is, options)) return undefined;
  const { compile } = inSuccession(options, true);
  const before = compile(world);
  const after = compile(changed.after);
  if (mutation !== undefined && !isBroken(changed.target, changed.broken, after, true)) return undefined;
  const found = widened(before, after, probesOf(world.filter(isRaw)));
  // Whoever takes a grant back takes back what others' Routes guard of theirs.
  return changed.target.kind === 'ReferenceGrant' ? found.filter((text) => !text.includes('Authorization')) : found;
}

describe('A107 A175 A176 in a cluster: what breaks stays closed', () => {
  it('breaking any object widens nothing', () => {
    let meant = 0;
    fc.assert(
      fc.property(worldArb, fc.nat({ max: 30 }), mutationArb, optionsArb, (world, index, mutation, options) => {
        const found = opened(world, index, mutation, options);
        if (found === undefined) return;
        meant += 1;
        expect(found).toEqual([]);
      }),
      { numRuns: runs },
    );
    expect(meant).toBeGreaterThan(runs / 10);
  }, 300_000);

  it('deleting anything but a Route widens nothing', () => {
    let meant = 0;
    fc.assert(
      fc.property(worldArb, fc.nat({ max: 30 }), optionsArb, (world, index, options) => {
        const found = opened(world, index, undefined, options);
        if (found === undefined) return;
        meant += 1;
        expect(found).toEqual([]);
      }),
      { numRuns: runs },
    );
    expect(meant).toBeGreaterThan(runs / 10);
  }, 300_000);
});
