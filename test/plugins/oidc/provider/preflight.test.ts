import fc from 'fast-check';
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type ClockStep, clockAhead, clockStep, clockWords } from '../../../../src/plugins/oidc/provider/clock.ts';
import type { OidcConfig } from '../../../../src/plugins/oidc/spec/config.ts';
import type { InstanceCheck } from '../../../../src/routing/decision.ts';
import { say } from '../../../support/fake-answers.ts';
import { type FakeProvider, startFakeProvider } from '../../../support/fake-provider.ts';
import { type HonestProvider, startHonestProvider } from '../../../support/honest-provider.ts';
import { config, ready, settled, stopAll, subject } from './support.ts';

const WELL_KNOWN = '/.well-known/openid-configuration';
let fake: FakeProvider;
let honest: HonestProvider | undefined;
beforeEach(async () => {
  fake = await startFakeProvider();
});
afterEach(async () => {
  stopAll();
  await fake.close();
});
afterAll(() => honest?.close());

const byName = (checks: readonly InstanceCheck[] | undefined): Readonly<Record<string, string>> =>
  Object.fromEntries((checks ?? []).map(({ name, result }) => [name, result]));
async function checked(changes: Partial<OidcConfig> = {}): Promise<Readonly<Record<string, string>>> {
  return byName((await settled(subject(config(fake.issuer, changes)))).checks);
}

describe('what is found out about a provider', () => {
  it('all is well at a certified one', async () => {
    honest = await startHonestProvider({ redirectUris: ['http://localhost/'] });
    const { status, checks } = await settled(subject(config(honest.issuer)));
    expect(status).toBe('True');
    expect(checks).toEqual([
      { name: 'Discovery', result: 'Passed', message: 'The discovery document was found.' },
      { name: 'Issuer', result: 'Passed', message: `The provider names itself ${honest.issuer}, as spec.issuer does.` },
      { name: 'Keys', result: 'Passed', message: 'There are keys for RS256.' },
      { name: 'PKCE', result: 'Passed', message: 'The provider supports S256.' },
      { name: 'ClientAuthentication', result: 'Passed', message: 'The provider offers client_secret_basic.' },
      { name: 'Clock', result: 'Passed', message: 'The clocks of the provider and of this gateway agree.' },
    ]);
  });

  it('a discovery document that can not be had', async () => {
    fake.instead.set(WELL_KNOWN, say(404, ''));
    expect(await checked()).toMatchObject({ Discovery: 'Failed', Issuer: 'Unknown', Keys: 'Unknown' });
  });

  it('A116 another issuer', async () => {
    fake.metadata = { issuer: 'https://other.example' };
    expect(await checked()).toMatchObject({ Discovery: 'Passed', Issuer: 'Failed', Keys: 'Unknown' });
  });

  it('keys that can not be had, or not be used', async () => {
    fake.instead.set('/jwks', say(500, ''));
    expect(await checked()).toMatchObject({ Discovery: 'Passed', Issuer: 'Passed', Keys: 'Failed' });
    fake.instead.clear();
    fake.publishedKeys = { keys: [] };
    const status = await settled(subject(config(fake.issuer)));
    expect(status.reason).toBe('NoUsableKeys');
    expect(byName(status.checks)).toMatchObject({ Issuer: 'Passed', Keys: 'Failed' });
  });

  it.each([
    [undefined, 'Unknown'],
    [['S256'], 'Passed'],
    [['plain'], 'Warning'],
    [[], 'Warning'],
    ['S256', 'Unknown'],
  ])('PKCE methods %j: %s', async (methods, result) => {
    fake.metadata = { code_challenge_methods_supported: methods };
    expect(await checked()).toMatchObject({ PKCE: result });
  });

  it.each([
    [undefined, 'client_secret_basic', 'Passed'],
    [undefined, 'client_secret_post', 'Warning'],
    [['client_secret_post'], 'client_secret_basic', 'Warning'],
    [['client_secret_post'], 'client_secret_post', 'Passed'],
    [['private_key_jwt'], 'client_secret_basic', 'Warning'],
    [7, 'client_secret_basic', 'Passed'],
  ] as const)('client authentication: %j offered, %s used: %s', async (offered, used, result) => {
    fake.metadata = { token_endpoint_auth_methods_supported: offered };
    expect(await checked({ tokenEndpointAuthMethod: used })).toMatchObject({ ClientAuthentication: result });
  });

  it('a warning says what to write', async () => {
    fake.metadata = { token_endpoint_auth_methods_supported: ['private_key_jwt', 'client_secret_post'] };
    const { checks } = await settled(subject(config(fake.issuer)));
    expect(checks?.find(({ name }) => name === 'ClientAuthentication')?.message).toContain(
      'write tokenEndpointAuthMethod: client_secret_post',
    );
  });

  it('a warning is logged once, for those who have no status to look at', async () => {
    fake.metadata = { token_endpoint_auth_methods_supported: ['client_secret_post'] };
    const made = await ready(config(fake.issuer));
    made.world.fire();
    await settled(made, 2);
    expect(made.world.lines.filter((line) => line.includes('does not offer client_secret_basic'))).toHaveLength(1);
  });

  it('what was configured was not found out', async () => {
    const { origin } = fake;
    const endpoints = {
      authorization: `${origin}/a`,
      token: `${origin}/t`,
      jwks: `${origin}/jwks`,
      endSession: undefined,
    };
    expect(await checked({ endpoints })).toMatchObject({
      Discovery: 'Unknown',
      Issuer: 'Unknown',
      Keys: 'Passed',
      PKCE: 'Unknown',
      ClientAuthentication: 'Unknown',
      Clock: 'Passed',
    });
  });

  it('whatever a provider says, the status comes about and is small', async () => {
    await fc.assert(
      fc.asyncProperty(fc.jsonValue(), fc.jsonValue(), async (a, b) => {
        fake.metadata = { code_challenge_methods_supported: a, token_endpoint_auth_methods_supported: b };
        const { checks } = await settled(subject(config(fake.issuer)));
        expect(JSON.stringify(checks).length).toBeLessThan(4000);
      }),
      { numRuns: 30 },
    );
  });

  it('looks that give the same say the same, to the letter', async () => {
    const made = await ready(config(fake.issuer));
    fake.now = made.world.now;
    const first = JSON.stringify(made.provider.status());
    expect(made.provider.status()).toBe(made.provider.status());
    await fake.rotate(true);
    made.world.fire();
    await settled(made, 2);
    expect(JSON.stringify(made.provider.status())).toBe(first);
  });
});

describe('F37 the clocks', () => {
  it.each([
    [303, 'about 5 minutes ahead of'],
    [-50, 'about a minute behind'],
  ])('a provider that is %i s ahead is told, in coarse words, and is ready all the same', async (seconds, words) => {
    fake.clockAhead = seconds;
    const { status, checks } = await settled(subject(config(fake.issuer)));
    expect(status).toBe('True');
    expect(checks?.at(-1)).toMatchObject({ name: 'Clock', result: 'Warning', message: expect.stringContaining(words) });
  });

  it('a Date that was kept by a cache says nothing', async () => {
    fake.clockAhead = -3600;
    fake.instead.set(WELL_KNOWN, (_request, response) => {
      response.setHeader('age', '3600');
      response.writeHead(404).end();
    });
    expect(byName((await settled(subject(config(fake.issuer)))).checks)).not.toHaveProperty('Clock');
  });

  it.each([
    ['Tue, 24 Nov 2026 09:00:00 GMT', 500],
    ['Tue, 24 Nov 2026 09:05:00 GMT', 300_500],
    ['24 Nov 2026', undefined],
    ['Tue, 99 Nov 2026 09:00:00 GMT', undefined],
    [undefined, undefined],
  ])('Date: %s', (date, ahead) => {
    const now = Date.UTC(2026, 10, 24, 9);
    expect(clockAhead(date, now, now)).toBe(ahead);
  });

  it.each([
    [0, undefined],
    [29_999, undefined],
    [-29_999, undefined],
    [30_000, 'about a minute ahead of'],
    [-120_000, 'about 2 minutes behind'],
    [300_000, 'about 5 minutes ahead of'],
    [-3_600_000, 'about an hour behind'],
    [86_400_000, 'more than an hour ahead of'],
  ])('%i ms: %s', (ahead, words) => {
    const step = clockStep(ahead, undefined);
    expect(step === undefined ? undefined : clockWords(step)).toBe(words);
  });

  it('one that stands at the border of two steps changes nothing', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 30_000, max: 10_000_000 }),
        fc.array(fc.double({ min: 0.9, max: 1, noNaN: true })),
        (top, noise) => {
          let step: ClockStep | undefined = clockStep(top, undefined);
          const first = step;
          for (const factor of noise) {
            step = clockStep(top * factor, step);
            expect(step).toEqual(first);
          }
        },
      ),
    );
  });
});
