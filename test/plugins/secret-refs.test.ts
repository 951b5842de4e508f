import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { oidcKind } from '../../src/plugins/oidc/kind.ts';
import { namespacedName, objectKey } from '../../src/resources/keys.ts';
import { tinyKind } from '../support/tiny-plugin.ts';

describe('the Secrets that a spec refers to', () => {
  it('are told of each field, each once', () => {
    const spec = {
      clientIDRef: { name: 'a' },
      clientSecretRef: { name: 'b', key: 'x' },
      tls: { caRef: { name: 'a' } },
    };
    expect(oidcKind.secretRefs(spec)).toEqual(['a', 'b']);
    expect(tinyKind().secretRefs({ tokenSecretRef: { name: 'door' } })).toEqual(['door']);
  });

  it('are told of a spec that is not valid', () => {
    expect(oidcKind.secretRefs({ issuer: 7, clientSecretRef: { name: 'b', bogus: 1 }, tls: [] })).toEqual(['b']);
    expect(oidcKind.secretRefs({ clientSecretRef: { name: 7 }, clientIDRef: 'a', tls: { caRef: null } })).toEqual([]);
  });

  it('of anything at all, without an exception', () => {
    fc.assert(
      fc.property(fc.anything(), fc.anything(), (a, b) => {
        for (const kind of [oidcKind, tinyKind()]) {
          expect(Array.isArray(kind.secretRefs(a))).toBe(true);
          expect(Array.isArray(kind.secretRefs({ clientIDRef: b, tls: a, tokenSecretRef: a }))).toBe(true);
        }
      }),
    );
  });

  it('hold everything that compile asks for', () => {
    const secret = fc.record({ name: fc.constantFrom('a', 'b', 'c') });
    const refs = fc.record(
      { clientIDRef: secret, clientSecretRef: secret, tls: fc.record({ caRef: secret }) },
      { requiredKeys: ['clientIDRef', 'clientSecretRef'] },
    );
    fc.assert(
      fc.property(refs, (fields) => {
        const spec = { issuer: 'https://idp.example', ...fields };
        const parsed = oidcKind.parse(spec);
        if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
        const asked = new Set<string>();
        const name = namespacedName('shop', 'okta');
        const key = objectKey('OidcPlugin', name);
        const meta = {
          namespace: 'shop',
          name: 'okta',
          uid: undefined,
          generation: undefined,
          creationTimestamp: undefined,
        };
        oidcKind.compile(
          { kind: 'Plugin', pluginKind: 'OidcPlugin', key, name, meta, spec: parsed.value },
          {
            external: { scheme: 'https', port: 443 },
            secret(of) {
              asked.add(of);
              return { ok: false, problems: [] };
            },
          },
        );
        expect(asked.size).toBeGreaterThan(0);
        expect([...asked].filter((each) => !oidcKind.secretRefs(spec).includes(each))).toEqual([]);
      }),
    );
  });
});
