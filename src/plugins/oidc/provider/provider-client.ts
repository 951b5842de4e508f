import { milliseconds } from '../../../resources/duration.ts';
import type { InstanceStatus } from '../../../routing/decision.ts';
import type { PluginEvent, PluginLog, PluginNetwork } from '../../contract.ts';
import type { OidcConfig } from '../spec/config.ts';
import { authorizationUrl, endSessionUrl } from './browser-urls.ts';
import { clientSecrets } from './client-secrets.ts';
import { type DiscoveredProvider, type DiscoveryFault, discover } from './discovery.ts';
import { exchangeCode } from './exchange.ts';
import { fetchKeys, judgeKeys } from './fetch-keys.ts';
import { firstAnswerOf } from './first-answer.ts';
import { failed } from './id-token.ts';
import { type KeyCache, keyCache } from './jwks.ts';
import { type KnownProvider, takeOver } from './known-provider.ts';
import { report, statusAfter, warnings } from './look-status.ts';
import type { LookOutcome } from './preflight.ts';
import type { ExchangeResult, Provider } from './provider.ts';
import { providerCalls } from './provider-calls.ts';
import { wholeStatus } from './whole-status.ts';

/** What the client needs of the world; `startTimer` gives the function that cancels it. */
export interface ProviderWorld {
  now(): number;
  /** At least 0, below 1. */
  random(): number;
  startTimer(ms: number, run: () => void): () => void;
  /** Runs it in a turn of its own or soon after, where many begin at once; the answer cancels that. */
  begin(run: () => Promise<void>): () => void;
  observe(event: PluginEvent): void;
  readonly log: PluginLog;
  readonly network: PluginNetwork;
}

/** How often metadata and keys are asked for again while all is well; a key that the provider withdrew is used no longer. */
const REFRESH = milliseconds(15 * 60_000);
/** How old the last answer may be when somebody wants to log in; an older one is checked in the background (F31, A166). */
const FRESH = milliseconds(10_000);
const FIRST_RETRY = milliseconds(1000);
const LAST_RETRY = milliseconds(60_000);

/**
 * The life of one provider: asks for metadata and keys at once and in the background, again after a jittered and
 * growing pause while that fails (F30), not before a provider that is asked too often wants it, regularly while it works,
 * and keeps the last good answer (F31). Nobody waits for it, and nothing here can reject. It begins with what the instance
 * before it knew, where it would find out the same.
 */
export function startProvider(config: OidcConfig, world: ProviderWorld, before?: KnownProvider): Provider {
  const calls = providerCalls(config, world);
  const secrets = clientSecrets(config.clientSecrets, world);
  const known = takeOver(config, before, calls.refuses);
  let provider: DiscoveredProvider | undefined = known?.provider;
  let status: InstanceStatus = known?.status ?? {
    status: 'Unknown',
    reason: 'Pending',
    message: `The provider ${config.issuer} has not answered yet.`,
  };
  let outcome: LookOutcome | undefined;
  let failures = 0;
  let warned: readonly string[] = [];
  let stopped = false;
  let asking = false;
  let askedAt = 0;
  let cancelNext = (): void => {};
  const first = firstAnswerOf(world);
  if (known !== undefined) first.came();

  let keyFault: DiscoveryFault | undefined;
  const keys: KeyCache = keyCache(
    async () => {
      const answer = await fetchKeys(config, provider, calls.jwks);
      keyFault = answer.ok ? undefined : answer.fault;
      return answer.ok ? answer : { ok: false, message: answer.fault.message };
    },
    world.now,
    known?.keys,
  );

  const look = async (): Promise<LookOutcome> => {
    const found = await discover(config, calls.discovery, calls.refuses);
    if (!found.ok) return { ...found, at: 'Discovery' };
    provider = found;
    const answer = await keys.refresh();
    if (answer.ok) return judgeKeys(config, found, answer.keys);
    return { ok: false, at: 'Keys', reason: keyFault?.reason ?? 'DiscoveryFailed', message: answer.message };
  };

  const whole = wholeStatus(config);
  const current = (): InstanceStatus =>
    outcome === undefined
      ? status
      : whole({ status, outcome, provider, clocks: calls.clocks(), secret: secrets.state() });

  const settle = (seen: LookOutcome): void => {
    asking = false;
    askedAt = world.now();
    first.came();
    if (stopped) return;
    const next = statusAfter(seen, status, failures, config);
    failures = seen.ok ? 0 : failures + 1;
    outcome = next === status && !seen.ok ? outcome : seen;
    report(status, next, config, world.log);
    status = next;
    warned = warnings(warned, current().checks ?? [], config, world.log);
    const wanted = calls.waits() * (1 + world.random() / 10);
    cancelNext = world.startTimer(Math.max(pause(failures, world.random()), wanted), run);
  };
  const ask = (): Promise<void> => {
    asking = true;
    return look()
      .catch((error: unknown) => unforeseen(error))
      .then(settle);
  };
  const run = (): void => void ask();
  /** Otherwise a provider that went away would be found out at the next refresh only, and people sent to it until then. */
  const lookAgain = (): void => {
    if (asking || stopped || world.now() - askedAt < FRESH || calls.waits() > 0) return;
    cancelNext();
    run();
  };
  cancelNext = world.begin(ask);

  return {
    status: current,
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
        return await exchangeCode({ config, provider, keys, secrets, call: calls.token, now: world.now }, callback);
      } catch (error) {
        return failed('bad_response', `the token response could not be processed (${nameOf(error)})`);
      }
    },
    known() {
      const held = keys.held();
      if (provider === undefined || held === undefined || status.status !== 'True') return undefined;
      return { config, metadata: provider.from, keys: held, status: current() };
    },
    stop() {
      stopped = true;
      cancelNext();
      first.came();
      calls.stop();
    },
  };
}

const unforeseen = (error: unknown): LookOutcome => ({
  ok: false,
  at: 'Discovery',
  reason: 'DiscoveryFailed',
  message: `It failed in an unforeseen way (${nameOf(error)}).`,
});

/** Half of the pause is chance, so that replicas and plugins don't ask in step. */
function pause(failures: number, random: number): number {
  const whole = failures === 0 ? REFRESH : Math.min(FIRST_RETRY * 2 ** Math.min(failures - 1, 16), LAST_RETRY);
  return whole / 2 + (whole / 2) * random;
}

const nameOf = (error: unknown): string => (error instanceof Error ? error.name : typeof error);
