import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CompiledHash } from '../../src/control/compiled-hash.ts';
import { contentHash } from '../../src/control/content-hash.ts';
import { deepFreeze } from '../../src/control/freeze.ts';
import type { Parsed } from '../../src/resources/resource.ts';
import { CompileMemory, compile, compileSteps } from '../../src/routing/compile.ts';
import { describeTable } from '../../src/routing/describe.ts';
import type { CompileOptions } from '../../src/routing/options.ts';
import type { ChangedParts, Compiled } from '../../src/routing/snapshot.ts';
import { finish } from '../../src/routing/steps.ts';
import { clusterOptions, clusterSecret, grant, holding, hostOwners } from './cluster.ts';
import { grantArb, namespaceArb } from './cluster-worlds.ts';
import { moments } from './moments.ts';
import { gate, gateRef, OPTIONS, parseOne, type Raw, route, service } from './support.ts';
import { isRaw, type Mutation, mutate, mutationArb, worldArb } from './worlds.ts';

const runs = Number(process.env['MEMORY_RUNS'] ?? 1200);

/** What happens between two runs, in indices modulo what there is. */
type Change =
  | { readonly kind: 'Put' | 'Take' | 'ReadAgain' | 'Double'; readonly at: number }
  | { readonly kind: 'Break'; readonly at: number; readonly mutation: Mutation }
  /** Somebody wrote a status. */
  | { readonly kind: 'Hold'; readonly at: number; readonly hosts: readonly string[] }
  | { readonly kind: 'Options'; readonly at: number }
  /** Certificates grow old, or what time it is was put right. */
  | { readonly kind: 'Age' };

const at = fc.nat({ max: 1000 });
const changeArb: fc.Arbitrary<Change> = fc.oneof(
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('Put'), at }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('Take'), at }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('Break'), at, mutation: mutationArb }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('ReadAgain'), at }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('Double'), at }) },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('Hold'),
      at,
      hosts: fc.subarray(['a.x', 'b.x', 'c.y', '*.x'], { minLength: 1 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('Options'), at }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'Age' }) },
);
const stepsArb = fc.array(fc.array(changeArb, { minLength: 1, maxLength: 3 }), { minLength: 3, maxLength: 10 });

/** Objects as a source holds them, parsed once for each version. */
class Store {
  readonly #held = new Map<string, { readonly value: unknown; parsed: Parsed | undefined }>();
  readonly #pool: readonly Raw[];
  readonly #vouched: boolean;
  #copies = 0;

  constructor(pool: readonly Raw[], vouched: boolean) {
    this.#pool = pool;
    this.#vouched = vouched;
  }

  set(id: string, value: unknown): void {
    this.#held.set(id, { value, parsed: parseOne(value, this.#vouched) });
  }

  change(change: Exclude<Change, { kind: 'Options' | 'Age' }>): void {
    const pick = this.#pool[change.at % this.#pool.length];
    const ids = [...this.#held.keys()];
    const id = ids[change.at % Math.max(1, ids.length)];
    const held = id === undefined ? undefined : this.#held.get(id);
    if (change.kind === 'Put' && pick !== undefined) this.set(idOf(pick), pick);
    else if (id === undefined || held === undefined) return;
    else if (change.kind === 'Take') this.#held.delete(id);
    else if (change.kind === 'ReadAgain') this.set(id, structuredClone(held.value));
    else if (change.kind === 'Hold' && isRaw(held.value)) this.set(id, holding(held.value, change.hosts));
    else if (change.kind === 'Double') this.set(`${id} ${++this.#copies}`, held.value);
    else if (change.kind === 'Break' && isRaw(held.value)) this.set(id, mutate(held.value, change.mutation));
  }

  parsed(): ReadonlyMap<string, Parsed> {
    return new Map(
      [...this.#held].flatMap(([id, { parsed }]) => (parsed === undefined ? [] : [[id, parsed] as const])),
    );
  }
}

const idOf = ({ apiVersion, kind, metadata }: Raw): string =>
  `${apiVersion} ${kind} ${metadata.namespace}/${metadata.name}`;

/** Objects that are the same value in two states were not read again. */
const story = (states: readonly (readonly Raw[])[], options: CompileOptions, vouched: boolean): void => {
  const read = new Map<Raw, Parsed | undefined>();
  const parse = (raw: Raw): Parsed | undefined => {
    if (!read.has(raw)) read.set(raw, parseOne(raw, vouched));
    return read.get(raw);
  };
  const run = followed();
  for (const state of [...states, ...states.toReversed()]) {
    const parsed = new Map(
      state.flatMap((raw) => {
        const one = parse(raw);
        return one === undefined ? [] : [[idOf(raw), one] as const];
      }),
    );
    run(parsed, options);
  }
};

/** Compiles one state after the other with one memory, and each from scratch. */
function followed(): (state: ReadonlyMap<string, Parsed>, options: CompileOptions) => void {
  const memory = new CompileMemory();
  const next = moments();
  const hash = new CompiledHash();
  let before: Compiled | undefined;
  return (state, options) => {
    const remembered = finish(compileSteps(next(state), options, memory));
    const whole = compile([...state.values()], options);
    expect(finish(hash.update(remembered))).toEqual(finish(new CompiledHash().update(whole)));
    // As control does: whoever changed what is remembered would throw.
    deepFreeze({ ...remembered, verdicts: new Map(remembered.verdicts) });
    expect(shown(remembered)).toEqual(shown(whole));
    if (before !== undefined && remembered.changed !== undefined) expectTold(before, remembered, remembered.changed);
    before = { ...remembered, verdicts: new Map(remembered.verdicts) };
  };
}

/** Exactly what is another value is told to be. */
function expectTold(before: Compiled, after: Compiled, changed: ChangedParts): void {
  expect(new Set(differing(hostsOf(before), hostsOf(after)))).toEqual(changed.hosts);
  expect(new Set(differing(before.plugins, after.plugins))).toEqual(changed.plugins);
  for (const host of differing(before.certificates, after.certificates)) expect(changed.certificates).toContain(host);
  expect(new Set(differing(before.verdicts, after.verdicts))).toEqual(changed.verdicts);
}

const hostsOf = ({ table: { exact, wildcards, any } }: Compiled): ReadonlyMap<string, unknown> =>
  new Map([
    ...exact,
    ...[...wildcards].map(([suffix, host]) => [`*${suffix}`, host] as const),
    ...(any === undefined ? [] : [['*', any] as const]),
  ]);

const differing = <K>(a: ReadonlyMap<K, unknown>, b: ReadonlyMap<K, unknown>): readonly K[] =>
  [...new Set([...a.keys(), ...b.keys()])].filter((key) => a.get(key) !== b.get(key));

/** Everything that anybody sees of it, order where people see it. */
const shown = ({ table, plugins, certificates, verdicts }: Compiled): unknown => ({
  content: contentHash({ table, plugins, certificates }),
  verdicts: JSON.stringify([...verdicts].sort(([a], [b]) => (a < b ? -1 : 1))),
  table: JSON.stringify(describeTable(table)),
});

function agrees(
  store: Store,
  { all, age }: { readonly all: readonly CompileOptions[]; readonly age: { old: boolean } },
  steps: readonly (readonly Change[])[],
): void {
  const run = followed();
  let options = all[0] ?? OPTIONS;
  for (const changes of [[], ...steps]) {
    for (const change of changes) {
      if (change.kind === 'Options') options = all[change.at % all.length] ?? options;
      else if (change.kind === 'Age') age.old = !age.old;
      else store.change(change);
    }
    run(store.parsed(), options);
  }
}

/** Certificates for Routes of the worlds below, sound, broken, and one that time breaks. */
const TLS: readonly Raw[] = ['n', 'm'].flatMap((namespace) =>
  ['sound', 'broken', 'aging'].map((text) =>
    clusterSecret(`${namespace}/c`, { 'tls.crt': text, 'tls.key': 'key' }, { type: 'kubernetes.io/tls' }),
  ),
);

const clusterPoolArb: fc.Arbitrary<readonly Raw[]> = fc
  .tuple(
    fc.array(namespaceArb('n'), { minLength: 1, maxLength: 3 }),
    fc.array(namespaceArb('m'), { minLength: 1, maxLength: 3 }),
    fc.array(fc.oneof(grantArb('n'), grantArb('m')), { maxLength: 4 }),
    fc.array(fc.boolean(), { minLength: 30, maxLength: 30 }),
  )
  .map(([n, m, grants, tls]) => {
    const objects = [...n.flat(), ...m.flat()].map((raw, index) =>
      raw.kind === 'Route' && tls[index] === true && typeof raw.spec === 'object'
        ? { ...raw, spec: { ...raw.spec, tls: { secretRef: { name: 'c' } } } }
        : raw,
    );
    return [...objects, ...grants, ...TLS];
  });

/** `age`: certificates grow old without any object changing. */
function clusters(age: { old: boolean }): readonly CompileOptions[] {
  const certificateFault = (certificate: string): string | undefined =>
    certificate.includes('broken') || (age.old && certificate.includes('aging')) ? 'is broken' : undefined;
  return [
    clusterOptions({ certificateFault }),
    clusterOptions({ certificateFault, hostOwners: hostOwners('*.x=n', '*=n', 'c.y=m') }),
    clusterOptions({ certificateFault, incomplete: true }),
    clusterOptions({ certificateFault, manyNamespaces: false }),
  ];
}

describe('compiling with a memory of the runs before', () => {
  it('gives what compiling from scratch gives, files', () => {
    fc.assert(
      fc.property(fc.array(worldArb, { minLength: 1, maxLength: 3 }), stepsArb, (worlds, steps) => {
        const store = new Store(worlds.flat(), false);
        for (const raw of worlds[0] ?? []) store.set(idOf(raw), raw);
        const all: readonly CompileOptions[] = [OPTIONS, { ...OPTIONS, external: { scheme: 'http', port: 8080 } }];
        agrees(store, { all, age: { old: false } }, steps);
      }),
      { numRuns: runs },
    );
  }, 600_000);

  it('gives what compiling from scratch gives, cluster', () => {
    fc.assert(
      fc.property(clusterPoolArb, stepsArb, fc.nat({ max: 3 }), (pool, steps, first) => {
        const store = new Store(pool, true);
        for (const raw of pool.slice(0, pool.length / 2)) store.set(idOf(raw), raw);
        const age = { old: false };
        agrees(store, { all: clusters(age), age }, [[{ kind: 'Options', at: first }], ...steps]);
      }),
      { numRuns: runs },
    );
  }, 600_000);

  const s = service('n/s', 'http://one');
  const p = gate('n/p', { callback: '/cb' });
  const guarded = { serviceRef: { name: 's' }, plugins: [gateRef('p')] };
  const open = { serviceRef: { name: 's' }, access: 'Public' };
  const onA = route('n/r', ['a.x'], ['/a'], guarded);
  const stranger = route('n/u', ['a.x'], ['/cb'], open);
  const both = route('n/r', ['a.x'], ['/a'], { ...open, methods: ['GET', 'POST'] });
  const rules = { authorization: { rules: [{ name: 'members', groups: ['g'] }] } };

  it.each<[string, readonly (readonly Raw[])[]]>([
    [
      'what sessions keep for a new Route',
      [
        [s, p, onA],
        [s, p, onA, route('n/v', ['b.x'], ['/'], { ...guarded, ...rules })],
      ],
    ],
    [
      'a plugin that is denied everywhere, and then only there',
      [
        [s, p, onA, stranger],
        [s, p, onA, stranger, route('n/v', ['b.x'], ['/'], guarded)],
      ],
    ],
    [
      'why a plugin is denied',
      [
        [s, p, onA, stranger],
        [
          s,
          p,
          onA,
          gate('n/o', { callback: '/cb' }),
          route('n/q', ['a.x'], ['/q'], { ...guarded, plugins: [gateRef('o')] }),
        ],
      ],
    ],
    [
      'methods that another Route takes',
      [
        [s, both],
        [s, both, route('n/o', ['a.x'], ['/a'], { ...open, methods: ['GET'] })],
      ],
    ],
    [
      'a backend that becomes guarded',
      [
        [s, stranger],
        [s, stranger, p, route('n/v', ['b.x'], ['/'], guarded)],
      ],
    ],
  ])('follows %s', (_, states) => {
    story(states, OPTIONS, false);
  });

  it('follows a grant to a Service', () => {
    const floor = service('n/s', 'http://one', [{ ...gateRef('p'), namespace: 'm' }]);
    const there = [floor, gate('m/p')];
    story([there, [...there, grant('m', 'Service n', 'GatePlugin p')]], clusterOptions(), true);
  });
});
