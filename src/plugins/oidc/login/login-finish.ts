import type { Decision } from '../../../routing/decision.ts';
import { callbackFailed, claimTooLong, exchangeFailed, sessionTooLarge, type Told } from '../notices.ts';
import type { ExchangeFailure, Tokens } from '../provider/provider.ts';
import { RETRY_AFTER, redirect, tell } from '../respond.ts';
import { sessionCookies } from '../session/session-cookie.ts';
import { secondsLeft } from '../session/sessions.ts';
import type { Attempt } from './attempt.ts';
import { pruneBindings } from './binding.ts';
import { type CallbackFault, checkCallback } from './callback.ts';
import type { Parts, Visit } from './login-context.ts';
import { isSubject, makeSession } from './login-session.ts';
import { markSuccess } from './marker.ts';

/** What the provider itself said, to this browser and for the first time; anybody can send the rest in any number. */
const PROVIDER_ANSWERS: ReadonlySet<CallbackFault> = new Set(['access_denied', 'provider_failed', 'provider_error']);

/** The callback: check (no network), exchange, session, back to where the person wanted to go. */
export async function finishLogin(parts: Parts, visit: Visit): Promise<Decision> {
  const { world, provider, config } = parts;
  await provider.firstAnswer();
  const check = checkCallback(visit.request, visit.own, visit.place, {
    now: world.now(),
    keys: world.keys,
    issuer: config.issuer,
    attemptTtl: config.attemptTtl,
    used: parts.used,
    metadata: provider.metadata(),
  });
  if (check.ok || PROVIDER_ANSWERS.has(check.fault)) world.observe({ kind: 'LoginReturned' });
  if (!check.ok) return refuseCallback(parts, visit, check.fault, check.attempt);

  const result = await provider.exchange(check.callback);
  if (!result.ok) return refuseExchange(parts, visit, check.attempt, result.failure, result.detail);
  world.observe({ kind: 'LoginExchanged' });
  return createSession(parts, visit, check.attempt, result.tokens);
}

/** Who has a session and an authentic state is sent on (a tab that came late); nothing here starts another login (A092). */
function resume(
  { sessions }: Parts,
  { own, place, context }: Visit,
  attempt: Attempt | undefined,
): Decision | undefined {
  if (attempt === undefined) return undefined;
  const found = sessions.find(own, place, context.needs);
  return found.kind === 'Session' ? redirect(303, attempt.returnPath, 'login_resumed') : undefined;
}

function refuseCallback(parts: Parts, visit: Visit, fault: CallbackFault, attempt: Attempt | undefined): Decision {
  report(parts, visit, fault, undefined);
  return resume(parts, visit, attempt) ?? refuse(callbackFailed(fault, attempt?.returnPath));
}

function refuseExchange(
  parts: Parts,
  visit: Visit,
  attempt: Attempt,
  failure: ExchangeFailure,
  detail: string,
): Decision {
  report(parts, visit, failure, detail);
  const resumed = failure === 'code_rejected' ? resume(parts, visit, attempt) : undefined;
  return resumed ?? refuse(exchangeFailed(failure, attempt.returnPath));
}

const refuse = ({ status, notice }: Told): Decision =>
  tell(status, notice, 'login_failed', status === 503 ? { headers: [RETRY_AFTER] } : {});

function report({ world }: Parts, { context }: Visit, reason: string, detail: string | undefined): void {
  world.observe({ kind: 'LoginFailed', reason });
  world.log.warn({ request_id: context.requestId, reason, detail }, 'login failed');
}

function createSession(parts: Parts, visit: Visit, attempt: Attempt, tokens: Tokens): Decision {
  const { config, world } = parts;
  const { place, own, context } = visit;
  const now = world.now();
  if (!isSubject(tokens.claims['sub']))
    return refuseExchange(parts, visit, attempt, 'id_token_malformed', 'the ID token has no sub');
  const made = makeSession(config, context.keeps, tokens, tokens.claims['sub'], place, world, now);
  switch (made.kind) {
    case 'UnwritableToken':
      return refuseExchange(parts, visit, attempt, 'bad_response', 'a token holds characters that no header can carry');
    case 'ClaimTooLong':
      report(parts, visit, 'claim_too_long', made.headers.join(', '));
      return refuse({ status: 500, notice: claimTooLong(made.headers) });
    case 'TooLarge':
      report(parts, visit, 'session_too_large', made.parts.join(', '));
      return refuse({ status: 500, notice: sessionTooLarge(made.parts) });
    case 'Made': {
      const { session, sealed, omitted } = made;
      if (omitted.length > 0)
        world.log.warn(
          { request_id: context.requestId, headers: omitted },
          'claims left out: encoding can’t write them',
        );
      world.observe({
        kind: 'SessionCreated',
        seconds: Math.max(0, now - attempt.startedAt) / 1000,
        bytes: sealed.bytes,
      });
      return redirect(303, attempt.returnPath, 'login_succeeded', [
        ...sessionCookies(sealed, own, place, secondsLeft(config, session, now)),
        markSuccess(own, place, now),
        ...pruneBindings(own, attempt.bindingName, place),
      ]);
    }
  }
}
