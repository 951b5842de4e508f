import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { contentHash } from '../../src/control/content-hash.ts';
import { deepFreeze } from '../../src/control/freeze.ts';
import type { Parsed } from '../../src/resources/resource.ts';
import { CompileMemory, compile, compileSteps } from '../../src/routing/compile.ts';
import { describeTable } from '../../src/routing/describe.ts';
import type { CompileOptions } from '../../src/routing/options.ts';
import type { Compiled } from '../../src/routing/snapshot.ts';
import { finish } from '../../src/routing/steps.ts';
import { clusterOptions, clusterSecret, grant, holding, hostOwners } from './cluster.ts';
import { grantArb, namespaceArb } from './cluster-worlds.ts';
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

  parsed(): readonly Parsed[] {
    return [...this.#held.values()].flatMap(({ parsed }) => parsed ?? []);
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
  const memory = new CompileMemory();
  for (const state of [...states, ...states.toReversed()]) {
    const parsed = state.flatMap((raw) => parse(raw) ?? []);
    const remembered = finish(compileSteps(parsed, options, memory));
    deepFreeze(remembered);
    expect(shown(remembered)).toEqual(shown(compile(parsed, options)));
  }
};

/** Everything that anybody sees of it, order where people see it. */
const shown = (compiled: Compiled): unknown => ({
  content: contentHash({ ...compiled }),
  verdicts: JSON.stringify([...compiled.verdicts]),
  table: JSON.stringify(describeTable(compiled.table)),
});

function agrees(
  store: Store,
  { all, age }: { readonly all: readonly CompileOptions[]; readonly age: { old: boolean } },
  steps: readonly (readonly Change[])[],
): void {
  const memory = new CompileMemory();
  let options = all[0] ?? OPTIONS;
  for (const changes of [[], ...steps]) {
    for (const change of changes) {
      if (change.kind === 'Options') options = all[change.at % all.length] ?? options;
      else if (change.kind === 'Age') age.old = !age.old;
      else store.change(change);
    }
    const parsed = store.parsed();
    const remembered = finish(compileSteps(parsed, options, memory));
    // As control does: whoever changed what is remembered would throw.
    deepFreeze(remembered);
    expect(shown(remembered)).toEqual(shown(compile(parsed, options)));
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
