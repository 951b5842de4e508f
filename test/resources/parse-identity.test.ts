import { describe, expect, it } from 'vitest';
import { type ParseOptions, parseObject } from '../../src/resources/parse.ts';
import { claimOf, type Json, parse, parsed, plugin, problems, route, secret, service, unreadable } from './objects.ts';

const CLUSTER: ParseOptions = { class: 'postern', defaultNamespace: undefined, fallbackName: '(unnamed)' };
const FOREIGN = { kind: 'Foreign' };
const without = (object: Json, ...fields: string[]): Json =>
  Object.fromEntries(Object.entries(object).filter(([key]) => !fields.includes(key)));

describe('what is ours', () => {
  it('objects of our group, and core Secrets', () => {
    for (const object of [route(), service(), plugin(), secret()]) expect(parse(object)).toMatchObject({ ok: true });
  });

  it('keys, names and plugin kinds', () => {
    expect(parse(route())).toMatchObject({ value: { key: 'Route/shop/orders', name: 'shop/orders', kind: 'Route' } });
    expect(parse(plugin())).toMatchObject({
      value: {
        key: 'LoginPlugin/shop/okta',
        kind: 'Plugin',
        pluginKind: 'LoginPlugin',
        spec: { issuer: 'https://idp.example' },
      },
    });
  });

  it.each<[string, unknown]>([
    ['another group', { apiVersion: 'apps/v1', kind: 'Deployment' }],
    ['a core Service', { apiVersion: 'v1', kind: 'Service', metadata: { name: 'x' } }],
    ['a Route of OpenShift', { apiVersion: 'route.openshift.io/v1', kind: 'Route', metadata: 5 }],
    ['nothing', null],
    ['an object of another class', route({ class: 'other' })],
    ['of another class, and wrong', route({ class: 'other', hosts: 5 })],
    ['of another class and unknown kind', { ...route({ class: 'other' }), kind: 'Rooute' }],
  ])('%s is not', (_, object) => {
    expect(parse(object)).toEqual(FOREIGN);
  });

  it('an installation of another class sees its own only', () => {
    const options = { ...CLUSTER, class: 'other' };
    expect(parse(route({ class: 'other' }), options)).toMatchObject({ ok: true });
    expect(parse(route(), options)).toEqual(FOREIGN);
    expect(parse(without(route(), 'spec'), options)).toEqual(FOREIGN);
    expect(parse(secret(), options)).toMatchObject({ ok: true });
  });

  it.each<unknown>([5, null, '', 'Other', 'a b', ['other'], {}, '-'])(
    'a class that can’t be read makes the object ours and wrong, never unseen: %j',
    (name) => {
      expect(parse(route({ class: name }))).toMatchObject({ ok: false, claim: { kind: 'Route' } });
    },
  );
});

describe('what can’t be told apart', () => {
  it.each<[unknown, string]>([
    ['text', ' is no object; write apiVersion, kind, metadata and spec'],
    [[route()], ' is no object; write apiVersion, kind, metadata and spec'],
    [5, ' is no object; write apiVersion, kind, metadata and spec'],
    [without(route(), 'apiVersion'), 'apiVersion is missing or no text; write postern.dev/v1alpha1'],
    [route({}, { apiVersion: 1 }), 'apiVersion is missing or no text; write postern.dev/v1alpha1'],
    [route({}, { apiVersion: 'postern.dev' }), 'apiVersion is no version of postern.dev; write postern.dev/v1alpha1'],
    [
      route({}, { apiVersion: 'postren.dev/v1alpha1' }),
      'apiVersion is no version of postern.dev; write postern.dev/v1alpha1',
    ],
    [
      route({}, { apiVersion: 'Postern.dev/v1alpha1' }),
      'apiVersion is no version of postern.dev; write postern.dev/v1alpha1',
    ],
    [route({}, { apiVersion: 'v1' }), 'apiVersion there is no Route in v1; write postern.dev/v1alpha1'],
    [plugin(undefined, { apiVersion: 'v1' }), 'apiVersion there is no LoginPlugin in v1; write postern.dev/v1alpha1'],
    [{ apiVersion: 'v1', kind: 'List', items: [] }, 'kind is a List; write its items as documents of their own'],
    [{ apiVersion: 'v1', kind: 5 }, 'kind is missing or no text; a Secret is of kind Secret'],
    [without(route(), 'kind'), 'kind must be Service, Route, LoginPlugin'],
    [route({}, { kind: ['Route'] }), 'kind must be Service, Route, LoginPlugin'],
    [route({}, { kind: 'route' }), 'kind is no kind of postern.dev; did you mean Route?'],
    [route({}, { kind: 'Ruote' }), 'kind is no kind of postern.dev; did you mean Route?'],
    [route({}, { kind: 'Gateway' }), 'kind is no kind of postern.dev; there are Service, Route, LoginPlugin'],
    [route({}, { kind: 'Secret' }), 'kind is no kind of postern.dev; there are Service, Route, LoginPlugin'],
    [route({}, { kind: '__proto__' }), 'kind is no kind of postern.dev; there are Service, Route, LoginPlugin'],
    [route({}, { metadata: 'shop/orders' }), 'metadata must be an object with name and namespace'],
    [route({}, { metadata: null }), 'metadata must be an object with name and namespace'],
  ])('%j', (object, message) => {
    expect(unreadable(object)).toBe(message);
  });

  it.each<unknown>([5, null, '', 'Shop', 'a.b', '../shop', 'a/b', 'a b', ['shop'], 'x'.repeat(64), 'shop\n'])(
    'A173 a namespace that is none: %j',
    (namespace) => {
      expect(unreadable(route({}, { metadata: { name: 'orders', namespace } }))).toBe(
        'metadata.namespace must be the name of a namespace: a-z, 0-9 and -, at most 63 characters',
      );
    },
  );

  it('no namespace is the default one in files, and unreadable from a server', () => {
    const object = route({}, { metadata: { name: 'orders' } });
    expect(parsed(object)).toMatchObject({ ok: true, value: { name: 'default/orders' } });
    expect(unreadable(object, CLUSTER)).toMatch(/^metadata.namespace /);
  });
});

describe('an absent namespace that was meant otherwise', () => {
  it.each<[Json, string]>([
    [without(route(), 'metadata'), 'metadata says neither name nor namespace; write at least name'],
    [route({}, { metadata: {} }), 'metadata says neither name nor namespace; write at least name'],
    [route({}, { metadata: { name: 5 } }), 'metadata says neither name nor namespace; write at least name'],
    [
      route({}, { metadata: { name: 'orders', namespac: 'shop' } }),
      'metadata.namespac is no field here; did you mean namespace?',
    ],
    [
      route({}, { metadata: { name: 'orders', Namespace: 'shop' } }),
      'metadata.Namespace is no field here; did you mean namespace?',
    ],
    [
      route({}, { metadata: { name: 'orders' }, namespace: 'shop' }),
      'namespace belongs below metadata; indent it as name is',
    ],
  ])('%j', (object, message) => {
    expect(unreadable(object)).toBe(message);
  });
});

describe('metadata', () => {
  const metadata = {
    name: 'orders',
    namespace: 'shop',
    uid: 'b7c1-u',
    generation: 3,
    creationTimestamp: '2026-01-02T03:04:05Z',
    labels: { a: 'b' },
    aFieldOfTomorrow: true,
  };

  it('is taken from a server, and not believed in files', () => {
    expect(parse(route({}, { metadata }), CLUSTER)).toMatchObject({
      ok: true,
      value: { meta: { uid: 'b7c1-u', generation: 3, creationTimestamp: '2026-01-02T03:04:05Z' } },
    });
    expect(parse(route({}, { metadata }))).toMatchObject({
      ok: true,
      value: { meta: { uid: undefined, generation: undefined, creationTimestamp: undefined } },
    });
  });

  it('what has no sense counts as absent', () => {
    const odd = { ...metadata, uid: 5, generation: 1.5, creationTimestamp: 'yesterday' };
    expect(parse(route({}, { metadata: odd }), CLUSTER)).toMatchObject({
      value: { meta: { uid: undefined, generation: undefined, creationTimestamp: undefined } },
    });
  });

  it.each<unknown>([undefined, 5, '', 'Orders', '../other/secret', 'a/b', 'a..b', 'x'.repeat(254), '-a'])(
    'A173 a name that is none still closes its place: %j',
    (name) => {
      const object = route({}, { metadata: { name, namespace: 'shop' } });
      expect(problems(object)).toEqual([
        'metadata.name must be the name of the object: a-z, 0-9, - and ., at most 253 characters',
      ]);
      expect(parse(object, { ...CLUSTER, fallbackName: '(routes.yaml:3)' })).toMatchObject({
        ok: false,
        key: 'Route/shop/(routes.yaml:3)',
      });
      expect(claimOf(object)).toMatchObject({ hosts: { known: ['shop.example.com'], complete: true } });
    },
  );
});

describe('the object around spec', () => {
  it('another version closes its place', () => {
    expect(problems(route({}, { apiVersion: 'postern.dev/v9' }))).toEqual([
      'apiVersion this version of Route is unknown; write postern.dev/v1alpha1',
    ]);
    expect(problems(route({}, { apiVersion: 'postern.dev/' }))).toHaveLength(1);
  });

  it('unknown fields', () => {
    expect(problems(route({}, { plugins: [], Spec: {} }))).toEqual([
      'plugins is no field here; there are apiVersion, kind, metadata, spec and status',
      'Spec is no field here; did you mean spec?',
    ]);
    expect(problems(route({}, { status: { conditions: [] } }))).toEqual([]);
    expect(problems(route({}, { metadata: { name: 'orders', namespace: 'shop', label: {} } }))).toEqual([
      'metadata.label is no field here; did you mean labels?',
    ]);
    expect(problems(JSON.parse(JSON.stringify(route()).replace('"kind"', '"__proto__":{"spec":{}},"kind"')))).toEqual([
      '__proto__ is no field here; there are apiVersion, kind, metadata, spec and status',
    ]);
  });

  it.each<unknown>([undefined, null, 'text', [], 5])('spec %j', (spec) => {
    for (const object of [route({}, { spec }), service({}, { spec }), plugin(undefined, { spec })]) {
      expect(parsed(object).ok).toBe(false);
      expect(problems(object)[0]).toMatch(/^spec /);
    }
  });
});

describe('plugins', () => {
  it('problems are those of the kind', () => {
    expect(problems(plugin({ issuer: 5, isuer: 'x' }))).toEqual([
      'spec.issuer must be text; put it in quotes',
      'spec.isuer is no field here; did you mean issuer?',
    ]);
    expect(claimOf(plugin({}))).toEqual({ kind: 'Plugin', pluginKind: 'LoginPlugin' });
  });

  it('a kind that refuses without a reason still refuses', () => {
    const mute = { kind: 'LoginPlugin', parse: () => ({ ok: false as const, problems: [] }) };
    expect(parseObject(plugin(), [mute])).toMatchObject({
      ok: false,
      problems: [{ message: 'was refused without a reason' }],
    });
  });
});
