import { buildAuthorizationUrl, buildEndSessionUrl } from 'openid-client';
import { milliseconds } from '../../../resources/duration.ts';
import type { InstanceStatus } from '../../../routing/decision.ts';
import type { PluginEvent, PluginLog } from '../../contract.ts';
import type { OidcConfig } from '../spec/config.ts';
import { withCircuit } from './circuit.ts';
import { type Call, type DiscoveredProvider, type DiscoveryFault, discover, explainFault } from './discovery.ts';
import { exchangeCode } from './exchange.ts';
import { providerHttp } from './http.ts';
import { failed } from './id-token.ts';
import { parseJsonObject } from './json.ts';
import { type KeyCache, type KeySetAnswer, keyCache } from './jwks.ts';
import { usableKeys } from './key-set.ts';
import type { AuthorizationRequest, EndSessionRequest, ExchangeResult, Provider } from './provider.ts';

/** What the client needs of the world; `startTimer` gives the function that cancels it. */
export interface ProviderWorld {
  now(): number;
  /** At least 0, below 1. */
  random(): number;
  startTimer(ms: number, run: () => void): () => void;
  observe(event: PluginEvent): void;
  readonly log: PluginLog;
}

/** How often metadata and keys are asked for again while all is well; a key that the provider withdrew is used no longer. */
const REFRESH = milliseconds(15 * 60_000);
/** How old the last answer may be when somebody wants to log in; an older one is checked in the background (F31, A166). */
const FRESH = milliseconds(10_000);
/** How long a login waits for the very first answer. */
const PATIENCE = milliseconds(2000);
const FIRST_RETRY = milliseconds(1000);
const LAST_RETRY = milliseconds(60_000);

type Outcome =
  | { readonly ok: true; readonly message: string }
  | (Omit<DiscoveryFault, 'reason'> & { readonly reason: string });

/**
 * The life of one provider: asks for metadata and keys at once and in the background, again after a jittered and
 * growing pause while that fails (F30), regularly while it works, and keeps the last good answer (F31). Nobody waits
 * for it, and nothing here can reject.
 */
export function startProvider(config: OidcConfig, world: ProviderWorld): Provider {
  const http = providerHttp(config.httpTimeout, config.ca);
  let provider: DiscoveredProvider | undefined;
  let status: InstanceStatus = {
    status: 'Unknown',
    reason: 'Pending',
    message: `The provider ${config.issuer} has not answered yet.`,
  };
  let failures = 0;
  let stopped = false;
  let asking = false;
  let askedAt = 0;
  let cancelTimer = (): void => {};
  const first = firstAnswerOf(world);

  /** One call, observed. */
  const calling =
    (endpoint: 'discovery' | 'jwks' | 'token'): Call =>
    async (request) => {
      const began = world.now();
      const answer = await http.call(request);
      const good = answer.ok && answer.status < 400;
      const result = good ? 'ok' : !answer.ok && answer.kind === 'Timeout' ? 'timeout' : 'error';
      world.observe({ kind: 'ProviderCall', endpoint, result, seconds: Math.max(0, world.now() - began) / 1000 });
      return answer;
    };
  const callKeys = calling('jwks');
  const callToken = withCircuit(calling('token'), world.now);
  const callDiscovery = calling('discovery');
  let keyFault: DiscoveryFault | undefined;
  const keys: KeyCache = keyCache(async () => {
    const answer = await fetchKeys(config, provider, callKeys);
    keyFault = answer.ok ? undefined : answer.fault;
    return answer.ok ? answer : { ok: false, message: answer.fault.message };
  }, world.now);

  const refresh = async (): Promise<Outcome> => {
    const found = await discover(config, callDiscovery);
    if (!found.ok) return found;
    provider = found;
    const answer = await keys.refresh();
    return answer.ok ? judgeKeys(config, found, answer) : (keyFault ?? unknownFault(answer.message));
  };

  const settle = (outcome: Outcome): void => {
    asking = false;
    askedAt = world.now();
    first.came();
    if (stopped) return;
    const next = statusAfter(outcome, status, failures);
    failures = outcome.ok ? 0 : failures + 1;
    report(status, next, config, world.log);
    status = next;
    cancelTimer = world.startTimer(pause(failures, world.random()), run);
  };
  const run = (): void => {
    asking = true;
    void refresh()
      .catch((error: unknown) => unknownFault(`it failed in an unforeseen way (${nameOf(error)})`))
      .then(settle);
  };
  /** Otherwise a provider that went away would be found out at the next refresh only, and people sent to it until then. */
  const lookAgain = (): void => {
    if (asking || stopped || world.now() - askedAt < FRESH) return;
    cancelTimer();
    run();
  };
  run();

  return {
    status: () => status,
    metadata: () => (provider === undefined ? undefined : { issuer: config.issuer, sendsIss: provider.sendsIss }),
    firstAnswer: first.pending,
    authorizationUrl(request) {
      if (provider === undefined) return undefined;
      lookAgain();
      return authorizationUrl(config, provider, request);
    },
    endSessionUrl: (request) => (provider?.endSession === true ? endSessionUrl(provider, request) : undefined),
    async exchange(callback): Promise<ExchangeResult> {
      if (provider === undefined) return failed('provider_unavailable', status.message);
      try {
        return await exchangeCode({ config, provider, keys, call: callToken, now: world.now }, callback);
      } catch (error) {
        return failed('bad_response', `the token response could not be processed (${nameOf(error)})`);
      }
    },
    stop() {
      stopped = true;
      cancelTimer();
      first.came();
      http.stop();
    },
  };
}

/** One look that came to nothing says little of a provider that was well: nobody is turned away before the second. */
function statusAfter(outcome: Outcome, before: InstanceStatus, failures: number): InstanceStatus {
  if (outcome.ok) return { status: 'True', reason: 'ProviderReady', message: outcome.message };
  const { reason, message } = outcome;
  const slipped = reason === 'DiscoveryFailed' && before.status === 'True' && failures === 0;
  return slipped ? before : { status: 'False', reason, message };
}

/** What a login waits for while nothing is known of the provider, all of them for the same. */
function firstAnswerOf(world: ProviderWorld): { pending(): Promise<void> | undefined; came(): void } {
  const waited = Promise.withResolvers<void>();
  let over = false;
  let cancel: (() => void) | undefined;
  const came = (): void => {
    over = true;
    cancel?.();
    waited.resolve();
  };
  return {
    came,
    pending() {
      if (over) return undefined;
      cancel ??= world.startTimer(PATIENCE, came);
      return waited.promise;
    },
  };
}

type FetchedKeys = Extract<KeySetAnswer, { ok: true }> | { readonly ok: false; readonly fault: DiscoveryFault };

async function fetchKeys(
  config: OidcConfig,
  provider: DiscoveredProvider | undefined,
  call: Call,
): Promise<FetchedKeys> {
  if (provider === undefined) return keysFailed('Its metadata are not known yet.');
  const url = provider.jwks;
  const headers = { accept: 'application/json, application/jwk-set+json', 'cache-control': 'no-cache' };
  const answer = await call({ method: 'GET', url, headers });
  if (!answer.ok) return { ok: false, fault: explainFault(answer, url.href) };
  if (answer.status !== 200)
    return keysFailed(`${url.href} (jwks_uri) answered ${answer.status} instead of a key set.`);
  // The media type isn't looked at: providers serve key sets from static files.
  const keys = await usableKeys(parseJsonObject(answer.body), config.allowedAlgs);
  return keys === undefined
    ? keysFailed(`${url.href} (jwks_uri) did not answer with a JSON key set.`)
    : { ok: true, keys };
}

const keysFailed = (message: string): FetchedKeys => ({ ok: false, fault: unknownFault(message) });
const unknownFault = (message: string): DiscoveryFault => ({ ok: false, reason: 'DiscoveryFailed', message });

function judgeKeys(config: OidcConfig, { jwks }: DiscoveredProvider, answer: KeySetAnswer): Outcome {
  const count = answer.ok ? answer.keys.length : 0;
  if (count > 0)
    return { ok: true, message: `${config.issuer} answered, with ${count} usable key${count === 1 ? '' : 's'}.` };
  const algs = config.allowedAlgs.join(', ');
  const message = `${jwks.href} (jwks_uri) has no key that can verify a signature by one of ${algs}: keys for signatures, RSA of at least 2048 bits, P-256, P-384, P-521 or Ed25519.`;
  return { ok: false, reason: 'NoUsableKeys', message };
}

/** RFC 6749 4.1.1, OpenID Connect Core 3.1.2.1. Nothing of it comes from a request (A119); S256 whatever the metadata say (A112). */
function authorizationUrl(config: OidcConfig, { client }: DiscoveredProvider, request: AuthorizationRequest): URL {
  return buildAuthorizationUrl(client, {
    ...config.extraParams,
    ...(config.prompt === undefined ? {} : { prompt: config.prompt }),
    client_id: config.clientId,
    response_type: 'code',
    scope: config.scopes.join(' '),
    redirect_uri: request.redirectUri,
    state: request.state,
    nonce: request.nonce,
    code_challenge: request.codeChallenge,
    code_challenge_method: 'S256',
  });
}

function endSessionUrl({ client }: DiscoveredProvider, request: EndSessionRequest): URL {
  return buildEndSessionUrl(client, {
    post_logout_redirect_uri: request.postLogoutRedirectUri,
    ...(request.idTokenHint === undefined ? {} : { id_token_hint: request.idTokenHint }),
  });
}

/** Half of the pause is chance, so that replicas and plugins don't ask in step. */
function pause(failures: number, random: number): number {
  const whole = failures === 0 ? REFRESH : Math.min(FIRST_RETRY * 2 ** Math.min(failures - 1, 16), LAST_RETRY);
  return whole / 2 + (whole / 2) * random;
}

/** Once per change: a provider that is down all night is one line, not a thousand. */
function report(before: InstanceStatus, after: InstanceStatus, config: OidcConfig, log: PluginLog): void {
  if (before.reason === after.reason && before.message === after.message) return;
  const fields = { issuer: config.issuer, reason: after.reason };
  if (after.status === 'True') log.info(fields, after.message);
  else log.warn(fields, after.message);
}

const nameOf = (error: unknown): string => (error instanceof Error ? error.name : typeof error);
