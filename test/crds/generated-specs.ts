import fc from 'fast-check';
import { COUNTER_EXAMPLES, VALID } from './counter-examples.ts';

type Spec = Readonly<Record<string, unknown>>;

/** Texts that are nearly what a field wants: made of the characters that the grammars of hosts, paths, URLs and claims turn on. */
const near = (characters: string, maxLength = 24): fc.Arbitrary<string> =>
  fc.string({ unit: fc.constantFrom(...characters), maxLength });
const among = (...values: readonly string[]): fc.Arbitrary<string> => fc.constantFrom(...values);

const host = fc.oneof(
  among(
    '*',
    '*.example.com',
    'a.example',
    'x_y.example',
    'A.example',
    '10.0.0.1',
    'a.0x1',
    '*.1',
    'example',
    'ä.example',
  ),
  near('ab-_.*01xA'),
);
const path = fc.oneof(
  among(
    '/',
    '/a',
    '/a/',
    '/a%2Fb',
    '/a%2fb',
    '/%C3%A4',
    '/%FF',
    '/a.',
    '/.a',
    '/a/..b',
    '/[a]',
    '/_oidc',
    '/_oidcx',
    '/%00',
    '/%5C',
    '/%41',
  ),
  near('/a.%2F4C5;*?_~ '),
  near('/a.%2F4C5;*?_~ ').map((text) => `/${text}`),
);
const header = fc.oneof(
  among('x-a', 'X-A', 'x-forwarded-user', 'Remote-User', 'Cookie', 'TE', 'x_a'),
  near('xa-_.!XTe'),
);
const value = fc.oneof(among('', 'a', 'a b', ' a', 'a\t'), near('a \tä~!'));
const method = fc.oneof(among('GET', 'HEAD', 'POST', 'QUERY', 'TRACE', 'get', 'FETCH'), near('GETA', 4));
const time = fc.oneof(
  among('0s', '1ms', '1s', '59s', '1m', '24h', '24h1ms', '720h', '99999h99999h', '1h30m', '1', '1d', '-1s'),
  near('0159hms', 8),
);
const url = fc.oneof(
  among(
    'https://a.example',
    'http://a.example',
    'https://a',
    'https://',
    'HTTPS://a.example/',
    'https://[::1]:8443/a',
    'https://[fe80::1]/',
    'https://169.254.169.254/',
    'https://@a.example',
    'https://a:0/',
    'https://a.example/%zz',
    'https:///a',
    'ftp://a',
    'http://0x7f.1/',
    'https://a_b.example',
  ),
  near('ahttps:/@#?[].%\\ 1').map((text) => `https://${text}`),
  near('ahttps:/@#?[].%\\ 1').map((text) => `http://${text}`),
);
const claim = fc.oneof(
  among('sub', 'a.b', '"a.b"', '"a\\"b"', 'a.', '.', 'a"b', 'ä', 'a\u00a0b', '\\'),
  near('ab."\\/ '),
);
const name = fc.oneof(among('orders', 'a.b', 'A', '-a', ''), near('ab-.', 6));
const pluginRef = fc.record(
  { kind: among('OidcPlugin', 'Other', ''), name, namespace: among('shop', 'other', 'A') },
  { requiredKeys: ['kind', 'name'] },
);
const secretRef = fc.record({ name, key: among('a', 'a/b', '') }, { requiredKeys: ['name'] });
const few = <T>(member: fc.Arbitrary<T>): fc.Arbitrary<T[]> => fc.array(member, { maxLength: 3 });
const origin = fc.oneof(
  among('*', 'null', 'https://a.example', 'https://*.a.example', 'http://[::1]:3000', 'https://*.com', 'http://a:80'),
  near('a.*:/-_0').map((text) => `https://${text}`),
);
/** Of the wrong type, or a field that isn't there. */
const odd = fc.constantFrom<unknown>(null, 0, 1.5, true, '', 'a', [], {}, [null], { unknown: 1 });
const some = (fields: Readonly<Record<string, fc.Arbitrary<unknown>>>): fc.Arbitrary<Spec> =>
  fc.record(fields, { requiredKeys: [] });

const headerFilter = some({
  set: few(fc.record({ name: header, value })),
  add: few(fc.record({ name: header, value })),
  remove: few(header),
});

const FIELDS: Readonly<Record<keyof typeof VALID, Readonly<Record<string, fc.Arbitrary<unknown>>>>> = {
  Service: {
    url: fc.option(url, { nil: undefined }),
    backendRef: fc.record({ name, port: fc.constantFrom<unknown>(0, 80, 65_535, 65_536, '80') }),
    timeouts: some({ connect: time, response: time, idle: time, request: time }),
    protocol: among('http', 'https', 'h2c', 'h2', 'HTTP'),
    path,
    tls: some({ caRef: secretRef, clientCertRef: some({ name }), serverName: host }),
    loadBalancing: among('RoundRobin', 'LeastRequest', 'SessionHash'),
    limits: some({
      connectionsPerEndpoint: fc.constantFrom(0, 1, 65_536),
      pending: fc.constantFrom(0, -1, 9),
      pendingTimeout: time,
    }),
    retries: some({ attempts: fc.constantFrom<unknown>(0, 5, 6, '1') }),
    healthCheck: some({
      passive: some({
        enabled: fc.boolean(),
        ejectionTime: time,
        maxEjectionTime: time,
        maxEjectedPercent: fc.constantFrom(0, 50, 51),
      }),
    }),
    insecure: some({ unverifiedTLS: fc.boolean() }),
    plugins: few(pluginRef),
    class: among('postern', 'other', 'A'),
    unknown: odd,
  },
  Route: {
    hosts: few(host),
    paths: few(fc.record({ type: among('Prefix', 'Exact', 'Exact', 'RegularExpression'), value: path })),
    methods: few(method),
    headers: few(fc.record({ name: header, value })),
    queryParams: few(fc.record({ name: among('a', 'A', 'a.b', 'a b', ''), value })),
    plugins: fc.option(few(pluginRef), { nil: undefined }),
    access: among('Public', 'Private'),
    authorization: fc.record({
      rules: few(
        some({
          name: among('r', 's', 'a b', ' '),
          groups: few(value),
          claims: few(fc.record({ path: claim })),
          match: some({
            paths: few(fc.record({ type: among('Prefix', 'Exact'), value: path })),
            methods: few(method),
          }),
        }),
      ),
    }),
    encodedSlashes: among('Keep', 'Reject', 'keep'),
    maxRequestBody: among('0', '10Mi', '1048576', '1Ti', '10 Mi', '1000000Gi'),
    websocket: some({
      enabled: fc.constantFrom<unknown>(true, false, 'no'),
      allowedOrigins: few(fc.constantFrom('https://a.example', '*', 'a.example', 'https://a.example/')),
    }),
    tls: some({ secretRef: some({ name, key: among('tls.crt') }) }),
    timeouts: some({ response: time, idle: time }),
    class: among('postern', 'A'),
    stripPath: fc.boolean(),
    rewrite: some({ path, prefix: path, host }),
    preserveHost: fc.boolean(),
    httpsRedirect: fc.boolean(),
    clients: fc.record({
      allow: few(among('10.0.0.0/8', '10.0.0.1/8', '::/0', '2001:db8::1', '1.2.3', 'a', '10.0.0.0/33')),
    }),
    cors: fc.record(
      {
        allowOrigins: few(origin),
        allowMethods: few(method),
        allowHeaders: few(among('*', 'X-A', 'a b')),
        allowCredentials: fc.boolean(),
        maxAge: time,
      },
      { requiredKeys: ['allowOrigins'] },
    ),
    requestHeaders: headerFilter,
    responseHeaders: headerFilter,
    serviceRef: some({ name, namespace: among('shop', '') }),
    unknown: odd,
  },
  OidcPlugin: {
    issuer: url,
    endpoints: some({ authorization: url, token: url, jwks: url, endSession: url, internalBase: url }),
    clientID: fc.option(value, { nil: undefined }),
    clientIDRef: secretRef,
    clientSecretRef: fc.option(secretRef, { nil: undefined }),
    tokenEndpointAuthMethod: among('none', 'client_secret_post', 'other'),
    scopes: few(among('openid', 'email', 'a b', '')),
    extraParams: few(fc.record({ name: among('hd', 'State', 'scope', 'a b'), value })),
    prompt: among('login', 'none', 'login none', ' login', 'select_account consent'),
    redirectPath: path,
    logout: some({ path, postLogoutRedirectURI: url, idTokenHint: among('Auto', 'auto') }),
    http: some({ timeout: time, proxy: url }),
    attemptTTL: time,
    clockTolerance: time,
    session: some({ idleTimeout: time, absoluteTimeout: time, cookie: some({ sameSite: among('Lax', 'None') }) }),
    allowedAlgs: few(among('RS256', 'ES256', 'none', 'HS256')),
    audiences: few(among('a', 'b', '')),
    claims: some({ username: claim, groups: claim, email: claim }),
    upstream: some({
      accessToken: among('Bearer', 'None', 'Header'),
      accessTokenHeader: header,
      claims: few(fc.record({ claim, header })),
    }),
    insecure: some({ httpCookies: fc.boolean(), httpProvider: fc.boolean() }),
    unknown: odd,
  },
};

export interface Generated {
  readonly kind: keyof typeof VALID;
  readonly spec: Spec;
}

/** A valid spec with one to three fields written anew; so one in a few is valid, and what isn't has few faults. */
const changed = fc.constantFrom<keyof typeof VALID>('Service', 'Route', 'OidcPlugin').chain((kind) => {
  const [first, ...others] = Object.entries(FIELDS[kind]).map(([field, values]) =>
    fc.tuple(fc.constant(field), fc.oneof({ weight: 12, arbitrary: values }, { weight: 1, arbitrary: odd })),
  );
  if (first === undefined) throw new Error(`${kind} has no fields`);
  return fc
    .array(fc.oneof(first, ...others), { minLength: 1, maxLength: 3 })
    .map((changes): Generated => ({ kind, spec: { ...VALID[kind], ...Object.fromEntries(changes) } }));
});

/** Two refusals at once: what one rule says must not hide behind another. */
const counter = fc
  .constantFrom(...COUNTER_EXAMPLES)
  .map(({ kind, spec }): Generated => ({ kind, spec: { ...VALID[kind], ...spec } }));

export const generated = fc.oneof({ weight: 9, arbitrary: changed }, { weight: 1, arbitrary: counter });
