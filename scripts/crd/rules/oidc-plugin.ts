import {
  CLIENT_VALUE,
  INTERNAL_BASE_UNUSED,
  PROTOCOL_PARAMETERS,
  PROXY_URL,
} from '../../../src/plugins/oidc/spec/spec-fields.ts';
import { CLAIM_PATH_HINT } from '../../../src/resources/claim-path.ts';
import { listOf, matches, type Rule } from './cel.ts';
import { claimPath, duration, path } from './fields.ts';

const HTTPS = 'must start with https:// (plain http only with insecure.httpProvider: true)';

/** A URL that Postern calls or sends browsers to. `fieldPath` is its way below spec: `.endpoints.token`. */
const providerUrl = (fieldPath: string, required: boolean): Rule => {
  const field = `self${fieldPath}`;
  const is = `${matches(field, /^(?i:https):\/\/[^/]/)} || self.insecure.httpProvider && ${matches(field, /^(?i:http):\/\/[^/]/)}`;
  return { at: 'spec', rule: required ? is : `!has(${field}) || ${is}`, message: HTTPS, fieldPath };
};

const plainUrl = (at: string): readonly Rule[] => [
  {
    at,
    rule: `!${matches('self', /^[A-Za-z]+:\/\/[^/?#\\]*[A-Za-z0-9][^/?#\\]*@/)}`,
    message: 'must not hold a user name or password',
  },
  { at, rule: "!self.contains('#')", message: 'must not have a fragment (#…)' },
];

const ENDPOINTS = ['authorization', 'token', 'jwks', 'endSession', 'internalBase'];

const PROVIDER: readonly Rule[] = [
  providerUrl('.issuer', true),
  ...plainUrl('spec.issuer'),
  { at: 'spec.issuer', rule: "!self.contains('?')", message: 'must not have a query (?…)' },
  {
    at: 'spec.issuer',
    rule: "!self.contains('/.well-known/')",
    message: 'must be the issuer itself: leave out /.well-known/openid-configuration',
  },
  ...ENDPOINTS.flatMap((name) => [providerUrl(`.endpoints.${name}`, false), ...plainUrl(`spec.endpoints.${name}`)]),
  { at: 'spec.endpoints.internalBase', rule: "!self.contains('?')", message: 'must not have a query (?…)' },
  {
    at: 'spec.endpoints',
    rule: '!has(self.internalBase) || !has(self.authorization) || !has(self.token) || !has(self.jwks)',
    message: INTERNAL_BASE_UNUSED,
    fieldPath: '.internalBase',
  },
  {
    at: 'spec.http.proxy',
    rule: matches('self', /^(?i:https?):\/\/([^/?#@\\:[\]]+|\[[0-9A-Fa-f:.]+\])(:[0-9]*)?\/?$/),
    message: PROXY_URL,
  },
  duration('spec.http.timeout', '1s', '30s', 'must be a time from 1s to 30s'),
];

const CLIENT: readonly Rule[] = [
  {
    at: 'spec',
    rule: 'has(self.clientID) || has(self.clientIDRef)',
    message: 'has no client id; write clientID as the provider gave it, or name a Secret in clientIDRef',
  },
  {
    at: 'spec',
    rule: '!(has(self.clientID) && has(self.clientIDRef))',
    message: 'has both clientID and clientIDRef; keep one',
  },
  { at: 'spec.clientID', rule: matches('self', /^[ -~]+$/), message: `must be ${CLIENT_VALUE}` },
  {
    at: 'spec',
    rule: "self.tokenEndpointAuthMethod == 'none' || has(self.clientSecretRef)",
    message: 'has no clientSecretRef; name the Secret, or write tokenEndpointAuthMethod: none for a public client',
  },
  {
    at: 'spec',
    rule: "self.tokenEndpointAuthMethod != 'none' || !has(self.clientSecretRef)",
    message: 'clientSecretRef can not stand beside tokenEndpointAuthMethod: none; leave one of the two out',
  },
];

const REQUEST: readonly Rule[] = [
  {
    at: 'spec.scopes',
    rule: "'openid' in self",
    message: 'must hold openid, without which the provider proves no identity',
  },
  {
    at: 'spec.extraParams[].name',
    rule: `!(self.lowerAscii() in ${listOf(PROTOCOL_PARAMETERS)})`,
    message: 'can not be a parameter that the login writes itself, such as scope, prompt or state',
  },
  {
    at: 'spec.prompt',
    rule: "!('none' in self.split(' '))",
    message: 'can not be none, which would refuse everybody who is not signed in at the provider',
  },
  duration('spec.attemptTTL', '1m', '24h', 'must be a time from 1m to 24h'),
];

const ownPath = (at: string): readonly Rule[] => [
  ...path(at),
  { at, rule: "!self.endsWith('/')", message: 'must not end in /; it is one exact path, as in /oauth2/callback' },
];

const PATHS: readonly Rule[] = [
  ...ownPath('spec.redirectPath'),
  ...ownPath('spec.logout.path'),
  {
    at: 'spec',
    rule: '!has(self.redirectPath) || !has(self.logout.path) || self.redirectPath != self.logout.path',
    message: 'must differ from redirectPath',
    fieldPath: '.logout.path',
  },
  {
    at: 'spec.logout.postLogoutRedirectURI',
    rule: matches('self', /^(?i:https?):\/\/[^/]/),
    message: 'must be an absolute URL that starts with https://',
  },
  ...plainUrl('spec.logout.postLogoutRedirectURI'),
];

const SESSION: readonly Rule[] = [
  duration('spec.session.idleTimeout', '1m', '720h', 'must be a time from 1m to 720h'),
  duration('spec.session.absoluteTimeout', '1m', '720h', 'must be a time from 1m to 720h'),
  {
    at: 'spec',
    rule: "self.session.cookie.sameSite != 'None' || !self.insecure.httpCookies",
    message: 'must be Lax with insecure.httpCookies: browsers drop SameSite=None cookies that are not Secure',
    fieldPath: '.session.cookie.sameSite',
  },
];

const IDENTITY: readonly Rule[] = [
  duration('spec.clockTolerance', '0s', '60s', 'must be a time from 0s to 1m'),
  ...['spec.claims.username', 'spec.claims.groups', 'spec.claims.email', 'spec.upstream.claims[].claim'].map((at) =>
    claimPath(at, CLAIM_PATH_HINT),
  ),
  {
    at: 'spec.upstream',
    // The API server tries a default ({} here) before it fills in those inside, so accessToken may be absent.
    rule: "!has(self.accessToken) || self.accessToken != 'Header' || has(self.accessTokenHeader)",
    message: 'accessTokenHeader is missing; name the header, such as X-Forwarded-Access-Token',
  },
  {
    at: 'spec.upstream',
    rule: "!has(self.accessTokenHeader) || has(self.accessToken) && self.accessToken == 'Header'",
    message: 'accessTokenHeader needs accessToken: Header beside it',
  },
];

export const OIDC_PLUGIN_RULES: readonly Rule[] = [
  ...PROVIDER,
  ...CLIENT,
  ...REQUEST,
  ...PATHS,
  ...SESSION,
  ...IDENTITY,
];
