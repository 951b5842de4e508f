import { describe, expect, it } from 'vitest';
import { clusterSecret, compileCluster, hostOwners, onDay, told, unwell } from './cluster.ts';
import { answer, compileAll, type Raw, route, service } from './support.ts';

const TLS = { type: 'kubernetes.io/tls' };
const pair = (id: string, text: string, more = {}): Raw =>
  clusterSecret(id, { 'tls.crt': text, 'tls.key': `key of ${text}` }, { ...TLS, ...more });
const BASE = ['shop', 'web'].map((namespace) => service(`${namespace}/s`, 'http://one.example'));
const open = (id: string, hosts: readonly string[], day: number, secret: string | undefined, spec = {}): Raw =>
  onDay(
    day,
    route(id, hosts, [`/${id.split('/')[1]}`], {
      serviceRef: { name: 's' },
      access: 'Public',
      ...(secret !== undefined && { tls: { secretRef: { name: secret } } }),
      ...spec,
    }),
  );
const OWNED = { hostOwners: hostOwners('a.example=shop', 'b.example=shop', 'web.example=web') };

/** `a.example` to the text of the certificate that is for it. */
function shown(objects: readonly Raw[]): Readonly<Record<string, string>> {
  const { certificates } = compileCluster([...BASE, ...objects], OWNED);
  return Object.fromEntries([...certificates].map(([host, { certificate }]) => [host, certificate]));
}
const conditions = (objects: readonly Raw[], key: string) => unwell(compileCluster([...BASE, ...objects], OWNED), key);

describe('a certificate', () => {
  it('is for the hosts that its Route names, whatever names it holds; its Secret needs no label', () => {
    const objects = [open('shop/r', ['a.example', 'b.example'], 1, 'tls'), pair('shop/tls', 'for web.example')];
    expect(shown(objects)).toEqual({ 'a.example': 'for web.example', 'b.example': 'for web.example' });
    expect(conditions(objects, 'Route/shop/r')).toEqual([]);
    const { certificates } = compileCluster([...BASE, ...objects], OWNED);
    const first = [...certificates.values()][0];
    expect(first).toMatchObject({ host: 'a.example', route: 'shop/r', secret: 'shop/tls' });
    expect(first?.key.reveal()).toBe('key of for web.example');
  });

  it('A177 is not for a host of another namespace, nor for those of a Route that isn’t accepted', () => {
    const mixed = [open('web/r', ['web.example', 'a.example'], 1, 'tls'), pair('web/tls', 'stranger')];
    expect(shown(mixed)).toEqual({});
    const invalid = [open('shop/r', ['a.example'], 1, 'tls', { methods: 7 }), pair('shop/tls', 'one')];
    expect(shown(invalid)).toEqual({});
    const waiting = compileCluster([...BASE, open('shop/r', ['c.example'], 1, 'tls'), pair('shop/tls', 'one')], {
      incomplete: true,
    });
    expect(waiting.certificates.size).toBe(0);
  });

  it('is for a Route that is refused for what it refers to', () => {
    const denied = [open('shop/r', ['a.example'], 1, 'tls', { serviceRef: { name: 'none' } }), pair('shop/tls', 'one')];
    expect(shown(denied)).toEqual({ 'a.example': 'one' });
    expect(conditions(denied, 'Route/shop/r')).toEqual(['ResolvedRefs=False/BackendNotFound']);
  });

  it('two for one host: the older Route’s, and the younger one says so', () => {
    const objects = [
      open('shop/young', ['a.example', 'b.example'], 2, 'new'),
      open('shop/old', ['a.example'], 1, 'tls'),
      pair('shop/tls', 'one'),
      pair('shop/new', 'two'),
    ];
    expect(shown(objects)).toEqual({ 'a.example': 'one', 'b.example': 'two' });
    expect(conditions(objects, 'Route/shop/old')).toEqual([]);
    expect(conditions(objects, 'Route/shop/young')).toEqual(['CertificateReady=False/CertificateOverridden']);
    expect(told(compileCluster([...BASE, ...objects], OWNED), 'Route/shop/young')[0]).toMatch(
      /^on a\.example .* Secret shop\/tls, which the older Route shop\/old names/,
    );
  });

  it('two Routes that name one Secret agree', () => {
    const objects = [
      open('shop/young', ['a.example'], 2, 'tls'),
      open('shop/old', ['a.example'], 1, 'tls'),
      pair('shop/tls', 'one'),
    ];
    expect(conditions(objects, 'Route/shop/young')).toEqual([]);
  });

  it('a sound one goes before an older Route’s that isn’t', () => {
    const objects = [
      open('shop/young', ['a.example'], 2, 'new'),
      open('shop/old', ['a.example'], 1, 'tls'),
      pair('shop/new', 'two'),
    ];
    for (const old of [[], [pair('shop/tls', 'broken')]]) {
      expect(shown([...objects, ...old])).toEqual({ 'a.example': 'two' });
      expect(conditions([...objects, ...old], 'Route/shop/young')).toEqual([]);
    }
  });

  it.each<[string, readonly Raw[], string, string]>([
    ['SecretNotFound', [], '', 'there is no Secret shop/tls of type kubernetes.io/tls'],
    ['SecretNotFound', [pair('web/tls', 'one')], '', 'there is no Secret shop/tls'],
    ['InvalidSecretType', [pair('shop/tls', 'one', { type: 'Opaque' })], '', 'is of type Opaque'],
    ['CertificateInvalid', [clusterSecret('shop/tls', { 'tls.crt': 'one' }, TLS)], '', 'has no tls.key'],
    ['CertificateInvalid', [clusterSecret('shop/tls', { 'tls.key': 'one' }, TLS)], '', 'has no tls.crt'],
    ['CertificateInvalid', [pair('shop/tls', 'broken')], 'broken', 'the certificate in Secret shop/tls is broken; put'],
  ])('F50 that can’t be had decides nothing else: %s %#', (reason, secrets, certificate, message) => {
    const objects = [open('shop/r', ['a.example'], 1, 'tls'), ...secrets];
    const compiled = compileCluster([...BASE, ...objects], OWNED);
    expect(answer(compiled.table, 'GET a.example /r')).toBe('Public shop/r');
    expect(unwell(compiled, 'Route/shop/r')).toEqual([`CertificateReady=False/${reason}`]);
    expect(told(compiled, 'Route/shop/r').join()).toContain(message);
    // An entry that wants one, so that the listener shows on what it showed before.
    expect(shown(objects)).toEqual({ 'a.example': certificate });
    const ready = [...compiled.verdicts.values()].find(({ key }) => key === 'Route/shop/r')?.conditions;
    expect(ready?.map(({ type }) => type)).toEqual([
      'Accepted',
      'ResolvedRefs',
      'CertificateReady',
      'Programmed',
      'Ready',
    ]);
    expect(ready?.at(-1)).toMatchObject({ status: 'False', reason });
  });

  it('has no condition where a Route names none', () => {
    const { verdicts } = compileCluster([...BASE, open('shop/r', ['a.example'], 1, undefined)], OWNED);
    const types = [...verdicts.values()].find(({ key }) => key === 'Route/shop/r')?.conditions.map(({ type }) => type);
    expect(types).not.toContain('CertificateReady');
  });

  it('in files has no effect, and validate says so', () => {
    const compiled = compileAll([...BASE, open('shop/r', ['a.example'], 1, 'tls')]);
    expect(answer(compiled.table, 'GET a.example /r')).toBe('Public shop/r');
    expect(compiled.certificates.size).toBe(0);
    const found = [...compiled.verdicts.values()].find(({ key }) => key === 'Route/shop/r');
    expect(found?.warnings.map(({ reason, path }) => [reason, path.join('.')])).toEqual([['NoEffect', 'spec.tls']]);
    expect(found?.conditions.every(({ status }) => status === 'True')).toBe(true);
  });
});
