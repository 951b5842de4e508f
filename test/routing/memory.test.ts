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
import { clusterOptions, clusterSecret, grant, holding, hostOwners, onDay } from './cluster.ts';
import { grantArb, namespaceArb } from './cluster-worlds.ts';
import { moments } from './moments.ts';
import { gate, gateRef, OPTIONS, parseOne, type Raw, route, service } from './support.ts';
import { isRaw, type Mutation, mutate, mutationArb, worldArb } from './worlds.ts';

const runs = Number(process.env['MEMORY_RUNS'] ?? 1200);

/** What happens between two runs, in indices modulo what there is. */
type Change =
  | { readonly kind: 'Put' | 'Take' | 'ReadAgain' | 'Double' | 'Leave'; readonly at: number }
  | { readonly kind: 'Break'; readonly at: number; readonly mutation: Mutation }
  /** Somebody wrote a status. */
  | { readonly kind: 'Hold'; readonly at: number; readonly hosts: readonly string[] }
  /** One id of the source has an object of another name now, as a file that somebody edits. */
  | { readonly kind: 'Rename'; readonly at: number; readonly name: string }
  | { readonly kind: 'Options'; readonly at: number }
  /** A run that doesn't come to its end, after so many steps. */
  | { readonly kind: 'GiveUp'; readonly at: number }
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
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('Leave'), at }) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('Rename'), at, name: fc.constantFrom('r', 'u', 's', 'p', 'c') }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('GiveUp'), at: fc.nat({ max: 60 }) }) },
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

  change(change: Exclude<Change, { kind: 'Options' | 'Age' | 'GiveUp' }>): void {
    const pick = this.#pool[change.at % this.#pool.length];
    const ids = [...this.#held.keys()];
    const id = ids[change.at % Math.max(1, ids.length)];
    const held = id === undefined ? undefined : this.#held.get(id);
    if (change.kind === 'Put' && pick !== undefined) this.set(idOf(pick), pick);
    else if (id === undefined || held === undefined) return;
    else if (change.kind === 'Take') this.#held.delete(id);
    else if (change.kind === 'ReadAgain') this.set(id, structuredClone(held.value));
    else if (change.kind === 'Leave' && isRaw(held.value)) this.set(id, { ...held.value, apiVersion: 'elsewhere/v1' });
    else if (change.kind === 'Rename' && isRaw(held.value))
      this.set(id, { ...held.value, metadata: { ...held.value.metadata, name: change.name } });
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

/** Compiles one state after the other with one memory, and each from scratch. `giveUp`: only so many steps of it. */
function followed(): (state: ReadonlyMap<string, Parsed>, options: CompileOptions, giveUp?: number) => void {
  const memory = new CompileMemory();
  const next = moments();
  const hash = new CompiledHash();
  let before: Compiled | undefined;
  return (state, options, giveUp) => {
    const steps = compileSteps(next(state), options, memory);
    for (let left = giveUp ?? 0; left > 0; left--) if (steps.next().done === true) break;
    if (giveUp !== undefined) {
      before = undefined;
      return;
    }
    const remembered = finish(steps);
    const whole = compile([...state.values()], options);
    const told = before === undefined ? { ...remembered, changed: undefined } : remembered;
    expect(finish(hash.update(told))).toEqual(finish(new CompiledHash().update(whole)));
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
      else if (change.kind === 'GiveUp') run(store.parsed(), options, change.at);
      else store.change(change);
    }
    run(store.parsed(), options);
  }
}

/** Certificates for Routes of the worlds below, sound, broken, and one that time breaks. */
const TLS: readonly Raw[] = ['n', 'm'].flatMap((namespace) =>
  ['c', 'd'].flatMap((name) =>
    ['sound', 'broken', 'aging'].map((text) =>
      clusterSecret(`${namespace}/${name}`, { 'tls.crt': text, 'tls.key': 'key' }, { type: 'kubernetes.io/tls' }),
    ),
  ),
);

/** Routes of which a namespace has no room for three: 17,408 places on each host. */
const wideArb: fc.Arbitrary<Raw> = fc
  .record({
    namespace: fc.constantFrom('n', 'm'),
    name: fc.constantFrom('r', 'wide', 'wider', 'widest'),
    day: fc.integer({ min: 1, max: 9 }),
    hosts: fc.uniqueArray(fc.constantFrom('a.x', 'b.x', 'c.y', '*.x'), { minLength: 1, maxLength: 2 }),
    guard: fc.constantFrom({ access: 'Public' }, { plugins: [gateRef('p')] }),
  })
  .map(({ namespace, name, day, hosts, guard }) =>
    onDay(day, route(`${namespace}/${name}`, hosts, WIDE.paths, { ...WIDE.spec, ...guard })),
  );

const WIDE = {
  paths: ['/a', '/cb', ...Array.from({ length: 62 }, (_, at) => `/w${at}`)],
  spec: {
    serviceRef: { name: 's' },
    methods:
      'GET HEAD POST PUT DELETE PATCH OPTIONS COPY LOCK MOVE MKCOL PROPFIND PROPPATCH REPORT SEARCH UNLOCK'.split(' '),
    headers: Array.from({ length: 16 }, (_, at) => ({ name: `x-${at}`, value: '1' })),
  },
};

const clusterPoolArb: fc.Arbitrary<readonly Raw[]> = fc
  .tuple(
    fc.array(namespaceArb('n'), { minLength: 1, maxLength: 3 }),
    fc.array(namespaceArb('m'), { minLength: 1, maxLength: 3 }),
    fc.array(fc.oneof(grantArb('n'), grantArb('m')), { maxLength: 4 }),
    fc.array(fc.constantFrom(undefined, undefined, 'c', 'd'), { minLength: 30, maxLength: 30 }),
    fc.oneof(
      { weight: 3, arbitrary: fc.constant([]) },
      { weight: 1, arbitrary: fc.array(wideArb, { minLength: 3, maxLength: 6 }) },
    ),
  )
  .map(([n, m, grants, tls, wide]) => {
    const objects = [...n.flat(), ...m.flat()].map((raw, index) =>
      raw.kind === 'Route' && tls[index] !== undefined && typeof raw.spec === 'object'
        ? { ...raw, spec: { ...raw.spec, tls: { secretRef: { name: tls[index] } } } }
        : raw,
    );
    return [...wide, ...objects, ...grants, ...TLS];
  });

/** `age`: certificates grow old without any object changing. */
function clusters(age: { old: boolean }): readonly CompileOptions[] {
  const certificateFault = (certificate: string): string | undefined =>
    certificate.includes('broken') || (age.old && certificate.includes('aging')) ? 'is broken' : undefined;
  return [
    clusterOptions({ certificateFault }),
    clusterOptions({ certificateFault, hostOwners: hostOwners('*.x=n', '*=n', 'c.y=m') }),
    clusterOptions({ certificateFault, hostOwners: hostOwners('a.x=m', '*.a.x=n', 'deep.a.x=m', 'other.z=n', '*=m') }),
    clusterOptions({ certificateFault, incomplete: true }),
    clusterOptions({ certificateFault, incomplete: true, hostOwners: hostOwners('*.x=n', 'b.x=m') }),
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
      fc.property(clusterPoolArb, stepsArb, fc.nat({ max: 5 }), (pool, steps, first) => {
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
  const onB = route('n/v', ['b.x'], ['/'], guarded);
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
      'a plugin that is denied nowhere any more',
      [
        [s, p, onA],
        [s, p, onA, stranger],
      ],
    ],
    [
      'a plugin that is denied on the only host that is left to it',
      [
        [s, p, onA, stranger, onB],
        [s, p, onA, stranger, onB, route('n/a', ['b.x'], ['/'], open)],
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

  it('F12 does little where one of many Routes with one certificate or one plugin is another', () => {
    const counted = (spec: object): number => {
      const routes = Array.from({ length: 2000 }, (_, i) => route(`n/r${i}`, [`h${i}.x`], ['/'], { ...spec }));
      const tls = clusterSecret('n/c', { 'tls.crt': 'sound', 'tls.key': 'key' }, { type: 'kubernetes.io/tls' });
      const [memory, next, options] = [new CompileMemory(), moments(), clusterOptions()];
      const state = new Map<string, Parsed>();
      for (const raw of [s, p, tls, ...routes]) {
        const one = parseOne(raw, true);
        if (one !== undefined) state.set(idOf(raw), one);
      }
      finish(compileSteps(next(state), options, memory));
      const changed = route('n/r7', ['h7.x'], ['/'], { ...spec, timeouts: { response: '3s' } });
      const one = parseOne(changed, true);
      if (one !== undefined) state.set(idOf(changed), one);
      return [...compileSteps(next(state), options, memory)].length;
    };
    const few = counted(open);
    expect(counted({ ...open, tls: { secretRef: { name: 'c' } } })).toBeLessThan(few + 20);
    expect(counted(guarded)).toBeLessThan(few + 20);
  });

  it('F12 takes what a plugin or a Service of thousands of hosts changes in many steps', () => {
    const numbers = Array.from({ length: 1024 }, (_, i) => i);
    const state = new Map<string, Parsed>();
    const put = (raw: Raw) => {
      const one = parseOne(raw, true);
      if (one !== undefined) state.set(idOf(raw), one);
    };
    const [memory, next, options] = [new CompileMemory(), moments(), clusterOptions()];
    const steps = () => [...compileSteps(next(state), options, memory)].length;
    put(p);
    for (const i of numbers) {
      put(service(`n/s${i}`, `http://one${i}`));
      put(route(`n/r${i}`, [`h${i}.x`], ['/'], { ...guarded, serviceRef: { name: `s${i}` } }));
    }
    steps();
    // Of 64 guards, and then of 64 Services, one, to find who is guarded.
    put(service('n/s7', 'http://other'));
    expect(steps()).toBeGreaterThan((3 * numbers.length) / 64);
    // For each host one to see what sessions keep, and one to see what became of its Routes.
    put(gate('n/p', { nope: true }));
    expect(steps()).toBeGreaterThan(2 * numbers.length);
  });

  it('F12 looks in many steps at a plugin that thousands of Routes use and that one host denies', () => {
    const routes = Array.from({ length: 3000 }, (_, i) => route(`n/r${i}`, [`h${i}.x`], ['/'], guarded));
    const state = new Map<string, Parsed>();
    const put = (raw: Raw) => {
      const one = parseOne(raw, true);
      if (one !== undefined) state.set(idOf(raw), one);
    };
    for (const raw of [s, p, ...routes]) put(raw);
    const [memory, next] = [new CompileMemory(), moments()];
    finish(compileSteps(next(state), OPTIONS, memory));
    put(route('n/other', ['h5.x'], ['/cb'], open));
    expect([...compileSteps(next(state), OPTIONS, memory)].length).toBeGreaterThan(3000 / 64);
  });

  it('follows a Route that has a place again, and with it a certificate to show', () => {
    const secret = clusterSecret('n/c', { 'tls.crt': 'sound', 'tls.key': 'key' }, { type: 'kubernetes.io/tls' });
    const shows = onDay(2, route('n/r', ['a.x'], ['/a'], { ...open, tls: { secretRef: { name: 'c' } } }));
    const there = [s, secret, shows];
    story([there, [...there, onDay(1, route('n/o', ['a.x'], ['/a'], open))]], clusterOptions(), true);
  });

  it('F14 begins anew where a run was given up, also if that is tried again', () => {
    const [memory, next] = [new CompileMemory(), moments()];
    const state = new Map<string, Parsed>();
    const put = (raw: Raw) => {
      const one = parseOne(raw, false);
      if (one !== undefined) state.set(idOf(raw), one);
    };
    for (const raw of [s, p, onA]) put(raw);
    finish(compileSteps(next(state), OPTIONS, memory));
    put(gate('n/p', { nope: true }));
    const objects = next(state);
    const given = compileSteps(objects, OPTIONS, memory);
    for (let left = 4; left > 0; left--) expect(given.next().done).toBe(false);
    const again = finish(compileSteps(objects, OPTIONS, memory));
    expect(shown(again)).toEqual(shown(compile([...state.values()], OPTIONS)));
    expect(again.changed).toBeUndefined();
  });

  it('follows a host that is kept for nobody any more', () => {
    const options = clusterOptions({ hostOwners: hostOwners('a.x=n', '*=n') });
    story([[s], [s, route('n/r', ['*'], ['/'], open)]], options, true);
  });

  it('follows a Route for which there is room again', () => {
    const wide = ['a.x', 'b.x', 'c.y'].map((host, at) =>
      onDay(at + 1, route(`n/${at}`, [host], WIDE.paths, { ...WIDE.spec, access: 'Public' })),
    );
    story(
      [
        [s, ...wide],
        [s, ...wide.slice(1)],
      ],
      clusterOptions(),
      true,
    );
  });

  it('follows a grant to a Service', () => {
    const floor = service('n/s', 'http://one', [{ ...gateRef('p'), namespace: 'm' }]);
    const there = [floor, gate('m/p')];
    story([there, [...there, grant('m', 'Service n', 'GatePlugin p')]], clusterOptions(), true);
  });
});
