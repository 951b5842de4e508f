import { buildAuthorizationUrl, buildEndSessionUrl } from 'openid-client';
import type { OidcConfig } from '../spec/config.ts';
import type { DiscoveredProvider } from './discovery.ts';
import type { AuthorizationRequest, EndSessionRequest } from './provider.ts';

/** RFC 6749 4.1.1, OpenID Connect Core 3.1.2.1. Nothing of it comes from a request (A119); S256 whatever the metadata say (A112). */
export function authorizationUrl(
  config: OidcConfig,
  { client }: DiscoveredProvider,
  request: AuthorizationRequest,
): URL {
  return buildAuthorizationUrl(client, {
    ...config.extraParams,
    ...(config.prompt === undefined ? {} : { prompt: config.prompt }),
    client_id: config.clientId,
    response_type: 'code',
    scope: config.scopes.join(' '),
    redirect_uri: request.redirectUri,
    state: request.state,
    nonce: request.nonce,
    code_challenge: request.codeChallenge,
    code_challenge_method: 'S256',
  });
}

/** OpenID Connect RP-Initiated Logout 1.0 section 2. */
export function endSessionUrl({ client }: DiscoveredProvider, request: EndSessionRequest): URL {
  return buildEndSessionUrl(client, {
    post_logout_redirect_uri: request.postLogoutRedirectUri,
    ...(request.idTokenHint === undefined ? {} : { id_token_hint: request.idTokenHint }),
  });
}
