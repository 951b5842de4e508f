import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import { join } from 'node:path';
import { type Adapter, type Context, type Grant, Provider } from 'oidc-provider';
import { memoryAdapter } from '../../../../demo/memory-adapter.ts';
import { signIn } from '../../../../demo/sign-in.ts';
import { claimsOf, USERS } from '../../../../demo/users.ts';

interface ProviderOptions {
  /** Its public address; the port may be another one than it listens on. */
  readonly issuer: string;
  readonly port: number;
  /** Folder of tls.crt and tls.key. */
  readonly tlsDirectory: string;
  readonly clientSecret: string;
  readonly redirectUris: readonly string[];
}

const CLIENT_ID = 'shop';
const SCOPES = 'openid profile email groups';

/**
 * oidc-provider, which is certified, for one client, over TLS. `/interaction/…` asks for name and password, unless the
 * request says with `X-Test-Sign-In: ada` who it is, so that a login needs no browser. `PUT /test/client-secret` with a text
 * as body is what an operator does in a provider's console.
 */
export function startProvider(options: ProviderOptions): void {
  const client = { secret: options.clientSecret };
  const provider = new Provider(options.issuer, configuration(options, client));
  const oidc = provider.callback();
  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const path = request.url ?? '';
    if (path === '/test/client-secret' && request.method === 'PUT') {
      client.secret = await readAll(request);
      response.writeHead(204).end();
    } else if (path.startsWith('/interaction/')) await interact(provider, request, response);
    else await oidc(request, response);
  };
  const file = (name: string): Buffer => readFileSync(join(options.tlsDirectory, name));
  const server = createServer({ cert: file('tls.crt'), key: file('tls.key') }, (request, response) => {
    handle(request, response).catch((error: unknown) => {
      console.error(error);
      response.destroy();
    });
  });
  server.listen(options.port, () => console.log(`provider ${options.issuer} listens on ${options.port}`));
  process.on('SIGTERM', () => process.exit(0));
}

async function interact(provider: Provider, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const name = request.headers['x-test-sign-in'];
  const user = USERS.find(({ username }) => username === name);
  if (user === undefined) await signIn({ provider, users: USERS }, request, response);
  else await provider.interactionFinished(request, response, { login: { accountId: user.id } });
}

async function readAll(request: IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of request) text += String(chunk);
  return text;
}

/** The client is looked up at each use, so that its secret can change. */
function adapter(options: ProviderOptions, client: { readonly secret: string }): (model: string) => Adapter {
  const memory = memoryAdapter();
  return (model) => {
    const kept = memory(model);
    if (model !== 'Client') return kept;
    return {
      ...kept,
      find: async (id: string) =>
        id !== CLIENT_ID
          ? undefined
          : {
              client_id: CLIENT_ID,
              client_secret: client.secret,
              redirect_uris: options.redirectUris,
              post_logout_redirect_uris: [],
              token_endpoint_auth_method: 'client_secret_basic',
              grant_types: ['authorization_code'],
              response_types: ['code'],
            },
    };
  };
}

function configuration(options: ProviderOptions, client: { readonly secret: string }) {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  return {
    adapter: adapter(options, client),
    jwks: { keys: [{ ...privateKey.export({ format: 'jwk' }), use: 'sig', alg: 'RS256', kid: 'one' }] },
    cookies: { keys: [randomBytes(32).toString('base64url')] },
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
      const user = USERS.find((each) => each.id === id);
      return user === undefined ? undefined : { accountId: id, claims: async () => claimsOf(user) };
    },
    loadExistingGrant: consent,
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
    // A code waits for a whole rolling update here.
    ttl: { AuthorizationCode: 600, AccessToken: 3600, IdToken: 3600, Interaction: 3600, Session: 3600, Grant: 3600 },
  };
}

async function consent(context: Context): Promise<Grant | undefined> {
  const { provider, client, session } = context.oidc;
  if (client === undefined || session?.accountId === undefined) return undefined;
  const grant = new provider.Grant({ clientId: client.clientId, accountId: session.accountId });
  grant.addOIDCScope(SCOPES);
  await grant.save();
  return grant;
}
