import { ROUTE_FILTERS } from './filter-counter-examples.ts';
import { OIDC_NETWORK } from './oidc-network-counter-examples.ts';

/** A spec that one rule of the API server refuses, everything else in it being valid. */
export interface CounterExample {
  readonly kind: 'Service' | 'Route' | 'OidcPlugin';
  /** Fields of spec written over those of the valid one; undefined takes one away. */
  readonly spec: Readonly<Record<string, unknown>>;
  /** Where the API server sees it. */
  readonly field: string;
  readonly message: string | RegExp;
}

export const VALID = {
  Service: { url: 'http://orders.example:8080/base' },
  Route: {
    hosts: ['shop.example.com'],
    paths: [{ type: 'Prefix', value: '/orders' }],
    serviceRef: { name: 'orders' },
    plugins: [{ kind: 'OidcPlugin', name: 'okta' }],
  },
  OidcPlugin: {
    issuer: 'https://example.okta.com/oauth2/default',
    clientID: '0oa1b2c3',
    clientSecretRef: { name: 'okta-client' },
  },
} as const;

export const PLURALS = { Service: 'services', Route: 'routes', OidcPlugin: 'oidcplugins' } as const;

type Kind = CounterExample['kind'];
type Spec = CounterExample['spec'];

const at =
  (kind: Kind, field: string, message: CounterExample['message']) =>
  (...specs: readonly Spec[]): readonly CounterExample[] =>
    specs.map((spec) => ({ kind, spec, field, message }));

const timeouts = (kind: Kind, names: readonly string[]): readonly CounterExample[] =>
  names.flatMap((name) =>
    at(
      kind,
      `spec.timeouts.${name}`,
      'must be from 1ms to 24h',
    )({ timeouts: { [name]: '0s' } }, { timeouts: { [name]: '24h1ms' } }),
  );

const pattern = (value: string): Spec => ({ paths: [{ type: 'RegularExpression', value }] });

/** `write` puts a path into a spec. */
const paths = (kind: Kind, field: string, write: (path: string) => Spec): readonly CounterExample[] => [
  ...at(kind, field, 'must begin with /')(write('orders')),
  ...at(kind, field, /^has a character that a path can’t hold/)(
    write('/a b'),
    write('/a?b'),
    write('/ä'),
    write('/a\\b'),
  ),
  ...at(kind, field, /^has a % that begins no escape in upper case/)(
    write('/a%'),
    write('/a%2'),
    write('/a%2b'),
    write('/%zz'),
  ),
  ...at(kind, field, /^paths have no wildcards/)(write('/a/*')),
  ...at(kind, field, /^servers read this path in more than one way/)(write('/a;b=c')),
  ...at(kind, field, /^must be in canonical form/)(write('/a//b')),
  ...at(kind, field, /^has a segment . or ../)(write('/a/./b'), write('/a/..'), write('/../a')),
];

const methods = (field: string, write: (names: readonly string[]) => Spec): readonly CounterExample[] => [
  ...at('Route', `${field}[0]`, /never forwarded/)(write(['TRACE']), write(['CONNECT'])),
  ...at('Route', `${field}[0]`, /^is no known method/)(write(['FETCH'])),
  ...at('Route', field, /^HEAD is handled as GET/)(write(['HEAD', 'POST'])),
];

const SERVICE: readonly CounterExample[] = [
  ...at('Service', 'spec', 'names no backend; write either url or backendRef')({ url: undefined }),
  ...at('Service', 'spec', 'has both url and backendRef; keep one')({ backendRef: { name: 'orders', port: 80 } }),
  ...at('Service', 'spec.url', /^must have no user name/)({ url: 'http://user:secret@orders.example' }),
  ...at(
    'Service',
    'spec.url',
    /^must have no query/,
  )({ url: 'http://orders.example/?a' }, { url: 'http://orders.example#a' }),
  ...at('Service', 'spec.url', /^must have a DNS name/)(
    { url: 'http://' },
    { url: 'http:///a' },
    { url: 'https://a b' },
  ),
  ...timeouts('Service', ['connect', 'response', 'idle', 'request']),
  ...at('Service', 'spec.protocol', /^contradicts spec.url.*http or h2c/)({ protocol: 'https' }, { protocol: 'h2' }),
  ...at(
    'Service',
    'spec.protocol',
    /^contradicts spec.url.*https or h2/,
  )({ url: 'https://orders.example', protocol: 'http' }, { url: 'https://orders.example', protocol: 'h2c' }),
  ...at('Service', 'spec.path', /^is for backendRef/)({ path: '/base' }),
  ...at('Service', 'spec.tls', /^is for TLS only/)(
    { tls: { caRef: { name: 'ca' } } },
    { tls: { clientCertRef: { name: 'gateway' } } },
    { tls: { serverName: 'orders.example' }, protocol: 'h2c' },
    { tls: { serverName: 'orders.example' }, url: undefined, backendRef: { name: 'orders', port: 80 } },
  ),
  ...at('Service', 'spec.insecure.unverifiedTLS', /^is for TLS only/)({ insecure: { unverifiedTLS: true } }),
  ...at(
    'Service',
    'spec.insecure.unverifiedTLS',
    /^excludes tls.caRef/,
  )({ url: 'https://orders.example', insecure: { unverifiedTLS: true }, tls: { caRef: { name: 'ca' } } }),
  ...at('Service', 'spec.limits.pendingTimeout', 'must be from 1ms to 24h')({ limits: { pendingTimeout: '0s' } }),
  ...at(
    'Service',
    'spec.healthCheck.passive.ejectionTime',
    'must be from 1ms to 24h',
  )({ healthCheck: { passive: { ejectionTime: '0s' } } }),
  ...at(
    'Service',
    'spec.healthCheck.passive.maxEjectionTime',
    'must be from 1ms to 24h',
  )({ healthCheck: { passive: { maxEjectionTime: '25h' } } }),
  ...at(
    'Service',
    'spec.healthCheck.passive.maxEjectionTime',
    /^must not be shorter/,
  )({ healthCheck: { passive: { ejectionTime: '10m' } } }),
];

const ROUTE: readonly CounterExample[] = [
  ...at('Route', 'spec.hosts[0]', /^a wildcard is the whole leftmost label/)(
    { hosts: ['shop.*.com'] },
    { hosts: ['a*.example.com'] },
    { hosts: ['*.*.example.com'] },
    { hosts: ['**'] },
    { hosts: ['*.'] },
  ),
  ...at('Route', 'spec.hosts[0]', /^must be a DNS name in lower case/)(
    { hosts: ['Shop.example.com'] },
    { hosts: ['shop.example.com:80'] },
    { hosts: ['https://shop.example.com'] },
    { hosts: ['shop.example.com.'] },
    { hosts: ['a..b'] },
  ),
  ...at('Route', 'spec.hosts[0]', /^must be \*\. and a DNS name/)({ hosts: ['*.Example.com'] }, { hosts: ['*.-a'] }),
  ...at('Route', 'spec.hosts[0]', /^must be a DNS name; what ends in a number/)(
    { hosts: ['192.0.2.1'] },
    { hosts: ['*.0x7f'] },
    { hosts: ['a.1'] },
  ),
  ...at('Route', 'spec.paths[0].value', /^must begin with \/ or \^\//)(pattern('a'), pattern('.*/a'), pattern('(/a)')),
  ...at('Route', 'spec.paths[0].value', /^has a character that no path holds/)(pattern('/ä'), pattern('/a b')),
  ...at('Route', 'spec.paths[0].value', /^is for the path alone/)(pattern('/a\\?b=c'), pattern('/a#b')),
  ...at('Route', 'spec.paths[0].value', /^must have at most 512 characters/)(pattern(`/${'a'.repeat(600)}`)),
  ...at(
    'Route',
    'spec.queryParams[0].value',
    /^has a control character/,
  )({ queryParams: [{ name: 'a', value: 'a\tb' }] }, { queryParams: [{ name: 'a', value: '\u0085' }] }),
  ...at(
    'Route',
    'spec.queryParams',
    /^a query parameter is there twice/,
  )({
    queryParams: [
      { name: 'a', value: '1' },
      { name: 'A', value: '2' },
    ],
  }),
  ...paths('Route', 'spec.paths[0].value', (value) => ({ paths: [{ type: 'Exact', value }] })),
  ...at(
    'Route',
    'spec.paths[0].value',
    /^\/_oidc is Postern’s own/,
  )({ paths: [{ type: 'Prefix', value: '/_oidc' }] }, { paths: [{ type: 'Exact', value: '/_oidc/okta/callback' }] }),
  ...at(
    'Route',
    'spec.paths',
    'a path is there twice; leave one out',
  )({
    paths: [
      { type: 'Exact', value: '/a' },
      { type: 'Exact', value: '/a' },
    ],
  }),
  ...methods('spec.methods', (names) => ({ methods: names })),
  ...at('Route', 'spec.headers[0].name', /^has _ or ./)(header('x_tenant'), header('x.tenant')),
  ...at('Route', 'spec.headers[0].name', /^is an identity header/)(
    header('X-Forwarded-User'),
    header('X-Remote-Anything'),
    header('x!auth!request!user'),
  ),
  ...at('Route', 'spec.headers[0].name', /^can’t be matched/)(
    header('Authorization'),
    header('cookie'),
    header('X-Forwarded-For'),
    header('content!length'),
  ),
  ...at('Route', 'spec.headers[0].value', /^must be visible ASCII/)(
    header('x-a', ' a'),
    header('x-a', 'ä'),
    header('x-a', 'a\n'),
  ),
  ...at(
    'Route',
    'spec.headers',
    'a header is there twice; leave one out',
  )({
    headers: [
      { name: 'x-a', value: 'a' },
      { name: 'X-A', value: 'b' },
    ],
  }),
  ...at('Route', 'spec', /^has both access: Public and plugins/)({ access: 'Public' }),
  ...at(
    'Route',
    'spec.authorization',
    /^rules need somebody who logged in/,
  )({
    access: 'Public',
    plugins: undefined,
    authorization: { rules: [{ name: 'everybody' }] },
  }),
  ...at('Route', 'spec.hosts', /^\* can’t be protected/)({ hosts: ['shop.example.com', '*'] }),
  ...timeouts('Route', ['response', 'idle', 'request']),
  ...at(
    'Route',
    'spec.authorization.rules',
    /^two rules have the same name/,
  )({
    authorization: { rules: [{ name: 'a' }, { name: 'b' }, { name: 'a' }] },
  }),
  ...paths('Route', 'spec.authorization.rules[0].match.paths[0].value', (value) =>
    rule({ match: { paths: [{ type: 'Prefix', value }] } }),
  ),
  ...methods('spec.authorization.rules[0].match.methods', (names) => rule({ match: { methods: names } })),
  ...at(
    'Route',
    'spec.authorization.rules[0].claims[0].path',
    /^must be names joined by dots/,
  )(rule({ claims: [{ path: 'https://a.example/roles', anyOf: ['a'] }] }), rule({ claims: [{ path: 'a..b' }] })),
];

function rule(fields: Spec): Spec {
  return { authorization: { rules: [{ name: 'a', ...fields }] } };
}

function header(name: string, value = 'a'): Spec {
  return { headers: [{ name, value }] };
}

const HTTPS = /^must start with https:/;
const urls = (field: string, write: (url: string) => Spec): readonly CounterExample[] => [
  ...at('OidcPlugin', field, /^must not hold a user name/)(write('https://user:secret@idp.example/a')),
  ...at('OidcPlugin', field, /^must not have a fragment/)(write('https://idp.example/#a')),
];
const times = (field: string, bounds: string, write: (time: string) => Spec, values: readonly string[]) =>
  at('OidcPlugin', field, `must be a time from ${bounds}`)(...values.map(write));

const OIDC_PLUGIN: readonly CounterExample[] = [
  ...at('OidcPlugin', 'spec.issuer', HTTPS)(
    { issuer: 'http://idp.example' },
    { issuer: 'idp.example' },
    { issuer: 'https:///a' },
  ),
  ...urls('spec.issuer', (issuer) => ({ issuer })),
  ...at('OidcPlugin', 'spec.issuer', /^must not have a query/)({ issuer: 'https://idp.example/?a' }),
  ...at(
    'OidcPlugin',
    'spec.issuer',
    /^must be the issuer itself/,
  )({
    issuer: 'https://idp.example/.well-known/openid-configuration',
  }),
  ...['authorization', 'token', 'jwks', 'endSession'].flatMap((name) => [
    ...at('OidcPlugin', `spec.endpoints.${name}`, HTTPS)({ endpoints: { [name]: 'http://idp.example/a' } }),
    ...urls(`spec.endpoints.${name}`, (url) => ({ endpoints: { [name]: url } })),
  ]),
  ...times('spec.http.timeout', '1s to 30s', (timeout) => ({ http: { timeout } }), ['999ms', '31s']),
  ...at('OidcPlugin', 'spec', /^has no client id/)({ clientID: undefined }),
  ...at('OidcPlugin', 'spec', /^has both clientID and clientIDRef/)({ clientIDRef: { name: 'okta-client' } }),
  ...at('OidcPlugin', 'spec.clientID', /^must be printable ASCII/)({ clientID: 'a\n' }, { clientID: 'ä' }),
  ...at('OidcPlugin', 'spec', /^has no clientSecretRef/)({ clientSecretRef: undefined }),
  ...at('OidcPlugin', 'spec', /^clientSecretRef can not stand beside/)({ tokenEndpointAuthMethod: 'none' }),
  ...at('OidcPlugin', 'spec.scopes', /^must hold openid/)({ scopes: ['profile'] }),
  ...at(
    'OidcPlugin',
    'spec.extraParams[0].name',
    /^can not be a parameter that the login writes/,
  )(
    { extraParams: [{ name: 'redirect_uri', value: 'https://evil.example' }] },
    { extraParams: [{ name: 'STATE', value: 'a' }] },
  ),
  ...at('OidcPlugin', 'spec.prompt', /^can not be none/)({ prompt: 'none' }, { prompt: 'login none' }),
  ...times('spec.attemptTTL', '1m to 24h', (attemptTTL) => ({ attemptTTL }), ['59s', '25h']),
  ...paths('OidcPlugin', 'spec.redirectPath', (redirectPath) => ({ redirectPath })),
  ...at('OidcPlugin', 'spec.redirectPath', /^must not end in/)({ redirectPath: '/callback/' }),
  ...paths('OidcPlugin', 'spec.logout.path', (path) => ({ logout: { path } })),
  ...at('OidcPlugin', 'spec.logout.path', /^must not end in/)({ logout: { path: '/logout/' } }),
  ...at(
    'OidcPlugin',
    'spec.logout.path',
    'must differ from redirectPath',
  )({
    redirectPath: '/oauth2',
    logout: { path: '/oauth2' },
  }),
  ...at(
    'OidcPlugin',
    'spec.logout.postLogoutRedirectURI',
    /^must be an absolute URL/,
  )({ logout: { postLogoutRedirectURI: '/open' } }, { logout: { postLogoutRedirectURI: 'javascript:alert(1)' } }),
  ...urls('spec.logout.postLogoutRedirectURI', (url) => ({ logout: { postLogoutRedirectURI: url } })),
  ...times('spec.session.idleTimeout', '1m to 720h', (idleTimeout) => ({ session: { idleTimeout } }), ['59s', '721h']),
  ...times('spec.session.absoluteTimeout', '1m to 720h', (absoluteTimeout) => ({ session: { absoluteTimeout } }), [
    '59s',
    '721h',
  ]),
  ...at(
    'OidcPlugin',
    'spec.session.cookie.sameSite',
    /^must be Lax with insecure.httpCookies/,
  )({
    session: { cookie: { sameSite: 'None' } },
    insecure: { httpCookies: true },
  }),
  ...times('spec.clockTolerance', '0s to 1m', (clockTolerance) => ({ clockTolerance }), ['61s']),
  ...['username', 'groups', 'email'].flatMap((name) =>
    at(
      'OidcPlugin',
      `spec.claims.${name}`,
      /^must be names joined by dots/,
    )(
      ...['a..b', '.a', 'a.', 'https://a', 'a b', '"a', 'a.b.c.d.e.f.g.h.i'].map((claim) => ({
        claims: { [name]: claim },
      })),
    ),
  ),
  ...at(
    'OidcPlugin',
    'spec.upstream.claims[0].claim',
    /^must be names joined by dots/,
  )({
    upstream: { claims: [{ claim: 'a/b', header: 'X-Forwarded-User' }] },
  }),
  ...at('OidcPlugin', 'spec.upstream', /^accessTokenHeader is missing/)({ upstream: { accessToken: 'Header' } }),
  ...at(
    'OidcPlugin',
    'spec.upstream',
    /^accessTokenHeader needs accessToken: Header/,
  )({
    upstream: { accessTokenHeader: 'X-Forwarded-Access-Token' },
  }),
];

export const COUNTER_EXAMPLES: readonly CounterExample[] = [
  ...SERVICE,
  ...ROUTE,
  ...ROUTE_FILTERS,
  ...OIDC_PLUGIN,
  ...OIDC_NETWORK,
];
