import { CLAIM_PATH_HINT, parseClaimPath } from '../../../resources/claim-path.ts';
import { type Milliseconds, milliseconds, parseDuration } from '../../../resources/duration.ts';
import { type EgressProxy, readEgressProxy } from '../../../resources/egress-proxy.ts';
import type { RoutePath } from '../../../resources/path.ts';
import type { FieldPath } from '../../../resources/problem.ts';
import { checkRoutePath } from '../../../resources/route-path.ts';
import { checkProviderUrl, isForbiddenAddress } from '../provider/provider-address.ts';
import type { TokenPlacement } from './config.ts';
import type { OidcSpec } from './spec.ts';
import type { OidcWire } from './wire.ts';

/** Takes what is wrong with a field of the spec; each check below tells all that it finds. */
export type Report = (path: FieldPath, message: string) => void;

export function checkIssuer({ issuer, insecure }: OidcWire, found: Report): void {
  const url = checkProviderUrl(issuer, insecure.httpProvider);
  if (!url.ok) found(['issuer'], `${url.fault}; write the issuer as the provider names it`);
  else if (issuer.includes('?')) found(['issuer'], 'must not have a query (?…)');
  else if (issuer.includes('/.well-known/')) {
    found(['issuer'], 'must be the issuer itself: leave out /.well-known/openid-configuration');
  }
}

export function checkEndpoints({ endpoints, insecure }: OidcWire, found: Report): void {
  for (const [name, value] of Object.entries(endpoints)) {
    if (value === undefined) continue;
    const url = checkProviderUrl(value, insecure.httpProvider);
    if (!url.ok) found(['endpoints', name], url.fault);
  }
  const { authorization, token, jwks, internalBase } = endpoints;
  if (internalBase === undefined) return;
  if (internalBase.includes('?')) found(['endpoints', 'internalBase'], 'must not have a query (?…)');
  if (authorization !== undefined && token !== undefined && jwks !== undefined) {
    found(['endpoints', 'internalBase'], INTERNAL_BASE_UNUSED);
  }
}

export const INTERNAL_BASE_UNUSED =
  'is used for nothing beside authorization, token and jwks, which are taken as they are; leave it out';

/** Credentials would lie open in the object; the process's own variables may hold some. */
export function checkProxy({ http }: OidcWire, found: Report): EgressProxy | undefined {
  if (http.proxy === undefined) return undefined;
  const refuse = (fault: string): undefined => {
    found(['http', 'proxy'], fault);
    return undefined;
  };
  if (!/^https?:\/\/[^/?#@\\]+\/?$/i.test(http.proxy)) return refuse(PROXY_URL);
  const read = readEgressProxy(http.proxy);
  if (!read.ok) return refuse(PROXY_URL);
  return isForbiddenAddress(read.proxy.host) ? refuse('must not be at a link-local address') : read.proxy;
}

export const PROXY_URL =
  'must be http:// or https:// with host and port of a proxy and nothing more, as in http://proxy.example:3128; no user name or password';

export function checkClient(wire: OidcWire, found: Report): void {
  const { clientID, clientIDRef, clientSecretRef, tokenEndpointAuthMethod: method } = wire;
  if (clientID === undefined && clientIDRef === undefined) {
    found(['clientID'], 'is missing; write the client id that the provider gave, or name a Secret in clientIDRef');
  }
  if (clientID !== undefined && clientIDRef !== undefined) {
    found(['clientIDRef'], 'can not stand beside clientID; write one of the two');
  }
  if (clientID !== undefined && !isClientValue(clientID)) found(['clientID'], `must be ${CLIENT_VALUE}`);
  if (method === 'none' && clientSecretRef !== undefined) {
    found(['clientSecretRef'], 'can not stand beside tokenEndpointAuthMethod: none; leave one of the two out');
  }
  if (method !== 'none' && clientSecretRef === undefined) {
    found(
      ['clientSecretRef'],
      'is missing; name the Secret, or write tokenEndpointAuthMethod: none for a public client',
    );
  }
}

/** RFC 6749 appendix A.1 and A.2: VSCHAR. */
export const isClientValue = (text: string): boolean => /^[\x20-\x7e]{1,4096}$/.test(text);
export const CLIENT_VALUE = 'printable ASCII characters only, without a line break at the end';

/** Parameters that the login itself writes, or that would change what kind of login it is (A119). */
export const PROTOCOL_PARAMETERS = [
  'client_id',
  'client_secret',
  'client_assertion',
  'client_assertion_type',
  'code',
  'code_challenge',
  'code_challenge_method',
  'code_verifier',
  'grant_type',
  'id_token_hint',
  'iss',
  'nonce',
  'prompt',
  'redirect_uri',
  'request',
  'request_uri',
  'response_mode',
  'response_type',
  'scope',
  'state',
];

export function checkRequest({ scopes, extraParams, prompt }: OidcWire, found: Report): void {
  if (!scopes.includes('openid')) found(['scopes'], 'must hold openid, without which the provider proves no identity');
  const seen = new Set<string>();
  for (const [at, { name }] of extraParams.entries()) {
    if (PROTOCOL_PARAMETERS.includes(name.toLowerCase())) {
      found(['extraParams', at, 'name'], `can not be ${name}, which the login writes itself`);
    }
    if (seen.has(name)) found(['extraParams', at, 'name'], `is there twice: ${name}`);
    seen.add(name);
  }
  if (prompt?.split(' ').includes('none') === true) {
    found(['prompt'], 'can not be none, which would refuse everybody who is not signed in at the provider');
  }
}

export function checkPaths(
  wire: OidcWire,
  found: Report,
): Readonly<Record<'redirect' | 'logout', RoutePath | undefined>> {
  const redirect = checkPath(['redirectPath'], wire.redirectPath, found);
  const logout = checkPath(['logout', 'path'], wire.logout.path, found);
  if (redirect !== undefined && redirect === logout) {
    found(['logout', 'path'], 'must differ from redirectPath');
  }
  return { redirect, logout };
}

/** The API server refuses them too: both lists are sets there. */
export function checkRepeated({ allowedAlgs, audiences }: OidcWire, found: Report): void {
  const sets: Readonly<Record<string, readonly string[]>> = { allowedAlgs, audiences };
  for (const [field, values] of Object.entries(sets)) {
    for (const [at, value] of values.entries()) {
      if (values.indexOf(value) !== at) found([field, at], 'is there twice; leave one out');
    }
  }
}

/** As strict as an Exact path of a Route: a path that a server in front reads in another way would be answered by that. */
function checkPath(field: FieldPath, text: string | undefined, found: Report): RoutePath | undefined {
  if (text === undefined) return undefined;
  const checked = checkRoutePath('Exact', text);
  if (!checked.ok) found(field, checked.message);
  else if (text.endsWith('/')) found(field, 'must not end in /; it is one exact path, as in /oauth2/callback');
  else return checked.match.value;
  return undefined;
}

const HOUR = 3_600_000;

export function checkTimes(wire: OidcWire, found: Report) {
  const duration = (path: FieldPath, text: string, least: number, most: number): Milliseconds => {
    const value = parseDuration(text);
    if (value === undefined || value < least || value > most) {
      found(path, `must be a time from ${inWords(least)} to ${inWords(most)}`);
    }
    return value ?? milliseconds(0);
  };
  const { session } = wire;
  const times = {
    httpTimeout: duration(['http', 'timeout'], wire.http.timeout, 1000, 30_000),
    attemptTtl: duration(['attemptTTL'], wire.attemptTTL, 60_000, 24 * HOUR),
    clockTolerance: duration(['clockTolerance'], wire.clockTolerance, 0, 60_000),
    session: {
      idleTimeout: duration(['session', 'idleTimeout'], session.idleTimeout, 60_000, 720 * HOUR),
      absoluteTimeout: duration(['session', 'absoluteTimeout'], session.absoluteTimeout, 60_000, 720 * HOUR),
      sameSite: session.cookie.sameSite,
    },
  };
  return times;
}

const inWords = (ms: number): string =>
  ms % HOUR === 0 && ms > 0 ? `${ms / HOUR}h` : ms % 60_000 === 0 && ms > 0 ? `${ms / 60_000}m` : `${ms / 1000}s`;

function claimPath(path: FieldPath, text: string, found: Report): readonly string[] {
  const parsed = parseClaimPath(text);
  if (parsed === undefined) found(path, CLAIM_PATH_HINT);
  return parsed ?? [];
}

export function checkClaims({ claims }: OidcWire, found: Report): OidcSpec['claims'] {
  return {
    username: claimPath(['claims', 'username'], claims.username, found),
    groups: claimPath(['claims', 'groups'], claims.groups, found),
    email: claimPath(['claims', 'email'], claims.email, found),
  };
}

/** Whether the headers belong to the identity set is asked in compile, which knows what `--identity-headers` adds. */
export function checkUpstream({ upstream }: OidcWire, found: Report): OidcSpec['upstream'] {
  const { accessTokenHeader: header } = upstream;
  let accessToken: TokenPlacement = { kind: upstream.accessToken === 'None' ? 'None' : 'Bearer' };
  if (upstream.accessToken === 'Header') {
    if (header === undefined)
      found(['upstream', 'accessTokenHeader'], 'is missing; name the header, such as X-Forwarded-Access-Token');
    else accessToken = { kind: 'Header', name: header };
  } else if (header !== undefined) {
    found(['upstream', 'accessTokenHeader'], 'needs accessToken: Header beside it');
  }
  const claims = upstream.claims.map(({ claim, header: name, encoding }, at) => ({
    claim: claimPath(['upstream', 'claims', at, 'claim'], claim, found),
    header: name,
    encoding,
  }));
  return { accessToken, idTokenHeader: upstream.idTokenHeader, claims };
}

export function checkPostLogout({ logout }: OidcWire, found: Report): void {
  if (logout.postLogoutRedirectURI === undefined) return;
  const url = checkProviderUrl(logout.postLogoutRedirectURI, true);
  if (!url.ok) found(['logout', 'postLogoutRedirectURI'], url.fault);
}
