import { ClientSecretBasic, ClientSecretPost, None } from 'openid-client';
import type { Redacted } from '../../../resources/redacted.ts';
import type { CheckedCallback } from '../login/callback.ts';
import { scrub } from '../scrub.ts';
import type { OidcConfig } from '../spec/config.ts';
import type { ClientSecrets } from './client-secrets.ts';
import type { Call, DiscoveredProvider } from './discovery.ts';
import type { ProviderAnswer } from './http.ts';
import { type Failed, failed, verifySignature } from './id-token.ts';
import { checkClaims } from './id-token-claims.ts';
import type { KeyCache } from './jwks.ts';
import type { ExchangeResult } from './provider.ts';
import { readTokenResponse, rejectsClient } from './token-response.ts';

export interface ExchangeParts {
  readonly config: OidcConfig;
  readonly provider: DiscoveredProvider;
  readonly keys: KeyCache;
  readonly secrets: ClientSecrets;
  /** To the token endpoint. */
  readonly call: Call;
  readonly now: () => number;
}

/**
 * A checked callback to tokens of a proven identity: token request, signature, claims, in this order, each closing the
 * door. openid-client's own grant is not used for it: it leaves the signature and at_hash of a token from the token
 * endpoint unchecked (T20), accepts an `iat` in the future (T23), and can't be given another clock or other audiences.
 */
export async function exchangeCode(parts: ExchangeParts, callback: CheckedCallback): Promise<ExchangeResult> {
  const sent = secretsOf(parts.config, callback);
  const result = await exchange(parts, callback, sent);
  return result.ok ? result : { ...result, detail: scrub(result.detail, sent) };
}

async function exchange(
  parts: ExchangeParts,
  callback: CheckedCallback,
  sent: readonly string[],
): Promise<ExchangeResult> {
  const { config, now } = parts;
  const answer = await requestTokens(parts, callback);
  if (!answer.ok) return answer;
  const receivedAt = now();
  const response = readTokenResponse(answer, sent);
  if (!response.ok) return response;
  const signed = await verifySignature(response.idToken, config.allowedAlgs, parts.keys);
  if (!signed.ok) return signed;
  const { issuer, clientId, audiences, clockTolerance } = config;
  const { nonce } = callback;
  const { accessToken, expiresIn, idToken } = response;
  const fault = checkClaims(signed, { issuer, clientId, audiences, clockTolerance, nonce, accessToken, now: now() });
  if (fault !== undefined) return fault;
  const accessTokenExpiresAt = expiresIn === undefined ? undefined : receivedAt + expiresIn * 1000;
  return { ok: true, tokens: { accessToken, accessTokenExpiresAt, idToken, claims: signed.claims } };
}

/** RFC 6749 section 4.1.3, RFC 7636 section 4.5. A second secret is tried only where the first was refused (F36). */
async function requestTokens(parts: ExchangeParts, callback: CheckedCallback): Promise<ProviderAnswer | Failed> {
  const { config, secrets } = parts;
  let answer: ProviderAnswer | Failed = failed('client_rejected', 'the plugin has no client secret');
  for (const secret of config.tokenEndpointAuthMethod === 'none' ? [undefined] : secrets.inOrder()) {
    answer = await requestOnce(parts, callback, secret);
    if (!answer.ok) return answer;
    if (!rejectsClient(answer)) {
      if (answer.status === 200) secrets.took(secret);
      return answer;
    }
  }
  secrets.refused();
  return answer;
}

async function requestOnce(
  { config, provider, call }: ExchangeParts,
  callback: CheckedCallback,
  secret: Redacted | undefined,
): Promise<ProviderAnswer | Failed> {
  const body = new URLSearchParams({
    grant_type: 'authorization_code',
    code: callback.code,
    redirect_uri: callback.redirectUri,
    code_verifier: callback.codeVerifier,
  });
  const headers = new Headers({ accept: 'application/json', 'content-type': 'application/x-www-form-urlencoded' });
  const authenticate = authentication(config.tokenEndpointAuthMethod, secret);
  await authenticate(provider.client.serverMetadata(), provider.client.clientMetadata(), body, headers);
  const answer = await call({
    method: 'POST',
    url: provider.token,
    headers: Object.fromEntries(headers),
    body: body.toString(),
  });
  if (answer.ok) return answer;
  const failure = answer.kind === 'BadAnswer' || answer.kind === 'Forbidden' ? 'bad_response' : 'provider_unavailable';
  return failed(failure, `the token endpoint ${answer.message}`);
}

function authentication(method: OidcConfig['tokenEndpointAuthMethod'], secret: Redacted | undefined) {
  if (method === 'none' || secret === undefined) return None();
  return method === 'client_secret_basic' ? ClientSecretBasic(secret.reveal()) : ClientSecretPost(secret.reveal());
}

/** What no log line may hold, also as it stood in the Authorization header. */
function secretsOf(config: OidcConfig, callback: CheckedCallback): readonly string[] {
  const secrets = config.clientSecrets.map((secret) => secret.reveal());
  const basic = secrets.map((secret) => Buffer.from(`${config.clientId}:${secret}`).toString('base64'));
  return [callback.code, callback.codeVerifier, callback.nonce, ...secrets, ...basic];
}
