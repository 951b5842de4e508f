import type { Decision, RequestView } from '../../routing/decision.ts';
import type { Parts, Visit } from './login/login-context.ts';
import { startLogin } from './login/login-start.ts';
import { isNavigation } from './login/navigation.ts';
import { unauthenticated } from './notices.ts';
import { tell } from './respond.ts';
import type { OidcConfig } from './spec/config.ts';

/** A request to a Route that this plugin guards: on with the session's identity, to the provider, or 401. */
export function decideRequest(parts: Parts, visit: Visit): Decision | Promise<Decision> {
  const { own, place, context, request, line } = visit;
  const found = parts.sessions.find(own, place, context.needs);
  if (found.kind === 'Session') {
    const cookies = parts.sessions.keepAlive(found.session, found.sealed, own, place);
    if (cookies.length > 0) return { ...found.session.decision, cookies };
    if (line !== undefined) parts.sessions.remember(line, place, found.session);
    return found.session.decision;
  }
  parts.world.observe({ kind: 'Unauthenticated', reason: found.reason });
  if (!sendsToProvider(parts.config, request)) return refuse();
  const pending = parts.provider.firstAnswer();
  return pending === undefined ? startLogin(parts, visit) : pending.then(() => startLogin(parts, visit));
}

/** `Redirect` sends scripts too, but nothing that could carry a body: that would be lost on the way (A099). */
function sendsToProvider(config: OidcConfig, request: RequestView): boolean {
  // A client of an upgrade follows no redirect (A082).
  if (request.upgrade !== undefined) return false;
  switch (config.unauthenticated) {
    case 'Auto':
      return isNavigation(request);
    case 'Redirect':
      return request.method === 'GET' || request.method === 'HEAD';
    case 'Unauthorized':
      return false;
  }
}

/** RFC 6750 section 3: without `error`, as no credentials were tried. */
function refuse(): Decision {
  return tell(401, unauthenticated(), 'unauthenticated', {
    headers: [{ name: 'WWW-Authenticate', value: 'Bearer realm="postern"' }],
  });
}
