import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, get, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import { createServer as createTlsServer, get as getSecure } from 'node:https';
import { type Context, Provider } from 'oidc-provider';
import { memoryAdapter } from '../../demo/memory-adapter.ts';
import type { CookieJar } from './cookie-jar.ts';

export interface HonestAccount {
  readonly sub: string;
  readonly [claim: string]: unknown;
}

export interface HonestProviderOptions {
  readonly redirectUris: readonly string[];
  readonly postLogoutRedirectUris?: readonly string[];
  /** The first one signs in, unless `account` is set to another. */
  readonly accounts?: readonly HonestAccount[];
  /** Serves https with it. */
  readonly tls?: { readonly key: string; readonly cert: string };
  /** Its name, where that isn't its address. */
  readonly issuer?: string;
}

export interface HonestProvider {
  /** Its address, unless the options say otherwise. */
  readonly issuer: string;
  /** `http://127.0.0.1:…`, or https with a certificate. */
  readonly origin: string;
  readonly clientId: string;
  readonly clientSecret: string;
  /** `sub` of who signs in next. */
  account: string;
  close(): Promise<void>;
}

const ADA: HonestAccount = {
  sub: 'u-1815',
  name: 'Ada Lovelace',
  preferred_username: 'ada',
  email: 'ada@example.com',
  email_verified: true,
  groups: ['analysts'],
};

const SCOPES = 'openid profile email groups';

/**
 * oidc-provider, which is certified, on loopback: PKCE required, client_secret_basic, `iss` in responses (RFC 9207),
 * RP-initiated logout. Whoever comes is signed in as `account` without a page, so that a login needs no browser.
 */
export async function startHonestProvider(options: HonestProviderOptions): Promise<HonestProvider> {
  const accounts = options.accounts ?? [ADA];
  let handle: ((request: IncomingMessage, response: ServerResponse) => Promise<void>) | undefined;
  const serve: RequestListener = (request, response) => {
    if (handle === undefined) response.writeHead(503).end();
    else handle(request, response).catch(() => response.destroy());
  };
  const server = options.tls === undefined ? createServer(serve) : createTlsServer(options.tls, serve);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the provider has no port');
  const origin = `${options.tls === undefined ? 'http' : 'https'}://127.0.0.1:${address.port}`;
  const issuer = options.issuer ?? origin;
  const secret = randomBytes(24).toString('base64url');
  const provider = new Provider(issuer, configuration(options, accounts, secret));
  const honest: HonestProvider = {
    issuer,
    origin,
    clientId: 'postern',
    clientSecret: secret,
    account: accounts[0]?.sub ?? '',
    async close() {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
  const oidc = provider.callback();
  handle = (request, response) =>
    request.url?.startsWith('/interaction/') === true
      ? provider.interactionFinished(request, response, { login: { accountId: honest.account } })
      : oidc(request, response);
  return honest;
}

function configuration(
  options: HonestProviderOptions,
  accounts: readonly HonestAccount[],
  secret: string,
): Readonly<Record<string, unknown>> {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  return {
    adapter: memoryAdapter(),
    jwks: { keys: [{ ...privateKey.export({ format: 'jwk' }), use: 'sig', alg: 'RS256', kid: 'honest' }] },
    cookies: { keys: [randomBytes(32).toString('base64url')] },
    clients: [
      {
        client_id: 'postern',
        client_secret: secret,
        redirect_uris: options.redirectUris,
        post_logout_redirect_uris: options.postLogoutRedirectUris ?? [],
        token_endpoint_auth_method: 'client_secret_basic',
        grant_types: ['authorization_code'],
        response_types: ['code'],
      },
    ],
    responseTypes: ['code'],
    pkce: { required: () => true },
    scopes: ['openid'],
    claims: {
      openid: ['sub'],
      profile: ['name', 'preferred_username'],
      email: ['email', 'email_verified'],
      groups: ['groups'],
    },
    conformIdTokenClaims: false,
    findAccount: (_context: Context, id: string) => {
      const account = accounts.find((each) => each.sub === id);
      return account === undefined ? undefined : { accountId: id, claims: async () => account };
    },
    loadExistingGrant: async (context: Context) => {
      const { provider, client, session } = context.oidc;
      if (client === undefined || session?.accountId === undefined) return undefined;
      const grant = new provider.Grant({ clientId: client.clientId, accountId: session.accountId });
      grant.addOIDCScope(SCOPES);
      await grant.save();
      return grant;
    },
    features: {
      devInteractions: { enabled: false },
      dPoP: { enabled: false },
      pushedAuthorizationRequests: { enabled: false },
      rpInitiatedLogout: { enabled: true },
    },
    interactions: {
      url: (_context: Context, interaction: { readonly uid: string }) => `/interaction/${interaction.uid}`,
    },
    clientBasedCORS: () => false,
    ttl: { AccessToken: 3600, IdToken: 3600, Interaction: 3600, Session: 3600, Grant: 3600 },
  };
}

/** A browser's CA, PEM, and where it finds a URL that no name server knows. */
export interface BrowserNetwork {
  readonly ca?: string;
  move?(url: URL): URL;
  /** Name in TLS, where it isn't the moved URL's. */
  readonly servername?: string;
}

/** More than any login takes. */
const MAX_STEPS = 12;

/**
 * Visits `url` and follows redirects as a browser would, with a cookie jar, until one leads to a URL that starts with `until`,
 * which is given back unvisited; or to the first answer that is no redirect, which is an error.
 */
export async function followLogin(
  url: string,
  until: string,
  jar: CookieJar,
  network: BrowserNetwork = {},
): Promise<URL> {
  let here = new URL(url);
  for (let step = 0; step < MAX_STEPS; step++) {
    if (step > 0 && here.href.startsWith(until)) return here;
    const { status, headers } = await navigate(here, network.move?.(here) ?? here, jar.header(here), network);
    jar.store(here, headers['set-cookie'] ?? []);
    if (headers.location === undefined) throw new Error(`${here.pathname} answered ${status} instead of a redirect`);
    here = new URL(headers.location, here);
  }
  throw new Error('a login with too many redirects');
}

/** A GET as of a browser without Fetch Metadata; `fetch` would call itself a script's, which gets no login. */
async function navigate(url: URL, at: URL, cookie: string, network: BrowserNetwork) {
  const headers = { host: url.host, accept: 'text/html', ...(cookie === '' ? {} : { cookie }) };
  const asked =
    at.protocol === 'https:'
      ? getSecure(at, { agent: false, headers, ca: network.ca, servername: network.servername ?? at.hostname })
      : get(at, { agent: false, headers });
  const [response] = (await once(asked, 'response')) as [IncomingMessage];
  response.resume();
  await once(response, 'end');
  return { status: response.statusCode, headers: response.headers };
}
