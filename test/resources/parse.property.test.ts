import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type HostPattern, parseHostPattern } from '../../src/resources/hostname.ts';
import { isPlain } from '../../src/resources/plain.ts';
import { type Json, parse, plugin, route, secret, service } from './objects.ts';

const FULL_ROUTE = route({
  class: 'postern',
  hosts: ['a.example', '*.b.example'],
  paths: [
    { type: 'Prefix', value: '/a' },
    { type: 'Exact', value: '/b' },
  ],
  methods: ['GET', 'POST'],
  headers: [{ name: 'x-a', value: 'b' }],
  authorization: {
    rules: [{ name: 'r', claims: [{ path: 'a.b', anyOf: ['x'] }], groups: ['g'], emailDomains: ['a.example'] }],
  },
  timeouts: { response: '1s' },
});
const VALID: readonly Json[] = [
  FULL_ROUTE,
  route(),
  service({ url: 'http://a', timeouts: {}, plugins: [{ kind: 'LoginPlugin', name: 'okta' }] }),
  service({ backendRef: { name: 'a', port: 80 } }),
  plugin(),
  secret({ data: { key: 'YQ==' }, stringData: { other: 'b' } }),
];

type Path = readonly (string | number)[];

/** Every place in an object, outermost first. */
function placesIn(value: unknown, at: Path = []): Path[] {
  if (Array.isArray(value)) return [at, ...value.flatMap((member, index) => placesIn(member, [...at, index]))];
  if (!isPlain(value)) return [at];
  return [at, ...Object.entries(value).flatMap(([key, member]) => placesIn(member, [...at, key]))];
}

/** A copy with one place replaced; undefined as replacement takes the field away. */
function replaced(value: unknown, path: Path, by: unknown): unknown {
  const [first, ...rest] = path;
  if (first === undefined) return by;
  if (Array.isArray(value))
    return value.map((member: unknown, at) => (at === first ? replaced(member, rest, by) : member));
  if (!isPlain(value)) return value;
  const copy = Object.entries(value).map(([key, member]) => [key, key === first ? replaced(member, rest, by) : member]);
  return Object.fromEntries(copy.filter(([, member]) => member !== undefined));
}

const garbage = fc.oneof(
  fc.constantFrom<unknown>(
    undefined,
    null,
    '',
    0,
    -1,
    true,
    [],
    {},
    [[]],
    'A',
    '*',
    '/',
    '/_oidc',
    'a b',
    '../x',
    1e308,
    NaN,
    '\u0000',
    '__proto__',
  ),
  fc.string(),
  fc.json().map((text): unknown => JSON.parse(text)),
  fc.anything({
    maxDepth: 3,
    withBigInt: true,
    withDate: true,
    withMap: true,
    withNullPrototype: true,
    withSparseArray: true,
  } as const),
);
const mutation = fc
  .constantFrom(...VALID)
  .chain((object) =>
    fc.record({ object: fc.constant(object), path: fc.constantFrom(...placesIn(object)), by: garbage }),
  );

describe('parseObject', () => {
  it('A170 never throws, whatever it is given', () => {
    fc.assert(
      fc.property(
        fc.anything({
          withBigInt: true,
          withDate: true,
          withMap: true,
          withNullPrototype: true,
          withSparseArray: true,
        } as const),
        (value) => {
          const result = parse(value);
          expect('ok' in result ? result.ok : result.kind).toBeDefined();
          for (const spec of [
            route({}, { spec: value }),
            service({}, { spec: value }),
            plugin(value),
            secret({ data: value }),
          ])
            parse(spec);
        },
      ),
      { numRuns: 1000 },
    );
  });

  it('cycles, prototypes and hostile sizes', () => {
    const cycle: Json = {};
    cycle['spec'] = cycle;
    cycle['self'] = [cycle];
    const inherited: unknown = Object.create(route());
    for (const value of [cycle, { ...route(), ...cycle }, route({ hosts: cycle, paths: [cycle] }), plugin(cycle)])
      parse(value);
    expect(parse(inherited)).toMatchObject({ kind: 'Unreadable' });
    expect(parse(route({}, { spec: Object.create({ hosts: ['a.example'] }) }))).toMatchObject({
      ok: false,
      claim: { hosts: { known: [], complete: false } },
    });
    expect(parse(JSON.parse(JSON.stringify(route()).replace('"spec":', '"spec":{},"__proto__":')))).toMatchObject({
      ok: false,
    });
    expect(parse(route({ hosts: new Array(100_000).fill({}) }))).toMatchObject({ ok: false });
  });

  it('an object with one place broken is valid, or of nobody, or closes what it closed', () => {
    fc.assert(
      fc.property(mutation, ({ object, path, by }) => {
        const broken = replaced(object, path, by);
        const result = parse(broken);
        if (!('ok' in result)) {
          // Only what says which object it is can make it unreadable, and only its group and class can make it foreign.
          const places =
            result.kind === 'Unreadable' ? ['apiVersion', 'kind', 'metadata'] : ['apiVersion', 'kind', 'spec'];
          if (path.length > 0) expect(places).toContain(path[0]);
          return;
        }
        if (result.ok || result.claim.kind !== 'Route') return;
        const { hosts, paths, plugins } = result.claim;
        expect(result.problems.length).toBeGreaterThan(0);
        expect(result.meta.namespace).toBe('shop');
        const [top, field] = path;
        const original = parse(object);
        if (!('ok' in original) || !original.ok || original.value.kind !== 'Route') throw new Error('bad test');
        if (top !== 'spec' || (field !== undefined && field !== 'hosts'))
          expect(hosts).toEqual({ known: original.value.hosts, complete: true });
        else expectNothingInvented(hosts.known, hosts.complete, broken);
        if (top !== 'spec' || (field !== undefined && field !== 'paths'))
          expect(paths).toEqual({ known: original.value.paths, complete: true });
        if (top !== 'spec' || (field !== undefined && field !== 'plugins'))
          expect(plugins.known).toEqual(original.value.plugins);
      }),
      { numRuns: 2000 },
    );
  });

  it('messages are one short line each', () => {
    fc.assert(
      fc.property(mutation, ({ object, path, by }) => {
        const result = parse(replaced(object, path, by));
        const found =
          'ok' in result ? (result.ok ? [] : result.problems) : result.kind === 'Unreadable' ? [result.problem] : [];
        for (const { message } of found) expect(message).toMatch(/^[ -~’]{3,400}$/);
      }),
      { numRuns: 1000 },
    );
  });

  it('is a function of its input, and leaves it alone', () => {
    for (const object of VALID) {
      const before = structuredClone(object);
      expect(parse(object)).toEqual(parse(structuredClone(object)));
      expect(object).toEqual(before);
      const frozen = deepFrozen(structuredClone(object));
      expect(parse(frozen)).toEqual(parse(object));
    }
  });
});

/** Every member that is there is either known, or makes the list incomplete. */
function expectNothingInvented(known: readonly HostPattern[], complete: boolean, broken: unknown): void {
  const spec = isPlain(broken) ? broken['spec'] : undefined;
  const written = isPlain(spec) ? spec['hosts'] : undefined;
  const members: readonly unknown[] = Array.isArray(written) ? written : [];
  const readable = members.filter((member) => typeof member === 'string' && parseHostPattern(member) !== undefined);
  expect(known).toEqual(readable);
  expect(complete).toBe(members.length > 0 && readable.length === members.length);
}

function deepFrozen<T>(value: T): T {
  if (typeof value === 'object' && value !== null) for (const member of Object.values(value)) deepFrozen(member);
  return Object.freeze(value);
}
