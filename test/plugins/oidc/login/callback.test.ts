import { createHash, randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatKeyList, generateKey } from '../../../../src/keys/key-list.ts';
import { parseCallbackQuery } from '../../../../src/plugins/oidc/login/callback-query.ts';
import { createUsedAttempts } from '../../../../src/plugins/oidc/login/used-attempts.ts';
import type { ExchangeFailure } from '../../../../src/plugins/oidc/provider/provider.ts';
import type { Decision } from '../../../../src/routing/decision.ts';
import { Browser, codeOf, HOUR, headerOf, locationOf, MINUTE, Stage, statusOf } from './harness.ts';

const CALLBACK = '/_oidc/okta/callback';
const linkOf = (decision: Decision): string | undefined =>
  decision.kind === 'respond' && decision.notice?.action?.kind === 'Link' ? decision.notice.action.href : undefined;

/** A browser that stands before the callback, and the query that the provider sends it back with. */
async function arrive(stage = new Stage(), path = '/orders') {
  const browser = new Browser(stage);
  const start = await browser.get(path);
  const query = stage.provider.signIn(locationOf(start));
  const change = (edit: (params: URLSearchParams) => void): string => {
    const params = new URLSearchParams(query.slice(1));
    edit(params);
    return `?${params.toString()}`;
  };
  return { stage, browser, query, change };
}

/** Refused: a page, no session, no call to the provider, no redirect. */
async function expectRefused(stage: Stage, browser: Browser, query: string, status = 400): Promise<Decision> {
  const before = stage.provider.exchanges;
  const decision = await browser.get(CALLBACK, { query });
  expect(statusOf(decision)).toBe(status);
  expect(decision.kind === 'respond' && decision.notice).toBeTruthy();
  expect(headerOf(decision, 'location')).toBeUndefined();
  expect(headerOf(decision, 'cache-control')).toBe('no-store');
  expect(headerOf(decision, 'referrer-policy')).toBe('no-referrer');
  expect(decision.cookies).toEqual([]);
  expect(stage.provider.exchanges).toBe(before);
  return decision;
}

describe('A092 a callback that is none', () => {
  it.each([
    ['with nothing', '', 'state_missing'],
    ['without state', '?code=c', 'state_missing'],
    ['with an empty state', '?code=c&state=', 'state_missing'],
    ['with an unknown state', '?code=c&state=abcdef', 'state_invalid'],
    ['with a huge state', `?code=c&state=${'A'.repeat(1_000_000)}`, 'state_invalid'],
    ['with a bad escape', '?code=c&state=%ff', 'malformed'],
    ['with two codes', '?code=c&code=d&state=x', 'malformed'],
    ['with two states', '?code=c&state=x&state=x', 'malformed'],
    ['with a state twice in two spellings', '?code=c&state=x&%73tate=y', 'malformed'],
    ['with a name of JavaScript', '?__proto__=x&constructor=y&state=z&code=c', 'state_invalid'],
  ])('%s: 400, no link, no session', async (_, query, reason) => {
    const { stage, browser } = await arrive();
    const decision = await expectRefused(stage, browser, query);
    expect(linkOf(decision)).toBeUndefined();
    expect(stage.failures()).toEqual([reason]);
  });

  it('reused: 400 without a session, on to the page with one', async () => {
    const { stage, browser, query } = await arrive();
    expect(statusOf(await browser.get(CALLBACK, { query }))).toBe(303);
    const again = await browser.get(CALLBACK, { query });
    expect(locationOf(again)).toBe('/orders');
    expect(again.cookies).toEqual([]);
    for (const name of browser.names('s')) browser.jar.delete(name);
    const decision = await expectRefused(stage, browser, query);
    expect(linkOf(decision)).toBe('/orders');
    expect(stage.failures()).toEqual(['attempt_used', 'attempt_used']);
    expect(stage.provider.exchanges).toBe(1);
  });

  it('expired: 400 with a link without a session, on to the page with one', async () => {
    const { stage, browser, query } = await arrive(undefined, '/late');
    stage.now += HOUR - MINUTE;
    const url = locationOf(await browser.get('/other'));
    stage.now += MINUTE;
    const decision = await expectRefused(stage, browser, query);
    expect(codeOf(decision)).toBe('login_state_expired');
    expect(linkOf(decision)).toBe('/late');
    await browser.comeBack(url);
    expect(locationOf(await browser.get(CALLBACK, { query }))).toBe('/late');
  });

  it('F37 from the future: refused beyond what clocks of replicas differ', async () => {
    const { stage, browser, query } = await arrive();
    stage.now -= 61_000;
    expect(codeOf(await expectRefused(stage, browser, query))).toBe('login_state_expired');
    stage.now += 31_000;
    expect(statusOf(await browser.get(CALLBACK, { query }))).toBe(303);
  });

  it.each(['POST', 'HEAD', 'PUT', 'OPTIONS'])('by %s: 405', async (method) => {
    const { stage, browser, query } = await arrive();
    const decision = await browser.get(CALLBACK, { query, method });
    expect(statusOf(decision)).toBe(405);
    expect(headerOf(decision, 'allow')).toBe('GET');
    expect(stage.provider.exchanges).toBe(0);
  });

  it('with any query at all: never throws, never exchanges', async () => {
    const { stage, browser } = await arrive();
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'binary' }), async (noise) => {
        expect(statusOf(await browser.get(CALLBACK, { query: `?${noise}` }))).toBe(400);
      }),
    );
    expect(stage.provider.exchanges).toBe(0);
  });

  it('parses what URLSearchParams writes, and nothing twice', () => {
    const text = fc.string({ unit: 'grapheme', minLength: 1 });
    fc.assert(
      fc.property(text, text, text, (code, state, iss) => {
        const query = `?${new URLSearchParams({ code, state, iss, session_state: 'x' }).toString()}`;
        expect(parseCallbackQuery(query)).toEqual({ code, state, iss, error: undefined });
        expect(parseCallbackQuery(`${query}&session_state=y`)).toBeUndefined();
      }),
    );
  });
});

describe('A094 a callback of another browser', () => {
  it('without binding cookie, or with another: no call to the provider, 400', async () => {
    const { stage, query } = await arrive();
    const fresh = new Browser(stage);
    const decision = await expectRefused(stage, fresh, query);
    expect(codeOf(decision)).toBe('login_other_browser');
    expect(linkOf(decision)).toBe('/orders');
    await fresh.get('/somewhere');
    await expectRefused(stage, fresh, query);
    expect(stage.provider.exchanges).toBe(0);
  });

  it('leaves the session of the victim as it is, and goes on to the page of the state', async () => {
    const { stage, query } = await arrive(undefined, '/attacker');
    const victim = new Browser(stage);
    await victim.logIn();
    const before = [...victim.jar];
    const decision = await victim.get(CALLBACK, { query });
    expect(locationOf(decision)).toBe('/attacker');
    expect(decision.cookies).toEqual([]);
    expect([...victim.jar]).toEqual(before);
    expect(stage.provider.exchanges).toBe(1);
  });

  it('A115 with the binding name of the state planted under a value of the attacker’s choice: 400', async () => {
    const { stage, browser, query } = await arrive();
    const [name = ''] = browser.names('b');
    const victim = new Browser(stage);
    victim.jar.set(name, { value: 'A'.repeat(22), until: stage.now + HOUR });
    await expectRefused(stage, victim, query);
    expect(name.startsWith('__Host-')).toBe(true);
  });

  it('A115 with the binding cookie twice: neither is believed', async () => {
    const { stage, browser, query } = await arrive();
    const [name = ''] = browser.names('b');
    const header = `${name}=${'A'.repeat(22)}; ${browser.cookieHeader()}`;
    browser.cookieHeader = () => header;
    await expectRefused(stage, browser, query);
  });
});

describe('A095 an error from the provider', () => {
  it.each([
    ['access_denied', 403],
    ['login_required', 401],
    ['consent_required', 401],
    ['<script>alert(1)</script>', 401],
    ['temporarily_unavailable', 503],
    ['server_error', 503],
  ])('%s: a page with status %d that shows nothing of it', async (error, status) => {
    const { stage, browser, change } = await arrive();
    const query = change((params) => {
      params.delete('code');
      params.set('error', error);
      params.set('error_description', '<script>alert(2)</script>');
      params.set('error_uri', 'https://evil.example/');
    });
    const decision = await expectRefused(stage, browser, query, status);
    expect(JSON.stringify(decision)).not.toMatch(/<script|evil|alert/);
    expect(stage.logged.join()).not.toMatch(/<script|evil|alert/);
  });

  it('beats a code beside it, and needs an authentic state', async () => {
    const { stage, browser, change } = await arrive();
    await expectRefused(
      stage,
      browser,
      change((params) => params.set('error', 'access_denied')),
      403,
    );
    await expectRefused(stage, browser, '?error=access_denied&state=x');
    expect(stage.failures()).toEqual(['access_denied', 'state_invalid']);
  });
});

it('counts as returned only what the provider itself said to this browser, once', async () => {
  const { stage, browser, query, change } = await arrive();
  const returned = (): number => stage.events.filter(({ kind }) => kind === 'LoginReturned').length;
  for (const made of ['', '?code=x&state=y', change((params) => params.set('iss', 'https://evil.example'))])
    await browser.get(CALLBACK, { query: made });
  await new Browser(stage).get(CALLBACK, { query });
  expect(returned()).toBe(0);
  await browser.get(CALLBACK, { query });
  await browser.get(CALLBACK, { query });
  expect(returned()).toBe(1);
  const denied = await arrive();
  await denied.browser.get(CALLBACK, { query: denied.change((params) => params.set('error', 'access_denied')) });
  expect(denied.stage.events.filter(({ kind }) => kind === 'LoginReturned')).toHaveLength(1);
});

describe('A113 the issuer of a response', () => {
  it.each([
    ['missing', undefined],
    ['another', 'https://evil.example'],
    ['with a slash', 'https://idp.example/'],
    ['in another case', 'https://IDP.example'],
    ['with a port', 'https://idp.example:443'],
    ['empty', ''],
  ])('%s: refused', async (_, iss) => {
    const { stage, browser, change } = await arrive();
    const query = change((params) => (iss === undefined ? params.delete('iss') : params.set('iss', iss)));
    expect(codeOf(await expectRefused(stage, browser, query))).toBe('login_wrong_issuer');
  });

  it('may be missing where the provider never sends it, but not be another', async () => {
    const { stage, browser, change } = await arrive();
    stage.provider.metadataNow = { issuer: 'https://idp.example', sendsIss: false };
    await expectRefused(
      stage,
      browser,
      change((params) => params.set('iss', 'https://evil.example')),
    );
    expect(statusOf(await browser.get(CALLBACK, { query: change((params) => params.delete('iss')) }))).toBe(303);
  });

  it('can’t be judged before discovery: 503, and the same callback works afterwards', async () => {
    const { stage, browser, query } = await arrive();
    const metadata = stage.provider.metadataNow;
    stage.provider.metadataNow = undefined;
    expect(headerOf(await expectRefused(stage, browser, query, 503), 'retry-after')).toBeDefined();
    stage.provider.metadataNow = metadata;
    expect(locationOf(await browser.get(CALLBACK, { query }))).toBe('/orders');
  });

  it('a state of one plugin is worthless at another’s callback, even with the same browser and keys', async () => {
    const a = new Stage({}, 'shop/a');
    const b = new Stage({}, 'shop/b', a.keys);
    const { browser, query } = await arrive(a);
    const other = new Browser(b);
    for (const [name, cookie] of browser.jar) other.jar.set(name, cookie);
    await expectRefused(b, other, query);
    expect(b.failures()).toEqual(['state_invalid']);
  });
});

describe('A110, A111 what ties a code to its attempt', () => {
  it('A110 a code injected from another session fails by its verifier', async () => {
    const stage = new Stage();
    const attacker = await arrive(stage);
    const victim = await arrive(stage);
    const stolen = new URLSearchParams(attacker.query.slice(1)).get('code') ?? '';
    const decision = await victim.browser.get(CALLBACK, {
      query: victim.change((params) => params.set('code', stolen)),
    });
    expect(statusOf(decision)).toBe(400);
    expect(codeOf(decision)).toBe('login_code_rejected');
    expect(decision.cookies).toEqual([]);
    expect(linkOf(decision)).toBe('/orders');
  });

  it('A111 a nonce of another attempt fails, and an attempt is used once though its callbacks come together', async () => {
    const { stage, browser, query } = await arrive();
    const both = await Promise.all([browser.send(CALLBACK, { query }), browser.send(CALLBACK, { query })]);
    expect(both.map(statusOf).sort()).toEqual([303, 400]);
    expect(stage.provider.exchanges).toBe(1);
    const nonces = stage.provider.requests.map(({ nonce }) => nonce);
    expect(new Set(nonces).size).toBe(nonces.length);
  });

  it('remembers used attempts for their time, and not without bound', () => {
    const used = createUsedAttempts(HOUR, 3);
    expect([used.take('a', 0), used.take('a', 1), used.take('b', 2)]).toEqual([true, false, true]);
    expect(used.take('a', HOUR - 1)).toBe(false);
    expect(used.take('a', HOUR)).toBe(true);
    for (const id of 'cdefgh') expect(used.take(id, HOUR)).toBe(true);
    // Only three are remembered: the oldest of them went.
    expect(used.take('c', HOUR)).toBe(true);
    expect(used.take('h', HOUR)).toBe(false);
  });

  it('any flipped character of the state is refused before the network', async () => {
    const { stage, browser, change, query } = await arrive();
    const state = new URLSearchParams(query.slice(1)).get('state') ?? '';
    for (let at = 0; at < state.length; at += 1) {
      const flipped = state.slice(0, at) + (state[at] === 'A' ? 'B' : 'A') + state.slice(at + 1);
      await expectRefused(
        stage,
        browser,
        change((params) => params.set('state', flipped)),
      );
    }
    expect(statusOf(await browser.get(CALLBACK, { query }))).toBe(303);
  });
});

describe('an exchange that fails', () => {
  it.each<[ExchangeFailure, number]>([
    ['provider_unavailable', 503],
    ['client_rejected', 502],
    ['code_rejected', 400],
    ['bad_response', 502],
    ['id_token_signature', 401],
    ['id_token_algorithm', 401],
    ['id_token_issuer', 401],
    ['id_token_audience', 401],
    ['id_token_nonce', 401],
    ['id_token_expired', 401],
    ['id_token_clock_skew', 401],
    ['id_token_at_hash', 401],
    ['id_token_malformed', 401],
  ])('A166 %s: %d, one link, no session', async (failure, status) => {
    const { stage, browser, query } = await arrive();
    stage.provider.failure = { ok: false, failure, detail: 'for the log' };
    const decision = await browser.get(CALLBACK, { query });
    expect(statusOf(decision)).toBe(status);
    expect(linkOf(decision)).toBe('/orders');
    expect(decision.cookies).toEqual([]);
    expect(JSON.stringify(decision)).not.toContain('for the log');
    expect(stage.logged.join()).toContain('for the log');
    expect(stage.failures()).toEqual([failure]);
    expect(headerOf(decision, 'retry-after') !== undefined).toBe(status === 503);
    expect(statusOf(await browser.get('/orders'))).toBe(302);
  });

  it('A094 a code that the provider rejects ends no session that is there', async () => {
    const stage = new Stage();
    const browser = new Browser(stage);
    const late = locationOf(await browser.get('/late'));
    await browser.logIn();
    const before = [...browser.jar];
    stage.provider.failure = { ok: false, failure: 'code_rejected', detail: '' };
    const end = await browser.comeBack(late);
    expect(locationOf(end)).toBe('/late');
    expect(end.cookies).toEqual([]);
    expect([...browser.jar]).toEqual(before);
  });

  it('F37 names the clocks where they are the cause', async () => {
    const { stage, browser, query } = await arrive();
    stage.provider.failure = { ok: false, failure: 'id_token_clock_skew', detail: '' };
    const decision = await browser.get(CALLBACK, { query });
    expect(decision.kind === 'respond' && decision.notice?.text).toMatch(/clocks/);
  });

  it('A128 a subject that is missing: 401', async () => {
    const { stage, browser, query } = await arrive();
    stage.provider.claims = { sub: '' };
    expect(statusOf(await browser.get(CALLBACK, { query }))).toBe(401);
  });
});

describe('A106 a session that does not come back', () => {
  it('ends in a page at the second start within ten seconds, not in a loop', async () => {
    const stage = new Stage();
    const browser = new Browser(stage);
    browser.blocks = (name) => name.includes('postern-s-');
    let redirects = 0;
    let decision = await browser.get('/orders');
    while (statusOf(decision) === 302 && redirects < 20) {
      redirects += 1;
      stage.now += 1000;
      expect(statusOf(await browser.comeBack(locationOf(decision)))).toBe(303);
      decision = await browser.get('/orders');
    }
    expect(redirects).toBe(2);
    expect(codeOf(decision)).toBe('login_loop');
    expect(linkOf(decision)).toBe('/orders');
    expect(stage.failures()).toEqual(['session_lost']);
  });

  it('ends in a page too where the session comes back but its token is dead at once', async () => {
    const stage = new Stage();
    stage.provider.tokenLife = 0;
    const browser = new Browser(stage);
    const seen: number[] = [];
    for (let round = 0; round < 3; round += 1) {
      const start = await browser.get('/orders');
      seen.push(statusOf(start));
      if (statusOf(start) === 302) await browser.comeBack(locationOf(start));
    }
    expect(seen).toEqual([302, 302, 400]);
  });

  it('does not hold up who logs in again later, or after a logout', async () => {
    const stage = new Stage();
    const browser = new Browser(stage);
    browser.hoards = true;
    await browser.logIn();
    for (let round = 0; round < 3; round += 1) {
      await browser.get('/_oidc/okta/logout', { headers: { 'sec-fetch-site': 'same-origin' } });
      expect(statusOf(await browser.logIn())).toBe(303);
    }
    for (const name of browser.names('s')) browser.jar.delete(name);
    stage.now += 10_000;
    for (let round = 0; round < 3; round += 1) expect(statusOf(await browser.get('/orders'))).toBe(302);
  });
});

describe('keys that change', () => {
  it('A149 an attempt goes on while its key is listed; afterwards the callback is refused and a new login works', async () => {
    const stage = new Stage();
    const old = generateKey(stage.now - HOUR, randomBytes);
    const young = generateKey(stage.now - HOUR / 2, randomBytes);
    stage.keys.replace(formatKeyList([old]));
    const first = await arrive(stage);
    const second = await arrive(stage);
    stage.keys.replace(formatKeyList([old, young]));
    expect(statusOf(await first.browser.get(CALLBACK, { query: first.query }))).toBe(303);
    stage.keys.replace(formatKeyList([young]));
    await expectRefused(stage, second.browser, second.query);
    expect(statusOf(await second.browser.logIn())).toBe(303);
  });

  it('F36 starts and callbacks that come before the provider’s first answer wait for it, scripts and sessions don’t', async () => {
    const { stage, browser, query } = await arrive();
    const answer = Promise.withResolvers<void>();
    const known = stage.provider.metadataNow;
    Object.assign(stage.provider, { metadataNow: undefined, statusNow: 'Unknown', answering: answer.promise });
    const waiting = [browser.send('/orders'), browser.send(CALLBACK, { query })];
    expect(waiting.every((each) => each instanceof Promise)).toBe(true);
    const script = browser.send('/orders', { headers: { 'sec-fetch-mode': 'cors', 'sec-fetch-dest': 'empty' } });
    expect(script instanceof Promise ? 'waits' : statusOf(script)).toBe(401);
    Object.assign(stage.provider, { metadataNow: known, statusNow: 'True', answering: undefined });
    answer.resolve();
    expect((await Promise.all(waiting)).map(statusOf)).toEqual([302, 303]);
  });

  it('F36 an attempt outlives the client secret: nothing of it depends on that', async () => {
    const a = new Stage();
    const { browser, query } = await arrive(a);
    const b = new Stage({ clientSecrets: [] }, 'shop/okta', a.keys);
    const moved = new Browser(b);
    for (const [name, cookie] of browser.jar) moved.jar.set(name, cookie);
    b.provider.exchange = async () => ({ ok: false, failure: 'client_rejected', detail: '' });
    expect(codeOf(await moved.get(CALLBACK, { query }))).toBe('login_client_rejected');
  });
});

describe('interleaved logins', () => {
  it('any number of tabs end at their own page, in any order of starts and ends', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.nat(9), { minLength: 1, maxLength: 20 }),
        fc.array(fc.nat(1000), { minLength: 20, maxLength: 20 }),
        async (together, ranks) => {
          const browser = new Browser(new Stage());
          const open: { path: string; url: string; rank: number }[] = [];
          for (const [round, count] of together.entries()) {
            const tabs = Array.from({ length: (count % 3) + 1 }, (_, tab) => `/r/${round}/${tab}`);
            const sent = tabs.map((path) => ({ path, decision: browser.send(path) }));
            for (const { path, decision } of sent) {
              const start = await decision;
              if (start.kind === 'continue') continue;
              browser.store(start.cookies);
              open.push({ path, url: locationOf(start), rank: ranks[open.length % 20] ?? 0 });
            }
            open.sort((a, b) => a.rank - b.rank);
            for (const { path, url } of open.splice(0, count % 2))
              expect(locationOf(await browser.comeBack(url))).toBe(path);
          }
          for (const { path, url } of open) expect(locationOf(await browser.comeBack(url))).toBe(path);
        },
      ),
      { numRuns: 30 },
    );
  });

  it('a state or a session of one place never opens in another', async () => {
    const place = fc.record({
      identity: fc.constantFrom('shop/a', 'shop/b'),
      host: fc.constantFrom('a.example.com', 'b.example.com'),
      clientId: fc.constantFrom('c1', 'c2'),
      issuer: fc.constantFrom('https://idp.example', 'https://idp.example/2'),
    });
    const stage = new Stage();
    await fc.assert(
      fc.asyncProperty(place, place, async (one, two) => {
        const make = (p: typeof one) => new Stage({ clientId: p.clientId, issuer: p.issuer }, p.identity, stage.keys);
        const [a, b] = [make(one), make(two)];
        for (const side of [a, b]) side.provider.metadataNow = { issuer: 'x', sendsIss: false };
        const browser = new Browser(a, { host: one.host });
        const noIss = (url: string): string => a.provider.signIn(url).replace(/&iss=[^&]*/, '');
        await browser.get(CALLBACK, { query: noIss(locationOf(await browser.get('/x'))) });
        expect((await browser.get('/x')).kind).toBe('continue');
        const pending = noIss(locationOf(await new Browser(a, { host: one.host }).get('/y')));
        const thief = new Browser(b, { host: two.host });
        // Under the name that the other place would look for it.
        const id = createHash('sha256').update(two.identity).digest('base64url').slice(0, 8);
        const rename = (name: string): string => name.replace(/-s-.{8}/, `-s-${id}`);
        for (const [name, cookie] of browser.jar) thief.jar.set(rename(name), cookie);
        const same = JSON.stringify(one) === JSON.stringify(two);
        expect((await thief.get('/x')).kind).toBe(same ? 'continue' : 'respond');
        const before = b.failures().length;
        await thief.get(CALLBACK, { query: pending });
        expect(b.failures()[before]).toBe(same ? 'other_browser' : 'state_invalid');
      }),
      { numRuns: 60 },
    );
  });
});
