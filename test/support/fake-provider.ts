import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { type FakeKey, fakeKey, idToken, type TokenLie } from './fake-tokens.ts';

/** What one endpoint does instead of answering honestly. */
export type Answer = (request: IncomingMessage, response: ServerResponse) => void;

export interface Grant {
  readonly nonce: string;
  readonly redirectUri: string;
  /** BASE64URL(SHA256(verifier)). */
  readonly codeChallenge: string;
}

/** A provider on 127.0.0.1 that is honest until told to lie. Everything can be changed between two requests. */
export class FakeProvider {
  readonly clientId = 'client';
  /** Accepted client secrets. */
  secrets: string[] = ['secret'];
  keys: FakeKey[] = [];
  /** Signs ID tokens; usually the last of `keys`. */
  signingKey: FakeKey;
  /** The key set as published; undefined: the public halves of `keys`. */
  publishedKeys: unknown;
  /** Laid over the honest discovery document; undefined members are left out. */
  metadata: Record<string, unknown> = {};
  /** Laid over the honest claims; undefined members are left out. */
  claims: Record<string, unknown> = {};
  lie: TokenLie = {};
  /** Laid over the honest token response; undefined members are left out. */
  response: Record<string, unknown> = {};
  /** The provider's clock, in milliseconds since the epoch. */
  now: () => number = Date.now;
  /** Seconds that it is ahead. */
  clockAhead = 0;
  lifetime = 3600;
  /** Milliseconds before each answer. */
  delay = 0;
  /** Endpoints that don't answer honestly, by path. */
  instead = new Map<string, Answer>();
  /** Paths asked for, in order. */
  readonly requests: string[] = [];
  /** Bodies of token requests. */
  readonly tokenRequests: { readonly form: URLSearchParams; readonly authorization: string }[] = [];
  readonly #server: Server;
  readonly #scheme: 'http' | 'https';
  readonly #codes = new Map<string, Grant>();
  #port = 0;
  issuerPath = '';

  constructor(server: Server, scheme: 'http' | 'https', key: FakeKey) {
    this.#server = server;
    this.#scheme = scheme;
    this.signingKey = key;
    this.keys = [key];
    server.on('request', (request, response) => this.#answer(request, response));
  }

  get origin(): string {
    return `${this.#scheme}://127.0.0.1:${this.#port}`;
  }

  /** At the port of before, where it had one. */
  async listen(): Promise<void> {
    this.#server.listen(this.#port, '127.0.0.1');
    await once(this.#server, 'listening');
    const address = this.#server.address();
    if (address === null || typeof address === 'string') throw new Error('the fake provider does not listen');
    this.#port = address.port;
  }

  get issuer(): string {
    return this.origin + this.issuerPath;
  }

  /** A code as the authorization endpoint would have given it. */
  issueCode(grant: Grant): string {
    const code = randomBytes(16).toString('base64url');
    this.#codes.set(code, grant);
    return code;
  }

  /** New key for signing; the old ones stay published where `overlap`. */
  async rotate(overlap: boolean, options: { readonly kid?: string } = {}): Promise<void> {
    const key = await fakeKey('RS256', options.kid);
    this.keys = overlap ? [...this.keys, key] : [key];
    this.signingKey = key;
  }

  count(path: string): number {
    return this.requests.filter((each) => each === path).length;
  }

  async close(): Promise<void> {
    if (!this.#server.listening) return;
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.#server.closeAllConnections();
    await closed;
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const url = new URL(request.url ?? '/', this.origin);
    this.requests.push(url.pathname);
    response.setHeader('date', new Date(this.now() + this.clockAhead * 1000).toUTCString());
    const answer = this.instead.get(url.pathname) ?? (() => this.#answerHonestly(url, request, response));
    if (this.delay === 0) answer(request, response);
    else setTimeout(answer, this.delay, request, response);
  }

  #answerHonestly(url: URL, request: IncomingMessage, response: ServerResponse): void {
    switch (url.pathname) {
      case `${this.issuerPath}/.well-known/openid-configuration`:
        sendJson(response, 200, this.#metadata());
        break;
      case '/jwks':
        sendJson(response, 200, this.publishedKeys ?? { keys: this.keys.map((key) => key.publicJwk) });
        break;
      case '/authorize':
        this.#authorize(url, response);
        break;
      case '/token':
        void readBody(request).then((body) => this.#token(request, new URLSearchParams(body), response));
        break;
      default:
        response.writeHead(404).end();
    }
  }

  #metadata(): Record<string, unknown> {
    return {
      issuer: this.issuer,
      authorization_endpoint: `${this.origin}/authorize`,
      token_endpoint: `${this.origin}/token`,
      jwks_uri: `${this.origin}/jwks`,
      end_session_endpoint: `${this.origin}/logout`,
      response_types_supported: ['code'],
      subject_types_supported: ['public'],
      id_token_signing_alg_values_supported: ['RS256'],
      ...this.metadata,
    };
  }

  /** Signs everybody in at once. */
  #authorize(url: URL, response: ServerResponse): void {
    const parameter = (name: string): string => url.searchParams.get(name) ?? '';
    const redirectUri = parameter('redirect_uri');
    const code = this.issueCode({
      nonce: parameter('nonce'),
      redirectUri,
      codeChallenge: parameter('code_challenge'),
    });
    const back = new URL(redirectUri);
    back.searchParams.set('code', code);
    back.searchParams.set('state', parameter('state'));
    if (this.metadata['authorization_response_iss_parameter_supported'] === true) {
      back.searchParams.set('iss', String(this.lie.responseIssuer ?? this.issuer));
    }
    response.writeHead(302, { location: back.href }).end();
  }

  #token(request: IncomingMessage, form: URLSearchParams, response: ServerResponse): void {
    this.tokenRequests.push({ form, authorization: request.headers.authorization ?? '' });
    if (!this.#authenticates(request, form)) {
      sendJson(response, 401, { error: 'invalid_client' }, { 'www-authenticate': 'Basic realm="token"' });
      return;
    }
    const code = form.get('code') ?? '';
    const grant = this.#codes.get(code);
    this.#codes.delete(code);
    const challenge = createHash('sha256')
      .update(form.get('code_verifier') ?? '')
      .digest('base64url');
    if (grant === undefined || grant.codeChallenge !== challenge || grant.redirectUri !== form.get('redirect_uri')) {
      sendJson(response, 400, { error: 'invalid_grant', error_description: `no such code: ${code}` });
      return;
    }
    const accessToken = randomBytes(24).toString('base64url');
    const now = Math.floor(this.now() / 1000) + this.clockAhead;
    const claims = {
      iss: this.issuer,
      sub: 'user-1',
      aud: this.clientId,
      iat: now,
      exp: now + this.lifetime,
      nonce: grant.nonce,
      preferred_username: 'ada',
      ...this.claims,
    };
    sendJson(response, 200, {
      access_token: accessToken,
      token_type: 'Bearer',
      expires_in: 3600,
      id_token: idToken(claims, this.signingKey, accessToken, this.lie),
      ...this.response,
    });
  }

  #authenticates(request: IncomingMessage, form: URLSearchParams): boolean {
    const basic = /^Basic (.+)$/.exec(request.headers.authorization ?? '')?.[1];
    const [id = '', secret = ''] =
      basic === undefined
        ? [form.get('client_id') ?? '', form.get('client_secret') ?? '']
        : Buffer.from(basic, 'base64')
            .toString()
            .split(':')
            .map((part) => new URLSearchParams(`v=${part}`).get('v') ?? '');
    return id === this.clientId && (this.secrets.length === 0 || this.secrets.includes(secret));
  }
}

export interface FakeProviderOptions {
  readonly tls?: { readonly key: string; readonly cert: string };
}

/** One for all that start in this process, for making one takes a while; a change of keys makes its own. */
let firstKey: Promise<FakeKey> | undefined;

export async function startFakeProvider(options: FakeProviderOptions = {}): Promise<FakeProvider> {
  const server = options.tls === undefined ? createServer() : createTlsServer(options.tls);
  firstKey ??= fakeKey('RS256');
  const provider = new FakeProvider(server, options.tls === undefined ? 'http' : 'https', await firstKey);
  await provider.listen();
  return provider;
}

export function sendJson(
  response: ServerResponse,
  status: number,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers });
  response.end(JSON.stringify(body));
}

async function readBody(request: IncomingMessage): Promise<string> {
  let body = '';
  for await (const chunk of request) body += String(chunk);
  return body;
}
