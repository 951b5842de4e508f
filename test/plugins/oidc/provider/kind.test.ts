import { randomBytes } from 'node:crypto';
import { afterEach, describe, expect, it } from 'vitest';
import { generateKey } from '../../../../src/keys/key-list.ts';
import { createKeyRing } from '../../../../src/keys/live-ring.ts';
import type { PluginEvent } from '../../../../src/plugins/contract.ts';
import { oidcKind } from '../../../../src/plugins/oidc/kind.ts';
import { namespacedName, objectKey } from '../../../../src/resources/keys.ts';
import { Redacted } from '../../../../src/resources/redacted.ts';
import type { Decision, PluginInstance } from '../../../../src/routing/decision.ts';
import { privateAuthority } from '../../../support/certificates.ts';
import { CookieJar } from '../../../support/cookie-jar.ts';
import { startEgressProxy } from '../../../support/egress-proxy.ts';
import { hang, say } from '../../../support/fake-answers.ts';
import { type FakeProvider, startFakeProvider } from '../../../support/fake-provider.ts';
import { followLogin, startHonestProvider } from '../../../support/honest-provider.ts';
import { ANY_NETWORK } from '../../../support/network.ts';
import { openssl } from '../../../support/parts.ts';
import { headerOf, locationOf, statusOf, view } from '../login/harness.ts';
import { PATIENT } from './support.ts';

const ORIGIN = 'http://localhost:8080';
const HOST = new URL(ORIGIN);
const CALLBACK = '/_oidc/okta/callback';
const SECRET = 'planted-client-secret';
const ending: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ending.splice(0)) await end();
});

interface Running {
  readonly plugin: PluginInstance;
  readonly events: PluginEvent[];
  readonly lines: string[];
  readonly jar: CookieJar;
  ask(path: string, query?: string): Promise<Decision>;
}

/** From the YAML's object to a running instance, as control does it. */
function run(spec: Readonly<Record<string, unknown>>, secret = SECRET, ca?: string, before?: Running): Running {
  const secrets: Readonly<Record<string, string | undefined>> = { 'okta/client-secret': secret, 'idp-ca/ca.crt': ca };
  const parsed = oidcKind.parse({
    clientSecretRef: { name: 'okta' },
    insecure: { httpCookies: true, httpProvider: true },
    ...spec,
  });
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  const name = namespacedName('shop', 'okta');
  const meta = { namespace: 'shop', name: 'okta', uid: undefined, generation: undefined, creationTimestamp: undefined };
  const compiled = oidcKind.compile(
    { kind: 'Plugin', pluginKind: 'OidcPlugin', key: objectKey('OidcPlugin', name), name, meta, spec: parsed.value },
    {
      external: { scheme: 'http', port: 8080 },
      secret(of, key) {
        const value = secrets[`${of}/${key}`];
        return value === undefined ? { ok: false, problems: [] } : { ok: true, value: new Redacted(value) };
      },
    },
  );
  if (!compiled.ok) throw new Error(JSON.stringify(compiled.problems));
  const events: PluginEvent[] = [];
  const lines: string[] = [];
  const log = (fields: unknown, message: string): void => void lines.push(`${JSON.stringify(fields)} ${message}`);
  const world = {
    now: Date.now,
    random: (bytes: number) => randomBytes(bytes),
    keys: createKeyRing([generateKey(Date.now(), randomBytes)], Date.now),
    observe: (event: PluginEvent) => void events.push(event),
    log: { info: log, warn: log, error: log },
    network: ANY_NETWORK,
  };
  const plugin = oidcKind.start(compiled.value.config, world, before?.plugin);
  ending.push(() => plugin.stop());
  const jar = new CookieJar();
  return {
    plugin,
    events,
    lines,
    jar,
    async ask(path, query = '') {
      const [request, context] = view(path, { host: 'localhost', origin: ORIGIN, query }, jar.header(HOST));
      const decision = await (path === CALLBACK ? plugin.answer(request, context) : plugin.decide(request, context));
      jar.store(HOST, decision.cookies);
      return decision;
    },
  };
}

const isReady = ({ plugin }: Running) => expect.poll(() => plugin.status().status, PATIENT).toBe('True');

async function fakeProvider(): Promise<FakeProvider> {
  const fake = await startFakeProvider();
  fake.secrets = [SECRET];
  ending.push(() => fake.close());
  return fake;
}

describe('a running OidcPlugin', () => {
  it('F36 whose secret was rotated sends people to the provider at once, and so does the next', async () => {
    const fake = await fakeProvider();
    const spec = { issuer: fake.issuer, clientID: 'client' };
    const first = run(spec, 'the secret of yesterday');
    await isReady(first);
    for (const path of ['/.well-known/openid-configuration', '/jwks']) fake.instead.set(path, hang);
    const second = run(spec, 'the secret of noon', undefined, first);
    first.plugin.stop();
    const third = run({ ...spec, clientID: 'another' }, SECRET, undefined, second);
    second.plugin.stop();
    const start = third.ask('/orders');
    const soon = await Promise.race([start, new Promise<undefined>((resolve) => setTimeout(resolve, 1000, undefined))]);
    expect(soon === undefined ? 'it waits' : statusOf(soon)).toBe(302);
    expect(new URL(locationOf(await start)).searchParams.get('client_id')).toBe('another');
    expect(third.plugin.status()).toEqual(first.plugin.status());
  });

  it('logs in at a certified provider: from the page, through the provider, back to the page with the token', async () => {
    const honest = await startHonestProvider({ redirectUris: [ORIGIN + CALLBACK] });
    ending.push(() => honest.close());
    const spec = {
      issuer: honest.issuer,
      clientID: honest.clientId,
      upstream: { claims: [{ claim: 'preferred_username', header: 'X-Forwarded-User' }] },
    };
    const running = run(spec, honest.clientSecret);
    await isReady(running);
    const start = await running.ask('/orders', '?page=2');
    expect(statusOf(start)).toBe(302);
    const back = await followLogin(locationOf(start), ORIGIN + CALLBACK, new CookieJar());
    const landed = await running.ask(CALLBACK, back.search);
    expect([statusOf(landed), locationOf(landed)]).toEqual([303, '/orders?page=2']);
    const page = await running.ask('/orders', '?page=2');
    expect(page).toMatchObject({ kind: 'continue', identity: { issuer: honest.issuer, subject: 'u-1815' } });
    expect(headerOf(page, 'x-forwarded-user')).toBe('ada');
    expect(headerOf(page, 'authorization')).toMatch(/^Bearer \S+$/);
  });

  it.skipIf(openssl.missing)(
    'logs in over TLS with a private CA, by an egress proxy, where the issuer is the public address',
    async () => {
      const authority = privateAuthority('the CA of the company');
      ending.push(() => authority.remove());
      const issuer = 'https://sso.public.invalid/';
      const tls = authority.issue(['DNS:idp.inside.invalid']);
      const honest = await startHonestProvider({ redirectUris: [ORIGIN + CALLBACK], issuer, tls });
      ending.push(() => honest.close());
      const proxy = await startEgressProxy();
      ending.push(() => proxy.close());
      proxy.names.set('idp.inside.invalid', { host: '127.0.0.1', port: Number(new URL(honest.origin).port) });
      const spec = {
        issuer,
        clientID: honest.clientId,
        endpoints: { internalBase: 'https://idp.inside.invalid:8443' },
        tls: { caRef: { name: 'idp-ca' } },
        http: { proxy: proxy.url },
        insecure: { httpCookies: true },
      };
      const running = run(spec, honest.clientSecret, authority.ca);
      await isReady(running);
      const start = await running.ask('/orders');
      expect(locationOf(start)).toMatch(/^https:\/\/sso\.public\.invalid\/auth\?/);
      const back = await followLogin(locationOf(start), ORIGIN + CALLBACK, new CookieJar(), {
        ca: authority.ca,
        // The browser has a way of its own; the name in TLS is the certificate's here.
        move: ({ pathname, search }) => new URL(pathname + search, honest.origin),
        servername: 'idp.inside.invalid',
      });
      const landed = await running.ask(CALLBACK, back.search);
      expect([statusOf(landed), locationOf(landed)]).toEqual([303, '/orders']);
      expect(await running.ask('/orders')).toMatchObject({ kind: 'continue', identity: { issuer, subject: 'u-1815' } });
      expect(new Set(proxy.asked)).toEqual(new Set(['CONNECT idp.inside.invalid:8443']));
      expect(proxy.asked).toHaveLength(3);
    },
  );

  it('F30 A166 before the provider ever answered: 503, and no request of a browser makes a call', async () => {
    const fake = await fakeProvider();
    fake.instead.set('/.well-known/openid-configuration', say(503, ''));
    const running = run({ issuer: fake.issuer, clientID: 'client' });
    await expect.poll(() => running.plugin.status().status, PATIENT).toBe('False');
    const before = fake.requests.length;
    for (let round = 0; round < 20; round++) {
      const decision = await running.ask('/orders');
      expect(statusOf(decision)).toBe(503);
      expect(headerOf(decision, 'retry-after')).toMatch(/^[0-9]+$/);
    }
    // The plugin's own next try may fall into these moments.
    expect(fake.count('/token') + fake.count('/jwks')).toBe(0);
    expect(fake.requests.length - before).toBeLessThanOrEqual(1);
  });

  it('A166 callbacks that no attempt of this browser led to reach no provider', async () => {
    const fake = await fakeProvider();
    const running = run({ issuer: fake.issuer, clientID: 'client' });
    await isReady(running);
    const before = fake.requests.length;
    const start = await running.ask('/orders');
    const state = new URL(locationOf(start)).searchParams.get('state') ?? '';
    const stranger = run({ issuer: fake.issuer, clientID: 'client' });
    await isReady(stranger);
    const settled = fake.requests.length;
    for (const query of ['', '?code=x', '?code=x&state=y', `?code=x&state=${state}x`, `?state=${state}`]) {
      expect(statusOf(await running.ask(CALLBACK, query))).toBe(400);
      expect(statusOf(await stranger.ask(CALLBACK, query === '' ? `?code=x&state=${state}` : query))).toBe(400);
    }
    expect(fake.requests.length).toBe(settled);
    expect(settled - before).toBe(2);
  });

  it('A113 a response that names another issuer is refused before any network', async () => {
    const fake = await fakeProvider();
    fake.metadata = { authorization_response_iss_parameter_supported: true };
    fake.lie = { responseIssuer: 'https://evil.example' };
    const running = run({ issuer: fake.issuer, clientID: 'client' });
    await isReady(running);
    const back = await followLogin(locationOf(await running.ask('/orders')), ORIGIN + CALLBACK, new CookieJar());
    expect(statusOf(await running.ask(CALLBACK, back.search))).toBe(400);
    const withoutIss = await followLogin(locationOf(await running.ask('/orders')), ORIGIN + CALLBACK, new CookieJar());
    withoutIss.searchParams.delete('iss');
    expect(statusOf(await running.ask(CALLBACK, withoutIss.search))).toBe(400);
    expect(fake.count('/token')).toBe(0);
  });

  it('F31 a session goes on while the provider is down, and no new one is made', async () => {
    const fake = await fakeProvider();
    const running = run({ issuer: fake.issuer, clientID: 'client' });
    await isReady(running);
    const back = await followLogin(locationOf(await running.ask('/orders')), ORIGIN + CALLBACK, new CookieJar());
    expect(statusOf(await running.ask(CALLBACK, back.search))).toBe(303);
    const late = run({ issuer: fake.issuer, clientID: 'client' });
    await isReady(late);
    const lateBack = await followLogin(locationOf(await late.ask('/orders')), ORIGIN + CALLBACK, new CookieJar());
    await fake.close();
    expect(await running.ask('/orders')).toMatchObject({ kind: 'continue', identity: { subject: 'user-1' } });
    expect(statusOf(await late.ask(CALLBACK, lateBack.search))).toBe(503);
  });

  it.each([
    ['A122 a bad signature', { signature: 'flipped' }],
    ['A120 alg none', { header: { alg: 'none' }, signature: 'empty' }],
    ['A121 HS256 with the public key', { header: { alg: 'HS256' }, signature: 'hmac-of-public-key' }],
    ['A129 a wrong at_hash', { atHash: 'wrong' }],
  ] as const)('%s makes no session, and nothing of it is logged (A180)', async (_name, lie) => {
    const fake = await fakeProvider();
    fake.lie = lie;
    const running = run({ issuer: fake.issuer, clientID: 'client' });
    await isReady(running);
    const back = await followLogin(locationOf(await running.ask('/orders')), ORIGIN + CALLBACK, new CookieJar());
    const landed = await running.ask(CALLBACK, back.search);
    expect(statusOf(landed)).toBeGreaterThanOrEqual(400);
    expect(running.jar.names(HOST.host).filter((name) => name.includes('postern-s-'))).toEqual([]);
    expect(statusOf(await running.ask('/orders'))).toBe(302);
    const said = running.lines.join('\n') + JSON.stringify(running.events);
    const { form } = fake.tokenRequests[0] ?? { form: new URLSearchParams() };
    for (const value of [SECRET, form.get('code'), form.get('code_verifier'), back.searchParams.get('state')]) {
      expect(value).toBeTruthy();
      expect(said).not.toContain(value);
    }
  });
});
