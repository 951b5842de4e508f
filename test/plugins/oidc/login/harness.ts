import { createHash, randomBytes } from 'node:crypto';
import type { ClaimNeeds } from '../../../../src/authorization/identity.ts';
import { generateKey } from '../../../../src/keys/key-list.ts';
import { createKeyRing, type LiveKeyRing } from '../../../../src/keys/live-ring.ts';
import type { PluginEvent, PluginWorld } from '../../../../src/plugins/contract.ts';
import { startOidc } from '../../../../src/plugins/oidc/instance.ts';
import type {
  AuthorizationRequest,
  ExchangeResult,
  Provider,
  ProviderMetadata,
} from '../../../../src/plugins/oidc/provider/provider.ts';
import type { OidcConfig } from '../../../../src/plugins/oidc/spec/config.ts';
import { milliseconds } from '../../../../src/resources/duration.ts';
import { type Hostname, parseAuthority } from '../../../../src/resources/hostname.ts';
import { namespacedName, objectKey } from '../../../../src/resources/keys.ts';
import { canonicalPath, type RoutePath } from '../../../../src/resources/path.ts';
import { Redacted } from '../../../../src/resources/redacted.ts';
import type { Decision, DecisionContext, PluginInstance, RequestView } from '../../../../src/routing/decision.ts';
import { ANY_NETWORK } from '../../../support/network.ts';

export const HOUR = 3_600_000;
export const MINUTE = 60_000;
const START = Date.parse('2026-03-01T12:00:00Z');

function hostname(text: string): Hostname {
  const host = parseAuthority(text);
  if (host === undefined) throw new Error(`no host: ${text}`);
  return host;
}

function routePath(text: string): RoutePath {
  const path = canonicalPath(text);
  if (!path.ok) throw new Error(`no path: ${text}`);
  return path.path;
}

export function oidcConfig(change: Partial<OidcConfig> = {}): OidcConfig {
  return {
    issuer: 'https://idp.example',
    endpoints: { authorization: undefined, token: undefined, jwks: undefined, endSession: undefined },
    internalBase: undefined,
    ca: undefined,
    proxy: undefined,
    httpTimeout: milliseconds(5000),
    clientId: 'client-1',
    clientSecrets: [new Redacted('not-a-real-secret')],
    tokenEndpointAuthMethod: 'client_secret_basic',
    scopes: ['openid', 'profile', 'email'],
    extraParams: {},
    prompt: undefined,
    redirectPath: routePath('/_oidc/okta/callback'),
    attemptTtl: milliseconds(HOUR),
    allowedAlgs: ['RS256'],
    audiences: [],
    clockTolerance: milliseconds(30_000),
    claims: { username: ['preferred_username'], groups: ['groups'], email: ['email'] },
    session: { idleTimeout: milliseconds(HOUR), absoluteTimeout: milliseconds(12 * HOUR), sameSite: 'Lax' },
    upstream: {
      accessToken: { kind: 'Bearer' },
      idTokenHeader: undefined,
      claims: [{ claim: ['preferred_username'], header: 'X-Forwarded-User', encoding: 'Text' }],
    },
    unauthenticated: 'Auto',
    logout: {
      path: routePath('/_oidc/okta/logout'),
      rpInitiated: true,
      idTokenHint: 'Auto',
      postLogoutRedirectUri: undefined,
    },
    insecure: { httpCookies: false, httpProvider: false },
    ...change,
  };
}

const ALL_NEEDS: ClaimNeeds = { claims: [], groups: true, email: true };

const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
/** Looks like a JWT, with a signature that doesn't deflate. */
export const jwt = (claims: unknown, signatureBytes = 256): string =>
  `${part({ alg: 'RS256', kid: 'k1' })}.${part(claims)}.${randomBytes(signatureBytes).toString('base64url')}`;

/** A provider that behaves: its codes work once, and only with the verifier of the challenge that they were given for. */
export class ScriptedProvider implements Provider {
  metadataNow: ProviderMetadata | undefined = { issuer: 'https://idp.example', sendsIss: true };
  statusNow: 'True' | 'False' | 'Unknown' = 'True';
  /** What logins wait for. */
  answering: Promise<void> | undefined;
  offersLogout = true;
  failure: ExchangeResult | undefined;
  tokenLife: number | undefined = 4 * HOUR;
  claims: Record<string, unknown> = {
    sub: 'u-1',
    preferred_username: 'ada',
    groups: ['staff'],
    email: 'ada@example.com',
    email_verified: true,
  };
  accessToken: string | undefined;
  exchanges = 0;
  stopped = false;
  readonly requests: AuthorizationRequest[] = [];
  readonly #codes = new Map<string, AuthorizationRequest>();
  readonly #now: () => number;

  constructor(now: () => number) {
    this.#now = now;
  }

  status() {
    return { status: this.statusNow, reason: 'Test', message: '' };
  }
  firstAnswer() {
    return this.answering;
  }
  metadata() {
    return this.metadataNow;
  }
  known() {
    return undefined;
  }
  authorizationUrl(request: AuthorizationRequest) {
    if (this.metadataNow === undefined) return undefined;
    this.requests.push(request);
    const url = new URL('https://idp.example/authorize');
    url.search = new URLSearchParams({
      response_type: 'code',
      client_id: 'client-1',
      redirect_uri: request.redirectUri,
      state: request.state,
      nonce: request.nonce,
      code_challenge: request.codeChallenge,
      code_challenge_method: 'S256',
    }).toString();
    return url;
  }
  /** The person signs in: the query of the callback. */
  signIn(authorizationUrl: string): string {
    const { searchParams } = new URL(authorizationUrl);
    const get = (name: string): string => searchParams.get(name) ?? '';
    const code = randomBytes(16).toString('base64url');
    this.#codes.set(code, {
      redirectUri: get('redirect_uri'),
      state: get('state'),
      nonce: get('nonce'),
      codeChallenge: get('code_challenge'),
    });
    return `?${new URLSearchParams({ code, state: get('state'), iss: 'https://idp.example' }).toString()}`;
  }
  async exchange(callback: Parameters<Provider['exchange']>[0]): Promise<ExchangeResult> {
    this.exchanges += 1;
    await Promise.resolve();
    if (this.failure !== undefined) return this.failure;
    const known = this.#codes.get(callback.code);
    this.#codes.delete(callback.code);
    const challenge = createHash('sha256').update(callback.codeVerifier).digest('base64url');
    if (known === undefined || known.codeChallenge !== challenge || known.redirectUri !== callback.redirectUri)
      return { ok: false, failure: 'code_rejected', detail: 'invalid_grant' };
    if (known.nonce !== callback.nonce) return { ok: false, failure: 'id_token_nonce', detail: 'nonce' };
    const seconds = Math.floor(this.#now() / 1000);
    const claims = {
      iss: 'https://idp.example',
      aud: 'client-1',
      iat: seconds,
      exp: seconds + 300,
      nonce: known.nonce,
      ...this.claims,
    };
    return {
      ok: true,
      tokens: {
        accessToken: this.accessToken ?? jwt({ sub: 'u-1', scope: 'openid profile email', exp: seconds + 14_400 }),
        accessTokenExpiresAt: this.tokenLife === undefined ? undefined : this.#now() + this.tokenLife,
        idToken: jwt(claims),
        claims,
      },
    };
  }
  endSessionUrl(request: Parameters<Provider['endSessionUrl']>[0]) {
    if (!this.offersLogout || this.metadataNow === undefined) return undefined;
    const url = new URL('https://idp.example/logout');
    if (request.idTokenHint !== undefined) url.searchParams.set('id_token_hint', request.idTokenHint);
    url.searchParams.set('post_logout_redirect_uri', request.postLogoutRedirectUri);
    return url;
  }
  stop() {
    this.stopped = true;
  }
}

/** One plugin instance and all around it, with a clock that is moved by hand. */
export class Stage {
  now = START;
  readonly events: PluginEvent[] = [];
  readonly logged: string[] = [];
  readonly keys: LiveKeyRing;
  readonly provider: ScriptedProvider;
  readonly plugin: PluginInstance;
  readonly config: OidcConfig;

  constructor(change: Partial<OidcConfig> = {}, identity = 'shop/okta', sharedKeys?: LiveKeyRing) {
    this.config = oidcConfig(change);
    this.provider = new ScriptedProvider(() => this.now);
    this.keys = sharedKeys ?? createKeyRing([generateKey(START, randomBytes)], () => this.now);
    const log = (fields: unknown, message: string): void => {
      this.logged.push(`${JSON.stringify(fields)} ${message}`);
    };
    const world: PluginWorld = {
      now: () => this.now,
      random: (bytes) => randomBytes(bytes),
      keys: this.keys,
      observe: (event) => this.events.push(event),
      log: { info: log, warn: log, error: log },
      network: ANY_NETWORK,
    };
    const key = objectKey('OidcPlugin', namespacedName('shop', 'okta'));
    this.plugin = startOidc(
      this.config,
      { key, identity, kind: 'OidcPlugin', value: this.config },
      world,
      this.provider,
    );
  }

  /** Reasons of the failures so far. */
  failures(): string[] {
    return this.events.flatMap((event) => (event.kind === 'LoginFailed' ? [event.reason] : []));
  }
}

export interface Ask {
  readonly method?: string;
  readonly host?: string;
  readonly origin?: string;
  readonly query?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly needs?: ClaimNeeds;
  readonly keeps?: ClaimNeeds;
}

export const NAVIGATE = { 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document', 'sec-fetch-site': 'none' };

export function view(path: string, ask: Ask, cookie: string | undefined): [RequestView, DecisionContext] {
  const host = ask.host ?? 'shop.example.com';
  const headers: Record<string, string> = { ...NAVIGATE, ...ask.headers };
  if (cookie !== undefined && cookie !== '') headers['cookie'] = cookie;
  return [
    {
      method: ask.method ?? 'GET',
      host: hostname(host),
      path: routePath(path),
      query: ask.query ?? '',
      header: (name) => headers[name],
    },
    {
      origin: ask.origin ?? `https://${host}`,
      needs: ask.needs ?? ALL_NEEDS,
      keeps: ask.keeps ?? ALL_NEEDS,
      requestId: 'r-1',
    },
  ];
}

/** A cookie jar for one host, and the few things that a browser does. */
export class Browser {
  readonly jar = new Map<string, { value: string; until: number }>();
  readonly stage: Stage;
  readonly defaults: Ask;
  /** Cookie names that this browser loses. */
  blocks: (name: string) => boolean = () => false;
  largestHeader = 0;
  /** Doesn't go by Max-Age, as a thief wouldn't. */
  hoards = false;

  constructor(stage: Stage, defaults: Ask = {}) {
    this.stage = stage;
    this.defaults = defaults;
  }

  cookieHeader(): string {
    for (const [name, { until }] of this.jar) if (until <= this.stage.now && !this.hoards) this.jar.delete(name);
    const header = [...this.jar].map(([name, { value }]) => `${name}=${value}`).join('; ');
    this.largestHeader = Math.max(this.largestHeader, header.length);
    return header;
  }

  store(cookies: readonly string[]): void {
    for (const line of cookies) {
      const match = /^([^=]+)=([^;]*); Path=\/; Max-Age=([0-9]+); HttpOnly(; Secure)?; SameSite=(Lax|None)$/.exec(line);
      if (match === null) throw new Error(`strange cookie: ${line}`);
      const [, name = '', value = '', age = ''] = match;
      // As browsers do (RFC 6265bis section 5.6): a pair that is too large is dropped without a word.
      if (name.length + value.length > 4096) continue;
      if (Number(age) === 0) this.jar.delete(name);
      else if (!this.blocks(name)) this.jar.set(name, { value, until: this.stage.now + Number(age) * 1000 });
    }
  }

  /** Sends without waiting: what comes back is stored by whoever called. */
  send(path: string, ask: Ask = {}): Decision | Promise<Decision> {
    const [request, context] = view(path, { ...this.defaults, ...ask }, this.cookieHeader());
    const reserved = [this.stage.config.redirectPath, this.stage.config.logout.path].includes(request.path);
    return reserved ? this.stage.plugin.answer(request, context) : this.stage.plugin.decide(request, context);
  }

  async get(path: string, ask: Ask = {}): Promise<Decision> {
    const decision = await this.send(path, ask);
    this.store(decision.cookies);
    return decision;
  }

  /** To the provider, through it, and to the callback: what the callback answers. */
  async logIn(path = '/orders', query = ''): Promise<Decision> {
    const start = await this.get(path, { query });
    return this.comeBack(locationOf(start));
  }

  comeBack(authorizationUrl: string): Promise<Decision> {
    return this.get(this.stage.config.redirectPath, { query: this.stage.provider.signIn(authorizationUrl) });
  }

  names(letter: 's' | 'b' | 'm'): string[] {
    return [...this.jar.keys()].filter((name) => name.includes(`postern-${letter}-`));
  }
}

export function locationOf(decision: Decision): string {
  const location =
    decision.kind === 'respond' ? decision.headers.find(({ name }) => name === 'Location')?.value : undefined;
  if (location === undefined) throw new Error(`no redirect: ${JSON.stringify(decision)}`);
  return location;
}

export const statusOf = (decision: Decision): number => (decision.kind === 'respond' ? decision.status : 0);
export const codeOf = (decision: Decision): string | undefined =>
  decision.kind === 'respond' ? decision.notice?.code : undefined;
export function headerOf(decision: Decision, name: string): string | undefined {
  return decision.headers.find((line) => line.name.toLowerCase() === name.toLowerCase())?.value;
}
