import { generateKeyPairSync } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { MAX_STALE } from '../../../../src/plugins/oidc/provider/jwks.ts';
import { milliseconds } from '../../../../src/resources/duration.ts';
import { drip, endless, gzipBomb, reset, say } from '../../../support/fake-answers.ts';
import { type FakeProvider, sendJson, startFakeProvider } from '../../../support/fake-provider.ts';
import { fakeKey } from '../../../support/fake-tokens.ts';
import { config, failureOf, login, PATIENT, ready, settled, stopAll, subject } from './support.ts';

let fake: FakeProvider;

beforeEach(async () => {
  fake = await startFakeProvider();
});
afterEach(async () => {
  stopAll();
  await fake.close();
});

const publish = (...keys: unknown[]): void => {
  fake.publishedKeys = { keys };
};

describe('a key set with keys that can not be used', () => {
  const rsa = (bits: number): Record<string, unknown> => ({
    ...generateKeyPairSync('rsa', { modulusLength: bits }).publicKey.export({ format: 'jwk' }),
    kid: 'small',
  });

  it('T22 works for those that can', async () => {
    const secp = generateKeyPairSync('ec', { namedCurve: 'secp256k1' }).publicKey.export({ format: 'jwk' });
    const ed448 = generateKeyPairSync('ed448').publicKey.export({ format: 'jwk' });
    const x25519 = generateKeyPairSync('x25519').publicKey.export({ format: 'jwk' });
    const good = fake.signingKey.publicJwk;
    publish(
      null,
      7,
      'x',
      [],
      {},
      { kty: 'XYZ', kid: 'a' },
      { kty: 'oct', k: 'c2VjcmV0', kid: good['kid'] },
      { ...secp, kid: 'secp' },
      { ...ed448, kid: 'ed448' },
      { ...x25519, kid: 'x25519' },
      { ...good, use: 'enc' },
      { ...good, key_ops: ['encrypt'] },
      { ...good, key_ops: 'verify' },
      { ...good, kid: 7 },
      { ...good, n: 7 },
      { ...good, n: '' },
      { ...good, n: '!!!' },
      { ...good, e: undefined },
      { ...good, e: good['n'] },
      { ...good, alg: 'RSA-OAEP' },
      { ...good, alg: 'HS256' },
      { ...good, kty: 'EC', crv: 'P-256' },
      { kty: 'EC', crv: 'P-256', x: 'AA', y: 'AA', kid: 'off-curve' },
      rsa(1024),
      { ...good, x5c: ['not a certificate'], x5t: 7, 'x-unknown': {} },
    );
    const made = subject(config(fake.issuer));
    expect(await settled(made)).toMatchObject({ status: 'True', message: expect.stringContaining('has keys for') });
    expect((await login(fake, made)).ok).toBe(true);
  });

  it('a private key that was published by mistake is used as the public one', async () => {
    publish({ ...fake.signingKey.privateKey.export({ format: 'jwk' }), kid: fake.signingKey.kid });
    expect((await login(fake, await ready(config(fake.issuer)))).ok).toBe(true);
  });

  it.each([
    ['none', []],
    ['one too small', [rsa(1024)]],
    ['one for encryption', [{ ...rsa(2048), use: 'enc' }]],
  ])('none that can be used (%s) is told: NoUsableKeys', async (_name, keys) => {
    publish(...keys);
    const made = subject(config(fake.issuer));
    expect(await settled(made)).toMatchObject({
      status: 'False',
      reason: 'NoUsableKeys',
      message: expect.stringContaining(`${fake.origin}/jwks`),
    });
    expect(failureOf(await login(fake, made))).toBe('id_token_signature');
  });

  it('keys of an algorithm that is not allowed are not usable', async () => {
    const made = subject(config(fake.issuer, { allowedAlgs: ['ES256'] }));
    expect(await settled(made)).toMatchObject({ reason: 'NoUsableKeys', message: expect.stringContaining('ES256') });
  });

  it('two keys of one kid, and a token without kid, are both tried', async () => {
    const other = await fakeKey('RS256', fake.signingKey.kid);
    publish(other.publicJwk, fake.signingKey.publicJwk);
    const made = await ready(config(fake.issuer));
    expect((await login(fake, made)).ok).toBe(true);
    fake.lie = { header: { kid: undefined } };
    expect((await login(fake, made)).ok).toBe(true);
    expect(fake.count('/jwks')).toBe(1);
  });

  it('a hundred keys are looked at, not more', async () => {
    const unusable = Array.from({ length: 100 }, () => ({ kty: 'XYZ' }));
    publish(...unusable, fake.signingKey.publicJwk);
    expect(await settled(subject(config(fake.issuer)))).toMatchObject({ reason: 'NoUsableKeys' });
  });
});

describe('a key endpoint that misbehaves', () => {
  it.each([
    ['404', say(404, '{}'), 'answered 404'],
    ['HTML', say(200, '<html>', 'text/html'), 'did not answer with a JSON key set'],
    ['no keys', say(200, '{"keys":{}}'), 'did not answer with a JSON key set'],
    ['a closed connection', reset, 'could not be reached'],
    ['A135 a gzip bomb', gzipBomb(), 'compressed'],
    ['A135 drips', drip, 'no whole answer'],
    ['A135 an endless answer', endless({ bytes: 0 }), 'more than'],
  ])('%s is told in the status', async (_name, answer, message) => {
    fake.instead.set('/jwks', answer);
    const made = subject(config(fake.issuer, { httpTimeout: milliseconds(answer === drip ? 500 : 10_000) }));
    expect(await settled(made)).toMatchObject({
      status: 'False',
      reason: 'DiscoveryFailed',
      message: expect.stringMatching(new RegExp(`${fake.origin}/jwks.*${message}`)),
    });
    expect(failureOf(await login(fake, made))).toBe('provider_unavailable');
  });

  it('is asked for by the first login after it recovered', async () => {
    fake.instead.set('/jwks', say(503, ''));
    const made = subject(config(fake.issuer));
    await settled(made);
    fake.instead.clear();
    expect((await login(fake, made)).ok).toBe(true);
  });
});

describe('F34 a change of keys', () => {
  it('T21 a login right after it succeeds, also after a second one at once', async () => {
    const made = await ready(config(fake.issuer));
    for (let round = 1; round <= 3; round++) {
      await fake.rotate(false);
      expect((await login(fake, made)).ok).toBe(true);
      expect(fake.count('/jwks')).toBe(1 + round);
    }
  });

  it('with an overlap, old and new tokens are accepted', async () => {
    const made = await ready(config(fake.issuer));
    const old = fake.signingKey;
    await fake.rotate(true);
    expect((await login(fake, made)).ok).toBe(true);
    fake.signingKey = old;
    expect((await login(fake, made)).ok).toBe(true);
    expect(fake.count('/jwks')).toBe(2);
  });

  it('a new key under the old kid, as LemonLDAP::NG gives after a restart', async () => {
    const made = await ready(config(fake.issuer));
    await fake.rotate(false, { kid: String(fake.signingKey.kid) });
    expect((await login(fake, made)).ok).toBe(true);
    expect(fake.count('/jwks')).toBe(2);
  });

  it('just before signing, while an older answer is still on its way', async () => {
    const made = await ready(config(fake.issuer));
    const old = { keys: fake.keys.map((key) => key.publicJwk) };
    let release = (): void => {};
    fake.instead.set('/jwks', (_request, response) => {
      release = () => sendJson(response, 200, old);
      fake.instead.delete('/jwks');
    });
    made.world.fire();
    await expect.poll(() => fake.count('/jwks'), PATIENT).toBe(2);
    await fake.rotate(false);
    const result = login(fake, made);
    await expect.poll(() => fake.count('/token'), PATIENT).toBe(1);
    release();
    expect((await result).ok).toBe(true);
    expect(fake.count('/jwks')).toBe(3);
  });

  it('fifty logins at once after it cost one fetch', async () => {
    const made = await ready(config(fake.issuer));
    await fake.rotate(false);
    const results = await Promise.all(Array.from({ length: 50 }, () => login(fake, made)));
    expect(results.filter((result) => !result.ok)).toEqual([]);
    // Tokens that came while the fetch was under way may ask once more.
    expect(fake.count('/jwks')).toBeLessThanOrEqual(3);
  });

  it('A166 bad signatures make at most a few fetches, then one per half minute; good logins go on', async () => {
    const made = await ready(config(fake.issuer));
    fake.lie = { signature: 'flipped' };
    for (let round = 0; round < 20; round++) expect(failureOf(await login(fake, made))).toBe('id_token_signature');
    expect(fake.count('/jwks')).toBe(1 + 4);
    made.world.time += 30_000;
    for (let round = 0; round < 5; round++) await login(fake, made);
    expect(fake.count('/jwks')).toBe(1 + 5);
    fake.lie = {};
    expect((await login(fake, made)).ok).toBe(true);
    expect(fake.count('/jwks')).toBe(1 + 5);
  });

  it('a bad signature takes no good key away, also where the key endpoint is down', async () => {
    const made = await ready(config(fake.issuer));
    fake.instead.set('/jwks', say(503, ''));
    fake.lie = { signature: 'flipped' };
    expect((await login(fake, made)).ok).toBe(false);
    fake.lie = {};
    expect((await login(fake, made)).ok).toBe(true);
  });

  it('a key that was withdrawn is used no longer after the next refresh', async () => {
    const made = await ready(config(fake.issuer));
    const withdrawn = fake.signingKey;
    await fake.rotate(false);
    made.world.fire();
    await settled(made, 2);
    fake.signingKey = withdrawn;
    expect(failureOf(await login(fake, made))).toBe('id_token_signature');
  });
});

describe('F35 a key endpoint that stays down', () => {
  it('T22 the old keys are used up to a day, and not a moment longer', async () => {
    const made = await ready(config(fake.issuer));
    fake.instead.set('/jwks', say(503, ''));
    const start = made.world.time;
    made.world.time = start + MAX_STALE;
    expect((await login(fake, made)).ok).toBe(true);
    made.world.time = start + MAX_STALE + 1;
    expect(failureOf(await login(fake, made))).toBe('provider_unavailable');
    fake.instead.clear();
    expect((await login(fake, made)).ok).toBe(true);
  });

  it('A166 without keys, logins make no more fetches than the throttle allows', async () => {
    fake.instead.set('/jwks', say(503, ''));
    const made = subject(config(fake.issuer));
    await settled(made);
    for (let round = 0; round < 20; round++) await login(fake, made);
    expect(fake.count('/jwks')).toBe(1 + 4);
  });
});
