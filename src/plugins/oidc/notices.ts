import type { Notice, NoticeAction } from '../../routing/decision.ts';
import type { CallbackFault } from './login/callback.ts';
import type { ReturnPath } from './login/return-path.ts';
import type { ExchangeFailure } from './provider/provider.ts';

/** What people are told. No value of a request is in here but a checked return path, as a link. */

const notice = (code: string, title: string, text: string, advice?: string, action?: NoticeAction): Notice => ({
  code,
  title,
  text,
  advice,
  action,
});

const again = (href: ReturnPath | undefined): NoticeAction | undefined =>
  href === undefined ? undefined : { kind: 'Link', label: 'Go to the page and sign in again', href };

export const unauthenticated = (): Notice =>
  notice(
    'unauthenticated',
    'Sign-in needed',
    'This address needs a sign-in, and this request came without a valid session.',
    'Open the address in a browser and sign in, then repeat the request.',
  );

export const providerUnavailable = (href?: ReturnPath): Notice =>
  notice(
    'provider_unavailable',
    'Sign-in is not possible right now',
    'The identity provider that signs people in here does not answer. Nothing is wrong with your account.',
    'Try again in a moment.',
    again(href),
  );

export const insecureOrigin = (): Notice =>
  notice(
    'insecure_origin',
    'Sign-in is not possible over plain http',
    'A session must not travel in the clear, so no sign-in is offered at an http address.',
    'For the administrator: serve this host over https and start with --external-scheme https. On a loopback name such as localhost, insecure.httpCookies: true of the OidcPlugin allows http.',
  );

export const loginLoop = (href: ReturnPath): Notice =>
  notice(
    'login_loop',
    'The sign-in does not hold',
    'You signed in twice within seconds, but your browser does not send the session back, or it cannot be used.',
    'Allow cookies for this address. If they are allowed, tell the administrator: the cookies may be blocked on the way, or the tokens may expire at once.',
    again(href),
  );

export const methodNotAllowed = (): Notice =>
  notice('method_not_allowed', 'Method not allowed', 'This address does not answer this kind of request.');

export const notFound = (): Notice => notice('not_found', 'Not found', 'There is nothing at this address.');

const CALLBACK: Readonly<Record<CallbackFault, readonly [status: number, title: string, text: string]>> = {
  malformed: [400, 'The sign-in failed', 'The answer of the identity provider is malformed.'],
  state_missing: [400, 'The sign-in failed', 'This address was opened without the answer of an identity provider.'],
  state_invalid: [400, 'The sign-in failed', 'The answer does not belong to a sign-in that was started here.'],
  state_expired: [400, 'The sign-in took too long', 'The sign-in was started too long ago.'],
  other_browser: [
    400,
    'The sign-in was started elsewhere',
    'This sign-in was not started in this browser, or its cookie is gone.',
  ],
  attempt_used: [400, 'The sign-in was used already', 'The answer of the identity provider was used before.'],
  wrong_issuer: [400, 'The sign-in failed', 'The answer does not come from the identity provider that was asked.'],
  code_missing: [400, 'The sign-in failed', 'The answer of the identity provider holds no code.'],
  provider_unavailable: [503, 'Sign-in is not possible right now', 'The identity provider cannot be reached yet.'],
  access_denied: [403, 'The sign-in was refused', 'The identity provider says that access was denied.'],
  provider_failed: [503, 'Sign-in is not possible right now', 'The identity provider says that it has a problem.'],
  provider_error: [401, 'The sign-in failed', 'The identity provider ended the sign-in with an error.'],
};

const EXCHANGE: Readonly<Record<ExchangeFailure, readonly [status: number, text: string]>> = {
  provider_unavailable: [503, 'The identity provider does not answer.'],
  client_rejected: [
    502,
    'The identity provider does not accept the credentials of this gateway. The administrator has to check client id and secret.',
  ],
  code_rejected: [400, 'The identity provider does not accept the code: it expired, was used before, or is not ours.'],
  bad_response: [502, 'The identity provider gave an answer that is not to be understood.'],
  id_token_signature: [401, 'The signature of the identity token is not the identity provider’s.'],
  id_token_algorithm: [401, 'The identity token is signed in a way that is not allowed here.'],
  id_token_issuer: [401, 'The identity token is from another issuer.'],
  id_token_audience: [401, 'The identity token is for another client.'],
  id_token_nonce: [401, 'The identity token belongs to another sign-in.'],
  id_token_expired: [401, 'The identity token has expired. The clocks of the gateway and the provider may differ.'],
  id_token_clock_skew: [
    401,
    'The identity token is from the future: the clocks of the gateway and the identity provider differ too much.',
  ],
  id_token_at_hash: [401, 'The access token is not the one that the identity token names.'],
  id_token_malformed: [401, 'The identity token cannot be read.'],
};

const ADVICE = 'Start again from the page that you wanted. If it happens again, tell the administrator the request id.';

export interface Told {
  readonly status: number;
  readonly notice: Notice;
}

export function callbackFailed(fault: CallbackFault, href: ReturnPath | undefined): Told {
  const [status, title, text] = CALLBACK[fault];
  return { status, notice: notice(`login_${fault}`, title, text, ADVICE, again(href)) };
}

export function exchangeFailed(failure: ExchangeFailure, href: ReturnPath): Told {
  const [status, text] = EXCHANGE[failure];
  return { status, notice: notice(`login_${failure}`, 'The sign-in failed', text, ADVICE, again(href)) };
}

/** `parts`: what takes the room, the largest first, as words for the page. */
export const sessionTooLarge = (parts: readonly string[]): Notice =>
  notice(
    'login_session_too_large',
    'The sign-in does not fit into cookies',
    `The identity provider sent more than a browser can carry along. The largest parts: ${parts.join(', ')}.`,
    'For the administrator: set upstream.accessToken: None if the service does not need the token, leave out upstream.idTokenHeader, forward or test fewer claims, or have the provider put less into them.',
  );

/** `headers`: names from configuration. */
export const claimTooLong = (headers: readonly string[]): Notice =>
  notice(
    'login_claim_too_long',
    'The sign-in does not fit into headers',
    `A claim is too long for the header that it is to be sent in: ${headers.join(', ')}.`,
    'For the administrator: forward a shorter claim, or have the provider put less into it.',
  );

export const signedOut = (): Notice =>
  notice('signed_out', 'You are signed out', 'Your session at this address has ended.', undefined, {
    kind: 'Link',
    label: 'Go to the start page',
    href: '/',
  });

/** `action`: the logout path, from configuration. */
export const confirmLogout = (action: string): Notice =>
  notice('confirm_logout', 'Sign out?', 'Do you want to end your session at this address?', undefined, {
    kind: 'Form',
    label: 'Sign out',
    action,
  });

export const crossSiteLogout = (action: string): Notice =>
  notice(
    'cross_site_logout',
    'Sign out?',
    'Another site asked to end your session here. That needs your word.',
    undefined,
    { kind: 'Form', label: 'Sign out', action },
  );
