import { allowInsecureRequests, Configuration, type ServerMetadata } from 'openid-client';
import type { OidcConfig } from '../spec/config.ts';
import type { DiscoveredProvider, DiscoveryFault, Metadata, Refuses } from './discovery.ts';
import { quote } from './id-token.ts';
import { twoSides } from './internal-base.ts';
import { checkProviderUrl } from './provider-address.ts';

/** Browsers are sent to the outer side of each, and the inner one is called; what the spec names is taken as it is. */
export function complete(config: OidcConfig, from: Metadata, refuses: Refuses): DiscoveredProvider | DiscoveryFault {
  const { metadata: found, source } = from;
  const sides = twoSides(config.issuer, config.internalBase);
  const metadata: ServerMetadata = {
    ...found,
    ...moved(found, 'authorization_endpoint', sides.outside),
    ...moved(found, 'end_session_endpoint', sides.outside),
    ...moved(found, 'token_endpoint', sides.inside),
    ...moved(found, 'jwks_uri', sides.inside),
    ...override('authorization_endpoint', config.endpoints.authorization),
    ...override('token_endpoint', config.endpoints.token),
    ...override('jwks_uri', config.endpoints.jwks),
    ...override('end_session_endpoint', config.endpoints.endSession),
  };
  const checked = (name: Endpoint): URL | DiscoveryFault => {
    const url = endpoint(name, metadata[name], config, source);
    const fault = 'reason' in url || !CALLED.has(name) ? undefined : refuses(url);
    if (fault === undefined) return url;
    return {
      ok: false,
      reason: 'AddressNotAllowed',
      message: `${name} ${quote(metadata[name])} of ${source} ${fault}.`,
    };
  };
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
  return { ok: true, from, client, token, jwks, endSession: endSession !== undefined, sendsIss };
}

/** A URL that isn't one is left for the check that tells of it. */
function moved(metadata: ServerMetadata, name: Endpoint, move: (url: URL) => URL): Partial<ServerMetadata> {
  const value = metadata[name];
  const url = typeof value === 'string' ? URL.parse(value) : null;
  if (url === null) return {};
  const to = move(url);
  return to === url ? {} : { [name]: to.href };
}

/** By this gateway; browsers are only sent to the others. */
const CALLED: ReadonlySet<string> = new Set<Endpoint>(['token_endpoint', 'jwks_uri']);

type Endpoint = 'authorization_endpoint' | 'token_endpoint' | 'jwks_uri' | 'end_session_endpoint';

/** As for the URLs of the spec; browsers are sent there, so it has to fit a header. */
const MAX_URL = 2048;

function endpoint(name: Endpoint, value: unknown, config: OidcConfig, source: string): URL | DiscoveryFault {
  if (typeof value !== 'string')
    return discoveryFailed(`The metadata at ${source} have no ${name}: set it in spec.endpoints.`);
  if (value.length > MAX_URL)
    return discoveryFailed(`${name} in the metadata at ${source} is longer than ${MAX_URL} characters.`);
  const url = checkProviderUrl(value, config.insecure.httpProvider);
  return url.ok ? url.url : discoveryFailed(`${name} ${quote(value)} in the metadata at ${source} ${url.fault}.`);
}

const override = (name: Endpoint, value: string | undefined): Partial<ServerMetadata> =>
  value === undefined ? {} : { [name]: value };

export const discoveryFailed = (message: string): DiscoveryFault => ({ ok: false, reason: 'DiscoveryFailed', message });
