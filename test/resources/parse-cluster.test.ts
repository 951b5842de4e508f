import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ParseOptions } from '../../src/resources/parse.ts';
import { type Json, parse, route, routeClaim, routeOf, secret } from './objects.ts';

const CLUSTER: ParseOptions = { class: 'postern', defaultNamespace: undefined, fallbackName: '(unnamed)' };
const inCluster = (value: unknown) => parse(value, CLUSTER);

const coreService = (spec: unknown, rest: Json = {}): Json => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: 'orders', namespace: 'shop' },
  spec,
  ...rest,
});
const grant = (spec: unknown, rest: Json = {}): Json => ({
  apiVersion: 'gateway.networking.k8s.io/v1beta1',
  kind: 'ReferenceGrant',
  metadata: { name: 'web', namespace: 'shop' },
  spec,
  ...rest,
});
const FROM = [{ group: 'postern.dev', kind: 'Route', namespace: 'web' }];
const TO = [{ group: 'postern.dev', kind: 'Service' }];

describe('a core Service in a cluster', () => {
  it('is read as far as a backendRef needs it, under a key of its own', () => {
    const spec = { type: 'ClusterIP', ports: [{ name: 'http', port: 80, targetPort: 'web' }, { port: 8443 }], a: 1 };
    expect(inCluster(coreService(spec, { status: { loadBalancer: {} }, future: {} }))).toMatchObject({
      ok: true,
      value: {
        kind: 'CoreService',
        key: 'CoreService/shop/orders',
        name: 'shop/orders',
        externalName: false,
        ports: [80, 8443],
      },
    });
  });

  it('A174 says whether it leads wherever DNS says', () => {
    const spec = { type: 'ExternalName', externalName: 'metadata.google.internal' };
    expect(inCluster(coreService(spec))).toMatchObject({ value: { externalName: true, ports: [] } });
  });

  it.each<unknown>([5, { ports: 'http' }, { ports: [{ port: '80' }] }, { ports: [null] }, { ports: [{ port: 1.5 }] }])(
    'that can’t be read is a broken one: %j',
    (spec) => {
      const read = inCluster(coreService(spec));
      if (spec === 5) expect(read).toMatchObject({ ok: true, value: { ports: [] } });
      else expect(read).toMatchObject({ ok: false, key: 'CoreService/shop/orders', claim: { kind: 'CoreService' } });
    },
  );

  it('is nobody’s in files', () => {
    expect(parse(coreService({ ports: [] }))).toEqual({ kind: 'Foreign' });
  });
});

describe('a ReferenceGrant in a cluster', () => {
  it.each(['gateway.networking.k8s.io/v1beta1', 'gateway.networking.k8s.io/v1'])('of %s is read', (apiVersion) => {
    const to = [...TO, { group: 'postern.dev', kind: 'OidcPlugin', name: 'okta' }];
    expect(inCluster(grant({ from: FROM, to }, { apiVersion }))).toMatchObject({
      ok: true,
      value: {
        kind: 'ReferenceGrant',
        key: 'ReferenceGrant/shop/web',
        from: FROM,
        to: [{ group: 'postern.dev', kind: 'Service', name: undefined }, to[1]],
      },
    });
  });

  it.each<[string, unknown]>([
    ['no spec', undefined],
    ['no from', { to: TO }],
    ['no to', { from: FROM }],
    ['from of no namespace', { from: [{ group: 'postern.dev', kind: 'Route' }], to: TO }],
    ['from of every namespace', { from: [{ ...FROM[0], namespace: '*' }], to: TO }],
    ['a name that is none', { from: FROM, to: [{ ...TO[0], name: 5 }] }],
    ['a name that is empty', { from: FROM, to: [{ ...TO[0], name: '' }] }],
    ['a name that is null, which may have narrowed it', { from: FROM, to: [{ ...TO[0], name: null }] }],
    ['a member that is none', { from: FROM, to: [...TO, 'Service'] }],
    ['a thousand members', { from: FROM, to: Array.from({ length: 1000 }, () => TO[0]) }],
  ])('with %s can’t be read, and has nothing to grant', (_, spec) => {
    expect(inCluster(grant(spec))).toMatchObject({ ok: false, claim: { kind: 'ReferenceGrant' } });
  });

  it('of another version, and one in files, is nobody’s', () => {
    const spec = { from: FROM, to: TO };
    expect(inCluster(grant(spec, { apiVersion: 'gateway.networking.k8s.io/v2' }))).toEqual({ kind: 'Foreign' });
    expect(parse(grant(spec))).toEqual({ kind: 'Foreign' });
  });
});

describe('a Secret in a cluster', () => {
  const metadata = { name: 'okta', namespace: 'shop' };
  const labelledAs = (value: unknown) =>
    inCluster(secret({ metadata: { ...metadata, labels: { 'postern.dev/secret': value } } }));

  it('is for plugins only where its owner labelled it so', () => {
    expect(labelledAs('true')).toMatchObject({ value: { labelled: true, type: 'Opaque' } });
    for (const value of ['false', 'True', true, '', null])
      expect(labelledAs(value)).toMatchObject({ value: { labelled: false } });
    expect(inCluster(secret({ metadata }))).toMatchObject({ value: { labelled: false } });
    expect(inCluster(secret({ metadata: { ...metadata, labels: 'postern.dev/secret' } }))).toMatchObject({
      value: { labelled: false },
    });
  });

  it('has its type; in files every Secret is for plugins', () => {
    expect(inCluster(secret({ type: 'kubernetes.io/tls' }))).toMatchObject({ value: { type: 'kubernetes.io/tls' } });
    expect(parse(secret({ type: 'kubernetes.io/tls' }))).toMatchObject({
      value: { type: 'kubernetes.io/tls', labelled: true },
    });
  });

  it('keeps what is text where one key holds other bytes, as keystores do', () => {
    const read = inCluster(secret({ type: 'kubernetes.io/tls', data: { 'keystore.jks': '/v8=', 'tls.crt': 'YQ==' } }));
    expect('ok' in read && read.ok && read.value.kind === 'Secret' && [...read.value.data.keys()]).toEqual(['tls.crt']);
  });
});

describe('tls.secretRef of a Route', () => {
  it('names a Secret of its own namespace, and of no other (A172)', () => {
    expect(routeOf(route({ tls: { secretRef: { name: 'shop-tls' } } })).tlsSecret).toBe('shop/shop-tls');
    expect(routeOf(route()).tlsSecret).toBeUndefined();
    const elsewhere = parse(route({ tls: { secretRef: { name: 'shop-tls', namespace: 'other' } } }));
    expect(elsewhere).toMatchObject({ ok: false });
  });

  it.each<unknown>([{}, 'shop-tls', { secretRef: 'shop-tls' }, { secretRef: { name: '../other/tls' } }])(
    'that is none leaves the place of the Route closed: %j (A173)',
    (tls) => {
      expect(routeClaim(route({ tls }))).toMatchObject({ hosts: { known: ['shop.example.com'], complete: true } });
    },
  );
});

describe('A170 whatever stands in an object of a cluster', () => {
  const heads = [
    { apiVersion: 'v1', kind: 'Service' },
    { apiVersion: 'v1', kind: 'Secret' },
    { apiVersion: 'gateway.networking.k8s.io/v1', kind: 'ReferenceGrant' },
    { apiVersion: 'postern.dev/v1alpha1', kind: 'Route' },
  ];
  it('is data: parsing never throws, and gives an object or says why not', () => {
    const anything = fc.anything({ withNullPrototype: true });
    const list = fc.oneof(anything, fc.array(anything, { maxLength: 3 }));
    const spec = fc.oneof(anything, fc.record({ from: list, to: list, ports: list, tls: anything }));
    fc.assert(
      fc.property(fc.constantFrom(...heads), spec, anything, anything, (head, given, labels, data) => {
        const metadata = { name: 'a', namespace: 'b', labels };
        const read = inCluster({ ...head, metadata, spec: given, data, type: given });
        expect('ok' in read ? typeof read.ok : read.kind).toMatch(/^(boolean|Foreign)$/);
      }),
      { numRuns: 1000 },
    );
  });
});
