import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { oidcKind } from '../../../../src/plugins/oidc/kind.ts';
import { verifySignature } from '../../../../src/plugins/oidc/provider/id-token.ts';
import { checkClaims } from '../../../../src/plugins/oidc/provider/id-token-claims.ts';
import { keyCache } from '../../../../src/plugins/oidc/provider/jwks.ts';
import { usableKeys } from '../../../../src/plugins/oidc/provider/key-set.ts';
import { readTokenResponse } from '../../../../src/plugins/oidc/provider/token-response.ts';
import { milliseconds } from '../../../../src/resources/duration.ts';
import { fakeKey, idToken } from '../../../support/fake-tokens.ts';

const NOW = 1_800_000_000_000;
const expected = {
  issuer: 'https://idp.example',
  clientId: 'client',
  audiences: ['api'],
  nonce: 'n',
  accessToken: 'a',
  now: NOW,
  clockTolerance: milliseconds(30_000),
};
const good = { iss: 'https://idp.example', sub: 'u', aud: 'client', iat: NOW / 1000, exp: NOW / 1000 + 60, nonce: 'n' };

describe('whatever a provider sends (invariant 10)', () => {
  it('claims are judged without an exception, and one that is wrong is never accepted', () => {
    expect(checkClaims({ ok: true, alg: 'RS256', claims: good }, expected)).toBeUndefined();
    const names = fc.constantFrom('iss', 'sub', 'aud', 'iat', 'exp', 'nbf', 'nonce', 'at_hash', 'azp');
    fc.assert(
      fc.property(names, fc.jsonValue(), (name, value) => {
        const fault = checkClaims({ ok: true, alg: 'RS256', claims: { ...good, [name]: value } }, expected);
        if (fault !== undefined) return;
        // What random values may be accepted as.
        const fine: Readonly<Record<string, (claim: unknown) => boolean>> = {
          sub: (claim) => typeof claim === 'string' && claim !== '',
          aud: (claim) => claim === 'client' || claim === 'api' || Array.isArray(claim),
          nbf: (claim) => typeof claim === 'number' && claim >= 0 && claim <= NOW / 1000 + 30,
          iat: (claim) => typeof claim === 'number' && claim >= NOW / 1000 - 630 && claim <= NOW / 1000 + 30,
          exp: (claim) => typeof claim === 'number' && claim > NOW / 1000 - 30 && claim < 1e12,
        };
        expect(fine[name]?.(value) ?? false).toBe(true);
      }),
      { numRuns: 2000 },
    );
  });

  it('any change of one character of a token is refused', async () => {
    const key = await fakeKey('ES256');
    const keys = await usableKeys({ keys: [key.publicJwk] }, ['ES256']);
    const token = idToken(good, key, 'a');
    // The last character of a part holds bits that no byte uses, so it is left alone.
    const places = [...token].flatMap((char, at) => (char === '.' || (token[at + 1] ?? '.') === '.' ? [] : [at]));
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...places), fc.constantFrom(...'Aa0-_.~%'), async (at, char) => {
        const changed = token.slice(0, at) + char + token.slice(at + 1);
        const cache = keyCache(
          async () => ({ ok: true, keys: keys ?? [] }),
          () => NOW,
        );
        const result = await verifySignature(changed, ['ES256'], cache);
        expect(result.ok).toBe(changed === token);
      }),
      { numRuns: 300 },
    );
  });

  it('token responses are read without an exception', () => {
    const member = fc.constantFrom(
      'access_token',
      'token_type',
      'id_token',
      'expires_in',
      'error',
      'error_description',
    );
    const body = fc.oneof(
      fc.json(),
      fc.string(),
      fc.dictionary(member, fc.jsonValue()).map((value) => JSON.stringify(value)),
    );
    fc.assert(
      fc.property(
        fc.integer({ min: 100, max: 999 }),
        body,
        fc.constantFrom('application/json', 'text/html'),
        (status, text, contentType) => {
          const result = readTokenResponse(
            { ok: true, status, contentType, body: Buffer.from(text), date: undefined, retryAfter: undefined },
            ['code'],
          );
          if (result.ok)
            expect([status, contentType, typeof result.idToken]).toEqual([200, 'application/json', 'string']);
          else expect(result.detail).toMatch(/^[\x20-\x7e…]{1,600}$/);
        },
      ),
      { numRuns: 1000 },
    );
  });

  it('key sets are read without an exception', async () => {
    const names = fc.constantFrom('kty', 'crv', 'x', 'y', 'n', 'e', 'kid', 'use', 'alg', 'key_ops', 'd', 'ext');
    const value = fc.oneof(
      fc.jsonValue(),
      fc.constantFrom('RSA', 'EC', 'OKP', 'oct', 'P-256', 'Ed25519', 'AQAB', 'sig', 'RS256'),
    );
    const key = fc.oneof(fc.jsonValue(), fc.dictionary(names, value));
    const set = fc.oneof(fc.jsonValue(), fc.record({ keys: fc.array(key, { maxLength: 5 }) }));
    await fc.assert(
      fc.asyncProperty(set, async (json) => {
        const keys = await usableKeys(json, ['RS256', 'ES256', 'EdDSA']);
        expect(keys === undefined || Array.isArray(keys)).toBe(true);
      }),
      { numRuns: 500 },
    );
  });
});

it('any spec is parsed without an exception, and an accepted one says issuer and client', () => {
  const fields = Object.fromEntries(
    ['issuer', 'clientID', 'clientSecretRef', 'scopes', 'session', 'upstream', 'logout', 'claims', 'extraParams'].map(
      (name) => [name, fc.oneof(fc.jsonValue(), fc.constantFrom('https://idp.example', 'client'))],
    ),
  );
  fc.assert(
    fc.property(fc.oneof(fc.anything(), fc.record(fields, { requiredKeys: [] })), (spec) => {
      const parsed = oidcKind.parse(spec);
      if (parsed.ok) expect(parsed.value).toMatchObject({ issuer: expect.any(String), client: expect.anything() });
      else expect(parsed.problems.length).toBeGreaterThan(0);
    }),
    { numRuns: 1000 },
  );
});
