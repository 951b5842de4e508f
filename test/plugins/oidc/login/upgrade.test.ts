import { describe, expect, it } from 'vitest';
import type { OidcConfig } from '../../../../src/plugins/oidc/spec/config.ts';
import type { Decision } from '../../../../src/routing/decision.ts';
import { type Ask, Browser, HOUR, MINUTE, oidcConfig, Stage, view } from './harness.ts';

async function loggedIn(change: Partial<OidcConfig> = {}): Promise<{ stage: Stage; browser: Browser }> {
  const stage = new Stage(change);
  const browser = new Browser(stage);
  browser.hoards = true;
  await browser.logIn();
  return { stage, browser };
}

async function upgrade(stage: Stage, cookie: string, ask: Ask = {}): Promise<Decision> {
  const [request, context] = view('/ws', ask, cookie);
  return await stage.plugin.decide({ ...request, upgrade: 'websocket' }, context);
}

const untilOf = (decision: Decision): number | undefined => (decision.kind === 'continue' ? decision.until : undefined);

describe('A082 an upgrade', () => {
  const refused = (decision: Decision): void => {
    expect(decision).toMatchObject({ kind: 'respond', status: 401, cookies: [] });
  };

  it.each(['Auto', 'Redirect', 'Unauthorized'] as const)(
    'without a session is 401, whatever else the request looks like (unauthenticated: %s)',
    async (unauthenticated) => {
      const stage = new Stage({ unauthenticated });
      refused(await upgrade(stage, ''));
      refused(await upgrade(stage, '', { headers: { accept: 'text/html' } }));
      expect(stage.provider.requests).toEqual([]);
    },
  );

  it('with a session that has expired, of another host or of another plugin is 401', async () => {
    const { stage, browser } = await loggedIn();
    const cookie = browser.cookieHeader();
    expect((await upgrade(stage, cookie)).kind).toBe('continue');
    refused(await upgrade(stage, cookie, { host: 'other.example.com' }));
    const other = new Stage({}, 'shop/other', stage.keys);
    refused(await upgrade(other, cookie));
    stage.now += HOUR;
    refused(await upgrade(stage, cookie));
  });
});

describe('A084 until when a decision holds', () => {
  const tokenless = { upstream: { ...oidcConfig().upstream, accessToken: { kind: 'None' } } } as const;

  it('is the end of the session: idle time, absolute time, the life of a token that is passed on', async () => {
    const idle = await loggedIn(tokenless);
    expect(untilOf(await upgrade(idle.stage, idle.browser.cookieHeader()))).toBe(idle.stage.now + HOUR);
    const absolute = await loggedIn({
      ...tokenless,
      session: {
        ...oidcConfig().session,
        absoluteTimeout: oidcConfig().session.idleTimeout,
        idleTimeout: oidcConfig().session.absoluteTimeout,
      },
    });
    expect(untilOf(await upgrade(absolute.stage, absolute.browser.cookieHeader()))).toBe(absolute.stage.now + HOUR);
    const stage = new Stage({
      session: { ...oidcConfig().session, idleTimeout: oidcConfig().session.absoluteTimeout },
    });
    stage.provider.tokenLife = 10 * MINUTE;
    const browser = new Browser(stage);
    await browser.logIn();
    expect(untilOf(await upgrade(stage, browser.cookieHeader()))).toBe(stage.now + 10 * MINUTE);
  });

  it('moves on when the session is sealed anew, for who comes with the cookie of before too', async () => {
    const { stage, browser } = await loggedIn(tokenless);
    const before = browser.cookieHeader();
    stage.now += 30 * MINUTE;
    const renewed = await upgrade(stage, before);
    expect(renewed.cookies.length).toBeGreaterThan(0);
    expect(untilOf(renewed)).toBe(stage.now + HOUR);
    const beside = await upgrade(stage, before);
    expect(beside.cookies).toEqual([]);
    expect(untilOf(beside)).toBe(stage.now + HOUR);
  });
});
