import {
  allowInsecureRequests,
  ClientError,
  type Configuration,
  customFetch,
  discovery,
  type ServerMetadata,
} from 'openid-client';
import type { OidcConfig } from '../spec/config.ts';
import { complete, discoveryFailed } from './endpoints.ts';
import type { ProviderAnswer, ProviderRequest } from './http.ts';
import type { ProviderFault } from './http-fault.ts';
import { quote } from './id-token.ts';
import { twoSides } from './internal-base.ts';
import { isConfigured } from './preflight.ts';

/** A provider whose metadata were found and hold what is needed; every endpoint was checked. */
export interface DiscoveredProvider {
  readonly ok: true;
  /** What it was made of. */
  readonly from: Metadata;
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
  readonly reason: 'DiscoveryFailed' | 'IssuerMismatch' | 'TLSVerificationFailed' | 'AddressNotAllowed' | 'ProxyFailed';
  /** A whole sentence for a status condition: which URL, what came back, what to do. */
  readonly message: string;
}

export type Call = (request: ProviderRequest) => Promise<ProviderAnswer | ProviderFault>;

/** Why a URL is never called, as far as its text says; undefined where it may be. */
export type Refuses = (url: URL) => string | undefined;

/**
 * OpenID Connect Discovery 1.0, with the `endpoints` of the configuration before what the provider says. A provider
 * whose authorization, token and key endpoints are all configured isn't asked. Never rejects.
 */
export async function discover(
  config: OidcConfig,
  call: Call,
  refuses: Refuses,
): Promise<DiscoveredProvider | DiscoveryFault> {
  const unasked = { ok: true as const, metadata: { issuer: config.issuer }, source: 'spec.endpoints' };
  const found = isConfigured(config) ? unasked : await ask(config, call);
  return found.ok ? complete(config, found, refuses) : found;
}

/** Before its endpoints were checked. */
export interface Metadata {
  readonly ok: true;
  readonly metadata: ServerMetadata;
  /** The URL that they came from, for messages. */
  readonly source: string;
}
type Asked = Metadata | DiscoveryFault;

async function ask(config: OidcConfig, call: Call): Promise<Asked> {
  const { inside } = twoSides(config.issuer, config.internalBase);
  const asked = {
    url: inside(new URL(wellKnown(config.issuer))).href,
    fault: undefined as ProviderFault | undefined,
    status: 0,
  };
  const viaOurs = async (text: string, init: { readonly headers: Record<string, string> }): Promise<Response> => {
    const url = inside(new URL(text));
    const answer = await call({ method: 'GET', url, headers: init.headers });
    asked.url = url.href;
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
  return metadata.issuer === config.issuer
    ? { ok: true, metadata, source: url }
    : mismatch(config, metadata.issuer, url);
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
  if (status === 429)
    return discoveryFailed(`${url} answered 429, for it was asked too often; it is asked again later.`);
  if (status >= 500) return discoveryFailed(`${url} answered ${status}; it is asked again.`);
  if (status !== 200 && status !== 0) {
    const why = status >= 300 && status < 400 ? ', and redirects are not followed' : '';
    return discoveryFailed(`${url} answered ${status}${why}: is ${config.issuer} the issuer of an OpenID provider?`);
  }
  return discoveryFailed(
    `${url} did not answer with the JSON metadata of an OpenID provider: is ${config.issuer} its issuer?`,
  );
}

export function explainFault(fault: ProviderFault, url: string): DiscoveryFault {
  return { ok: false, reason: REASONS[fault.kind] ?? 'DiscoveryFailed', message: `${url} ${fault.message}.` };
}

const REASONS: Partial<Record<ProviderFault['kind'], DiscoveryFault['reason']>> = {
  Tls: 'TLSVerificationFailed',
  Forbidden: 'AddressNotAllowed',
  Proxy: 'ProxyFailed',
};

/** OpenID Connect Discovery 1.0 section 4: a slash at the end of the issuer is dropped before the suffix. */
const wellKnown = (issuer: string): string => `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`;

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
