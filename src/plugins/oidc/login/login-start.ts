import type { Decision } from '../../../routing/decision.ts';
import { loginLoop, providerUnavailable } from '../notices.ts';
import { RETRY_AFTER, redirect, tell } from '../respond.ts';
import { attemptSecrets, beginAttempt, codeChallengeOf, sealAttempt } from './attempt.ts';
import { bindingCookie, findOrMintBinding } from './binding.ts';
import type { Parts, Visit } from './login-context.ts';
import { guardStart } from './marker.ts';
import { returnPathOf } from './return-path.ts';

/**
 * Sends the browser to the provider. Everything in the authorization request is from configuration or made here; nothing
 * of the request gets into it but, sealed, the way back (A119).
 */
export function startLogin(parts: Parts, { request, place, own }: Visit): Decision {
  const { config, world, provider } = parts;
  const now = world.now();
  const returnPath = returnPathOf(request.path, request.query, place.origin);

  if (provider.status().status === 'False') return refuse(parts);

  const guard = guardStart(own, place, now);
  if (guard.loops) {
    world.observe({ kind: 'LoginFailed', reason: 'session_lost' });
    return tell(400, loginLoop(returnPath), 'login_loop', { cookies: guard.cookies });
  }

  const binding = findOrMintBinding(own, place, world.random);
  const attempt = beginAttempt(world.keys.sealing(), binding, returnPath, now, world.random);
  const { codeVerifier, nonce } = attemptSecrets(attempt, binding.value);
  const url = provider.authorizationUrl({
    redirectUri: place.redirectUri,
    state: sealAttempt(attempt, place, world.random),
    nonce,
    codeChallenge: codeChallengeOf(codeVerifier),
  });
  if (url === undefined) return refuse(parts);

  world.observe({ kind: 'LoginStarted' });
  const seconds = Math.ceil(config.attemptTtl / 1000);
  return redirect(302, url.href, 'login_started', [bindingCookie(binding, place, seconds), ...guard.cookies]);
}

function refuse({ world }: Parts): Decision {
  world.observe({ kind: 'LoginFailed', reason: 'provider_unavailable' });
  return tell(503, providerUnavailable(), 'provider_unavailable', { headers: [RETRY_AFTER] });
}
