import fc from 'fast-check';
import { object, type Raw, secret } from './support.ts';

/** Small alphabets, so that things meet. */
const NAMESPACES = ['n', 'm'];
const HOSTS = ['a.x', 'b.x', 'c.y', '*.x', '*.a.x', '*'];
const PATHS = ['/', '/a', '/a/b', '/A', '/cb', '/b'];
const PATTERNS = ['/.*', '/a/.*', '/[^/]+', '/a/(b|c)', '^/(a|b)(/.*)?$', '/cb', '/[a-c/]+'];
const METHODS = ['GET', 'POST', 'PUT'];
const SERVICES = ['s', 't'];
const PLUGINS = ['p', 'q'];
const KIND_NAMES = ['GatePlugin', 'LockPlugin'];
const URLS = ['http://one', 'http://two:81', 'http://localhost:80', 'http://127.0.0.1/base'];

const namespaceArb = fc.constantFrom(...NAMESPACES);
const maybe = <T>(arb: fc.Arbitrary<T>, weight = 1): fc.Arbitrary<T | undefined> =>
  fc.oneof({ weight: 3, arbitrary: fc.constant(undefined) }, { weight, arbitrary: arb });

const refArb = fc
  .record({ kind: fc.constantFrom(...KIND_NAMES, 'GatePlugin'), name: fc.constantFrom(...PLUGINS, 'p', 'none') })
  .chain((ref) => maybe(namespaceArb, 1).map((namespace) => (namespace === undefined ? ref : { ...ref, namespace })));
export const pathArb = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({ type: fc.constantFrom('Prefix', 'Prefix', 'Exact'), value: fc.constantFrom(...PATHS) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ type: fc.constant('RegularExpression'), value: fc.constantFrom(...PATTERNS) }),
  },
);
const rulesArb = fc.constantFrom('admins', 'users').map((group) => ({ rules: [{ name: 'members', groups: [group] }] }));

const without = (record: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> =>
  Object.fromEntries(Object.entries(record).filter(([, value]) => value !== undefined));

const guardArb = fc.oneof(
  { weight: 4, arbitrary: fc.constant({ access: 'Public' }) },
  { weight: 1, arbitrary: fc.constant({ access: 'Public', clientAuthorization: 'Pass' }) },
  {
    weight: 4,
    arbitrary: fc.record({ plugins: fc.array(refArb, { minLength: 1, maxLength: 2 }), authorization: maybe(rulesArb) }),
  },
  { weight: 2, arbitrary: fc.record({ authorization: maybe(rulesArb) }) },
);

const routeArb = fc
  .record({
    namespace: namespaceArb,
    name: fc.constantFrom('r', 'u', 'v', 'w', 'x', 'y'),
    hosts: fc.uniqueArray(fc.constantFrom(...HOSTS), { minLength: 1, maxLength: 2 }),
    paths: fc.uniqueArray(pathArb, { minLength: 1, maxLength: 2, selector: ({ type, value }) => type + value }),
    methods: maybe(fc.uniqueArray(fc.constantFrom(...METHODS), { minLength: 1, maxLength: 2 }), 2),
    headers: maybe(fc.constant([{ name: 'x-v', value: '1' }])),
    queryParams: maybe(fc.constant([{ name: 'v', value: '1' }])),
    clients: maybe(fc.constantFrom('10.0.0.0/8', '192.0.2.0/24').map((cidr) => ({ allow: [cidr] }))),
    stripPath: maybe(fc.constant(true)),
    service: fc.constantFrom(...SERVICES, 's', 'none'),
    guard: guardArb,
  })
  .map(({ namespace, name, service, guard, ...place }) =>
    object('Route', `${namespace}/${name}`, without({ ...place, serviceRef: { name: service }, ...guard })),
  );

/** References of a Service that speaks https to its upstream. */
export const tlsArb = fc.constantFrom(
  { caRef: { name: 'k' } },
  { clientCertRef: { name: 'k' } },
  { caRef: { name: 'none' } },
  { caRef: { name: 'k' }, clientCertRef: { name: 'k' }, serverName: 'one.x' },
);
export const withTls = (spec: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> =>
  spec['tls'] === undefined || typeof spec['url'] !== 'string'
    ? spec
    : { ...spec, url: spec['url'].replace('http:', 'https:') };

const serviceArb = fc
  .record({
    namespace: namespaceArb,
    name: fc.constantFrom(...SERVICES),
    url: fc.constantFrom(...URLS),
    plugins: maybe(fc.array(refArb, { minLength: 1, maxLength: 1 })),
    tls: maybe(tlsArb),
  })
  .map(({ namespace, name, ...spec }) => object('Service', `${namespace}/${name}`, withTls(without(spec))));

const pluginArb = fc
  .record({
    namespace: namespaceArb,
    name: fc.constantFrom(...PLUGINS),
    kind: fc.constantFrom(...KIND_NAMES),
    secretRef: maybe(fc.constant({ name: 'k', key: 'v' })),
    callback: maybe(fc.constantFrom('/cb', '/cb', '/a/cb', '/_oidc/p/callback'), 3),
  })
  .map(({ namespace, name, kind, ...spec }) => object(kind, `${namespace}/${name}`, without(spec)));

const PEM = '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----';
/** Of a Secret that is good for everything. */
export const KEYS = { v: 'hidden', 'ca.crt': PEM, 'tls.crt': PEM, 'tls.key': 'hidden' };
const secretArb = namespaceArb.map((namespace) => ({
  ...secret(`${namespace}/k`, KEYS),
  type: 'kubernetes.io/tls',
}));

export const idOf = ({ kind, metadata }: Raw): string => `${kind} ${metadata.namespace}/${metadata.name}`;

/** So that most references lead somewhere, in half of the worlds. */
const BASE: readonly Raw[] = NAMESPACES.flatMap((namespace) => [
  object('Service', `${namespace}/s`, { url: 'http://one' }),
  object('GatePlugin', `${namespace}/p`, {}),
]);

/** Everything from a handful of objects to a crowd, mostly of use to each other; no two of one name. */
export const worldArb: fc.Arbitrary<readonly Raw[]> = fc
  .tuple(
    fc.constantFrom([], BASE),
    fc.array(routeArb, { minLength: 1, maxLength: 8 }),
    fc.array(serviceArb, { minLength: 1, maxLength: 4 }),
    fc.array(pluginArb, { maxLength: 5 }),
    fc.array(secretArb, { maxLength: 2 }),
  )
  .map((parts) => {
    const objects = new Map<string, Raw>();
    for (const one of parts.flat()) objects.set(idOf(one), one);
    return [...objects.values()];
  });

/** What stands in the place of a value that somebody broke. None of it is a valid host, path or name of these worlds. */
const GARBAGE: readonly unknown[] = [
  null,
  true,
  7,
  -1.5,
  '',
  ' ',
  'No Such!',
  '/%zz',
  '/../a',
  'https://a.x/',
  [],
  {},
  [null],
  [[]],
  { type: 'Prefix' },
  { type: 'RegularExpression', value: '/(a' },
  { type: 'RegularExpression', value: '/other' },
  { nme: 's' },
  'Private',
  'x'.repeat(5000),
];

export interface Mutation {
  /** Picks the place, modulo how many there are. */
  readonly at: number;
  readonly how: 'delete' | 'replace' | 'misspell' | 'insert' | 'append' | 'contradict' | 'tail';
  readonly what: number;
}

export const mutationArb: fc.Arbitrary<Mutation> = fc.record({
  at: fc.nat({ max: 1000 }),
  how: fc.constantFrom('delete', 'replace', 'misspell', 'insert', 'append', 'contradict', 'tail'),
  what: fc.nat({ max: 1000 }),
});

type Step = string | number;

/** One change at one place of an object: whatever a hand, an editor or a pruning server may do to it. */
export function mutate(raw: Raw, { at, how, what }: Mutation): unknown {
  const copy: unknown = structuredClone(raw);
  const places = [...placesOf(raw, [])].filter(([top, below]) => mutable(top, below));
  const place = places[at % places.length];
  if (place === undefined) return copy;
  const garbage = structuredClone(GARBAGE[what % GARBAGE.length]);
  const step = place.at(-1);
  const parent = follow(copy, place.slice(0, -1));
  if (step === undefined || typeof parent !== 'object' || parent === null) return copy;
  const value: unknown = Reflect.get(parent, step);
  switch (how) {
    case 'delete':
      if (Array.isArray(parent)) parent.splice(Number(step), 1);
      else Reflect.deleteProperty(parent, step);
      break;
    case 'replace':
      Reflect.set(parent, step, garbage);
      break;
    case 'misspell':
      if (Array.isArray(parent)) break;
      Reflect.deleteProperty(parent, step);
      Reflect.set(parent, `${step}x`, value);
      break;
    case 'insert':
      if (Array.isArray(value)) value.splice(what % (value.length + 1), 0, garbage);
      else if (typeof value === 'object' && value !== null) Reflect.set(value, 'unknown', garbage);
      break;
    case 'append':
      if (Array.isArray(value) && value.length > 0) value.push(structuredClone(value[0]));
      break;
    case 'contradict': {
      const spec: unknown = follow(copy, ['spec']);
      if (typeof spec !== 'object' || spec === null) break;
      const more: readonly (readonly [string, unknown])[] = [
        ['access', 'Public'],
        ['plugins', [{ kind: 'GatePlugin', name: 'p' }]],
        ['backendRef', { name: 's', port: 80 }],
        ['authorization', { rules: [] }],
        ['authorization', { rules: [{ name: 'r', claims: [{ path: '"', anyOf: ['x'] }] }] }],
      ];
      const [name, extra] = more[what % more.length] ?? ['access', 'Public'];
      if (Reflect.get(spec, name) === undefined) Reflect.set(spec, name, extra);
      break;
    }
    case 'tail':
      if (typeof value === 'string') Reflect.set(parent, step, `${value}~!`);
      break;
  }
  return copy;
}

function* placesOf(value: unknown, at: readonly Step[]): Generator<readonly Step[]> {
  if (at.length > 0) yield at;
  if (Array.isArray(value)) for (const [index, member] of value.entries()) yield* placesOf(member, [...at, index]);
  else if (typeof value === 'object' && value !== null) {
    for (const [key, member] of Object.entries(value)) yield* placesOf(member, [...at, key]);
  }
}

/** Not what makes it another object, or none: apiVersion, kind, namespace. */
const mutable = (top: Step | undefined, below: Step | undefined): boolean =>
  top === 'spec' || top === 'stringData' || (top === 'metadata' && below === 'name');

function follow(value: unknown, path: readonly Step[]): unknown {
  let at = value;
  for (const step of path) at = typeof at === 'object' && at !== null ? Reflect.get(at, step) : undefined;
  return at;
}

/** A few objects are broken to begin with, and a few are there twice. */
export const troubledWorldArb: fc.Arbitrary<readonly unknown[]> = fc
  .tuple(
    worldArb,
    fc.array(fc.tuple(fc.nat({ max: 20 }), mutationArb), { maxLength: 2 }),
    fc.option(fc.nat({ max: 20 })),
  )
  .map(([world, mutations, twice]): readonly unknown[] => {
    const values: unknown[] = [...world];
    for (const [index, mutation] of mutations) {
      const at = index % world.length;
      const raw = world[at];
      if (raw !== undefined) values[at] = mutate(raw, mutation);
    }
    const doubled = twice === null ? undefined : world[twice % world.length];
    if (doubled !== undefined && twice !== null && twice > 14) values.push({ ...doubled, spec: world[0]?.spec });
    return values;
  });

export const isRaw = (value: unknown): value is Raw =>
  typeof value === 'object' && value !== null && 'metadata' in value;
