import { generateKeyPair, randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { promisify } from 'node:util';
import { type Context, type Grant, Provider } from 'oidc-provider';
import { listen } from './listen.ts';
import { memoryAdapter } from './memory-adapter.ts';
import { PROVIDER_POLICY, renderProviderError, renderSignedOut, renderSignOut } from './provider-pages.ts';
import { signIn } from './sign-in.ts';
import { claimsOf, type DemoUser } from './users.ts';

interface DemoClient {
  readonly clientId: string;
  readonly clientSecret: string;
  readonly redirectUris: readonly string[];
  readonly postLogoutRedirectUris: readonly string[];
}

export interface ProviderOptions {
  /** 0: any free one. */
  readonly port: number;
  readonly client: DemoClient;
  /** Audience of the access tokens: the site that the service is published at. */
  readonly resource: string;
  readonly users: readonly DemoUser[];
}

export interface DemoProvider {
  /** `http://127.0.0.1:8081` */
  readonly issuer: string;
  close(): Promise<void>;
}

const SCOPES = 'openid profile email groups';
const HOUR = 3600;

/** A certified OpenID provider on loopback, with accounts that everybody knows. */
export async function startProvider(options: ProviderOptions): Promise<DemoProvider> {
  let handle: ((request: IncomingMessage, response: ServerResponse) => Promise<void>) | undefined;
  const server = createServer((request, response) => {
    if (handle === undefined) response.writeHead(503).end();
    else handle(request, response).catch(() => response.destroy());
  });
  // The issuer has to name its port, so the port comes first.
  const issuer = `http://127.0.0.1:${await listen(server, options.port)}`;
  const provider = new Provider(issuer, await configuration(options));
  const oidc = provider.callback();
  handle = (request, response) =>
    request.url?.startsWith('/interaction/') === true
      ? signIn({ provider, users: options.users }, request, response)
      : oidc(request, response);
  return {
    issuer,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function configuration(options: ProviderOptions): Promise<Readonly<Record<string, unknown>>> {
  return {
    adapter: memoryAdapter(),
    jwks: { keys: [await signingKey()] },
    cookies: { keys: [randomBytes(32).toString('base64url')] },
    clients: [
      {
        client_id: options.client.clientId,
        client_secret: options.client.clientSecret,
        client_name: 'the demo service',
        redirect_uris: options.client.redirectUris,
        post_logout_redirect_uris: options.client.postLogoutRedirectUris,
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
    // Claims in the ID token and not from userinfo only, as most providers do it.
    conformIdTokenClaims: false,
    findAccount: (_context: Context, id: string) => {
      const user = options.users.find((each) => each.id === id);
      return user === undefined ? undefined : { accountId: id, claims: async () => claimsOf(user) };
    },
    loadExistingGrant: (context: Context) => consent(context, options.resource),
    extraTokenClaims: (_context: Context, token: { readonly accountId?: string }) => {
      const user = options.users.find((each) => each.id === token.accountId);
      return user === undefined ? undefined : { preferred_username: user.username, groups: user.groups };
    },
    features: {
      devInteractions: { enabled: false },
      dPoP: { enabled: false },
      pushedAuthorizationRequests: { enabled: false },
      // A token for a named resource can be a JWT, which the service can take apart (RFC 8707, RFC 9068).
      resourceIndicators: {
        enabled: true,
        defaultResource: () => options.resource,
        useGrantedResource: () => true,
        getResourceServerInfo: () => ({ scope: '', audience: options.resource, accessTokenFormat: 'jwt' }),
      },
      rpInitiatedLogout: {
        enabled: true,
        logoutSource: (context: Context, form: string) => send(context, renderSignOut(form)),
        postLogoutSuccessSource: (context: Context) => send(context, renderSignedOut()),
      },
    },
    interactions: {
      url: (_context: Context, interaction: { readonly uid: string }) => `/interaction/${interaction.uid}`,
    },
    renderError: (context: Context, error: { readonly error: string; readonly error_description?: string }) =>
      send(context, renderProviderError(error.error, error.error_description ?? '')),
    clientBasedCORS: () => false,
    ttl: { AccessToken: HOUR, IdToken: HOUR, Interaction: HOUR, Session: 24 * HOUR, Grant: 24 * HOUR },
  };
}

/** Everybody has agreed to everything: a demo of logging in, not of consent. */
async function consent(context: Context, resource: string): Promise<Grant | undefined> {
  const { provider, client, session } = context.oidc;
  if (client === undefined || session?.accountId === undefined) return undefined;
  const grant = new provider.Grant({ clientId: client.clientId, accountId: session.accountId });
  grant.addOIDCScope(SCOPES);
  grant.addResourceScope(resource, '');
  await grant.save();
  return grant;
}

function send(context: Context, page: string): void {
  context.type = 'html';
  context.set('Content-Security-Policy', PROVIDER_POLICY);
  context.body = page;
}

async function signingKey(): Promise<Readonly<Record<string, unknown>>> {
  const { privateKey } = await promisify(generateKeyPair)('rsa', { modulusLength: 2048 });
  return {
    ...privateKey.export({ format: 'jwk' }),
    use: 'sig',
    alg: 'RS256',
    kid: randomBytes(6).toString('base64url'),
  };
}
