import fc from 'fast-check';
import { clusterSecret, coreService, grant, onDay } from './cluster.ts';
import { object, type Raw } from './support.ts';
import { KEYS, mutate, mutationArb, pathArb, tlsArb, withTls } from './worlds.ts';

/** Small alphabets, so that namespaces meet on hosts, names and URLs. */
const HOSTS = ['a.x', 'b.x', 'c.y', '*.x', '*.a.x', '*'];
const URLS = ['http://one', 'http://two:81', 'http://10.0.0.1', 'http://localhost'];
const NAMESPACES = ['n', 'm'];

const maybe = <T>(arb: fc.Arbitrary<T>, weight = 1): fc.Arbitrary<T | undefined> =>
  fc.oneof({ weight: 3, arbitrary: fc.constant(undefined) }, { weight, arbitrary: arb });
const without = (record: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> =>
  Object.fromEntries(Object.entries(record).filter(([, value]) => value !== undefined));
const elsewhere = maybe(fc.constantFrom(...NAMESPACES), 2);

const refArb = fc
  .record({
    kind: fc.constantFrom('GatePlugin', 'GatePlugin', 'LockPlugin'),
    name: fc.constantFrom('p', 'p', 'q'),
    namespace: elsewhere,
  })
  .map(without);
const guardArb = fc.oneof(
  { weight: 5, arbitrary: fc.constant({ access: 'Public' }) },
  { weight: 1, arbitrary: fc.constant({ access: 'Public', clientAuthorization: 'Pass' }) },
  { weight: 4, arbitrary: fc.record({ plugins: fc.array(refArb, { minLength: 1, maxLength: 1 }) }) },
  { weight: 1, arbitrary: fc.constant({}) },
);

/** `hosts` and `days`: what the Routes of a namespace name, and when they were made. */
export interface Habits {
  readonly hosts: readonly string[];
  readonly days: readonly [number, number];
}
export const ANY_HABITS: Habits = { hosts: HOSTS, days: [1, 9] };

const routeArb = (namespace: string, { hosts, days: [first, last] }: Habits): fc.Arbitrary<Raw> =>
  fc
    .record({
      name: fc.constantFrom('r', 'u', 'v', 'w'),
      day: fc.integer({ min: first, max: last }),
      hosts: fc.uniqueArray(fc.constantFrom(...hosts), { minLength: 1, maxLength: 2 }),
      paths: fc.uniqueArray(pathArb, { minLength: 1, maxLength: 2, selector: ({ type, value }) => type + value }),
      methods: maybe(fc.constantFrom(['GET'], ['POST'])),
      serviceRef: fc.record({ name: fc.constantFrom('s', 's', 't'), namespace: elsewhere }).map(without),
      guard: guardArb,
    })
    .map(({ name, day, guard, ...place }) =>
      onDay(day, object('Route', `${namespace}/${name}`, without({ ...place, ...guard }))),
    );

const serviceArb = (namespace: string): fc.Arbitrary<Raw> =>
  fc
    .record({
      name: fc.constantFrom('s', 't'),
      backend: fc.oneof(
        fc.constantFrom(...URLS).map((url) => ({ url })),
        fc.constantFrom(80, 81).map((port) => ({ backendRef: { name: 'core', port } })),
      ),
      plugins: maybe(fc.array(refArb, { minLength: 1, maxLength: 1 })),
      tls: maybe(tlsArb),
    })
    .map(({ name, backend, plugins, tls }) => {
      const protocol = tls === undefined || 'url' in backend ? undefined : 'https';
      return object('Service', `${namespace}/${name}`, withTls(without({ ...backend, protocol, plugins, tls })));
    });

const pluginArb = (namespace: string): fc.Arbitrary<Raw> =>
  fc
    .record({
      name: fc.constantFrom('p', 'q'),
      kind: fc.constantFrom('GatePlugin', 'LockPlugin'),
      secretRef: maybe(fc.constant({ name: 'k', key: 'v' })),
      callback: maybe(fc.constantFrom('/cb', '/a/cb')),
    })
    .map(({ name, kind, ...spec }) => object(kind, `${namespace}/${name}`, without(spec)));

const othersArb = (namespace: string): fc.Arbitrary<Raw> =>
  fc.oneof(
    fc
      .constantFrom({ ports: [{ port: 80 }] }, { ports: [{ port: 80 }, { port: 81 }] }, { type: 'ExternalName' })
      .map((spec) => coreService(`${namespace}/core`, spec)),
    fc.boolean().map((labelled) => clusterSecret(`${namespace}/k`, KEYS, { labelled, type: 'kubernetes.io/tls' })),
  );

/** What `namespace` lets the others refer to. */
export const grantArb = (namespace: string): fc.Arbitrary<Raw> =>
  fc
    .tuple(
      fc.constantFrom(...NAMESPACES.filter((other) => other !== namespace)),
      fc.constantFrom('Route', 'Service'),
      fc.constantFrom('Service', 'Service s', 'GatePlugin', 'GatePlugin p', 'LockPlugin'),
    )
    .map(([other, kind, to]) => grant(namespace, `${kind} ${other}`, to));

const BASE = (namespace: string): readonly Raw[] => [
  object('Service', `${namespace}/s`, { url: 'http://one' }),
  object('GatePlugin', `${namespace}/p`, {}),
];

const idOf = ({ kind, apiVersion, metadata }: Raw): string =>
  `${apiVersion} ${kind} ${metadata.namespace}/${metadata.name}`;

/** All that one namespace applied, no two of one name. */
export const namespaceArb = (namespace: string, habits = ANY_HABITS): fc.Arbitrary<readonly Raw[]> =>
  fc
    .tuple(
      fc.constantFrom([], BASE(namespace)),
      fc.array(routeArb(namespace, habits), { minLength: 1, maxLength: 4 }),
      fc.array(serviceArb(namespace), { maxLength: 2 }),
      fc.array(pluginArb(namespace), { maxLength: 2 }),
      fc.array(othersArb(namespace), { maxLength: 2 }),
    )
    .map((parts) => [...new Map(parts.flat().map((one) => [idOf(one), one])).values()]);

/** The same with some of it broken. */
export const troubled = (objects: fc.Arbitrary<readonly Raw[]>): fc.Arbitrary<readonly unknown[]> =>
  fc
    .tuple(objects, fc.array(fc.tuple(fc.nat({ max: 20 }), mutationArb), { maxLength: 3 }))
    .map(([world, mutations]): readonly unknown[] => {
      const values: unknown[] = [...world];
      for (const [index, mutation] of mutations) {
        const at = index % world.length;
        const raw = world[at];
        if (raw !== undefined) values[at] = mutate(raw, mutation);
      }
      return values;
    });
