import { describe, expect, it } from 'vitest';
import { secretReferences } from '../../src/cli/secret-references.ts';
import { PLUGIN_KINDS } from '../../src/plugins/kinds.ts';

const references = secretReferences(PLUGIN_KINDS, 'postern');
const object = (kind: string, spec: unknown) => ({ kind, metadata: { name: 'x', namespace: 'shop' }, spec });

describe('Secrets that an object refers to', () => {
  it('are those of its own namespace, whether the object is valid or not', () => {
    expect(references(object('Route', { tls: { secretRef: { name: 'tls' } }, hosts: 7 }))).toEqual(['shop/tls']);
    expect(references(object('OidcPlugin', { clientSecretRef: { name: 'okta' }, issuer: 'x' }))).toEqual(['shop/okta']);
    expect(references(object('Service', { tls: { caRef: { name: 'ca' }, clientCertRef: { name: 'me' } } }))).toEqual([
      'shop/ca',
      'shop/me',
    ]);
    expect(references(object('Route', { tls: { secretRef: { name: 'tls', namespace: 'edge' } } }))).toEqual([
      'shop/tls',
    ]);
  });

  it('are none of another class, of another kind, or of what is no object', () => {
    for (const value of [
      object('Route', { class: 'blue', tls: { secretRef: { name: 'tls' } } }),
      object('Service', { tls: { secretRef: { name: 'tls' }, caRef: { name: 7 } } }),
      object('Route', { tls: { secretRef: { name: 7 } } }),
      object('Route', undefined),
      { kind: 'Route', spec: { tls: { secretRef: { name: 'tls' } } } },
      undefined,
      'Route',
    ])
      expect(references(value)).toEqual([]);
    expect(
      secretReferences(PLUGIN_KINDS, 'blue')(object('Route', { class: 'blue', tls: { secretRef: { name: 'a' } } })),
    ).toEqual(['shop/a']);
  });
});
