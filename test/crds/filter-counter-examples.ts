import type { CounterExample } from './counter-examples.ts';

type Spec = CounterExample['spec'];

const at =
  (field: string, message: CounterExample['message']) =>
  (...specs: readonly Spec[]): readonly CounterExample[] =>
    specs.map((spec) => ({ kind: 'Route', spec, field, message }));

const line = (name: string, value = 'a'): Spec => ({ name, value });
const cors = (fields: Spec): Spec => ({ cors: { allowOrigins: ['https://app.example.com'], ...fields } });
const origin = (...allowOrigins: readonly string[]): Spec => ({ cors: { allowOrigins } });

/** In each of the places of a filter. */
const inFilter = (filter: string, name: string, message: RegExp, places = ['set', 'add', 'remove']) =>
  places.flatMap((place) =>
    at(
      `spec.${filter}.${place}[0]${place === 'remove' ? '' : '.name'}`,
      message,
    )({ [filter]: { [place]: place === 'remove' ? [name] : [line(name)] } }),
  );

const rewrittenPath = (field: 'path' | 'prefix'): readonly CounterExample[] => {
  const where = `spec.rewrite.${field}`;
  const rewrite = (path: string): Spec => ({ rewrite: { [field]: path } });
  return [
    ...at(where, 'must begin with /')(rewrite('orders')),
    ...at(where, /^has a character that a path can’t hold/)(rewrite('/a?b'), rewrite('/ä')),
    ...at(where, /^has a % that begins no escape in upper case/)(rewrite('/a%2b'), rewrite('/a%')),
    ...at(where, /^paths have no wildcards/)(rewrite('/a/*')),
    ...at(where, /^servers read this path in more than one way/)(rewrite('/a;b')),
    ...at(where, /^must be in canonical form/)(rewrite('//evil.example')),
    ...at(where, /^has a segment . or ../)(rewrite('/a/../b')),
    ...at(where, /^must not lie below \/_oidc/)(rewrite('/_oidc'), rewrite('/_oidc/okta/callback')),
  ];
};

const REWRITE: readonly CounterExample[] = [
  ...at('spec.rewrite', /^says nothing/)({ rewrite: {} }),
  ...at('spec.rewrite', /^has both path and prefix/)({ rewrite: { path: '/a', prefix: '/b' } }),
  ...rewrittenPath('path'),
  ...rewrittenPath('prefix'),
  ...at(
    'spec.rewrite.host',
    /^must be a DNS name/,
  )(...['A.example', 'a.example:80', '*.example', '10.0.0.1', 'a..b'].map((host) => ({ rewrite: { host } }))),
  ...at('spec.stripPath', /exclude each other/)(
    { stripPath: true, rewrite: { path: '/a' } },
    { stripPath: true, rewrite: { prefix: '/a' } },
  ),
  ...at(
    'spec.paths',
    /^must be Prefix where/,
  )(
    ...[{ stripPath: true }, { rewrite: { prefix: '/a' } }].map((fields) => ({
      ...fields,
      paths: [{ type: 'Exact', value: '/a' }],
    })),
  ),
  ...at('spec.preserveHost', /exclude each other/)({ preserveHost: false, rewrite: { host: 'a.example' } }),
];

const HEADERS: readonly CounterExample[] = [
  ...at('spec.requestHeaders', /^says nothing/)({ requestHeaders: {} }),
  ...at('spec.responseHeaders', /^says nothing/)({ responseHeaders: {} }),
  ...inFilter('requestHeaders', 'X-Forwarded-User', /^is an identity header/),
  ...inFilter('requestHeaders', 'remote_user', /^is an identity header/),
  ...inFilter('requestHeaders', 'HOST', /^is written by Postern; write rewrite.host/),
  ...inFilter('requestHeaders', 'Authorization', /^is the client’s or a plugin’s/),
  ...inFilter('requestHeaders', 'Cookie', /^carries sessions/),
  ...inFilter('requestHeaders', 'X.Forwarded.For', /^belongs to the connection/),
  ...inFilter('requestHeaders', 'transfer!encoding', /^belongs to the connection/),
  ...inFilter('requestHeaders', 'Content-Type', /^can be there only once/, ['add']),
  ...inFilter('responseHeaders', 'Content-Length', /^belongs to the connection/),
  ...inFilter('responseHeaders', 'Set-Cookie', /^sets cookies/, ['set', 'add']),
  ...['requestHeaders', 'responseHeaders'].flatMap((filter) =>
    ['set', 'add'].flatMap((place) =>
      at(`spec.${filter}.${place}[0].value`, /^must be visible ASCII/)(
        { [filter]: { [place]: [line('X-A', ' a')] } },
        { [filter]: { [place]: [line('X-A', 'a\r\nX-Admin: 1')] } },
      ),
    ),
  ),
  ...at('spec.responseHeaders', /^is written by cors/)(
    ...['set', 'add'].map((place) => ({
      ...cors({}),
      responseHeaders: { [place]: [line('Access-Control-Allow-Origin')] },
    })),
    { ...cors({}), responseHeaders: { remove: ['access-control-max-age'] } },
  ),
];

const CORS: readonly CounterExample[] = [
  ...at(
    'spec.cors.allowOrigins',
    /^\* can’t be had with allowCredentials/,
  )(cors({ allowOrigins: ['*'], allowCredentials: true })),
  ...at('spec.cors.allowOrigins', /^has \* beside other origins/)(origin('*', 'https://a.example')),
  ...at('spec.cors.allowOrigins[0]', /^null is what frames/)(origin('null')),
  ...at(
    'spec.cors.allowOrigins[0]',
    /^must be https:\/\/\*\./,
  )(
    ...['https://*', 'https://*.com', 'http://*.a.example', 'https://a.*.b', 'https://*.a.example:8443'].map((text) =>
      origin(text),
    ),
  ),
  ...at(
    'spec.cors.allowOrigins[0]',
    /^must be an origin as browsers send it/,
  )(
    ...['a.example', 'https://A.example', 'https://a.example/', 'https://a.example:443', 'http://a:80'].map((text) =>
      origin(text),
    ),
  ),
  ...at(
    'spec.cors.allowHeaders',
    /^has \*, which with allowCredentials/,
  )(cors({ allowHeaders: ['*'], allowCredentials: true })),
  ...at(
    'spec.cors.exposeHeaders',
    /^has \*, which with allowCredentials/,
  )(cors({ exposeHeaders: ['*'], allowCredentials: true })),
  ...at('spec.cors.maxAge', /^must be a time from 0s to 24h/)(cors({ maxAge: '25h' })),
  ...at('spec.cors.allowMethods[0]', /never forwarded/)(cors({ allowMethods: ['TRACE'] })),
  ...at('spec.cors.allowMethods[0]', /^is no known method/)(cors({ allowMethods: ['FETCH'] })),
  ...at('spec.cors.allowMethods', /^HEAD is handled as GET/)(cors({ allowMethods: ['HEAD'] })),
];

const CLIENTS = at(
  'spec.clients.allow[0]',
  /^must be an address or a network/,
)(...['example.com', '10.0.0.0/08', '10.0.0.0/', '*'].map((text) => ({ clients: { allow: [text] } })));

export const ROUTE_FILTERS: readonly CounterExample[] = [...REWRITE, ...HEADERS, ...CORS, ...CLIENTS];
