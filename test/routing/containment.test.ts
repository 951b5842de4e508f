import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canonicalPath, laxPaths, prefixCovers } from '../../src/resources/path.ts';
import type { Claim, Parsed, PathMatch } from '../../src/resources/resource.ts';
import { compile } from '../../src/routing/compile.ts';
import { matching } from '../../src/routing/patterns.ts';
import type { RouteTable } from '../../src/routing/table.ts';
import { outcome, probesOf } from './probes.ts';
import { OPTIONS, type Probe, parseAll, parseOne, type Raw } from './support.ts';
import { mutate, mutationArb, worldArb } from './worlds.ts';

type RouteClaim = Extract<Claim, { kind: 'Route' }>;

/** Whether a request is one that a broken Route may close: on a host that is new with it, or at a path of its claim. */
function isInPlace(probe: Probe, claim: RouteClaim, before: RouteTable, host: string): boolean {
  const hostsRead = claim.hosts.complete && claim.hosts.known.length > 0;
  const known: readonly string[] = claim.hosts.known;
  if (hostsRead && !known.includes(host)) return false;
  if (known.includes(host) && !hasHost(before, host)) return true;
  if (!claim.paths.complete || claim.paths.known.length === 0 || (!hostsRead && host.startsWith('*'))) return true;
  const canonical = canonicalPath(probe.path);
  if (!canonical.ok) return false;
  return [canonical.path, ...(laxPaths(canonical.path) ?? [])].some((path) =>
    claim.paths.known.some((at) => covers(at, path)),
  );
}

function covers(at: PathMatch, path: string): boolean {
  switch (at.type) {
    case 'Exact':
      return at.value === path;
    case 'Prefix':
      return prefixCovers(at.value, path);
    case 'RegularExpression':
      return matching(at.value, path).length > 0;
  }
}

const hasHost = (table: RouteTable, host: string): boolean =>
  host === '*'
    ? table.any !== undefined
    : table.exact.has(host) || (host.startsWith('*.') && table.wildcards.has(host.slice(1)));

/** The pattern that a request's host meets, found without the table's own search. */
function patternFor(host: string, table: RouteTable): string {
  if (table.exact.has(host)) return host;
  const suffixes = [...table.wildcards.keys()].filter((suffix) => host.endsWith(suffix));
  const [longest] = suffixes.sort((a, b) => b.length - a.length);
  return longest === undefined ? '*' : `*${longest}`;
}

/** What a request meets, without reasons, and without what a guard of its backend does to `Authorization`. */
function met(table: RouteTable, probe: Probe): string | undefined {
  const found = outcome(table, probe);
  return found === undefined ? undefined : `${found.kind} ${found.guard}`;
}

/** What a bad object closes is closed on every way to its backend, also to requests that are rewritten (landing.ts). */
const asAsked = (raw: Raw): Raw =>
  typeof raw.spec === 'object' && raw.spec !== null && 'stripPath' in raw.spec
    ? { ...raw, spec: { ...raw.spec, stripPath: false } }
    : raw;

const hasOwnCallback = ({ spec }: Raw): boolean => typeof spec === 'object' && spec !== null && 'callback' in spec;

describe('F13: a bad object', () => {
  it('changes nothing outside its place', () => {
    let meant = 0;
    // Where a plugin has a path of its own, what stands at that path decides about the plugin: see reserved.test.ts.
    const calmArb = worldArb.map((world) => world.filter((one) => !hasOwnCallback(one)).map(asAsked));
    fc.assert(
      fc.property(calmArb, fc.nat({ max: 30 }), mutationArb, (world, index, mutation) => {
        const target = world[index % world.length];
        if (target === undefined) return;
        const broken = mutate(target, mutation);
        const parsed: Parsed | undefined = parseOne(broken);
        if (parsed === undefined || parsed.ok) return;
        meant += 1;
        const others = world.filter((other) => other !== target);
        const before = compile(parseAll(others), OPTIONS);
        const after = compile(parseAll([...others, broken]), OPTIONS);
        const { claim } = parsed;
        const changed = probesOf(world).filter((probe) => {
          if (met(after.table, probe) === met(before.table, probe)) return false;
          return claim.kind !== 'Route' || !isInPlace(probe, claim, before.table, patternFor(probe.host, after.table));
        });
        expect(changed).toEqual([]);
      }),
      { numRuns: 1500 },
    );
    expect(meant).toBeGreaterThan(300);
  }, 200_000);
});
