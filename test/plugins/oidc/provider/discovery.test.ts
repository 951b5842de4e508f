import { once } from 'node:events';
import { createServer } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { OidcConfig } from '../../../../src/plugins/oidc/spec/config.ts';
import { milliseconds } from '../../../../src/resources/duration.ts';
import { Redacted } from '../../../../src/resources/redacted.ts';
import {
  drip,
  endless,
  gzipBomb,
  hang,
  redirect,
  reset,
  say,
  stackedCodings,
  truncated,
} from '../../../support/fake-answers.ts';
import { type FakeProvider, startFakeProvider } from '../../../support/fake-provider.ts';
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

describe('discovery', () => {
  it('makes the provider ready in the background', async () => {
    const made = subject(config(fake.issuer));
    expect(made.provider.status().status).toBe('Unknown');
    expect(made.provider.metadata()).toBeUndefined();
    expect(await settled(made)).toMatchObject({ status: 'True', message: expect.stringContaining('has keys for') });
    expect(made.provider.metadata()).toEqual({ issuer: fake.issuer, sendsIss: false });
    const endpoints = made.world.events.flatMap((event) =>
      event.kind === 'ProviderCall' ? [event.endpoint, event.result] : [],
    );
    expect(endpoints).toEqual(['discovery', 'ok', 'jwks', 'ok']);
  });

  it('finds an issuer with a path, and with a slash at the end', async () => {
    for (const path of ['/oauth2/default', '/tenant/']) {
      fake.issuerPath = path;
      fake.instead.set(`${path.replace(/\/$/, '')}${WELL_KNOWN}`, (_request, response) => {
        const { origin, issuer } = fake;
        const urls = {
          authorization_endpoint: `${origin}/authorize`,
          token_endpoint: `${origin}/token`,
          jwks_uri: `${origin}/jwks`,
        };
        response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ issuer, ...urls }));
      });
      expect(await settled(subject(config(fake.issuer)))).toMatchObject({ status: 'True' });
    }
  });

  it('tells that the provider sends iss (RFC 9207)', async () => {
    fake.metadata = { authorization_response_iss_parameter_supported: true };
    expect((await ready(config(fake.issuer))).provider.metadata()?.sendsIss).toBe(true);
  });

  it.each([
    ['a slash', (issuer: string) => `${issuer}/`],
    ['case', (issuer: string) => issuer.replace('http', 'HTTP')],
    ['port', (issuer: string) => issuer.replace(/:\d+$/, ':1')],
    ['scheme', (issuer: string) => issuer.replace('http:', 'https:')],
    ['path', (issuer: string) => `${issuer}/other`],
  ])('A116 an issuer that differs by %s is refused, and the status says so', async (_name, change) => {
    fake.metadata = { issuer: change(fake.issuer) };
    const made = subject(config(fake.issuer));
    expect(await settled(made)).toMatchObject({
      status: 'False',
      reason: 'IssuerMismatch',
      message: expect.stringContaining(change(fake.issuer)),
    });
    expect(made.provider.metadata()).toBeUndefined();
  });

  it('A116 a provider that changes its issuer later keeps its old keys', async () => {
    const made = await ready(config(fake.issuer));
    fake.metadata = { issuer: 'https://evil.example' };
    made.world.fire();
    expect(await settled(made, 2)).toMatchObject({ status: 'False', reason: 'IssuerMismatch' });
    expect((await login(fake, made)).ok).toBe(true);
  });

  it('A127 Entra’s template is not taken for any tenant', async () => {
    fake.metadata = { issuer: 'https://login.microsoftonline.com/{tenantid}/v2.0' };
    expect(await settled(subject(config(fake.issuer)))).toMatchObject({ reason: 'IssuerMismatch' });
  });

  it.each([
    ['token_endpoint', 'http://169.254.169.254/token'],
    ['jwks_uri', 'http://[fe80::1]/jwks'],
    ['jwks_uri', 'http://[::ffff:169.254.169.254]/jwks'],
    ['token_endpoint', 'http://0xa9fea9fe/token'],
    ['jwks_uri', 'file:///etc/passwd'],
    ['token_endpoint', 'https://user:password@shop.example/token'],
    ['end_session_endpoint', 'javascript:alert(1)'],
    ['jwks_uri', undefined],
    ['token_endpoint', 7],
  ])('A117 %s = %j is refused', async (name, value) => {
    fake.metadata = { [name]: value };
    const made = subject(config(fake.issuer));
    const message = expect.stringContaining(name);
    expect(await settled(made)).toMatchObject({ status: 'False', reason: 'DiscoveryFailed', message });
    expect(made.provider.metadata()).toBeUndefined();
  });

  it('an endpoint too long to send anybody to is refused', async () => {
    fake.metadata = { authorization_endpoint: `https://shop.example/${'a'.repeat(2048)}` };
    const status = await settled(subject(config(fake.issuer)));
    expect(status).toMatchObject({ reason: 'DiscoveryFailed', message: expect.stringContaining('longer than') });
    expect(status.message.length).toBeLessThan(300);
  });

  it('A117 plain http is refused without insecure.httpProvider', async () => {
    const insecure = { httpCookies: true, httpProvider: false };
    expect(await settled(subject(config(fake.issuer, { insecure })))).toMatchObject({ reason: 'DiscoveryFailed' });
    expect(fake.requests).toEqual([]);
  });

  it.each([301, 302, 303, 307, 308])(
    'A117 a redirect (%i) of the discovery document is not followed',
    async (status) => {
      const other = await startFakeProvider();
      fake.instead.set(WELL_KNOWN, redirect(`${other.origin}${WELL_KNOWN}`, status));
      expect(await settled(subject(config(fake.issuer)))).toMatchObject({
        reason: 'DiscoveryFailed',
        message: expect.stringContaining(`answered ${status}, and redirects are not followed`),
      });
      expect(other.requests).toEqual([]);
      await other.close();
    },
  );

  it.each([
    ['404', say(404, 'not here', 'text/plain'), 'answered 404'],
    ['500', say(500, '{}'), 'answered 500'],
    ['HTML', say(200, '<html>', 'text/html'), 'did not answer with the JSON metadata'],
    ['no JSON', say(200, '{'), 'did not answer with the JSON metadata'],
    ['a list', say(200, '[]'), 'did not answer with the JSON metadata'],
    ['no issuer', say(200, '{}'), 'did not answer with the JSON metadata'],
    ['a closed connection', reset, 'could not be reached'],
    ['half an answer', truncated, 'could not be reached'],
    ['A135 a gzip bomb', gzipBomb(), 'compressed'],
    ['A135 a thousand codings', stackedCodings, 'compressed'],
    ['F32 drips', drip, 'no whole answer within 300 ms'],
    ['F32 nothing', hang, 'no whole answer within 300 ms'],
  ])('%s is told in the status', async (_name, answer, message) => {
    fake.instead.set(WELL_KNOWN, answer);
    const httpTimeout = milliseconds(answer === drip || answer === hang ? 300 : 10_000);
    expect(await settled(subject(config(fake.issuer, { httpTimeout })))).toMatchObject({
      status: 'False',
      reason: 'DiscoveryFailed',
      message: expect.stringContaining(message),
    });
  });

  it('A135 an endless answer is left after a megabyte', async () => {
    const sent = { bytes: 0 };
    fake.instead.set(WELL_KNOWN, endless(sent));
    expect(await settled(subject(config(fake.issuer)))).toMatchObject({
      message: expect.stringContaining('more than'),
    });
    expect(sent.bytes).toBeLessThan(64 * 1024 * 1024);
  });

  it('A135 what is no HTTP at all is told', async () => {
    const server = createServer((socket) => socket.end('SSH-2.0-OpenSSH\r\n')).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    const port = typeof address === 'object' ? address?.port : undefined;
    expect(await settled(subject(config(`http://127.0.0.1:${port}`)))).toMatchObject({ reason: 'DiscoveryFailed' });
    server.close();
  });

  it('F30 a provider that is down at start is asked again after a growing, jittered pause, and is ready once it is there', async () => {
    fake.instead.set(WELL_KNOWN, say(503, ''));
    const made = subject(config(fake.issuer));
    fake.now = made.world.now;
    expect(await settled(made)).toMatchObject({ status: 'False', reason: 'DiscoveryFailed' });
    for (let round = 2; round <= 9; round++) {
      made.world.fire();
      await settled(made, round);
    }
    const pauses = made.world.timers.map((timer) => timer.ms);
    expect(pauses.slice(0, 4)).toEqual([750, 1500, 3000, 6000]);
    expect(pauses.at(-1)).toBe(45_000);
    fake.instead.clear();
    made.world.fire();
    expect(await settled(made, 10)).toMatchObject({ status: 'True' });
    // One line for the failure, one for the recovery.
    expect(made.world.lines).toHaveLength(2);
  });

  it('F30 the pause depends on chance, so that replicas do not ask in step', async () => {
    fake.instead.set(WELL_KNOWN, say(503, ''));
    const made = subject(config(fake.issuer));
    made.world.chance = 0;
    await settled(made);
    made.world.chance = 0.999;
    made.world.fire();
    await settled(made, 2);
    expect(made.world.timers.map((timer) => Math.round(timer.ms))).toEqual([500, 1999]);
  });

  it('F31 a provider that goes down later keeps its metadata, and logs people in as soon as it is back', async () => {
    const made = await ready(config(fake.issuer));
    for (const path of [WELL_KNOWN, '/jwks', '/token']) fake.instead.set(path, say(503, ''));
    made.world.fire();
    // A single miss turns nobody away.
    expect(await settled(made, 2)).toMatchObject({ status: 'True' });
    expect(made.world.timers.at(-1)?.ms).toBeLessThanOrEqual(1000);
    made.world.fire();
    expect(await settled(made, 3)).toMatchObject({ status: 'False', reason: 'DiscoveryFailed' });
    expect(made.provider.metadata()?.issuer).toBe(fake.issuer);
    expect(await login(fake, made)).toMatchObject({ ok: false, failure: 'provider_unavailable' });
    fake.instead.clear();
    expect((await login(fake, made)).ok).toBe(true);
  });

  it('F31 A166 a login makes it look again, in the background, at most every ten seconds', async () => {
    const made = await ready(config(fake.issuer));
    const wish = (): void => {
      for (let each = 0; each < 100; each++)
        expect(
          made.provider.authorizationUrl({ redirectUri: REDIRECT_URI, state: 's', nonce: 'n', codeChallenge: 'c' }),
        ).toBeInstanceOf(URL);
    };
    made.world.time += 9999;
    wish();
    fake.instead.set(WELL_KNOWN, say(503, ''));
    made.world.time += 1;
    wish();
    await settled(made, 2);
    wish();
    expect(fake.count(WELL_KNOWN)).toBe(2);
    // The refresh that was due is not made besides.
    expect(made.world.timers.map(({ cancelled }) => cancelled)).toEqual([true, false]);
    made.world.fire();
    expect(await settled(made, 3)).toMatchObject({ status: 'False', reason: 'DiscoveryFailed' });
  });

  it('F36 what logins wait for ends with the first try, or after two seconds', async () => {
    const quick = subject(config(fake.issuer));
    const first = quick.provider.firstAnswer();
    expect(first).toBe(quick.provider.firstAnswer());
    await first;
    expect([quick.provider.firstAnswer(), quick.provider.status().status]).toEqual([undefined, 'True']);

    fake.instead.set(WELL_KNOWN, hang);
    const slow = subject(config(fake.issuer));
    const patient = slow.provider.firstAnswer();
    expect(slow.world.timers.map(({ ms }) => ms)).toEqual([2000]);
    slow.world.fire();
    await patient;
    expect([slow.provider.firstAnswer(), slow.provider.status().status]).toEqual([undefined, 'Unknown']);

    const stopped = subject(config(fake.issuer));
    const until = stopped.provider.firstAnswer();
    stopped.provider.stop();
    await until;
  });

  describe('F36 a changed plugin', () => {
    const silence = (): void => {
      for (const path of [WELL_KNOWN, '/jwks']) fake.instead.set(path, hang);
    };
    const start = { redirectUri: REDIRECT_URI, state: 's', nonce: 'n', codeChallenge: 'c' };

    it.each<[string, Partial<OidcConfig>]>([
      ['another secret', { clientSecrets: [new Redacted('secret-of-today')] }],
      ['another client', { clientId: 'another' }],
      ['other scopes', { scopes: ['openid'] }],
    ])('with %s knows what the one before knew, without asking, and asks all the same', async (_, changes) => {
      const before = await ready(config(fake.issuer));
      silence();
      fake.secrets = ['secret', 'secret-of-today'];
      const after = subject(config(fake.issuer, changes), {}, before);
      before.provider.stop();
      expect(after.provider.firstAnswer()).toBeUndefined();
      expect(after.provider.status()).toEqual(before.provider.status());
      expect(after.provider.metadata()).toEqual(before.provider.metadata());
      const url = after.provider.authorizationUrl(start);
      expect(url?.searchParams.get('client_id')).toBe(changes.clientId ?? 'client');
      expect(url?.searchParams.get('scope')).toBe(changes.scopes?.join(' ') ?? 'openid profile');
      await expect.poll(() => fake.count(WELL_KNOWN), PATIENT).toBe(2);
      // The keys, too.
      if (changes.clientId === undefined) expect(failureOf(await login(fake, after))).toBe('ok');
    });

    it.each<[string, () => Partial<OidcConfig>]>([
      ['issuer', () => ({ issuer: `${fake.issuer}/` })],
      ['internal base', () => ({ internalBase: fake.origin })],
      ['private CA', () => ({ ca: 'PEM' })],
      ['proxy', () => ({ proxy: { scheme: 'http', host: '127.0.0.1', port: 1, credentials: undefined } })],
      ['list of algorithms', () => ({ allowedAlgs: ['ES256'] })],
      ['plain http', () => ({ insecure: { httpCookies: true, httpProvider: false } })],
      ...(['authorization', 'token', 'jwks', 'endSession'] as const).map(
        (name): [string, () => Partial<OidcConfig>] => [
          `${name} endpoint`,
          () => ({ endpoints: { ...config('').endpoints, [name]: `${fake.origin}/elsewhere` } }),
        ],
      ),
    ])('with another %s knows nothing', async (_, changes) => {
      const before = await ready(config(fake.issuer));
      silence();
      const after = subject(config(fake.issuer, changes()), {}, before);
      expect(after.provider.firstAnswer()).toBeInstanceOf(Promise);
      expect(after.provider.authorizationUrl(start)).toBeUndefined();
      expect(after.provider.status()).toMatchObject({ status: 'Unknown', reason: 'Pending' });
    });

    it('with another password at its proxy knows nothing', async () => {
      const through = (password: string): OidcConfig =>
        config(fake.issuer, {
          proxy: {
            scheme: 'http',
            host: '127.0.0.1',
            port: Number(new URL(fake.origin).port),
            credentials: new Redacted(password),
          },
        });
      const before = await ready(through('a:b'));
      silence();
      expect(subject(through('a:b'), {}, before).provider.firstAnswer()).toBeUndefined();
      expect(subject(through('a:c'), {}, before).provider.firstAnswer()).toBeInstanceOf(Promise);
    });

    it('takes nothing over from one whose provider is not well, or whose address may not be called any more', async () => {
      fake.instead.set('/jwks', say(503, ''));
      const ill = subject(config(fake.issuer));
      expect(await settled(ill)).toMatchObject({ status: 'False' });
      expect(ill.provider.known()).toBeUndefined();
      fake.instead.delete('/jwks');
      const well = await ready(config(fake.issuer));
      silence();
      const addresses = { kind: 'Public' } as const;
      const after = subject(config(fake.issuer), { addresses }, well);
      expect(after.provider.authorizationUrl(start)).toBeUndefined();
      expect(after.provider.status()).toMatchObject({ reason: 'Pending' });
    });

    it('is judged as the one before where its own first look comes to nothing', async () => {
      const before = await ready(config(fake.issuer));
      fake.instead.set(WELL_KNOWN, say(503, ''));
      const after = subject(config(fake.issuer, { clientId: 'another' }), {}, before);
      expect(await settled(after)).toEqual(before.provider.status());
      after.world.fire();
      expect(await settled(after, 2)).toMatchObject({ status: 'False', reason: 'DiscoveryFailed' });
      expect(after.provider.known()).toBeUndefined();
    });
  });

  it('is not asked for where authorization, token and key endpoints are configured', async () => {
    fake.instead.set(WELL_KNOWN, say(404, ''));
    const { origin } = fake;
    const endpoints = {
      authorization: `${origin}/authorize`,
      token: `${origin}/token`,
      jwks: `${origin}/jwks`,
      endSession: undefined,
    };
    const made = await ready(config(fake.issuer, { endpoints }));
    expect((await login(fake, made)).ok).toBe(true);
    expect(fake.count(WELL_KNOWN)).toBe(0);
    expect(
      made.provider.endSessionUrl({ idTokenHint: undefined, postLogoutRedirectUri: 'http://localhost/' }),
    ).toBeUndefined();
  });

  it('uses configured endpoints before those that the provider says', async () => {
    fake.metadata = { token_endpoint: 'http://127.0.0.1:1/token' };
    const endpoints = {
      authorization: undefined,
      token: `${fake.origin}/token`,
      jwks: undefined,
      endSession: undefined,
    };
    expect((await login(fake, await ready(config(fake.issuer, { endpoints })))).ok).toBe(true);
  });

  it('stops for good: no timer, no call, no answer waited for', async () => {
    fake.instead.set(WELL_KNOWN, hang);
    const made = subject(config(fake.issuer));
    await expect.poll(() => fake.count(WELL_KNOWN), PATIENT).toBe(1);
    made.provider.stop();
    await expect.poll(() => made.world.events.length, PATIENT).toBe(1);
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(made.world.timers).toEqual([]);
    expect(await login(fake, made)).toMatchObject({ ok: false, failure: 'provider_unavailable' });
  });
});

describe('the authorization request', () => {
  const request = { redirectUri: REDIRECT_URI, state: 's+/=&?', nonce: 'n', codeChallenge: 'c' };

  it('A112 says S256 whatever the metadata say', async () => {
    for (const methods of [undefined, [], ['plain']]) {
      fake.metadata = { code_challenge_methods_supported: methods };
      const made = await ready(config(fake.issuer));
      const url = made.provider.authorizationUrl(request);
      expect(url?.searchParams.get('code_challenge_method')).toBe('S256');
      expect(url?.searchParams.get('code_challenge')).toBe('c');
      stopAll();
    }
  });

  it('A119 holds what the configuration and the login say, each once', async () => {
    fake.metadata = { authorization_endpoint: `${fake.origin}/authorize?tenant=1` };
    const changes = { extraParams: { audience: 'api', scope: 'admin', state: 'x' }, prompt: 'login' };
    const url = (await ready(config(fake.issuer, changes))).provider.authorizationUrl(request);
    expect(url?.origin).toBe(fake.origin);
    expect([...(url?.searchParams ?? [])].sort()).toEqual([
      ['audience', 'api'],
      ['client_id', 'client'],
      ['code_challenge', 'c'],
      ['code_challenge_method', 'S256'],
      ['nonce', 'n'],
      ['prompt', 'login'],
      ['redirect_uri', REDIRECT_URI],
      ['response_type', 'code'],
      ['scope', 'openid profile'],
      ['state', 's+/=&?'],
      ['tenant', '1'],
    ]);
  });

  it('is not made before discovery has succeeded', async () => {
    fake.instead.set(WELL_KNOWN, say(503, ''));
    const made = subject(config(fake.issuer));
    await settled(made);
    expect(made.provider.authorizationUrl(request)).toBeUndefined();
    expect(made.provider.endSessionUrl({ idTokenHint: 'x', postLogoutRedirectUri: 'y' })).toBeUndefined();
  });

  it('has a counterpart for logout', async () => {
    const made = await ready(config(fake.issuer));
    const url = made.provider.endSessionUrl({ idTokenHint: 'hint', postLogoutRedirectUri: 'http://localhost/' });
    expect(Object.fromEntries(url?.searchParams ?? [])).toEqual({
      client_id: 'client',
      id_token_hint: 'hint',
      post_logout_redirect_uri: 'http://localhost/',
    });
  });
});
