import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { postern } from '../cli/run.ts';
import { leaks, type Planted, plant } from '../observe/planted.ts';
import { type FakeProvider, startFakeProvider } from '../support/fake-provider.ts';
import { until } from '../support/gateway.ts';
import { plugin, route, type Shop, secret, service, startShop, yaml } from '../support/shop.ts';
import { type Answer, Visitor } from '../support/visitor.ts';

/** Pieces of a long value, any of which would be a leak: not its beginning, which may be the id of a key. */
const pieces = (what: string, value: string): readonly Planted[] =>
  [0.3, 0.6, 0.85].map((part) => {
    const at = Math.floor(value.length * part);
    return { what, value: value.slice(at, at + 24) };
  });

/**
 * Whole journeys, good and bad, through the real command line with everything that is secret marked: none of it is in
 * anything that Postern writes, but the cookies, the address of the provider and the headers that it is meant for.
 */
describe.each(['json', 'text'])('A180 planted secrets, with the log in %s at level debug', (format) => {
  const planted: Planted[] = [];
  const mark = (what: string): string => {
    const made = plant(what);
    planted.push(made);
    return made.value;
  };
  const hide = (what: string, value: string | null | undefined): void => {
    if (value === null || value === undefined || value === '') throw new Error(`there is no ${what} to hide`);
    planted.push(...(value.length > 40 ? pieces(what, value) : [{ what, value }]));
  };
  const SESSION_KEY = randomBytes(32).toString('base64');
  let directory: string;
  let fake: FakeProvider;
  let shop: Shop;
  /** Pages that people saw, and what the admin and debug listeners and `validate` said. */
  const outputs = new Map<string, string>();

  const objects = (url: string): Readonly<Record<string, string>> => {
    const [current = '', previous = ''] = fake.secrets;
    const spec = { upstream: { accessToken: 'None' } };
    return {
      'shop.yaml': yaml(
        service(url),
        route('open'),
        route('orders', { plugins: ['idp'] }),
        route('admin', { plugins: ['idp'], spec: { authorization: { rules: [{ name: 'nobody', groups: ['x'] }] } } }),
        route('stale', { plugins: ['stale'] }),
        plugin('idp', fake),
        plugin('stale', fake, spec),
        secret('idp', { 'client-secret': current, 'client-secret-previous': previous }),
        secret('stale', { 'client-secret': mark('a client secret that the provider rejects') }),
      ),
      // Secrets where they don't belong, and Secrets that are wrong.
      'wrong.yaml': yaml(
        { ...plug('inline'), spec: { ...plugSpec(), clientSecret: mark('an inline client secret') } },
        { ...plug('typed'), spec: { ...plugSpec(), clientSecretRef: mark('a client secret for its reference') } },
        { ...plug('name'), spec: { ...plugSpec(), extraParams: [{ name: 'x y', value: mark('a parameter') }] } },
        { apiVersion: 'v1', kind: 'Secret', metadata: at('number'), stringData: { a: [mark('a value in a list')] } },
        { apiVersion: 'v1', kind: 'Secret', metadata: at('base64'), data: { a: `${mark('bad base64')}=` } },
        { apiVersion: 'v1', kind: 'Secret', metadata: at('bare'), stringData: mark('no map of values') },
        { apiVersion: 'v1', kind: 'Secret', metadata: at('control'), stringData: { k: `\u0007${mark('a control')}` } },
        { ...plug('control'), spec: { ...plugSpec(), clientSecretRef: { name: 'control', key: 'k' } } },
        { ...plug('ca'), spec: { ...plugSpec(), tls: { caRef: { name: 'control', key: 'k' } } } },
        { ...plug('id'), spec: { ...plugSpec(), clientID: undefined, clientIDRef: { name: 'control', key: 'k' } } },
        ...['inline', 'typed', 'name', 'control', 'ca', 'id'].map((name) =>
          route(`${name}-route`, { plugins: [name] }),
        ),
        service(`http://user:${mark('a password in a URL')}@127.0.0.1:1/`, 'credentials'),
      ),
    };
  };
  const at = (name: string) => ({ name, namespace: 'shop' });
  const plug = (name: string) => ({ apiVersion: 'postern.dev/v1alpha1', kind: 'OidcPlugin', metadata: at(name) });
  const plugSpec = () => ({
    issuer: fake.issuer,
    clientID: 'client',
    insecure: { httpCookies: true, httpProvider: true },
  });

  const see = (what: string, answer: Answer): Answer => {
    outputs.set(what, answer.body);
    return answer;
  };
  /** A login as far as the callback, with everything in it noted as secret. */
  const returning = async (page: string, name = 'idp'): Promise<{ visitor: Visitor; back: URL }> => {
    const visitor = new Visitor();
    const start = await visitor.ask(shop.site + page);
    const asked = new URL(start.headers.location ?? '');
    for (const parameter of ['state', 'nonce', 'code_challenge']) hide(parameter, asked.searchParams.get(parameter));
    const back = await visitor.openUntil(asked, `${shop.site}/_oidc/${name}/callback`);
    hide('code', back.searchParams.get('code'));
    for (const cookie of visitor.jar.names(back.host)) hide('binding cookie', visitor.cookie(back, cookie));
    return { visitor, back };
  };

  async function goodJourney(): Promise<void> {
    fake.response = { access_token: mark('access token'), refresh_token: mark('refresh token') };
    const { visitor, back } = await returning('/orders/1');
    expect((await visitor.open(back)).status).toBe(200);
    const session = visitor.cookie(shop.site, 'postern-s-');
    hide('session cookie', session);
    hide('verifier', fake.tokenRequests.at(-1)?.form.get('code_verifier'));
    hide('authorization', fake.tokenRequests.at(-1)?.authorization.slice('Basic '.length));
    expect((await visitor.open(`${shop.site}/orders/2?token=${mark('query of a request')}`)).status).toBe(200);
    expect(see('a rule', await visitor.open(`${shop.site}/admin`)).status).toBe(403);
    see('a callback used twice', await new Visitor().ask(back));
    const leaving = await visitor.ask(`${shop.site}/_oidc/idp/logout`, {
      method: 'POST',
      headers: { origin: shop.site },
    });
    hide('id token', new URL(leaving.headers.location ?? '').searchParams.get('id_token_hint'));
    await visitor.ask(`${shop.site}/orders/3`, {
      cookie: `postern-s-x=${session}`,
      method: 'POST',
      body: mark('a body'),
    });
  }

  async function badJourneys(): Promise<void> {
    for (const [lie, claims] of [
      [{ signature: 'flipped' }, {}],
      [{}, { nonce: mark('a nonce of another attempt') }],
      [{ header: { alg: 'HS256', kid: mark('a kid that is long') } }, {}],
      [{}, { sub: undefined }],
    ] as const) {
      fake.lie = lie;
      fake.claims = claims;
      const { visitor, back } = await returning('/orders/bad');
      expect(see(`a lie ${JSON.stringify(lie)}`, await visitor.open(back)).status).toBe(401);
    }
    fake.lie = {};
    fake.claims = {};
    // A provider that repeats all that it was sent, as an error and as what is no answer at all.
    for (const status of [400, 200, 500]) {
      fake.instead.set('/token', (request, response) => {
        let body = '';
        request.on('data', (chunk: Buffer) => {
          body += chunk.toString();
        });
        request.on('end', () => {
          hide('authorization', request.headers.authorization?.slice('Basic '.length));
          const form = new URLSearchParams(body);
          const said = `${form.get('code')} ${form.get('code_verifier')} ${body} ${request.headers.authorization}`;
          response.writeHead(status, { 'content-type': 'application/json' });
          response.end(JSON.stringify({ error: 'invalid_grant', error_description: said, access_token: said }));
        });
      });
      const { visitor, back } = await returning('/orders/echo');
      see(`a provider that repeats, ${status}`, await visitor.open(back));
    }
    fake.instead.delete('/token');
    const rejected = await returning('/stale', 'stale');
    expect(see('a rejected client', await rejected.visitor.open(rejected.back)).status).toBe(502);

    const { visitor, back } = await returning('/orders/late');
    const error = new URL(back);
    error.searchParams.delete('code');
    error.searchParams.set('error', mark('an error'));
    error.searchParams.set('error_description', mark('what an error says'));
    see('an error of the provider', await visitor.ask(error));
    see('a callback of another browser', await new Visitor().ask(back));
    const made = `code=${mark('a made-up code')}&state=${mark('a made-up state')}`;
    see('a made-up callback', await new Visitor().ask(`${shop.site}/_oidc/idp/callback?${made}`));
    see('no route', await new Visitor().ask(`${shop.site}/none?q=${mark('a query to nowhere')}`));
    await new Visitor().ask(`${shop.site}/open?q=${mark('a query to a Public Route')}`, {
      headers: { authorization: `Bearer ${mark('a bearer token')}`, 'x-api-key': mark('an API key') },
      cookie: `app=${mark('a cookie of the service')}; postern-s-12345678=${mark('a made-up session')}`,
    });
    see('a bad request', await new Visitor().ask(shop.site, { target: `/%zz?q=${mark('a bad request')}` }));
    await new Visitor().ask(`${shop.site}/orders`, {
      headers: { accept: 'application/json', authorization: `Basic ${mark('Basic credentials')}` },
    });
  }

  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), 'postern-planted-'));
    planted.push({ what: 'session key', value: SESSION_KEY });
    writeFileSync(join(directory, 'keys'), `one ${SESSION_KEY} 2026-01-01T00:00:00Z\n`);
    fake = await startFakeProvider();
    fake.secrets = [mark('client secret'), mark('previous client secret')];
    const log = ['--log-format', format, '--log-level', 'debug', '--keys-file', join(directory, 'keys')];
    shop = await startShop(objects, log);
    const working = async (path: string): Promise<boolean> =>
      (await new Visitor().ask(shop.site + path)).status === 302;
    await until(
      async () => (await working('/orders')) && (await working('/stale')),
      'logins',
      () => shop.gateway.log(),
    );
    await goodJourney();
    await badJourneys();
    shop.gateway.write('wrong.yaml', `a: [${mark('a broken file')}\n`);
    await shop.gateway.logged(/not YAML/);
  });
  afterAll(async () => {
    await shop?.stop();
    await fake?.close();
    rmSync(directory, { recursive: true, force: true });
  });

  it('the log has every journey and none of them', () => {
    const log = shop.gateway.log();
    for (const shown of [
      '/orders/1',
      '/orders/bad',
      'login failed',
      'id_token_signature',
      'client_rejected',
      'not YAML',
    ])
      expect(log).toContain(shown);
    expect(leaks(log, planted)).toEqual([]);
  });

  it('nor have metrics, health and the debug view', async () => {
    const { adminUrl, debugUrl } = shop.gateway;
    for (const url of [
      `${adminUrl}/metrics`,
      `${adminUrl}/readyz?verbose`,
      `${debugUrl}/debug/snapshot`,
      `${debugUrl}/debug/routes/match?host=localhost&path=/orders`,
      `${debugUrl}/debug/routes/match?host=localhost&path=/control-route`,
    ]) {
      const text = await (await fetch(url)).text();
      expect(text.length).toBeGreaterThan(20);
      expect(leaks(text, planted), url).toEqual([]);
    }
  });

  it('nor have the pages that people see', () => {
    expect(outputs.size).toBeGreaterThan(10);
    for (const [what, text] of outputs) expect(leaks(text, planted), what).toEqual([]);
  });

  it('nor has what validate says of the same objects', async () => {
    const files = join(directory, 'objects');
    const all = Object.entries(objects(shop.echo.url));
    rmSync(files, { recursive: true, force: true });
    mkdirSync(files);
    for (const [file, text] of all) writeFileSync(join(files, file), text);
    for (const output of ['text', 'json']) {
      const ran = await postern(['validate', files, '--output', output]);
      expect(ran.code).toBe(1);
      expect(ran.stdout).toContain('clientSecret');
      expect(leaks(ran.stdout + ran.stderr, planted)).toEqual([]);
    }
  });

  it('and the service got what is meant for it, and no more', () => {
    const first = shop.echo.seen.find(({ url }) => url === '/orders/1');
    expect(first?.headers.authorization).toMatch(/^Bearer PLANTED/);
    const meant = new Set([
      'access token',
      'query of a request',
      'a query to a Public Route',
      'a bearer token',
      'an API key',
    ]);
    const rest = planted.filter(({ what }) => !meant.has(what) && what !== 'a cookie of the service');
    expect(leaks(JSON.stringify(shop.echo.seen), rest)).toEqual([]);
  });
});
