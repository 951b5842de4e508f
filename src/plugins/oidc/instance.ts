import type { Decision, DecisionContext, PluginInstance, RequestView } from '../../routing/decision.ts';
import type { PluginConfig } from '../../routing/plugin-rules.ts';
import type { PluginWorld } from '../contract.ts';
import type { Parts, Visit } from './login/login-context.ts';
import { finishLogin } from './login/login-finish.ts';
import { logOut } from './login/logout.ts';
import { createUsedAttempts } from './login/used-attempts.ts';
import { insecureOrigin, methodNotAllowed, notFound } from './notices.ts';
import type { Provider } from './provider/provider.ts';
import { tell } from './respond.ts';
import { readOwnCookies } from './session/own-cookies.ts';
import { createPlaces, type Place } from './session/place.ts';
import { createSessions } from './session/sessions.ts';
import type { OidcConfig } from './spec/config.ts';
import { decideRequest } from './step.ts';

/** Assembles a running plugin. `provider` was started by the caller and is stopped with the instance. */
export function startOidc(
  config: OidcConfig,
  identity: PluginConfig,
  world: PluginWorld,
  provider: Provider,
): PluginInstance {
  const findPlace = createPlaces(config, identity.identity);
  const parts: Parts = {
    config,
    world,
    provider,
    sessions: createSessions(config, world),
    used: createUsedAttempts(config.attemptTtl),
  };

  const visit = (request: RequestView, context: DecisionContext, place: Place): Visit => {
    const line = request.header('cookie');
    return { request, context, place, line, own: readOwnCookies(line, place.names) };
  };

  return {
    decide(request, context) {
      const place = findPlace(request, context);
      if (place === undefined) return refuseOrigin(parts);
      const line = request.header('cookie');
      const known = line === undefined ? undefined : parts.sessions.recall(line, place, context.needs);
      return known === undefined ? decideRequest(parts, visit(request, context, place)) : known.decision;
    },
    answer(request, context) {
      const place = findPlace(request, context);
      return place === undefined ? refuseOrigin(parts) : answerReserved(parts, visit(request, context, place));
    },
    status: () => provider.status(),
    stop: () => provider.stop(),
  };
}

function refuseOrigin({ world }: Parts): Decision {
  world.observe({ kind: 'Unauthenticated', reason: 'insecure_origin' });
  return tell(503, insecureOrigin(), 'insecure_origin');
}

/** `response_mode=query` only, so the callback is a GET. */
function answerReserved(parts: Parts, visit: Visit): Decision | Promise<Decision> {
  const { path, method } = visit.request;
  if (path === parts.config.logout.path) return logOut(parts, visit);
  if (path !== parts.config.redirectPath) return tell(404, notFound(), 'not_found');
  if (method !== 'GET')
    return tell(405, methodNotAllowed(), 'method_not_allowed', { headers: [{ name: 'Allow', value: 'GET' }] });
  return finishLogin(parts, visit);
}
