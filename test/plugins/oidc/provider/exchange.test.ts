import { createHash } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
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
import { callbackOf, config, failureOf, login, NONCE, REDIRECT_URI, ready, stopAll } from './support.ts';

let fake: FakeProvider;

beforeEach(async () => {
  fake = await startFakeProvider();
});
afterEach(async () => {
  stopAll();
  await fake.close();
});

/** An answer of the token endpoint that is made of the request. */
function instead(answer: (form: URLSearchParams) => readonly [number, unknown]): void {
  fake.instead.set('/token', (request, response) => {
    let body = '';
    request.on('data', (chunk) => {
      body += String(chunk);
    });
    request.on('end', () => {
      const [status, json] = answer(new URLSearchParams(body));
      say(status, JSON.stringify(json))(request, response);
    });
  });
}

describe('the token request', () => {
  it('A110 carries the PKCE verifier, without which the code is worth nothing', async () => {
    const made = await ready(config(fake.issuer));
    const codeChallenge = createHash('sha256').update('the right verifier').digest('base64url');
    const grant = { nonce: NONCE, redirectUri: REDIRECT_URI, codeChallenge };
    expect(await made.provider.exchange(callbackOf(fake.issueCode(grant), 'another verifier'))).toMatchObject({
      failure: 'code_rejected',
    });
    expect((await made.provider.exchange(callbackOf(fake.issueCode(grant), 'the right verifier'))).ok).toBe(true);
    expect(Object.fromEntries(fake.tokenRequests.at(-1)?.form ?? [])).toMatchObject({
      grant_type: 'authorization_code',
      redirect_uri: REDIRECT_URI,
      code_verifier: 'the right verifier',
    });
  });

  it('encodes id and secret as RFC 6749 section 2.3.1 says', async () => {
    const secret = "a:b c+d%e&f=ü'".replace('ü', '~');
    fake.secrets = [secret];
    const made = await ready(config(fake.issuer, { clientSecrets: [new Redacted(secret)] }));
    expect((await login(fake, made)).ok).toBe(true);
    const basic = fake.tokenRequests.at(-1)?.authorization.slice('Basic '.length) ?? '';
    expect(Buffer.from(basic, 'base64').toString()).toBe('client:a%3Ab+c%2Bd%25e%26f%3D%7E%27');
    expect(fake.tokenRequests.at(-1)?.form.has('client_secret')).toBe(false);
  });

  it('client_secret_post sends them in the form', async () => {
    const made = await ready(config(fake.issuer, { tokenEndpointAuthMethod: 'client_secret_post' }));
    expect((await login(fake, made)).ok).toBe(true);
    expect(fake.tokenRequests.at(-1)?.authorization).toBe('');
    expect(fake.tokenRequests.at(-1)?.form.get('client_secret')).toBe('secret');
  });

  it('none sends the id only', async () => {
    fake.secrets = [];
    const made = await ready(config(fake.issuer, { tokenEndpointAuthMethod: 'none', clientSecrets: [] }));
    expect((await login(fake, made)).ok).toBe(true);
    expect(fake.tokenRequests.at(-1)?.form.get('client_id')).toBe('client');
    expect(fake.tokenRequests.at(-1)?.form.has('client_secret')).toBe(false);
  });

  it('F36 tries the previous secret where the provider refuses the current one, and only then', async () => {
    const made = await ready(config(fake.issuer, { clientSecrets: [new Redacted('new'), new Redacted('old')] }));
    fake.secrets = ['old'];
    expect((await login(fake, made)).ok).toBe(true);
    expect(fake.tokenRequests).toHaveLength(2);
    fake.secrets = ['new'];
    expect((await login(fake, made)).ok).toBe(true);
    expect(fake.tokenRequests).toHaveLength(4);
    expect((await login(fake, made)).ok).toBe(true);
    expect(fake.tokenRequests).toHaveLength(5);
    fake.secrets = ['neither'];
    expect(await login(fake, made)).toMatchObject({ failure: 'client_rejected' });
    expect(fake.tokenRequests).toHaveLength(7);
    fake.secrets = ['new'];
    expect(await made.provider.exchange(callbackOf('unknown', 'x'))).toMatchObject({ failure: 'code_rejected' });
    expect(fake.tokenRequests).toHaveLength(8);
  });

  it('F36 remembers for a while which secret works, and log and status say so', async () => {
    const made = await ready(config(fake.issuer, { clientSecrets: [new Redacted('new'), new Redacted('old')] }));
    const authentication = () => made.provider.status().checks?.find(({ name }) => name === 'ClientAuthentication');
    const loggedIn = async (): Promise<number> => {
      const before = fake.tokenRequests.length;
      expect((await login(fake, made)).ok).toBe(true);
      return fake.tokenRequests.length - before;
    };
    expect(authentication()).toMatchObject({ result: 'Passed' });
    fake.secrets = ['old'];
    expect([await loggedIn(), await loggedIn(), await loggedIn()]).toEqual([2, 1, 1]);
    expect(authentication()).toMatchObject({ result: 'Warning', message: expect.stringContaining('previous') });
    const lines = made.world.lines.filter((line) => line.includes('previous'));
    expect(lines).toHaveLength(1);
    made.world.time += 11 * 60_000;
    fake.secrets = ['new', 'old'];
    expect([await loggedIn(), await loggedIn()]).toEqual([1, 1]);
    expect(authentication()).toMatchObject({ result: 'Passed' });
    fake.secrets = ['neither'];
    expect(await login(fake, made)).toMatchObject({ failure: 'client_rejected' });
    expect(authentication()).toMatchObject({ result: 'Failed', message: expect.stringContaining('clientSecretRef') });
    expect(made.world.lines.join()).not.toMatch(/"new"|"old"/);
  });
});

describe('the token response', () => {
  it.each([
    [500, '{"error":"server_error"}', 'provider_unavailable'],
    [503, '<html>', 'provider_unavailable'],
    [429, '{}', 'provider_unavailable'],
    [400, '{"error":"temporarily_unavailable"}', 'provider_unavailable'],
    [400, '{"error":"invalid_grant"}', 'code_rejected'],
    [400, '{"error":"invalid_client"}', 'client_rejected'],
    [401, '{"error":"invalid_client"}', 'client_rejected'],
    [401, 'no', 'client_rejected'],
    [400, '{"error":"unauthorized_client"}', 'client_rejected'],
    [400, '{"error":"invalid_request"}', 'bad_response'],
    [400, '{"error":7}', 'bad_response'],
    [403, '', 'bad_response'],
    [201, '{}', 'bad_response'],
    [200, '', 'bad_response'],
    [200, '[]', 'bad_response'],
    [200, 'null', 'bad_response'],
    [200, '{"access_token":"a","token_type":"Bearer"', 'bad_response'],
    [200, '{"access_token":"a","token_type":"Bearer"}', 'id_token_malformed'],
  ])('status %i with %s is %s', async (status, body, failure) => {
    const made = await ready(config(fake.issuer));
    fake.instead.set('/token', say(status, body));
    expect(failureOf(await login(fake, made))).toBe(failure);
  });

  it.each([301, 302, 303, 307, 308])('A117 a redirect (%i) is not followed', async (status) => {
    const made = await ready(config(fake.issuer));
    fake.instead.set('/token', redirect(`${fake.origin}/elsewhere`, status));
    expect(failureOf(await login(fake, made))).toBe('bad_response');
    expect(fake.count('/elsewhere')).toBe(0);
  });

  it.each([
    ['text/html', 'bad_response'],
    ['text/plain; application/json', 'bad_response'],
    ['', 'bad_response'],
    ['Application/JSON; charset=utf-8', 'id_token_malformed'],
  ])('content type %j: %s', async (type, failure) => {
    const made = await ready(config(fake.issuer));
    fake.instead.set('/token', say(200, '{"access_token":"a","token_type":"Bearer"}', type));
    expect(failureOf(await login(fake, made))).toBe(failure);
  });

  it('A133 token_type in any case, no expires_in, no refresh token', async () => {
    const made = await ready(config(fake.issuer));
    for (const type of ['bEaReR', 'bearer']) {
      fake.response = { token_type: type, expires_in: undefined };
      expect(await login(fake, made)).toMatchObject({ ok: true, tokens: { accessTokenExpiresAt: undefined } });
    }
  });

  it.each([undefined, '', 'DPoP', 'mac', ['Bearer'], 'Bearer '])('token_type %j is refused', async (type) => {
    const made = await ready(config(fake.issuer));
    fake.response = { token_type: type };
    expect(failureOf(await login(fake, made))).toBe('bad_response');
  });

  it.each([
    [300, 300],
    [300.9, 300],
    ['300', 300],
    ['300.5', 300],
    [0, 0],
    [1e300, 315_360_000],
    ['99999999999999999999', 315_360_000],
    [null, undefined],
  ])('A128 A133 expires_in %j is %j seconds', async (value, seconds) => {
    const made = await ready(config(fake.issuer));
    fake.response = { expires_in: value };
    const result = await login(fake, made);
    const at = result.ok ? result.tokens.accessTokenExpiresAt : 'failed';
    expect(at).toBe(seconds === undefined ? undefined : made.world.time + seconds * 1000);
  });

  it.each([-1, '-1', 'soon', '1e300', '', [], {}, true])('A128 expires_in %j is refused', async (value) => {
    const made = await ready(config(fake.issuer));
    fake.response = { expires_in: value };
    expect(failureOf(await login(fake, made))).toBe('bad_response');
  });

  it.each([undefined, '', 7, 'a b', 'a\r\nX-Admin: 1', 'é', 'x'.repeat(70_000)])(
    'an access token that no header can carry is refused (%#)',
    async (value) => {
      const made = await ready(config(fake.issuer));
      fake.response = { access_token: value };
      expect(failureOf(await login(fake, made))).toBe('bad_response');
    },
  );

  it.each([
    ['A135 a gzip bomb', gzipBomb(), 'bad_response'],
    ['A135 a thousand codings', stackedCodings, 'bad_response'],
    ['A135 drips', drip, 'provider_unavailable'],
    ['F32 nothing', hang, 'provider_unavailable'],
    ['a closed connection', reset, 'provider_unavailable'],
    ['half an answer', truncated, 'provider_unavailable'],
  ])('%s', async (_name, answer, failure) => {
    const httpTimeout = milliseconds(answer === drip || answer === hang ? 1000 : 10_000);
    const made = await ready(config(fake.issuer, { httpTimeout }));
    fake.instead.set('/token', answer);
    expect(failureOf(await login(fake, made))).toBe(failure);
  });

  it('A135 an endless answer is left after a megabyte', async () => {
    const made = await ready(config(fake.issuer));
    const sent = { bytes: 0 };
    fake.instead.set('/token', endless(sent));
    expect(failureOf(await login(fake, made))).toBe('bad_response');
    expect(sent.bytes).toBeLessThan(64 * 1024 * 1024);
  });

  it('A180 a provider that repeats what it was sent is told of without it', async () => {
    const secret = 'short-secret/+';
    fake.secrets = ['another'];
    const made = await ready(config(fake.issuer, { clientSecrets: [new Redacted(secret)] }));
    const basic = Buffer.from(`client:${secret}`).toString('base64');
    let code = '';
    instead((form) => {
      code = form.get('code') ?? '';
      const said = `AADSTS7000215: Invalid client. \u001b[31m\n ${basic} ${secret} ${NONCE} ${code} ${form}`;
      return [400, { error: 'invalid_client', error_description: said.repeat(3) }];
    });
    const result = await login(fake, made);
    const detail = result.ok ? '' : result.detail;
    expect(detail).toContain('AADSTS7000215: Invalid client');
    expect(detail).toMatch(/^[\x20-\x7e…]+$/);
    for (const value of [secret, basic, NONCE, code, encodeURIComponent(secret)]) expect(detail).not.toContain(value);
  });

  it.each(['code', 'code_verifier'])(
    'A180 a provider that puts the %s into its error or its token header, too',
    async (name) => {
      const made = await ready(config(fake.issuer));
      let value = '';
      instead((form) => {
        value = form.get(name) ?? '';
        return [400, { error: value }];
      });
      const first = await login(fake, made);
      expect(value).not.toBe('');
      expect(first.ok ? '' : first.detail).not.toContain(value);
      instead((form) => {
        value = form.get(name) ?? '';
        const header = Buffer.from(JSON.stringify({ alg: 'RS256', kid: value })).toString('base64url');
        return [200, { access_token: 'a', token_type: 'Bearer', id_token: `${header}.e30.AAAA` }];
      });
      const second = await login(fake, made);
      expect(second).toMatchObject({ ok: false, failure: 'id_token_signature' });
      expect(second.ok ? '' : second.detail).not.toContain(value);
    },
  );
});

describe('many logins', () => {
  it('F32 a hanging provider: at most 16 connections, all fail at the deadline, the next login succeeds', async () => {
    const made = await ready(config(fake.issuer, { httpTimeout: milliseconds(1500) }));
    let open = 0;
    let most = 0;
    fake.instead.set('/token', (request) => {
      open += 1;
      most = Math.max(most, open);
      request.socket.on('close', () => {
        open -= 1;
      });
    });
    const results = await Promise.all(Array.from({ length: 60 }, () => login(fake, made)));
    expect(new Set(results.map(failureOf))).toEqual(new Set(['provider_unavailable']));
    expect(most).toBeGreaterThan(1);
    // A socket that the client gave up may be seen to close a little later than its successor to open.
    expect(most).toBeLessThanOrEqual(2 * 16);
    fake.instead.clear();
    made.world.time += 5000;
    expect((await login(fake, made)).ok).toBe(true);
  });

  it('F32 a provider that left five calls without an answer is not asked for five seconds, then by one', async () => {
    const made = await ready(config(fake.issuer));
    fake.instead.set('/token', reset);
    for (let round = 0; round < 8; round++) expect(failureOf(await login(fake, made))).toBe('provider_unavailable');
    expect(fake.count('/token')).toBe(5);
    made.world.time += 4999;
    expect(await login(fake, made)).toMatchObject({ detail: expect.stringContaining('was not asked') });
    made.world.time += 1;
    const both = await Promise.all([login(fake, made), login(fake, made)]);
    expect(both.map(failureOf)).toEqual(['provider_unavailable', 'provider_unavailable']);
    expect(fake.count('/token')).toBe(6);
    fake.instead.clear();
    made.world.time += 5000;
    expect((await login(fake, made)).ok).toBe(true);
    expect((await login(fake, made)).ok).toBe(true);
  });

  it('F32 answers are no silence, whatever they say', async () => {
    const made = await ready(config(fake.issuer));
    fake.instead.set('/token', say(503, ''));
    for (let round = 0; round < 8; round++) await login(fake, made);
    expect(fake.count('/token')).toBe(8);
  });

  it('F32 another provider is not touched by one that hangs', async () => {
    const other = await startFakeProvider();
    const bad = await ready(config(fake.issuer, { httpTimeout: milliseconds(2000) }));
    const good = await ready(config(other.issuer));
    fake.instead.set('/token', hang);
    const waiting = Promise.all(Array.from({ length: 40 }, () => login(fake, bad)));
    expect((await login(other, good)).ok).toBe(true);
    expect(bad.world.events.filter((event) => event.kind === 'ProviderCall' && event.endpoint === 'token')).toEqual([]);
    bad.provider.stop();
    expect(new Set((await waiting).map(failureOf))).toEqual(new Set(['provider_unavailable']));
    await other.close();
  });

  it('F32 more than waits in line is refused at once', async () => {
    const made = await ready(config(fake.issuer, { httpTimeout: milliseconds(1000) }));
    fake.instead.set('/token', hang);
    const results = await Promise.all(Array.from({ length: 300 }, () => login(fake, made)));
    const details = results.map((result) => (result.ok ? '' : result.detail));
    expect(details.filter((detail) => detail.includes('are waiting already'))).toHaveLength(300 - 256);
  });

  it('a hundred at once at an honest provider all succeed', async () => {
    const made = await ready(config(fake.issuer));
    const results = await Promise.all(Array.from({ length: 100 }, () => login(fake, made)));
    expect(results.filter((result) => result.ok)).toHaveLength(100);
  });
});
