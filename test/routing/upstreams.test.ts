import { describe, expect, it } from 'vitest';
import { PEM_CHECKS } from '../../src/proxy/tls/pem-checks.ts';
import type { UpstreamSettings } from '../../src/resources/upstream.ts';
import { compile } from '../../src/routing/compile.ts';
import type { Compiled } from '../../src/routing/snapshot.ts';
import { privateAuthority } from '../support/certificates.ts';
import { openssl } from '../support/parts.ts';
import { clusterOptions, clusterSecret, coreService, told, unwell } from './cluster.ts';
import { inSuccession } from './moments.ts';
import { answer, ask, object, parseAll, type Raw, route } from './support.ts';

const OPTIONS = { ...clusterOptions(), pems: PEM_CHECKS };
const TLS = 'kubernetes.io/tls';
const open = route('shop/r', ['shop'], ['/'], { serviceRef: { name: 's' }, access: 'Public' });
const core = coreService('shop/orders', { ports: [{ port: 8443 }] });
const orders = (more: object = {}): Raw =>
  object('Service', 'shop/s', { backendRef: { name: 'orders', port: 8443 }, protocol: 'https', ...more });
const both = orders({ tls: { caRef: { name: 'ca' }, clientCertRef: { name: 'client' } } });

const compileIt = (...objects: readonly Raw[]): Compiled => compile(parseAll([open, core, ...objects], true), OPTIONS);

function settingsOf({ table }: Compiled): UpstreamSettings | undefined {
  const found = ask(table, { method: 'GET', host: 'shop', path: '/', headers: {} });
  return found?.kind === 'Route' && found.entry.action.kind === 'Forward' ? found.entry.action.upstream : undefined;
}

describe.skipIf(openssl.missing)(`tls of a Service ${openssl.why}`, () => {
  const authority = privateAuthority('postern routing test');
  const { cert, key } = authority.issue(['DNS:gateway']);
  const other = authority.issue(['DNS:other']);
  authority.remove();
  const ca = (data: Readonly<Record<string, string>> = { 'ca.crt': authority.ca }, labelled = true) =>
    clusterSecret('shop/ca', data, { labelled });
  const client = (data: object = {}, { type = TLS, labelled = true } = {}) =>
    clusterSecret('shop/client', { 'tls.crt': cert, 'tls.key': key, ...data }, { type, labelled });

  it('is verified by the public roots for the name of the core Service where nothing is said', () => {
    const compiled = compileIt(orders());
    expect(settingsOf(compiled)?.tls).toEqual({
      verify: true,
      serverName: 'orders.shop.svc',
      ca: undefined,
      client: undefined,
    });
    expect([...compiled.verdicts.values()].find((one) => one.key === 'Service/shop/s')?.target).toBe(
      'https://orders:8443',
    );
  });

  it('takes a CA and a certificate of its own from Secrets that are labelled', () => {
    const compiled = compileIt(both, ca(), client());
    expect(unwell(compiled, 'Service/shop/s')).toEqual([]);
    expect(settingsOf(compiled)?.tls).toMatchObject({ ca: authority.ca, client: { certificate: cert } });
    expect(settingsOf(compiled)?.tls?.client?.key.reveal()).toBe(key);
    // A180
    expect(JSON.stringify([...compiled.verdicts.values(), settingsOf(compiled)])).not.toContain('PRIVATE KEY');
  });

  it.each<[string, readonly Raw[], string, RegExp]>([
    ['no Secret with the CA', [client()], 'SecretNotFound', /^there is no Secret shop\/ca/],
    ['no Secret with the certificate', [ca()], 'SecretNotFound', /^there is no Secret shop\/client/],
    [
      'A172 Secrets of another namespace',
      [{ ...ca(), metadata: { ...ca().metadata, namespace: 'web' } }, client()],
      'SecretNotFound',
      /^there is no Secret shop\/ca/,
    ],
    [
      'A173 a CA without the label',
      [ca(undefined, false), client()],
      'SecretNotLabelled',
      /kubectl label secret ca -n shop/,
    ],
    [
      'A173 a certificate without the label',
      [ca(), client({}, { labelled: false })],
      'SecretNotLabelled',
      /kubectl label secret client -n shop/,
    ],
    [
      'no such key',
      [ca({ 'other.crt': authority.ca }), client()],
      'SecretKeyMissing',
      /has no key "ca.crt"; it has other.crt/,
    ],
    ['no PEM', [ca({ 'ca.crt': 'hunter2' }), client()], 'SecretInvalid', /must hold 1 to 64 PEM certificates/],
    [
      'a PEM that OpenSSL can’t read',
      [ca({ 'ca.crt': '-----BEGIN CERTIFICATE-----\nhunter2\n-----END CERTIFICATE-----' }), client()],
      'SecretInvalid',
      /that can not be read/,
    ],
    [
      'a Secret of another type',
      [ca(), client({}, { type: 'Opaque' })],
      'SecretInvalid',
      /is of type Opaque; name one of type/,
    ],
    ['no certificate', [ca(), client({ 'tls.crt': 'hunter2' })], 'SecretInvalid', /is no certificate in PEM form/],
    ['another key', [ca(), client({ 'tls.key': other.key })], 'SecretInvalid', /doesn't belong to its key/],
  ])(
    'A107 %s: the Route is Denied, and nothing is sent in the clear or unverified',
    (_what, secrets, reason, message) => {
      const compiled = compileIt(both, ...secrets);
      expect(answer(compiled.table, 'GET shop /')).toBe('Denied shop/r');
      expect(settingsOf(compiled)).toBeUndefined();
      expect(unwell(compiled, 'Service/shop/s')).toEqual([`ResolvedRefs=False/${reason}`]);
      expect(unwell(compiled, 'Route/shop/r').filter((one) => one.includes('='))).toEqual([
        'ResolvedRefs=False/ServiceInvalid',
      ]);
      expect(told(compiled, 'Service/shop/s').join()).toMatch(message);
      expect(JSON.stringify([...compiled.verdicts.values()])).not.toContain('hunter2');
    },
  );

  it('another namespace’s Route hears that the Service is at fault, and nothing of its Secrets', () => {
    const compiled = compileIt(both);
    expect(told(compiled, 'Route/shop/r').join()).toMatch(/^Service shop\/s can't be reached as it says in tls; see/);
    expect(told(compiled, 'Route/shop/r').join()).not.toContain('ca.crt');
  });

  it('follows its Secrets: a rotation is a new value, and whatever else changes is none', () => {
    const { compile: next } = inSuccession(OPTIONS, true);
    const world = [open, core, both, ca(), client()];
    const first = settingsOf(next(world));
    expect(first).toBeDefined();
    const again = structuredClone(world);
    expect(settingsOf(next([...again, ca()].slice(0, -1)))).toBe(first);
    const rotated = settingsOf(next([open, core, both, ca(), client({ 'tls.crt': other.cert, 'tls.key': other.key })]));
    expect(rotated?.tls?.client?.certificate).toBe(other.cert);
    const gone = next([open, core, both, client()]);
    expect(answer(gone.table, 'GET shop /')).toBe('Denied shop/r');
    expect(settingsOf(next(world))?.tls).toMatchObject({ ca: authority.ca });
  });

  it('insecure.unverifiedTLS shows in a condition and a warning', () => {
    const compiled = compileIt(orders({ insecure: { unverifiedTLS: true } }));
    expect(settingsOf(compiled)?.tls?.verify).toBe(false);
    expect(unwell(compiled, 'Service/shop/s')).toEqual(['Insecure']);
    const verdict = [...compiled.verdicts.values()].find((one) => one.key === 'Service/shop/s');
    expect(verdict?.conditions.at(-1)?.message).toBe('In use: insecure.unverifiedTLS.');
    expect(verdict?.warnings.map(({ reason }) => reason)).toEqual(['InsecureSetting']);
  });
});
