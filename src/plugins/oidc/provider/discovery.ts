import {
  allowInsecureRequests,
  ClientError,
  Configuration,
  customFetch,
  discovery,
  type ServerMetadata,
} from 'openid-client';
import type { OidcConfig } from '../spec/config.ts';
import type { ProviderAnswer, ProviderFault, ProviderRequest } from './http.ts';
import { quote } from './id-token.ts';
import { checkProviderUrl } from './provider-address.ts';

/** A provider whose metadata were found and hold what is needed; every endpoint was checked. */
export interface DiscoveredProvider {
  readonly ok: true;
  /** For the authorization and end-session URLs of openid-client. */
  readonly client: Configuration;
  readonly token: URL;
  readonly jwks: URL;
  readonly endSession: boolean;
  /** RFC 9207 `authorization_response_iss_parameter_supported`. */
  readonly sendsIss: boolean;
}

export interface DiscoveryFault {
  readonly ok: false;
  readonly reason: 'DiscoveryFailed' | 'IssuerMismatch' | 'TLSVerificationFailed';
  /** A whole sentence for a status condition: which URL, what came back, what to do. */
  readonly message: string;
}

export type Call = (request: ProviderRequest) => Promise<ProviderAnswer | ProviderFault>;

/**
 * OpenID Connect Discovery 1.0, with the `endpoints` of the configuration before what the provider says. A provider
 * whose authorization, token and key endpoints are all configured isn't asked. Never rejects.
 */
export async function discover(config: OidcConfig, call: Call): Promise<DiscoveredProvider | DiscoveryFault> {
  const { authorization, token, jwks } = config.endpoints;
  const configured = authorization !== undefined && token !== undefined && jwks !== undefined;
  const found = configured ? { ok: true as const, metadata: { issuer: config.issuer } } : await ask(config, call);
  return found.ok ? complete(config, found.metadata) : found;
}

type Asked = { readonly ok: true; readonly metadata: ServerMetadata } | DiscoveryFault;

async function ask(config: OidcConfig, call: Call): Promise<Asked> {
  const asked = { url: wellKnown(config.issuer), fault: undefined as ProviderFault | undefined, status: 0 };
  const viaOurs = async (url: string, init: { readonly headers: Record<string, string> }): Promise<Response> => {
    const answer = await call({ method: 'GET', url: new URL(url), headers: init.headers });
    asked.url = url;
    if (!answer.ok) {
      asked.fault = answer;
      throw new Error('no answer');
    }
    asked.status = answer.status;
    return asResponse(answer);
  };
  try {
    const client = await discovery(new URL(config.issuer), config.clientId, undefined, undefined, {
      execute: config.insecure.httpProvider ? [allowInsecureRequests] : [],
      [customFetch]: viaOurs,
    });
    return sameIssuer(config, client.serverMetadata(), asked.url);
  } catch (error) {
    return asked.fault === undefined
      ? explain(error, config, asked.url, asked.status)
      : explainFault(asked.fault, asked.url);
  }
}

/** openid-client compares after normalizing, and takes Entra's `{tenantid}` for any tenant; here it is the exact string (A116, A127). */
function sameIssuer(config: OidcConfig, metadata: ServerMetadata, url: string): Asked {
  return metadata.issuer === config.issuer ? { ok: true, metadata } : mismatch(config, metadata.issuer, url);
}

const mismatch = (config: OidcConfig, said: unknown, url: string): DiscoveryFault => ({
  ok: false,
  reason: 'IssuerMismatch',
  message: `${url} says that its issuer is ${quote(said)}, but spec.issuer is ${quote(config.issuer)}: they must be the same to the letter, also in slashes at the end.`,
});

function explain(error: unknown, config: OidcConfig, url: string, status: number): DiscoveryFault {
  const code = error instanceof ClientError ? error.code : undefined;
  if (code === 'OAUTH_JSON_ATTRIBUTE_COMPARISON_FAILED' && error instanceof ClientError) {
    return mismatch(config, issuerIn(error.cause), url);
  }
  if (status !== 200 && status !== 0) {
    const why = status >= 300 && status < 400 ? ', and redirects are not followed' : '';
    return discoveryFailed(`${url} answered ${status}${why}: is ${config.issuer} the issuer of an OpenID provider?`);
  }
  return discoveryFailed(
    `${url} did not answer with the JSON metadata of an OpenID provider: is ${config.issuer} its issuer?`,
  );
}

export function explainFault(fault: ProviderFault, url: string): DiscoveryFault {
  const reason = fault.kind === 'Tls' ? 'TLSVerificationFailed' : 'DiscoveryFailed';
  return { ok: false, reason, message: `${url} ${fault.message}.` };
}

function complete(config: OidcConfig, found: ServerMetadata): DiscoveredProvider | DiscoveryFault {
  const metadata: ServerMetadata = {
    ...found,
    ...override('authorization_endpoint', config.endpoints.authorization),
    ...override('token_endpoint', config.endpoints.token),
    ...override('jwks_uri', config.endpoints.jwks),
    ...override('end_session_endpoint', config.endpoints.endSession),
  };
  const checked = (name: Endpoint): URL | DiscoveryFault => endpoint(name, metadata[name], config);
  const authorization = checked('authorization_endpoint');
  if ('reason' in authorization) return authorization;
  const token = checked('token_endpoint');
  if ('reason' in token) return token;
  const jwks = checked('jwks_uri');
  if ('reason' in jwks) return jwks;
  const endSession = metadata.end_session_endpoint === undefined ? undefined : checked('end_session_endpoint');
  if (endSession !== undefined && 'reason' in endSession) return endSession;

  const client = new Configuration(metadata, config.clientId);
  if (config.insecure.httpProvider) allowInsecureRequests(client);
  const sendsIss = found.authorization_response_iss_parameter_supported === true;
  return { ok: true, client, token, jwks, endSession: endSession !== undefined, sendsIss };
}

type Endpoint = 'authorization_endpoint' | 'token_endpoint' | 'jwks_uri' | 'end_session_endpoint';

/** As for the URLs of the spec; browsers are sent there, so it has to fit a header. */
const MAX_URL = 2048;

function endpoint(name: Endpoint, value: unknown, config: OidcConfig): URL | DiscoveryFault {
  const source = wellKnown(config.issuer);
  if (typeof value !== 'string')
    return discoveryFailed(`The metadata at ${source} have no ${name}: set it in spec.endpoints.`);
  if (value.length > MAX_URL)
    return discoveryFailed(`${name} in the metadata at ${source} is longer than ${MAX_URL} characters.`);
  const url = checkProviderUrl(value, config.insecure.httpProvider);
  return url.ok ? url.url : discoveryFailed(`${name} ${quote(value)} in the metadata at ${source} ${url.fault}.`);
}

/** OpenID Connect Discovery 1.0 section 4: a slash at the end of the issuer is dropped before the suffix. */
const wellKnown = (issuer: string): string => `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`;

const override = (name: Endpoint, value: string | undefined): Partial<ServerMetadata> =>
  value === undefined ? {} : { [name]: value };

const discoveryFailed = (message: string): DiscoveryFault => ({ ok: false, reason: 'DiscoveryFailed', message });

const issuerIn = (cause: unknown): unknown =>
  typeof cause === 'object' &&
  cause !== null &&
  'body' in cause &&
  typeof cause.body === 'object' &&
  cause.body !== null
    ? Reflect.get(cause.body, 'issuer')
    : undefined;

const asResponse = (answer: ProviderAnswer): Response =>
  new Response(NO_BODY.has(answer.status) ? null : Uint8Array.from(answer.body), {
    status: answer.status,
    headers: { 'content-type': answer.contentType },
  });

/** Statuses that `Response` can't be made with a body for; below 200 none arrives as an answer. */
const NO_BODY = new Set([204, 205, 304]);
