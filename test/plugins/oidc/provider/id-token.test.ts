import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { OidcConfig } from '../../../../src/plugins/oidc/spec/config.ts';
import { milliseconds } from '../../../../src/resources/duration.ts';
import { type FakeProvider, startFakeProvider } from '../../../support/fake-provider.ts';
import { fakeKey, type TokenLie } from '../../../support/fake-tokens.ts';
import { config, failureOf, login, ready, type Subject, settled, stopAll, subject } from './support.ts';

let fake: FakeProvider;
let made: Subject;
const making = async (changes: Partial<OidcConfig> = {}): Promise<Subject> => ready(config(fake.issuer, changes));

beforeAll(async () => {
  fake = await startFakeProvider();
});
afterAll(() => fake.close());
beforeEach(async () => {
  fake.lie = {};
  fake.claims = {};
  fake.clockAhead = 0;
  fake.lifetime = 3600;
  made = await making();
});
afterEach(stopAll);

async function lied(lie: TokenLie, claims: Record<string, unknown> = {}): Promise<string> {
  fake.lie = lie;
  fake.claims = claims;
  return failureOf(await login(fake, made));
}
const claimed = (claims: Record<string, unknown>): Promise<string> => lied({}, claims);

describe('an honest ID token', () => {
  it('gives the tokens and the claims', async () => {
    fake.claims = { groups: ['a', 'b'] };
    const result = await login(fake, made);
    expect(result).toMatchObject({ ok: true, tokens: { claims: { sub: 'user-1', groups: ['a', 'b'] } } });
    expect(result.ok && (result.tokens.accessTokenExpiresAt ?? 0) - made.world.time).toBe(3_600_000);
  });

  it.each(['RS256', 'RS512', 'PS256', 'PS384', 'ES256', 'ES384', 'ES512', 'EdDSA'])(
    'is accepted signed with %s',
    async (alg) => {
      const before = fake.keys;
      fake.signingKey = await fakeKey(alg);
      fake.keys = [fake.signingKey];
      made = await making();
      expect(await lied({ atHash: 'right' })).toBe('ok');
      fake.keys = before;
      fake.signingKey = before[0] ?? fake.signingKey;
    },
  );

  it('is accepted with the algorithm name Ed25519 of RFC 9864 where EdDSA is allowed', async () => {
    const before = fake.keys;
    const key = await fakeKey('EdDSA');
    fake.signingKey = { ...key, alg: 'Ed25519', publicJwk: { ...key.publicJwk, alg: 'Ed25519' } };
    fake.keys = [fake.signingKey];
    made = await making({ allowedAlgs: ['EdDSA'] });
    expect(await lied({ atHash: 'right' })).toBe('ok');
    fake.keys = before;
    fake.signingKey = before[0] ?? fake.signingKey;
  });
});

describe('the signature', () => {
  it.each([
    ['none and no signature', { header: { alg: 'none' }, signature: 'empty' }],
    ['None', { header: { alg: 'None' }, signature: 'empty' }],
    ['no alg', { header: { alg: undefined } }],
    ['an alg that is a list', { header: { alg: ['RS256'] } }],
    ['an alg of another family', { header: { alg: 'constructor' } }],
  ] satisfies [string, TokenLie][])('A120 %s is refused', async (_name, lie) => {
    expect(await lied(lie)).toBe('id_token_algorithm');
  });

  it('A120 an empty signature under a right alg is refused', async () => {
    expect(await lied({ signature: 'empty' })).toBe('id_token_signature');
  });

  it.each(['hmac-of-public-key', 'hmac-of-secret'] as const)('A121 HS256, %s, is refused', async (signature) => {
    expect(await lied({ header: { alg: 'HS256' }, signature })).toBe('id_token_algorithm');
  });

  it('A121 an algorithm outside the configured list is refused, whatever the key set says', async () => {
    made = await making({ allowedAlgs: ['RS256', 'ES256'] });
    fake.signingKey = { ...fake.signingKey, alg: 'RS512' };
    expect(await lied({})).toBe('id_token_algorithm');
    fake.signingKey = { ...fake.signingKey, alg: 'RS256' };
  });

  it('A122 T20 a flipped bit of the signature is refused, also from the token endpoint', async () => {
    expect(await lied({ signature: 'flipped' })).toBe('id_token_signature');
  });

  it('A122 bytes that are no base64url are refused', async () => {
    expect(await lied({ signature: 'malformed' })).toBe('id_token_malformed');
  });

  it('A122 RS256 made with a key that the provider does not publish is refused', async () => {
    const honest = fake.signingKey;
    fake.signingKey = await fakeKey('RS256', honest.kid);
    expect(await lied({})).toBe('id_token_signature');
    fake.signingKey = await fakeKey('RS256', 'never-published');
    expect(await lied({})).toBe('id_token_signature');
    fake.signingKey = honest;
  });

  it('A122 ES256 with a bad signature is refused', async () => {
    const before = fake.keys;
    fake.signingKey = await fakeKey('ES256');
    fake.keys = [fake.signingKey];
    made = await making();
    expect(await lied({ signature: 'flipped' })).toBe('id_token_signature');
    fake.keys = before;
    fake.signingKey = before[0] ?? fake.signingKey;
  });

  it('A125 keys and URLs in the header are not used', async () => {
    const foreign = await fakeKey('RS256', fake.signingKey.kid);
    const honest = fake.signingKey;
    fake.signingKey = foreign;
    for (const header of [
      { jwk: foreign.publicJwk },
      { jku: `${fake.origin}/foreign` },
      { x5u: `${fake.origin}/foreign` },
      { x5c: ['MIIB'] },
      { kid: undefined, jwk: foreign.publicJwk },
    ]) {
      expect(await lied({ header })).toBe('id_token_signature');
    }
    fake.signingKey = honest;
    expect(fake.count('/foreign')).toBe(0);
    // Beside a right signature they are nothing.
    expect(await lied({ header: { jwk: foreign.publicJwk, jku: `${fake.origin}/foreign`, zip: 'DEF' } })).toBe('ok');
    expect(fake.count('/foreign')).toBe(0);
  });

  it.each([
    [{ crit: ['x'], x: 1 }],
    [{ crit: [] }],
    [{ crit: ['b64'], b64: false }],
    [{ crit: ['b64'], b64: true }],
    [{ b64: false }],
    [{ kid: 7 }],
  ])('A125 a header with %j is refused', async (header) => {
    expect(await lied({ header })).toBe('id_token_malformed');
  });

  it.each(['at+jwt', 'application/at+jwt', 'AT+JWT', 'logout+jwt'])(
    'A131 a token of type %s is no ID token',
    async (typ) => {
      expect(await lied({ header: { typ } })).toBe('id_token_malformed');
    },
  );

  it.each(['', 'x', 'a.b', 'a.b.c', 'a.b.c.d.e', '....', 'e30.e30.', 'bnVsbA.e30.AA', `${'a'.repeat(70_000)}.e30.AA`])(
    'something that is no signed JWT is refused (%#)',
    async (token) => {
      expect(await lied({ token })).toMatch(/^id_token_(malformed|algorithm)$/);
    },
  );

  it.each(['null', '[]', '"x"', '7', '', '{', '{"iss":'])('a signed payload %j is refused', async (payload) => {
    expect(await lied({ payload })).toBe('id_token_malformed');
  });
});

describe('the claims', () => {
  it.each([
    ['another', 'https://evil.example'],
    ['a slash more', '/'],
    ['a template', 'https://login.microsoftonline.com/{tenantid}/v2.0'],
    ['none', undefined],
    ['a list', []],
  ])('A127 iss: %s', async (_name, iss) => {
    expect(await claimed({ iss: iss === '/' ? `${fake.issuer}/` : iss })).toBe('id_token_issuer');
  });

  it.each([
    ['another', 'other'],
    ['none', undefined],
    ['a list without us', ['a', 'b']],
    ['an empty list', []],
    ['an object', { client: true }],
    ['us in another case', 'CLIENT'],
  ])('aud: %s', async (_name, aud) => {
    expect(await claimed({ aud })).toBe('id_token_audience');
  });

  it('aud: a list with others needs azp, which is always us', async () => {
    expect(await claimed({ aud: ['client'] })).toBe('ok');
    expect(await claimed({ aud: ['client', 'other'] })).toBe('id_token_audience');
    expect(await claimed({ aud: ['client', 'other'], azp: 'client' })).toBe('ok');
    expect(await claimed({ aud: ['client', 'other'], azp: 'other' })).toBe('id_token_audience');
    expect(await claimed({ azp: 'other' })).toBe('id_token_audience');
  });

  it('aud: configured audiences are accepted besides the client', async () => {
    made = await making({ audiences: ['api'] });
    expect(await claimed({ aud: 'api' })).toBe('ok');
    expect(await claimed({ aud: ['client', 'api'] })).toBe('ok');
    expect(await claimed({ aud: ['api', 'other'] })).toBe('id_token_audience');
  });

  it.each([
    ['none', undefined],
    ['another', 'nonce-of-another-login'],
    ['a list', ['nonce-of-this-login']],
    ['empty', ''],
  ])('A111 nonce: %s', async (_name, nonce) => {
    expect(await claimed({ nonce })).toBe('id_token_nonce');
  });

  it.each([
    ['sub', undefined],
    ['sub', ''],
    ['sub', 7],
    ['sub', 'x'.repeat(1025)],
    ['iat', undefined],
    ['exp', undefined],
    ['exp', 1e300],
    ['exp', -1],
    ['exp', '9999999999'],
    ['exp', null],
    ['iat', -1e300],
    ['iat', '1'],
    ['nbf', '1'],
    ['nbf', 1e300],
  ])('A128 %s = %j is refused', async (name, value) => {
    expect(await claimed({ [name]: value })).toBe('id_token_malformed');
  });

  it('A128 exp that JSON reads as infinite is refused', async () => {
    expect(await lied({ payload: '{"sub":"u","exp":1e999,"iat":1}' })).toMatch(/^id_token_/);
  });

  it('A128 fractions are accepted', async () => {
    const now = Date.now() / 1000;
    expect(await claimed({ exp: now + 300.5, iat: now - 0.5, nbf: now - 0.25 })).toBe('ok');
  });

  it('A128 iat of a week ago is refused, and nbf and iat in the future', async () => {
    const now = Math.floor(Date.now() / 1000);
    expect(await claimed({ iat: now - 7 * 86_400 })).toBe('id_token_clock_skew');
    expect(await claimed({ nbf: now + 120 })).toBe('id_token_clock_skew');
    expect(await claimed({ iat: now + 120 })).toBe('id_token_clock_skew');
  });

  it('T23 an expired token is refused once the tolerance is over, an Entra one (iat five minutes back) is not', async () => {
    const now = Math.floor(Date.now() / 1000);
    expect(await claimed({ iat: now - 120, exp: now - 60 })).toBe('id_token_expired');
    expect(await claimed({ iat: now - 120, exp: now - 15 })).toBe('ok');
    expect(await claimed({ iat: now - 300, nbf: now - 300, exp: now + 3600 })).toBe('ok');
    made = await making({ clockTolerance: milliseconds(0) });
    expect(await claimed({ iat: now - 120, exp: now - 15 })).toBe('id_token_expired');
  });

  it('F37 30 s of clock skew are accepted, 5 min refused with a reason that names it', async () => {
    for (const ahead of [25, -25]) {
      fake.clockAhead = ahead;
      expect(await lied({})).toBe('ok');
    }
    fake.clockAhead = 300;
    const ahead = await login(fake, made);
    expect(ahead).toMatchObject({
      ok: false,
      failure: 'id_token_clock_skew',
      detail: expect.stringContaining('clock skew'),
    });
    fake.clockAhead = -300;
    fake.lifetime = 240;
    const behind = await login(fake, made);
    expect(behind).toMatchObject({
      ok: false,
      failure: 'id_token_expired',
      detail: expect.stringContaining('clock skew'),
    });
  });

  it('A129 at_hash that is there has to be right', async () => {
    expect(await lied({ atHash: 'right' })).toBe('ok');
    expect(await lied({ atHash: 'wrong' })).toBe('id_token_at_hash');
    expect(await lied({ atHash: 'number' })).toBe('id_token_at_hash');
  });

  it('names in the claims that mean something to JavaScript change nothing', async () => {
    const now = Math.floor(Date.now() / 1000);
    const rest = `"sub":"u","exp":${now + 60},"iat":${now},"nonce":"nonce-of-this-login"`;
    expect(await lied({ payload: `{"__proto__":{"iss":"${fake.issuer}","aud":"client"},${rest}}` })).toBe(
      'id_token_issuer',
    );
  });
});

it('a failure is told without a token, code, nonce or secret (A180)', async () => {
  fake.lie = { signature: 'flipped', header: { kid: 'x'.repeat(500) } };
  const result = await login(fake, made);
  expect(result.ok).toBe(false);
  const detail = result.ok ? '' : result.detail;
  expect(detail.length).toBeLessThan(400);
  for (const { form } of fake.tokenRequests) {
    expect(detail).not.toContain(form.get('code'));
    expect(detail).not.toContain(form.get('code_verifier'));
  }
  expect(made.world.lines.join('\n')).not.toContain('secret');
});

it('a login before discovery succeeded fails as unavailable', async () => {
  const early = subject(config('http://127.0.0.1:1'));
  expect(failureOf(await login(fake, early))).toBe('provider_unavailable');
  await settled(early);
});
