import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { providerHttp } from '../../../../src/plugins/oidc/provider/http.ts';
import { retryAfter } from '../../../../src/plugins/oidc/provider/retry-after.ts';
import { createTurns } from '../../../../src/plugins/oidc/provider/turns.ts';
import { milliseconds } from '../../../../src/resources/duration.ts';
import { type Answer, type FakeProvider, startFakeProvider } from '../../../support/fake-provider.ts';
import { ANY_NETWORK } from '../../../support/network.ts';
import { config, failureOf, login, PATIENT, REDIRECT_URI, ready, settled, stopAll, subject } from './support.ts';

const WELL_KNOWN = '/.well-known/openid-configuration';
let fake: FakeProvider;
beforeEach(async () => {
  fake = await startFakeProvider();
});
afterEach(async () => {
  stopAll();
  await fake.close();
});

const busy =
  (status: number, after: string): Answer =>
  (_request, response) => {
    response.writeHead(status, { 'retry-after': after }).end();
  };

describe('Retry-After', () => {
  const now = Date.UTC(2026, 10, 24, 9);
  it.each([
    ['120', 120_000],
    ['0', 0],
    ['Tue, 24 Nov 2026 09:01:00 GMT', 60_000],
    ['Tue, 24 Nov 2026 08:00:00 GMT', 0],
    ['86400', 600_000],
    ['999999999999', 0],
    ['-5', 0],
    ['soon', 0],
    [undefined, 0],
  ])('%s is %i ms', (text, expected) => {
    expect(retryAfter(text, now)).toBe(expected);
  });
});

describe('a provider that wants to be left alone', () => {
  it.each([429, 503])(
    '%i of discovery: the next try comes no earlier, jittered, whoever wants to log in',
    async (status) => {
      const made = await ready(config(fake.issuer));
      fake.instead.set(WELL_KNOWN, busy(status, '120'));
      made.world.fire();
      await settled(made, 2);
      expect(made.world.timers.at(-1)?.ms).toBeCloseTo(126_000);
      const asked = fake.count(WELL_KNOWN);
      made.world.time += 119_000;
      for (let each = 0; each < 20; each++) {
        made.provider.authorizationUrl({ redirectUri: REDIRECT_URI, state: 's', nonce: 'n', codeChallenge: 'c' });
      }
      await new Promise((resolve) => setTimeout(resolve, 50));
      expect(fake.count(WELL_KNOWN)).toBe(asked);
      fake.instead.clear();
      made.world.time += 1000;
      made.provider.authorizationUrl({ redirectUri: REDIRECT_URI, state: 's', nonce: 'n', codeChallenge: 'c' });
      await settled(made, 3);
      expect(fake.count(WELL_KNOWN)).toBe(asked + 1);
      expect(made.provider.status()).toMatchObject({ status: 'True' });
    },
  );

  it('of the key set: logins do not ask for it meanwhile either', async () => {
    const made = await ready(config(fake.issuer));
    fake.instead.set('/jwks', busy(429, '60'));
    made.world.fire();
    await settled(made, 2);
    const asked = fake.count('/jwks');
    await fake.rotate(false);
    expect(failureOf(await login(fake, made))).toBe('id_token_signature');
    expect(fake.count('/jwks')).toBe(asked);
    fake.instead.clear();
    made.world.time += 60_000;
    expect(failureOf(await login(fake, made))).toBe('ok');
  });

  it('the status holds no number of seconds, and does not change while it waits', async () => {
    fake.instead.set(WELL_KNOWN, busy(429, '120'));
    const made = subject(config(fake.issuer));
    fake.now = made.world.now;
    const first = await settled(made);
    expect(first).toMatchObject({
      status: 'False',
      reason: 'DiscoveryFailed',
      message: expect.stringContaining('429'),
    });
    fake.instead.set(WELL_KNOWN, busy(429, '77'));
    made.world.fire();
    expect(await settled(made, 2)).toEqual(first);
  });
});

describe('F32 a slow provider', () => {
  it('is called by sixteen at a time, and those that wait do so within their deadline', async () => {
    let running = 0;
    let most = 0;
    fake.instead.set('/slow', (_request, response) => {
      running += 1;
      most = Math.max(most, running);
      response.on('close', () => {
        running -= 1;
      });
    });
    const http = providerHttp({ deadline: milliseconds(1500), ca: undefined, proxy: undefined, network: ANY_NETWORK });
    const call = () => http.call({ method: 'GET', url: new URL(`${fake.origin}/slow`), headers: {} });
    const began = Date.now();
    const calls = Array.from({ length: 300 }, call);
    await expect.poll(() => running, PATIENT).toBe(16);
    const kinds = (await Promise.all(calls)).map((answer) => (answer.ok ? 'ok' : answer.kind));
    expect(Date.now() - began).toBeLessThan(15_000);
    expect(kinds.filter((kind) => kind === 'Busy')).toHaveLength(44);
    expect(kinds.filter((kind) => kind === 'Timeout')).toHaveLength(256);
    await expect.poll(() => running, PATIENT).toBe(0);
    expect(most).toBe(16);
    expect((await http.call({ method: 'GET', url: new URL(`${fake.origin}/jwks`), headers: {} })).ok).toBe(true);
    http.stop();
  });

  it('turns go on after failures', async () => {
    const turn = createTurns(1);
    const { signal } = new AbortController();
    const failing = turn(() => Promise.reject(new Error('no')), signal);
    const next = turn(() => Promise.resolve(1), signal);
    const gone = new AbortController();
    let ran = false;
    const run = (): Promise<void> => {
      ran = true;
      return Promise.resolve();
    };
    void turn(run, gone.signal);
    gone.abort();
    const last = turn(() => Promise.resolve(2), signal);
    await expect(failing).rejects.toThrow('no');
    expect([await next, await last, ran]).toEqual([1, 2, false]);
  });
});
