import type { CounterExample } from './counter-examples.ts';

const at =
  (field: string, message: CounterExample['message']) =>
  (...specs: readonly CounterExample['spec'][]): readonly CounterExample[] =>
    specs.map((spec) => ({ kind: 'OidcPlugin', spec, field, message }));

const base = (internalBase: string) => ({ endpoints: { internalBase } });
const proxy = (url: string) => ({ http: { proxy: url } });
const ALL = { authorization: 'https://a.example', token: 'https://a.example/t', jwks: 'https://a.example/k' };

/** How a provider is reached: the base inside, and the proxy. */
export const OIDC_NETWORK: readonly CounterExample[] = [
  ...at('spec.endpoints.internalBase', /^must start with https:/)(base('http://keycloak.idp.svc'), base('keycloak')),
  ...at('spec.endpoints.internalBase', /^must not hold a user name/)(base('https://user:secret@keycloak.idp.svc')),
  ...at('spec.endpoints.internalBase', /^must not have a fragment/)(base('https://keycloak.idp.svc/#a')),
  ...at('spec.endpoints.internalBase', /^must not have a query/)(base('https://keycloak.idp.svc/?a')),
  ...at(
    'spec.endpoints.internalBase',
    /^is used for nothing beside authorization, token and jwks/,
  )({ endpoints: { ...ALL, internalBase: 'https://keycloak.idp.svc' } }),
  ...at('spec.http.proxy', /^must be http:\/\/ or https:\/\/ with host and port of a proxy/)(
    proxy('proxy.example:3128'),
    proxy('socks5://proxy.example:1080'),
    proxy('http://user:secret@proxy.example:3128'),
    proxy('http://proxy.example:3128/path'),
    proxy('http://proxy.example:3128?a'),
    proxy('http://proxy.example:3128#a'),
    proxy('http://'),
  ),
];
