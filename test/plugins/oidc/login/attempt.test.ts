import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { generateKey } from '../../../../src/keys/key-list.ts';
import { createKeyRing } from '../../../../src/keys/live-ring.ts';
import { attemptSecrets, beginAttempt, openAttempt, sealAttempt } from '../../../../src/plugins/oidc/login/attempt.ts';
import { type ReturnPath, returnPathOf } from '../../../../src/plugins/oidc/login/return-path.ts';
import { createPlaces } from '../../../../src/plugins/oidc/session/place.ts';
import { oidcConfig, view } from './harness.ts';

const NOW = Date.parse('2026-03-01T12:00:00Z');
const ring = createKeyRing([generateKey(NOW, randomBytes)], () => NOW);
const [request, context] = view('/orders', {}, undefined);
const place = createPlaces(oidcConfig(), 'shop/okta')(request, context);
if (place === undefined) throw new Error('https always has a place');
const binding = { name: `${place.names.binding}abcdef`, value: 'A'.repeat(22) };
const begin = (path: ReturnPath) => beginAttempt(ring.sealing(), binding, path, NOW, randomBytes);

describe('an attempt', () => {
  it('comes back from its state as it was', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (path, query) => {
        const attempt = begin(returnPathOf(`/${path}`, `?${query}`, place.origin));
        expect(openAttempt(ring, place, sealAttempt(attempt, place, randomBytes))).toEqual(attempt);
      }),
    );
  });

  it('A090 checks the way back again, though it was sealed here', () => {
    const attempt = begin('//evil.com' as ReturnPath);
    expect(openAttempt(ring, place, sealAttempt(attempt, place, randomBytes))).toBeUndefined();
  });

  it('A091 the longest return path makes a state that opens', () => {
    const path = returnPathOf('/orders', `?${'q'.repeat(4088)}`, place.origin);
    expect(path).toHaveLength(4096);
    const state = sealAttempt(begin(path), place, randomBytes);
    expect(state.length).toBeLessThan(8000);
    expect(openAttempt(ring, place, state)?.returnPath).toBe(path);
  });

  it('A110 has a verifier and a nonce that depend on it, on the binding cookie and on the key, and differ', () => {
    const attempt = begin(returnPathOf('/', '', place.origin));
    const other = { ...attempt, id: `${attempt.id}x` };
    const otherKey = { ...attempt, key: createKeyRing([generateKey(NOW, randomBytes)], () => NOW).sealing() };
    const all = [
      attemptSecrets(attempt, binding.value),
      attemptSecrets(attempt, 'B'.repeat(22)),
      attemptSecrets(other, binding.value),
      attemptSecrets(otherKey, binding.value),
    ].flatMap(({ codeVerifier, nonce }) => [codeVerifier, nonce]);
    expect(new Set(all).size).toBe(8);
    for (const secret of all) expect(secret).toMatch(/^[A-Za-z0-9_-]{43}$/);
    expect(attemptSecrets(attempt, binding.value)).toEqual(attemptSecrets(attempt, binding.value));
  });
});
