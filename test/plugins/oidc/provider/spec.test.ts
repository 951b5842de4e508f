import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { oidcKind } from '../../../../src/plugins/oidc/kind.ts';
import { isOpenSignUp } from '../../../../src/plugins/oidc/spec/open-sign-up.ts';
import type { ExternalAddress } from '../../../../src/resources/external.ts';
import { identityHeaders } from '../../../../src/resources/identity-headers.ts';
import { namespacedName, objectKey } from '../../../../src/resources/keys.ts';
import { type Checked, formatPath, invalid, problem } from '../../../../src/resources/problem.ts';
import { Redacted } from '../../../../src/resources/redacted.ts';
import type { PluginResource } from '../../../../src/resources/resource.ts';
import type { CompiledPlugin, PluginCompileContext } from '../../../../src/routing/plugin-rules.ts';
import { type Authority, privateAuthority } from '../../../support/certificates.ts';
import { openssl } from '../../../support/parts.ts';

const MINIMAL = {
  issuer: 'https://example.okta.com/oauth2/default',
  clientID: '0oa1b2c3',
  clientSecretRef: { name: 'okta-client' },
};
const SECRETS: Readonly<Record<string, string>> = { 'okta-client/client-secret': 's3cret' };

interface Outside {
  readonly secrets?: Readonly<Record<string, string>>;
  readonly external?: ExternalAddress;
  readonly additional?: readonly string[];
  readonly name?: string;
}

function context(outside: Outside): PluginCompileContext {
  const secrets = outside.secrets ?? SECRETS;
  return {
    external: outside.external ?? { scheme: 'https', port: 443 },
    identityHeaders: identityHeaders(outside.additional ?? []),
    secret(name, key, path) {
      const value = secrets[`${name}/${key}`];
      return value === undefined
        ? invalid(problem('SecretKeyMissing', path, `Secret ${name} has no key ${key}`))
        : { ok: true, value: new Redacted(value) };
    },
  };
}

function compile(spec: unknown, outside: Outside = {}): Checked<CompiledPlugin> {
  const parsed = oidcKind.parse(spec);
  if (!parsed.ok) return parsed;
  const name = namespacedName('shop', outside.name ?? 'okta');
  const resource: PluginResource = {
    kind: 'Plugin',
    pluginKind: 'OidcPlugin',
    key: objectKey('OidcPlugin', name),
    name,
    meta: { namespace: 'shop', name: 'okta', uid: undefined, generation: undefined, creationTimestamp: undefined },
    spec: parsed.value,
  };
  return oidcKind.compile(resource, context(outside));
}

/** `field: message` of each problem. */
const problemsOf = (result: Checked<unknown>): readonly string[] =>
  result.ok ? [] : result.problems.map(({ path, message }) => `${formatPath(path)}: ${message}`);

const refused = (changes: Record<string, unknown>, outside: Outside = {}): string =>
  problemsOf(compile({ ...MINIMAL, ...changes }, outside)).join('\n');

const configOf = (changes: Record<string, unknown> = {}, outside: Outside = {}): unknown => {
  const result = compile({ ...MINIMAL, ...changes }, outside);
  if (!result.ok) throw new Error(problemsOf(result).join('\n'));
  return result.value.config.value;
};

describe('an OidcPlugin', () => {
  it('needs issuer, client id and secret, and defaults the rest', () => {
    const result = compile(MINIMAL);
    expect(result).toMatchObject({
      ok: true,
      value: {
        reserved: [
          { purpose: 'callback', path: '/_oidc/okta/callback' },
          { purpose: 'logout', path: '/_oidc/okta/logout' },
        ],
        warnings: [],
        insecure: [],
        openSignUp: false,
      },
    });
    expect(configOf()).toMatchSnapshot();
  });

  it('shows no secret when it is printed (A180)', () => {
    expect(JSON.stringify(configOf())).not.toContain('s3cret');
  });

  it.each([
    ['nothing', undefined, 'spec:'],
    ['a list', [], 'spec:'],
    ['an unknown field', { ...MINIMAL, clientId: 'x' }, 'spec.clientId: is no field here; did you mean clientID?'],
    ['an unknown nested field', { ...MINIMAL, session: { idle: '1h' } }, 'spec.session.idle'],
    ['no issuer', { ...MINIMAL, issuer: undefined }, 'spec.issuer: is missing'],
  ])('is refused: %s', (_name, spec, message) => {
    expect(problemsOf(compile(spec)).join('\n')).toContain(message);
  });

  it.each([
    ['not a url', 'https://'],
    ['http://example.com', 'insecure.httpProvider'],
    ['https://example.com/?a=b', 'query'],
    ['https://example.com/#a', 'fragment'],
    ['https://user:pass@example.com', 'password'],
    ['https://169.254.169.254/latest', 'link-local'],
    ['https://[fe80::1]', 'link-local'],
    ['https://example.com/.well-known/openid-configuration', 'leave out'],
  ])('A117 issuer %s is refused', (issuer, word) => {
    expect(refused({ issuer })).toMatch(new RegExp(`^spec\\.issuer: .*${word}`));
  });

  it('insecure.httpProvider allows plain http, and is shown', () => {
    const spec = { ...MINIMAL, issuer: 'http://127.0.0.1:8081', insecure: { httpProvider: true } };
    expect(compile(spec)).toMatchObject({
      ok: true,
      value: { insecure: ['insecure.httpProvider'], warnings: [{ reason: 'InsecureSetting' }] },
    });
  });

  it.each(['authorization', 'token', 'jwks', 'endSession'])('A117 endpoints.%s is held to the same', (name) => {
    expect(refused({ endpoints: { [name]: 'http://example.com/x' } })).toContain(
      `spec.endpoints.${name}: must start with https://`,
    );
    expect(refused({ endpoints: { [name]: 'https://169.254.169.254/' } })).toContain('link-local');
    expect(refused({ endpoints: { [name]: 'https://example.com/x' } })).toBe('');
  });

  it('A117 endpoints.internalBase is held to the same, and is no use where it is not used', () => {
    const base = (internalBase: string, more: Record<string, string> = {}) => ({
      endpoints: { internalBase, ...more },
    });
    expect(refused(base('http://kc.idp.svc/realms/a'))).toContain(
      'spec.endpoints.internalBase: must start with https://',
    );
    expect(refused(base('https://169.254.169.254/'))).toContain('link-local');
    expect(refused(base('https://kc.idp.svc/?a'))).toContain('query');
    const all = { authorization: 'https://a.example', token: 'https://a.example', jwks: 'https://a.example' };
    expect(refused(base('https://kc.idp.svc', all))).toContain('internalBase: is used for nothing');
    expect(configOf(base('https://kc.idp.svc:8443/realms/a'))).toMatchObject({
      internalBase: 'https://kc.idp.svc:8443/realms/a',
      issuer: MINIMAL.issuer,
    });
  });

  it('http.proxy is a proxy and nothing more', () => {
    expect(configOf({ http: { proxy: 'http://proxy.example:3128' } })).toMatchObject({
      proxy: { scheme: 'http', host: 'proxy.example', port: 3128, credentials: undefined },
    });
    for (const proxy of [
      'proxy.example:3128',
      'http://u:hunter2@proxy.example',
      'http://a/b',
      'ftp://a',
      'http://a:99999',
    ]) {
      expect(refused({ http: { proxy } })).toContain('spec.http.proxy: must be http:// or https://');
      expect(refused({ http: { proxy } })).not.toContain('hunter2');
    }
    expect(refused({ http: { proxy: 'http://169.254.169.254' } })).toContain(
      'spec.http.proxy: must not be at a link-local',
    );
    expect(refused({ http: { proxy: 'http://0xa9fea9fe:80' } })).toContain('link-local');
  });

  describe('client', () => {
    it.each([
      [{ clientID: undefined }, 'spec.clientID: is missing'],
      [{ clientIDRef: { name: 'x' } }, 'spec.clientIDRef: can not stand beside clientID'],
      [{ clientSecretRef: undefined }, 'spec.clientSecretRef: is missing'],
      [{ tokenEndpointAuthMethod: 'none' }, 'spec.clientSecretRef: can not stand beside'],
      [{ tokenEndpointAuthMethod: 'private_key_jwt' }, 'spec.tokenEndpointAuthMethod: must be client_secret_basic'],
      [{ clientID: 'a\nb' }, 'spec.clientID: must be printable'],
      [{ clientSecretRef: { name: '../x' } }, 'spec.clientSecretRef.name'],
      [{ clientSecretRef: { name: 'missing' } }, 'spec.clientSecretRef: Secret missing has no key client-secret'],
    ])('%j is refused', (changes, message) => {
      expect(refused(changes)).toContain(message);
    });

    it('takes the id from a Secret', () => {
      const secrets = { ...SECRETS, 'id/client-id': 'from-secret' };
      expect(configOf({ clientID: undefined, clientIDRef: { name: 'id' } }, { secrets })).toMatchObject({
        clientId: 'from-secret',
      });
    });

    it('F36 takes a previous secret from the same Secret, under the same key', () => {
      const secrets = {
        ...SECRETS,
        'okta-client/client-secret-previous': 'old',
        'okta-client/k': 'a',
        'okta-client/k-previous': 'b',
      };
      const revealed = (changes: Record<string, unknown>): unknown => {
        const config = configOf(changes, { secrets });
        return typeof config === 'object' &&
          config !== null &&
          'clientSecrets' in config &&
          Array.isArray(config.clientSecrets)
          ? config.clientSecrets.map((secret: Redacted) => secret.reveal())
          : undefined;
      };
      expect(revealed({})).toEqual(['s3cret', 'old']);
      expect(revealed({ clientSecretRef: { name: 'okta-client', key: 'k' } })).toEqual(['a', 'b']);
    });

    it('a secret with a line break at its end is told, without its value', () => {
      const message = refused({}, { secrets: { 'okta-client/client-secret': 's3cret\n' } });
      expect(message).toContain('line break');
      expect(message).not.toContain('s3cret');
    });

    it('none needs no secret', () => {
      const changes = { clientSecretRef: undefined, tokenEndpointAuthMethod: 'none' };
      expect(configOf(changes)).toMatchObject({ clientSecrets: [], tokenEndpointAuthMethod: 'none' });
    });
  });

  it.each([
    'client_id',
    'redirect_uri',
    'state',
    'nonce',
    'scope',
    'response_type',
    'response_mode',
    'code_challenge',
    'code_challenge_method',
    'request',
    'request_uri',
    'prompt',
    'STATE',
  ])('A119 extraParams can not name %s', (name) => {
    expect(refused({ extraParams: [{ name, value: 'x' }] })).toContain('spec.extraParams[0].name: can not be');
  });

  it.each([
    [{ scopes: ['profile'] }, 'spec.scopes: must hold openid'],
    [{ allowedAlgs: ['RS256', 'RS256'] }, 'spec.allowedAlgs[1]: is there twice'],
    [{ audiences: ['a', 'b', 'a'] }, 'spec.audiences[2]: is there twice'],
    [{ scopes: ['openid profile'] }, 'spec.scopes[0]'],
    [{ scopes: [] }, 'spec.scopes: must have at least 1 member'],
    [{ prompt: 'none' }, 'spec.prompt: can not be none'],
    [
      {
        extraParams: [
          { name: 'a', value: '1' },
          { name: 'a', value: '2' },
        ],
      },
      'is there twice',
    ],
    [{ allowedAlgs: ['HS256'] }, 'spec.allowedAlgs[0]: must be RS256'],
    [{ allowedAlgs: ['none'] }, 'spec.allowedAlgs[0]'],
    [{ allowedAlgs: [] }, 'spec.allowedAlgs'],
    [{ clockTolerance: '61s' }, 'spec.clockTolerance: must be a time from 0s to 1m'],
    [{ clockTolerance: '30' }, 'spec.clockTolerance'],
    [{ http: { timeout: '31s' } }, 'spec.http.timeout: must be a time from 1s to 30s'],
    [{ attemptTTL: '25h' }, 'spec.attemptTTL: must be a time from 1m to 24h'],
    [{ session: { idleTimeout: '10s' } }, 'spec.session.idleTimeout'],
    [{ session: { absoluteTimeout: '99999h' } }, 'spec.session.absoluteTimeout'],
    [{ claims: { groups: 'a..b' } }, 'spec.claims.groups: must be names joined by dots'],
    [{ logout: { postLogoutRedirectURI: '/here' } }, 'spec.logout.postLogoutRedirectURI'],
    [{ session: { cookie: { sameSite: 'None' } }, insecure: { httpCookies: true } }, 'spec.session.cookie.sameSite'],
    [{ tls: { caRef: { name: 'missing' } } }, 'spec.tls.caRef: Secret missing'],
  ])('%j is refused', (changes, message) => {
    expect(refused(changes)).toContain(message);
  });

  it('reads claim paths with dots and quotes', () => {
    const claims = { groups: '"https://example.com/roles"', username: 'a.b' };
    expect(configOf({ claims })).toMatchObject({
      claims: { groups: ['https://example.com/roles'], username: ['a', 'b'] },
    });
  });

  describe('own paths', () => {
    it.each([
      '/',
      '//a',
      '/a/',
      '/a//b',
      '/a/../b',
      '/%61',
      '/a%2Fb',
      '/a?b',
      '/a#b',
      'a/b',
      '/a\\b',
      '/a;b',
      '/a%3Bb',
      '/a%3Fb',
      '/a%3D',
      '/a*',
    ])('A018 %s is refused', (path) => {
      expect(refused({ redirectPath: path })).toContain('spec.redirectPath: ');
      expect(refused({ logout: { path } })).toContain('spec.logout.path: ');
    });

    it('must differ, also from the default of the other', () => {
      expect(refused({ redirectPath: '/a', logout: { path: '/a' } })).toContain('must differ');
      expect(refused({ redirectPath: '/_oidc/okta/logout' })).toContain('must differ');
    });

    it('A113 each plugin has its own', () => {
      expect(configOf({}, { name: 'dex.internal' })).toMatchObject({ redirectPath: '/_oidc/dex.internal/callback' });
    });
  });

  describe('headers for the service', () => {
    it('A041 are those of the identity set', () => {
      for (const header of ['Authorization', 'Host', 'X-User', 'Cookie', 'X-Forwarded-For']) {
        expect(refused({ upstream: { claims: [{ claim: 'sub', header }] } })).toContain(
          `is ${header}, which is no identity header`,
        );
        expect(refused({ upstream: { idTokenHeader: header } })).toContain('spec.upstream.idTokenHeader');
        expect(refused({ upstream: { accessToken: 'Header', accessTokenHeader: header } })).toContain(
          'accessTokenHeader',
        );
      }
      expect(refused({ upstream: { claims: [{ claim: 'sub', header: 'X-Forwarded-User' }] } })).toBe('');
    });

    it('and what --identity-headers adds', () => {
      const changes = { upstream: { claims: [{ claim: 'sub', header: 'X-User' }] } };
      expect(refused(changes, { additional: ['X-User'] })).toBe('');
    });

    it('each once, however it is spelt', () => {
      const claims = [
        { claim: 'sub', header: 'X-Forwarded-User' },
        { claim: 'email', header: 'x_forwarded_user' },
      ];
      expect(refused({ upstream: { claims } })).toContain('spec.upstream.claims[1].header');
    });

    it('A150 the access token is passed as Bearer unless told otherwise', () => {
      expect(configOf()).toMatchObject({
        upstream: { accessToken: { kind: 'Bearer' }, idTokenHeader: undefined, claims: [] },
      });
      expect(configOf({ upstream: { accessToken: 'None' } })).toMatchObject({
        upstream: { accessToken: { kind: 'None' } },
      });
      const header = { accessToken: 'Header', accessTokenHeader: 'X-Forwarded-Access-Token' };
      expect(configOf({ upstream: header })).toMatchObject({
        upstream: { accessToken: { kind: 'Header', name: 'X-Forwarded-Access-Token' } },
      });
      expect(refused({ upstream: { accessToken: 'Header' } })).toContain('spec.upstream.accessTokenHeader: is missing');
      expect(refused({ upstream: { accessTokenHeader: 'X-Forwarded-Access-Token' } })).toContain(
        'needs accessToken: Header',
      );
    });
  });

  it('over plain http says what to set, and works once that is set', () => {
    const external = { scheme: 'http', port: 8080 } as const;
    expect(refused({}, { external })).toMatch(/^spec\.insecure\.httpCookies: must be true .*--external-scheme https$/);
    expect(compile({ ...MINIMAL, insecure: { httpCookies: true } }, { external })).toMatchObject({
      ok: true,
      value: { insecure: ['insecure.httpCookies'] },
    });
  });
});

describe.skipIf(openssl.missing)(`tls.caRef ${openssl.why}`, () => {
  let authority: Authority;
  beforeAll(() => {
    authority = privateAuthority('CA');
  });
  afterAll(() => authority.remove());
  const changes = { tls: { caRef: { name: 'ca' } } };

  it('takes the certificates out of what is around them', () => {
    const secrets = { ...SECRETS, 'ca/ca.crt': `# ours\n${authority.ca}\n# second\n${authority.ca}` };
    const config = configOf(changes, { secrets });
    expect(config).toMatchObject({ ca: `${authority.ca.trim()}\n${authority.ca.trim()}\n` });
  });

  it.each([
    ['nothing', () => ''],
    ['text', () => 'hello'],
    ['a key', () => '-----BEGIN PRIVATE KEY-----\nMIIB\n-----END PRIVATE KEY-----\n'],
    ['half a certificate', () => authority.ca.replace(/\n.{60}/, '\n')],
    [
      'one that is broken among good ones',
      () => `${authority.ca}\n-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n`,
    ],
  ])('refuses %s', (_name, pem) => {
    expect(refused(changes, { secrets: { ...SECRETS, 'ca/ca.crt': pem() } })).toMatch(
      /^spec\.tls\.caRef: .*PEM certificate/,
    );
  });
});

describe('issuers where anybody can have an account', () => {
  it.each([
    'https://accounts.google.com',
    'https://login.microsoftonline.com/common/v2.0',
    'https://login.microsoftonline.com/organizations/v2.0',
    'https://login.microsoftonline.com/consumers/v2.0',
    'https://login.microsoftonline.com/9188040d-6c67-4c5b-b112-36a304b66dad/v2.0',
    'https://appleid.apple.com',
    'https://gitlab.com',
  ])('%s', (issuer) => {
    expect(isOpenSignUp(issuer)).toBe(true);
  });

  it.each([
    'https://login.microsoftonline.com/72f988bf-86f1-41af-91ab-2d7cd011db47/v2.0',
    'https://accounts.google.com.example',
    'https://example.okta.com',
    'https://tenant.eu.auth0.com/',
    'https://gitlab.com.example',
    'https://gitlab.example/accounts.google.com',
  ])('not %s', (issuer) => {
    expect(isOpenSignUp(issuer)).toBe(false);
  });
});
