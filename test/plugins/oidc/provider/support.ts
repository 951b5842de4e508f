import { createHash, randomBytes } from 'node:crypto';
import type { PluginEvent, PluginNetwork } from '../../../../src/plugins/contract.ts';
import type { CheckedCallback } from '../../../../src/plugins/oidc/login/callback.ts';
import type { ExchangeResult, Provider } from '../../../../src/plugins/oidc/provider/provider.ts';
import { type ProviderWorld, startProvider } from '../../../../src/plugins/oidc/provider/provider-client.ts';
import { ALGORITHMS, type OidcConfig } from '../../../../src/plugins/oidc/spec/config.ts';
import { milliseconds } from '../../../../src/resources/duration.ts';
import type { RoutePath } from '../../../../src/resources/path.ts';
import { canonicalPath } from '../../../../src/resources/path.ts';
import { Redacted } from '../../../../src/resources/redacted.ts';
import type { InstanceStatus } from '../../../../src/routing/decision.ts';
import type { FakeProvider } from '../../../support/fake-provider.ts';
import { ANY_NETWORK } from '../../../support/network.ts';

function path(text: string): RoutePath {
  const canonical = canonicalPath(text);
  if (!canonical.ok) throw new Error(`${text} is not canonical`);
  return canonical.path;
}

export const REDIRECT_URI = 'http://localhost:8080/_oidc/okta/callback';

export const config = (issuer: string, changes: Partial<OidcConfig> = {}): OidcConfig => ({
  issuer,
  endpoints: { authorization: undefined, token: undefined, jwks: undefined, endSession: undefined },
  internalBase: undefined,
  ca: undefined,
  proxy: undefined,
  httpTimeout: milliseconds(5000),
  clientId: 'client',
  clientSecrets: [new Redacted('secret')],
  tokenEndpointAuthMethod: 'client_secret_basic',
  scopes: ['openid', 'profile'],
  extraParams: {},
  prompt: undefined,
  redirectPath: path('/_oidc/okta/callback'),
  attemptTtl: milliseconds(3_600_000),
  allowedAlgs: [...ALGORITHMS],
  audiences: [],
  clockTolerance: milliseconds(30_000),
  claims: { username: ['preferred_username'], groups: ['groups'], email: ['email'] },
  session: { idleTimeout: milliseconds(3_600_000), absoluteTimeout: milliseconds(43_200_000), sameSite: 'Lax' },
  upstream: { accessToken: { kind: 'Bearer' }, idTokenHeader: undefined, claims: [] },
  unauthenticated: 'Auto',
  logout: {
    path: path('/_oidc/okta/logout'),
    rpInitiated: true,
    idTokenHint: 'Auto',
    postLogoutRedirectUri: undefined,
  },
  insecure: { httpCookies: true, httpProvider: true },
  ...changes,
});

/** A world whose time and timers move by hand. */
export class HandWorld implements ProviderWorld {
  time = Date.now();
  readonly events: PluginEvent[] = [];
  readonly lines: string[] = [];
  readonly timers: { readonly ms: number; readonly run: () => void; cancelled: boolean }[] = [];
  chance = 0.5;
  network: PluginNetwork;
  readonly log = {
    info: (fields: Readonly<Record<string, unknown>>, message: string) => this.#line(fields, message),
    warn: (fields: Readonly<Record<string, unknown>>, message: string) => this.#line(fields, message),
    error: (fields: Readonly<Record<string, unknown>>, message: string) => this.#line(fields, message),
  };

  constructor(network: PluginNetwork = ANY_NETWORK) {
    this.network = network;
  }

  now = (): number => this.time;
  random = (): number => this.chance;
  startTimer = (ms: number, run: () => void): (() => void) => {
    const timer = { ms, run, cancelled: false };
    this.timers.push(timer);
    return () => {
      timer.cancelled = true;
    };
  };
  begin = (run: () => Promise<void>): (() => void) => {
    void run();
    return () => {};
  };
  observe = (event: PluginEvent): void => {
    this.events.push(event);
  };

  /** Lets the last timer's time pass. */
  fire(): void {
    const timer = this.timers.at(-1);
    if (timer === undefined || timer.cancelled) throw new Error('no timer waits');
    this.time += timer.ms;
    timer.run();
  }

  #line(fields: Readonly<Record<string, unknown>>, message: string): void {
    this.lines.push(`${JSON.stringify(fields)} ${message}`);
  }
}

export interface Subject {
  readonly provider: Provider;
  readonly world: HandWorld;
}

const started: Provider[] = [];

/** `before`: whose place it takes. */
export function subject(oidc: OidcConfig, network: Partial<PluginNetwork> = {}, before?: Subject): Subject {
  const world = new HandWorld({ ...ANY_NETWORK, ...network });
  const provider = startProvider(oidc, world, before?.provider.known());
  started.push(provider);
  return { provider, world };
}

/** For afterEach. */
export function stopAll(): void {
  for (const provider of started.splice(0)) provider.stop();
}

/** The status once `count` rounds of discovery are over; each ends by starting a timer. */
export async function settled({ provider, world }: Subject, count = 1): Promise<InstanceStatus> {
  while (world.timers.length < count) await new Promise((resolve) => setTimeout(resolve, 5));
  return provider.status();
}

export async function ready(oidc: OidcConfig, network: Partial<PluginNetwork> = {}): Promise<Subject> {
  const made = subject(oidc, network);
  const status = await settled(made);
  if (status.status !== 'True') throw new Error(status.message);
  return made;
}

export const NONCE = 'nonce-of-this-login';

/** What the callback's checker would give; the brand is lent to tests of what comes after it. */
export function callbackOf(code: string, verifier: string, nonce = NONCE): CheckedCallback {
  return { code, redirectUri: REDIRECT_URI, codeVerifier: verifier, nonce } as CheckedCallback;
}

/** A whole login at the fake provider, from a code to the result; both have the same clock. */
export function login(fake: FakeProvider, { provider, world }: Subject): Promise<ExchangeResult> {
  fake.now = world.now;
  const verifier = randomBytes(32).toString('base64url');
  const codeChallenge = createHash('sha256').update(verifier).digest('base64url');
  const code = fake.issueCode({ nonce: NONCE, redirectUri: REDIRECT_URI, codeChallenge });
  return provider.exchange(callbackOf(code, verifier));
}

export const failureOf = (result: ExchangeResult): string => (result.ok ? 'ok' : result.failure);

/** For `expect.poll`: what comes in milliseconds on an idle machine takes longer on a busy one. */
export const PATIENT = { timeout: 20_000 };
