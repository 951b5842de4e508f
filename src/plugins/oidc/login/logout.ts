import { NO_NEEDS } from '../../../authorization/identity.ts';
import type { Decision } from '../../../routing/decision.ts';
import { confirmLogout, crossSiteLogout, methodNotAllowed, signedOut } from '../notices.ts';
import { redirect, tell } from '../respond.ts';
import { clearSession } from '../session/session-cookie.ts';
import { clearBindings } from './binding.ts';
import type { Parts, Visit } from './login-context.ts';
import { clearMarker } from './marker.ts';
import { isNavigation, isSameOrigin } from './navigation.ts';

/**
 * Ends the session here and, where configured, at the provider (OpenID Connect RP-Initiated Logout 1.0). Only a page of
 * this very origin can do so; a link from elsewhere, an image or a prefetch gets at most a question (A100). Where people
 * go afterwards is configuration, never the request (A101).
 */
export function logOut(parts: Parts, visit: Visit): Decision {
  const { request, place } = visit;
  const { path } = parts.config.logout;
  const sameOrigin = isSameOrigin(request, place.origin);
  switch (request.method) {
    case 'POST':
      return sameOrigin ? endSession(parts, visit) : tell(403, crossSiteLogout(path), 'logout_refused');
    case 'GET':
      return sameOrigin && isNavigation(request)
        ? endSession(parts, visit)
        : tell(200, confirmLogout(path), 'logout_asked');
    default:
      return tell(405, methodNotAllowed(), 'method_not_allowed', { headers: [{ name: 'Allow', value: 'GET, POST' }] });
  }
}

function endSession({ config, world, provider, sessions }: Parts, { own, place }: Visit): Decision {
  const { rpInitiated, idTokenHint, postLogoutRedirectUri } = config.logout;
  const { sealed } = sessions.find(own, place, NO_NEEDS);
  const session = sealed === undefined ? undefined : sessions.open(sealed, place);
  const cookies = [...clearSession(place), ...clearBindings(own, place), clearMarker(place)];
  const url = rpInitiated
    ? provider.endSessionUrl({
        idTokenHint: idTokenHint === 'Auto' ? session?.idToken : undefined,
        postLogoutRedirectUri: postLogoutRedirectUri ?? `${place.origin}/`,
      })
    : undefined;
  world.observe({ kind: 'Logout', how: url === undefined ? 'local' : 'rp_initiated' });
  if (url !== undefined) return redirect(303, url.href, 'logged_out', cookies);
  if (postLogoutRedirectUri !== undefined) return redirect(303, postLogoutRedirectUri, 'logged_out', cookies);
  return tell(200, signedOut(), 'logged_out', { cookies });
}
